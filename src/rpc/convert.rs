//! Between the generated types and ours. Everything that comes in is checked here, once.

mod drawing;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tonic::Status;

use super::{proto, status};
use crate::chat::{
    ApprovalRequest, Cursor, Decision, Event, EventBody, Fingerprint, Finish, Limits, MessageId,
    SessionId, TextChange, ToolCall, ToolResult, TraceContext, TraceId, TurnErrorReason, TurnId,
    Usage, WhenBusy,
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

// === in ===

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

// === out ===

/// An event for the wire.
pub fn event_to_proto(event: &Event) -> proto::Event {
    proto::Event {
        seq: event.seq,
        fingerprint: event.fingerprint().to_string(),
        turn_id: event.turn.to_string(),
        trace_id: event.trace.to_string(),
        create_time: Some(event.time.into()),
        body: Some(body_to_proto(&event.body)),
    }
}

fn body_to_proto(body: &EventBody) -> proto::event::Body {
    use proto::event::Body;
    match body {
        EventBody::User { content, message } => Body::User(proto::UserMessage {
            content: content.to_string(),
            request_id: message
                .as_ref()
                .map(|id| id.as_str().to_owned())
                .unwrap_or_default(),
        }),
        EventBody::ToolCall { call, text_offset } => Body::ToolCall(proto::ToolCall {
            call_id: call.id.to_string(),
            name: call.name.to_string(),
            arguments: call.arguments.to_string(),
            text_offset: saturating_u32(*text_offset),
        }),
        EventBody::ToolResult {
            result,
            text_offset,
        } => Body::ToolResult(proto::ToolResult {
            call_id: result.call_id.to_string(),
            name: result.name.to_string(),
            content: result.content.to_string(),
            failed: result.failed,
            text_offset: saturating_u32(*text_offset),
        }),
        EventBody::ApprovalRequest {
            request,
            text_offset,
        } => Body::ApprovalRequest(proto::ApprovalRequest {
            call_id: request.call_id.to_string(),
            name: request.name.to_string(),
            arguments: request.arguments.to_string(),
            expire_time: Some(request.expires.into()),
            text_offset: saturating_u32(*text_offset),
        }),
        EventBody::ApprovalDecision {
            call_id,
            decision,
            text_offset,
        } => Body::ApprovalDecision(proto::ApprovalDecision {
            call_id: call_id.to_string(),
            decision: decision_to_proto(*decision).into(),
            text_offset: saturating_u32(*text_offset),
        }),
        EventBody::Agent {
            content,
            finish,
            usage,
            drawing,
        } => Body::Agent(proto::AgentMessage {
            content: content.to_string(),
            finish: match finish {
                Finish::Completed => proto::Finish::Completed,
                Finish::Cancelled => proto::Finish::Cancelled,
                Finish::Truncated => proto::Finish::Truncated,
            }
            .into(),
            usage: Some(proto::Usage {
                steps: usage.steps,
                tool_calls: usage.tool_calls,
                input_tokens: usage.input_tokens,
                output_tokens: usage.output_tokens,
                cost_micros: usage.cost_micros,
            }),
            diagram: drawing::diagram_to_proto(drawing.as_deref()),
            canvas_trigger: drawing::canvas_to_proto(drawing.as_deref()),
            metrics: drawing::metrics_to_proto(drawing.as_deref()),
        }),
        EventBody::Error {
            reason,
            message,
            partial,
        } => Body::Error(proto::TurnError {
            reason: match reason {
                TurnErrorReason::Model => proto::TurnErrorReason::Model,
                TurnErrorReason::Timeout => proto::TurnErrorReason::Timeout,
                TurnErrorReason::Interrupted => proto::TurnErrorReason::Interrupted,
                TurnErrorReason::Limit => proto::TurnErrorReason::Limit,
                TurnErrorReason::Internal => proto::TurnErrorReason::Internal,
            }
            .into(),
            message: message.to_string(),
            partial: partial.to_string(),
        }),
    }
}

/// A decision for the wire.
pub fn decision_to_proto(decision: Decision) -> proto::Decision {
    match decision {
        Decision::Approved => proto::Decision::Approved,
        Decision::Denied => proto::Decision::Denied,
        Decision::TimedOut => proto::Decision::TimedOut,
    }
}

/// A change of text for the wire.
pub fn text_to_proto(turn: TurnId, trace: TraceId, change: TextChange) -> proto::Text {
    proto::Text {
        turn_id: turn.to_string(),
        trace_id: trace.to_string(),
        change: Some(match change {
            TextChange::Replace(text) => proto::text::Change::Replace(text),
            TextChange::Append(text) => proto::text::Change::Append(text),
        }),
    }
}

/// A cursor for the wire.
pub fn cursor_to_proto(cursor: &Cursor) -> proto::Cursor {
    proto::Cursor {
        seq: cursor.seq,
        fingerprint: cursor
            .fingerprint
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}

/// The limits for the wire.
pub fn limits_to_proto(limits: &Limits) -> proto::Limits {
    proto::Limits {
        question_bytes: saturating_u32(limits.question_bytes),
        waiting_questions: saturating_u32(limits.waiting_questions),
        rate_questions: saturating_u32(limits.rate_questions),
        rate_window: Some(duration_to_proto(limits.rate_window)),
    }
}

/// A duration read by a client of ours; a negative one counts as none.
pub fn duration(duration: prost_types::Duration) -> Duration {
    Duration::try_from(duration).unwrap_or_default()
}

/// A duration for the wire.
pub fn duration_to_proto(duration: Duration) -> prost_types::Duration {
    prost_types::Duration::try_from(duration).unwrap_or_default()
}

/// A question for the wire.
pub fn question_to_proto(question: Question) -> proto::Question {
    proto::Question {
        content: question.content,
        request_id: question
            .message
            .map(|id| id.as_str().to_owned())
            .unwrap_or_default(),
        trace_context: Some(proto::TraceContext {
            traceparent: question.trace_context.traceparent,
            tracestate: question.trace_context.tracestate,
        }),
        when_busy: match question.when_busy {
            WhenBusy::Queue => proto::WhenBusy::Queue,
            WhenBusy::Reject => proto::WhenBusy::Reject,
            WhenBusy::Interrupt => proto::WhenBusy::Interrupt,
        }
        .into(),
    }
}

/// What is said of a call, for the wire.
pub fn decide_to_proto(decide: Decide) -> proto::Decide {
    proto::Decide {
        turn_id: decide.turn.map(|turn| turn.to_string()).unwrap_or_default(),
        call_id: decide.call_id,
        approved: decide.approved,
    }
}

fn saturating_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
