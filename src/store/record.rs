//! How events look in a file: a kind and a JSON object. The words of [`crate::chat`] stay free of
//! it. A field may be added if it has a default; any other change needs a migration.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::chat::{
    Cursor, Event, EventBody, Finish, MessageId, ToolCall, ToolResult, TraceId, TurnErrorReason,
    TurnId, Usage,
};

use super::{EVENT_BYTES, FINAL_EVENT_BYTES, StoreError};

/// An event's body as it is written to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encoded {
    /// Which of the records `data` holds.
    pub(super) kind: &'static str,
    /// The record.
    pub(super) data: String,
}

/// An event as it was read from a file.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) seq: u64,
    pub(super) turn: String,
    pub(super) kind: String,
    pub(super) millis: i64,
    pub(super) trace: String,
    pub(super) data: String,
}

/// Why a row is not an event. A file that was edited by hand, or damaged.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    #[error("event {seq} has the unknown kind `{kind}`")]
    UnknownKind { seq: u64, kind: String },
    #[error("event {seq} has the malformed turn id `{turn}`")]
    Turn { seq: u64, turn: String },
    #[error("event {seq} of kind `{kind}` is malformed: {source}")]
    Malformed {
        seq: u64,
        kind: String,
        source: serde_json::Error,
    },
}

#[derive(Serialize, Deserialize)]
struct UserRecord<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    message: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
struct ToolCallRecord<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    arguments: Cow<'a, str>,
    text_offset: usize,
}

#[derive(Serialize, Deserialize)]
struct ToolResultRecord<'a> {
    #[serde(borrow)]
    call_id: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    content: Cow<'a, str>,
    #[serde(default)]
    failed: bool,
    text_offset: usize,
}

#[derive(Serialize, Deserialize)]
struct AgentRecord<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
    finish: FinishRecord,
    #[serde(default)]
    usage: UsageRecord,
}

#[derive(Serialize, Deserialize)]
struct ErrorRecord<'a> {
    reason: ReasonRecord,
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(borrow, default)]
    partial: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FinishRecord {
    Completed,
    Cancelled,
    Truncated,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReasonRecord {
    Model,
    Timeout,
    Interrupted,
    Limit,
    Internal,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct UsageRecord {
    steps: u32,
    tool_calls: u32,
    input_tokens: u64,
    output_tokens: u64,
}

/// The time `millis` after the epoch.
pub(super) fn time(millis: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// The cursor of an event of which only this much was read.
pub(super) fn cursor(seq: u64, turn: TurnId, millis: i64) -> Cursor {
    // `chat` alone decides what a fingerprint is made of, so it is asked with an event without words.
    Event {
        seq,
        turn,
        trace: TraceId::default(),
        time: time(millis),
        body: EventBody::User {
            content: Arc::from(""),
            message: None,
        },
    }
    .cursor()
}

// === impl Encoded ===

impl Encoded {
    /// Encodes a body, within its bound.
    pub(super) fn of(body: &EventBody) -> Result<Self, StoreError> {
        let (kind, data) = match body {
            EventBody::User { content, message } => {
                let message = message.as_ref().map(|id| Cow::Borrowed(id.as_str()));
                let content = Cow::Borrowed(&**content);
                ("user", json(&UserRecord { content, message }))
            }
            EventBody::ToolCall { call, text_offset } => {
                ("tool_call", json(&ToolCallRecord::of(call, *text_offset)))
            }
            EventBody::ToolResult {
                result,
                text_offset,
            } => (
                "tool_result",
                json(&ToolResultRecord::of(result, *text_offset)),
            ),
            EventBody::Agent {
                content,
                finish,
                usage,
            } => {
                let record = AgentRecord {
                    content: Cow::Borrowed(content),
                    finish: FinishRecord::of(*finish),
                    usage: UsageRecord::of(*usage),
                };
                ("agent", json(&record))
            }
            EventBody::Error {
                reason,
                message,
                partial,
            } => {
                let record = ErrorRecord {
                    reason: ReasonRecord::of(*reason),
                    message: Cow::Borrowed(message),
                    partial: Cow::Borrowed(partial),
                };
                ("error", json(&record))
            }
        };
        let data = data?;
        let (what, limit) = if body.is_final() {
            ("the turn's final event", FINAL_EVENT_BYTES)
        } else {
            ("the event", EVENT_BYTES)
        };
        if data.len() > limit {
            return Err(StoreError::TooLarge { what, limit });
        }
        Ok(Self { kind, data })
    }
}

fn json(record: &impl Serialize) -> Result<String, StoreError> {
    // Strings and numbers always have a JSON form; should that change, it is our defect, not a panic.
    serde_json::to_string(record)
        .map_err(|error| StoreError::Unavailable(format!("cannot encode an event: {error}").into()))
}

// === impl Row ===

impl Row {
    /// The event this row holds.
    pub(super) fn decode(self) -> Result<Event, RecordError> {
        let Ok(turn) = TurnId::parse(&self.turn) else {
            let Self { seq, turn, .. } = self;
            return Err(RecordError::Turn { seq, turn });
        };
        let body = self.body()?;
        Ok(Event {
            seq: self.seq,
            turn,
            trace: TraceId::from_hex(&self.trace),
            time: time(self.millis),
            body,
        })
    }

    fn body(&self) -> Result<EventBody, RecordError> {
        Ok(match self.kind.as_str() {
            "user" => self.record::<UserRecord<'_>>()?.body(),
            "tool_call" => self.record::<ToolCallRecord<'_>>()?.body(),
            "tool_result" => self.record::<ToolResultRecord<'_>>()?.body(),
            "agent" => self.record::<AgentRecord<'_>>()?.body(),
            "error" => self.record::<ErrorRecord<'_>>()?.body(),
            kind => {
                return Err(RecordError::UnknownKind {
                    seq: self.seq,
                    kind: kind.to_owned(),
                });
            }
        })
    }

    fn record<'a, T: Deserialize<'a>>(&'a self) -> Result<T, RecordError> {
        serde_json::from_str(&self.data).map_err(|source| RecordError::Malformed {
            seq: self.seq,
            kind: self.kind.clone(),
            source,
        })
    }
}

// === impl UserRecord ===

impl UserRecord<'_> {
    fn body(self) -> EventBody {
        EventBody::User {
            content: self.content.into(),
            message: self.message.and_then(|id| MessageId::parse(&id).ok()),
        }
    }
}

// === impl ToolCallRecord ===

impl<'a> ToolCallRecord<'a> {
    fn of(call: &'a ToolCall, text_offset: usize) -> Self {
        Self {
            id: Cow::Borrowed(&call.id),
            name: Cow::Borrowed(&call.name),
            arguments: Cow::Borrowed(&call.arguments),
            text_offset,
        }
    }

    fn body(self) -> EventBody {
        EventBody::ToolCall {
            call: ToolCall {
                id: self.id.into(),
                name: self.name.into(),
                arguments: self.arguments.into(),
            },
            text_offset: self.text_offset,
        }
    }
}

// === impl ToolResultRecord ===

impl<'a> ToolResultRecord<'a> {
    fn of(result: &'a ToolResult, text_offset: usize) -> Self {
        Self {
            call_id: Cow::Borrowed(&result.call_id),
            name: Cow::Borrowed(&result.name),
            content: Cow::Borrowed(&result.content),
            failed: result.failed,
            text_offset,
        }
    }

    fn body(self) -> EventBody {
        EventBody::ToolResult {
            result: ToolResult {
                call_id: self.call_id.into(),
                name: self.name.into(),
                content: self.content.into(),
                failed: self.failed,
            },
            text_offset: self.text_offset,
        }
    }
}

// === impl AgentRecord ===

impl AgentRecord<'_> {
    fn body(self) -> EventBody {
        EventBody::Agent {
            content: self.content.into(),
            finish: self.finish.finish(),
            usage: self.usage.usage(),
        }
    }
}

// === impl ErrorRecord ===

impl ErrorRecord<'_> {
    fn body(self) -> EventBody {
        EventBody::Error {
            reason: self.reason.reason(),
            message: self.message.into(),
            partial: self.partial.into(),
        }
    }
}

// === impl FinishRecord ===

impl FinishRecord {
    fn of(finish: Finish) -> Self {
        match finish {
            Finish::Completed => Self::Completed,
            Finish::Cancelled => Self::Cancelled,
            Finish::Truncated => Self::Truncated,
        }
    }

    fn finish(&self) -> Finish {
        match self {
            Self::Completed => Finish::Completed,
            Self::Cancelled => Finish::Cancelled,
            Self::Truncated => Finish::Truncated,
        }
    }
}

// === impl ReasonRecord ===

impl ReasonRecord {
    fn of(reason: TurnErrorReason) -> Self {
        match reason {
            TurnErrorReason::Model => Self::Model,
            TurnErrorReason::Timeout => Self::Timeout,
            TurnErrorReason::Interrupted => Self::Interrupted,
            TurnErrorReason::Limit => Self::Limit,
            TurnErrorReason::Internal => Self::Internal,
        }
    }

    fn reason(&self) -> TurnErrorReason {
        match self {
            Self::Model => TurnErrorReason::Model,
            Self::Timeout => TurnErrorReason::Timeout,
            Self::Interrupted => TurnErrorReason::Interrupted,
            Self::Limit => TurnErrorReason::Limit,
            Self::Internal => TurnErrorReason::Internal,
        }
    }
}

// === impl UsageRecord ===

impl UsageRecord {
    fn of(usage: Usage) -> Self {
        let Usage {
            steps,
            tool_calls,
            input_tokens,
            output_tokens,
        } = usage;
        Self {
            steps,
            tool_calls,
            input_tokens,
            output_tokens,
        }
    }

    fn usage(&self) -> Usage {
        Usage {
            steps: self.steps,
            tool_calls: self.tool_calls,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
        }
    }
}
