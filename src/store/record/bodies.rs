//! The JSON objects.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::drawing::DrawingRecord;
use crate::chat::{
    Drawing, EventBody, Finish, MessageId, ToolCall, ToolResult, TurnErrorReason, Usage,
};

#[derive(Serialize, Deserialize)]
pub(super) struct UserRecord<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    message: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ToolCallRecord<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    arguments: Cow<'a, str>,
    text_offset: usize,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ToolResultRecord<'a> {
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
pub(super) struct AgentRecord<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
    finish: FinishRecord,
    #[serde(default)]
    usage: UsageRecord,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    drawing: Option<DrawingRecord<'a>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ErrorRecord<'a> {
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
    cost_micros: u64,
    cached_tokens: u64,
}

// === impl UserRecord ===

impl<'a> UserRecord<'a> {
    pub(super) fn of(content: &'a str, message: Option<&'a MessageId>) -> Self {
        Self {
            content: Cow::Borrowed(content),
            message: message.map(|id| Cow::Borrowed(id.as_str())),
        }
    }

    pub(super) fn body(self) -> EventBody {
        EventBody::User {
            content: self.content.into(),
            message: self.message.and_then(|id| MessageId::parse(&id).ok()),
        }
    }
}

// === impl ToolCallRecord ===

impl<'a> ToolCallRecord<'a> {
    pub(super) fn of(call: &'a ToolCall, text_offset: usize) -> Self {
        Self {
            id: Cow::Borrowed(&call.id),
            name: Cow::Borrowed(&call.name),
            arguments: Cow::Borrowed(&call.arguments),
            text_offset,
        }
    }

    pub(super) fn body(self) -> EventBody {
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
    pub(super) fn of(result: &'a ToolResult, text_offset: usize) -> Self {
        Self {
            call_id: Cow::Borrowed(&result.call_id),
            name: Cow::Borrowed(&result.name),
            content: Cow::Borrowed(&result.content),
            failed: result.failed,
            text_offset,
        }
    }

    pub(super) fn body(self) -> EventBody {
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

impl<'a> AgentRecord<'a> {
    pub(super) fn of(
        content: &'a str,
        finish: Finish,
        usage: Usage,
        drawing: Option<&'a Drawing>,
    ) -> Self {
        Self {
            content: Cow::Borrowed(content),
            finish: FinishRecord::of(finish),
            usage: UsageRecord::of(usage),
            drawing: drawing.map(DrawingRecord::of),
        }
    }

    pub(super) fn body(self) -> EventBody {
        EventBody::Agent {
            content: self.content.into(),
            finish: self.finish.finish(),
            usage: self.usage.usage(),
            drawing: self.drawing.map(|drawing| drawing.drawing().into()),
        }
    }
}

// === impl ErrorRecord ===

impl<'a> ErrorRecord<'a> {
    pub(super) fn of(reason: TurnErrorReason, message: &'a str, partial: &'a str) -> Self {
        Self {
            reason: ReasonRecord::of(reason),
            message: Cow::Borrowed(message),
            partial: Cow::Borrowed(partial),
        }
    }

    pub(super) fn body(self) -> EventBody {
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
            cost_micros,
            cached_tokens,
        } = usage;
        Self {
            steps,
            tool_calls,
            input_tokens,
            output_tokens,
            cost_micros,
            cached_tokens,
        }
    }

    fn usage(&self) -> Usage {
        Usage {
            steps: self.steps,
            tool_calls: self.tool_calls,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cost_micros: self.cost_micros,
            cached_tokens: self.cached_tokens,
        }
    }
}
