//! Between the generated types and ours. Everything that comes in is checked here, once.

mod drawing;
mod out;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tonic::Status;

use super::{proto, status};
use crate::chat::{
    ApprovalRequest, Cursor, Decision, Event, EventBody, Fingerprint, Finish, MessageId, SessionId,
    TextChange, ToolCall, ToolResult, TraceContext, TraceId, TurnErrorReason, TurnId, Usage,
    WhenBusy,
};

pub use out::{
    cursor_to_proto, decide_to_proto, decision_to_proto, duration_to_proto, event_to_proto,
    limits_to_proto, question_to_proto, text_to_proto,
};

/// Longest id of a tool call that is looked for, in bytes: models give shorter ones.
const LONGEST_CALL_ID: usize = 256;

/// A question as it came from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub content: String,
    /// The client's id of it.
    pub message: Option<MessageId>,
    /// The caller's trace.
    pub trace_context: TraceContext,
    /// What to do if a turn is running.
    pub when_busy: WhenBusy,
}

/// What a client says of a call that waits to be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decide {
    /// The turn; `None` means the running one.
    pub turn: Option<TurnId>,
    /// The call.
    pub call_id: String,
    /// Whether it may be run.
    pub approved: bool,
}

/// `session_id`, or what is wrong with it.
pub fn session_id(text: &str) -> Result<SessionId, Status> {
    SessionId::parse(text).map_err(|error| status::invalid_field("session_id", &error.to_string()))
}

/// `turn_id`; empty means the running turn.
pub fn turn_id(text: &str) -> Result<Option<TurnId>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    TurnId::parse(text)
        .map(Some)
        .map_err(|error| status::invalid_field("turn_id", &error.to_string()))
}

/// `call_id`, or what is wrong with it.
pub fn call_id(text: &str) -> Result<&str, Status> {
    if text.is_empty() || text.len() > LONGEST_CALL_ID {
        let wish = format!(
            "a call id is 1 to {LONGEST_CALL_ID} bytes, as received with the call's approval request"
        );
        return Err(status::invalid_field("call_id", &wish));
    }
    Ok(text)
}

/// A question, or what is wrong with it.
pub fn question(question: proto::Question) -> Result<Question, Status> {
    let message = if question.request_id.is_empty() {
        None
    } else {
        let id = MessageId::parse(&question.request_id)
            .map_err(|error| status::invalid_field("request_id", &error.to_string()))?;
        Some(id)
    };
    if question.content.trim().is_empty() {
        let wish = "a question has at least one character that is not white space";
        return Err(status::invalid_field("content", wish));
    }
    let when_busy = match question.when_busy() {
        proto::WhenBusy::Unspecified | proto::WhenBusy::Queue => WhenBusy::Queue,
        proto::WhenBusy::Reject => WhenBusy::Reject,
        proto::WhenBusy::Interrupt => WhenBusy::Interrupt,
    };
    let trace_context = question.trace_context.unwrap_or_default();
    Ok(Question {
        when_busy,
        content: question.content,
        message,
        trace_context: TraceContext {
            traceparent: trace_context.traceparent,
            tracestate: trace_context.tracestate,
        },
    })
}

/// A cursor.
pub fn cursor(cursor: proto::Cursor) -> Cursor {
    Cursor {
        seq: cursor.seq,
        fingerprint: Fingerprint::from_client(&cursor.fingerprint),
    }
}

/// An event read by a client of ours. `None` if it is of a kind this version does not know.
pub fn event(event: proto::Event) -> Option<Event> {
    Some(Event {
        seq: event.seq,
        turn: TurnId::parse(&event.turn_id).ok()?,
        trace: TraceId::from_hex(&event.trace_id),
        time: time(event.create_time?),
        body: body(event.body?),
    })
}

fn body(body: proto::event::Body) -> EventBody {
    use proto::event::Body;
    match body {
        Body::User(user) => EventBody::User {
            content: user.content.into(),
            message: MessageId::parse(&user.request_id).ok(),
        },
        Body::ToolCall(call) => EventBody::ToolCall {
            text_offset: call.text_offset as usize,
            call: ToolCall {
                id: call.call_id.into(),
                name: call.name.into(),
                arguments: call.arguments.into(),
            },
        },
        Body::ToolResult(result) => EventBody::ToolResult {
            text_offset: result.text_offset as usize,
            result: ToolResult {
                call_id: result.call_id.into(),
                name: result.name.into(),
                content: result.content.into(),
                failed: result.failed,
            },
        },
        Body::ApprovalRequest(request) => EventBody::ApprovalRequest {
            text_offset: request.text_offset as usize,
            request: ApprovalRequest {
                call_id: request.call_id.into(),
                name: request.name.into(),
                arguments: request.arguments.into(),
                expires: request.expire_time.map_or(UNIX_EPOCH, time),
            },
        },
        Body::ApprovalDecision(decided) => EventBody::ApprovalDecision {
            text_offset: decided.text_offset as usize,
            decision: decision(decided.decision()),
            call_id: decided.call_id.into(),
        },
        Body::Agent(mut agent) => {
            let finish = match agent.finish() {
                proto::Finish::Cancelled => Finish::Cancelled,
                proto::Finish::Truncated => Finish::Truncated,
                proto::Finish::Completed | proto::Finish::Unspecified => Finish::Completed,
            };
            let drawing = drawing::drawing(&mut agent);
            let usage = agent.usage.unwrap_or_default();
            EventBody::Agent {
                content: agent.content.into(),
                finish,
                usage: Usage {
                    steps: usage.steps,
                    tool_calls: usage.tool_calls,
                    input_tokens: usage.input_tokens,
                    output_tokens: usage.output_tokens,
                    cost_micros: usage.cost_micros,
                    cached_tokens: usage.cached_tokens,
                },
                drawing,
            }
        }
        Body::Error(error) => EventBody::Error {
            reason: match error.reason() {
                proto::TurnErrorReason::Model => TurnErrorReason::Model,
                proto::TurnErrorReason::Timeout => TurnErrorReason::Timeout,
                proto::TurnErrorReason::Interrupted => TurnErrorReason::Interrupted,
                proto::TurnErrorReason::Limit => TurnErrorReason::Limit,
                proto::TurnErrorReason::Internal | proto::TurnErrorReason::Unspecified => {
                    TurnErrorReason::Internal
                }
            },
            message: error.message.into(),
            partial: error.partial.into(),
        },
    }
}

/// A decision read by a client of ours. One of a kind this version does not know is no permission.
fn decision(decision: proto::Decision) -> Decision {
    match decision {
        proto::Decision::Approved => Decision::Approved,
        proto::Decision::TimedOut => Decision::TimedOut,
        proto::Decision::Denied | proto::Decision::Unspecified => Decision::Denied,
    }
}

/// A change of text read by a client of ours. `None` if it is of a kind this version does not know.
pub fn text(text: proto::Text) -> Option<(TurnId, TraceId, TextChange)> {
    let change = match text.change? {
        proto::text::Change::Replace(text) => TextChange::Replace(text),
        proto::text::Change::Append(text) => TextChange::Append(text),
    };
    let turn = TurnId::parse(&text.turn_id).ok()?;
    Some((turn, TraceId::from_hex(&text.trace_id), change))
}

fn time(timestamp: prost_types::Timestamp) -> SystemTime {
    SystemTime::try_from(timestamp).unwrap_or(UNIX_EPOCH)
}

/// A duration read by a client of ours; a negative one counts as none.
pub fn duration(duration: prost_types::Duration) -> Duration {
    Duration::try_from(duration).unwrap_or_default()
}
