//! How events look in a file: a kind and a JSON object. The words of [`crate::chat`] stay free of
//! it. A field may be added if it has a default; any other change needs a migration.

mod approvals;
mod bodies;
mod drawing;

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::chat::{Cursor, Event, EventBody, Fingerprint, TraceId, TurnId};

use self::approvals::{DecisionRecord, RequestRecord};
use self::bodies::{AgentRecord, ErrorRecord, ToolCallRecord, ToolResultRecord, UserRecord};

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
    #[error("event {seq} has a decision of an unknown kind")]
    UnknownDecision { seq: u64 },
    #[error("event {seq} of kind `{kind}` is malformed: {source}")]
    Malformed {
        seq: u64,
        kind: String,
        source: serde_json::Error,
    },
}

/// The kind of a call that waits to be allowed, which a script of Redis knows too.
const APPROVAL_REQUEST: &str = "approval_request";

/// The time `millis` after the epoch.
pub(super) fn time(millis: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// Milliseconds from the epoch to `time`.
pub(super) fn millis(time: SystemTime) -> i64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The cursor of an event of which only this much was read.
pub(super) fn cursor(seq: u64, turn: TurnId, millis: i64) -> Cursor {
    Cursor {
        seq,
        fingerprint: Some(Fingerprint::of(turn, time(millis))),
    }
}

// === impl Encoded ===

impl Encoded {
    /// Encodes a body, within its bound.
    pub(super) fn of(body: &EventBody) -> Result<Self, StoreError> {
        let (kind, data) = match body {
            EventBody::User { content, message } => {
                ("user", json(&UserRecord::of(content, message.as_ref())))
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
            EventBody::ApprovalRequest {
                request,
                text_offset,
            } => (
                APPROVAL_REQUEST,
                json(&RequestRecord::of(request, *text_offset)),
            ),
            EventBody::ApprovalDecision {
                call_id,
                decision,
                text_offset,
            } => (
                "approval_decision",
                json(&DecisionRecord::of(call_id, *decision, *text_offset)),
            ),
            EventBody::Agent {
                content,
                finish,
                usage,
                drawing,
            } => {
                let record = AgentRecord::of(content, *finish, *usage, drawing.as_deref());
                ("agent", json(&record))
            }
            EventBody::Error {
                reason,
                message,
                partial,
            } => ("error", json(&ErrorRecord::of(*reason, message, partial))),
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
    // Strings and numbers always have a JSON form. Should that change: an error, not a panic.
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
            APPROVAL_REQUEST => self.record::<RequestRecord<'_>>()?.body(),
            "approval_decision" => {
                let record = self.record::<DecisionRecord<'_>>()?;
                record
                    .body()
                    .ok_or(RecordError::UnknownDecision { seq: self.seq })?
            }
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
