//! From our types to the generated ones.

use std::time::Duration;

use super::{Decide, Question, drawing, proto};
use crate::chat::{
    Cursor, Decision, Event, EventBody, Finish, Limits, TextChange, TraceId, TurnErrorReason,
    TurnId, WhenBusy,
};

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
                cached_tokens: usage.cached_tokens,
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
