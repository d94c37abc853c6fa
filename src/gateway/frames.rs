//! The JSON of the WebSocket protocol, in and out. The only file that knows how frames look; `proto/websocket.md`
//! documents them.

mod drawing;

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::chat::{
    Drawing, Event, EventBody, Finish, InvalidId, MessageId, TraceContext, TraceId, TurnId,
};
use crate::rpc::status::Refusal;
use drawing::{CanvasTrigger, Metrics};

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ClientFrame {
    /// An answer.
    Ask {
        content: String,
        id: Option<MessageId>,
        trace_context: TraceContext,
    },
    /// The running turn stopped; `None` means whichever runs.
    Cancel { turn: Option<TurnId> },
    /// A call that waits allowed, or not; `None` means one of whichever turn runs.
    Approve {
        turn: Option<TurnId>,
        call_id: String,
        approved: bool,
    },
    /// Nothing: a sign of life, or an empty question.
    Nothing,
}

/// A frame that cannot be taken. The text is the `error` frame's content: it says what to send instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidFrame {
    #[error("Invalid JSON format")]
    NotJson,
    #[error(
        "Invalid JSON format: a frame is an object such as {{\"content\": \"List all tables\"}}"
    )]
    NotAnObject,
    #[error("Invalid frame: {0} must be a string")]
    NotAString(&'static str),
    #[error("Invalid frame: call_id must be the one of an approval frame")]
    NoCall,
    #[error("Invalid frame: approved must be true or false")]
    NoDecision,
    #[error("Invalid frame: {0}")]
    Id(#[from] InvalidId),
    #[error("Invalid frame: send JSON in a text frame, not in a binary one")]
    Binary,
}

/// A frame as it is written. Keys that do not apply are left out.
#[derive(Debug, Default, Serialize)]
struct ServerFrame<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_offset: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagram: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canvas_trigger: Option<CanvasTrigger<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Metrics<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn_id: Option<TurnId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<TraceId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ahead: Option<u32>,
}

#[derive(Deserialize)]
struct RawClientFrame {
    #[serde(default)]
    r#type: Value,
    #[serde(default)]
    content: Value,
    #[serde(default)]
    id: Value,
    #[serde(default)]
    turn_id: Value,
    #[serde(default)]
    call_id: Value,
    #[serde(default)]
    approved: Value,
    #[serde(default)]
    traceparent: Value,
    #[serde(default)]
    tracestate: Value,
}

/// Reads a text frame. Keys nobody knows are ignored, as the replaced service did.
pub(super) fn read(text: &str) -> Result<ClientFrame, InvalidFrame> {
    let value: Value = serde_json::from_str(text).map_err(|_| InvalidFrame::NotJson)?;
    if !value.is_object() {
        return Err(InvalidFrame::NotAnObject);
    }
    let raw: RawClientFrame =
        serde_json::from_value(value).map_err(|_| InvalidFrame::NotAnObject)?;
    match raw.r#type.as_str() {
        Some("cancel") => {
            let turn = string(&raw.turn_id, "turn_id")?;
            let turn = turn.map(TurnId::parse).transpose()?;
            return Ok(ClientFrame::Cancel { turn });
        }
        Some("approve") => {
            let turn = string(&raw.turn_id, "turn_id")?;
            let turn = turn.map(TurnId::parse).transpose()?;
            let call_id = string(&raw.call_id, "call_id")?;
            return Ok(ClientFrame::Approve {
                turn,
                call_id: call_id.ok_or(InvalidFrame::NoCall)?.to_owned(),
                // Nothing that only looks like a yes is one.
                approved: raw.approved.as_bool().ok_or(InvalidFrame::NoDecision)?,
            });
        }
        Some("pong") => return Ok(ClientFrame::Nothing),
        // The replaced service never looked at `type`.
        Some(_) | None => {}
    }
    let Some(content) = string(&raw.content, "content")? else {
        return Ok(ClientFrame::Nothing);
    };
    let id = string(&raw.id, "id")?.map(MessageId::parse).transpose()?;
    // A malformed trace context is ignored, never an error: https://www.w3.org/TR/trace-context/#processing-model
    let header = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Ok(ClientFrame::Ask {
        content: content.to_owned(),
        id,
        trace_context: TraceContext {
            traceparent: header(&raw.traceparent),
            tracestate: header(&raw.tracestate),
        },
    })
}

/// A key's text; `None` if the key is missing, `null` or empty.
fn string<'a>(value: &'a Value, key: &'static str) -> Result<Option<&'a str>, InvalidFrame> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(InvalidFrame::NotAString(key)),
    }
}

/// The frame of an event; `None` for the ones the protocol does not show.
pub(super) fn event(event: &Event) -> Option<String> {
    let common = ServerFrame {
        turn_id: Some(event.turn),
        seq: Some(event.seq),
        timestamp: Some(timestamp(event.time)),
        trace_id: trace_id(event.trace),
        ..ServerFrame::default()
    };
    let error;
    let frame = match &event.body {
        EventBody::User { content, message } => ServerFrame {
            r#type: "user",
            content: Some(content),
            id: message.as_ref().map(MessageId::as_str),
            ..common
        },
        EventBody::ToolCall { .. } => return None,
        EventBody::ToolResult {
            result,
            text_offset,
        } => ServerFrame {
            r#type: "tool",
            content: Some(&result.content),
            tool_name: Some(&result.name),
            text_offset: Some(*text_offset),
            ..common
        },
        EventBody::ApprovalRequest {
            request,
            text_offset,
        } => ServerFrame {
            r#type: "approval",
            call_id: Some(&request.call_id),
            tool_name: Some(&request.name),
            arguments: Some(&request.arguments),
            expires_at: Some(timestamp(request.expires)),
            text_offset: Some(*text_offset),
            ..common
        },
        EventBody::ApprovalDecision {
            call_id, decision, ..
        } => ServerFrame {
            r#type: "approval_decision",
            call_id: Some(call_id),
            decision: Some(decision.as_str()),
            ..common
        },
        EventBody::Agent {
            content,
            finish,
            drawing,
            ..
        } => ServerFrame {
            r#type: "agent",
            content: Some(content),
            finish: match finish {
                Finish::Completed => None,
                Finish::Cancelled => Some("cancelled"),
                Finish::Truncated => Some("truncated"),
            },
            diagram: diagram(drawing.as_deref()),
            canvas_trigger: canvas_trigger(drawing.as_deref()),
            metrics: metrics(drawing.as_deref()),
            ..common
        },
        EventBody::Error { message, .. } => {
            error = format!("Agent error: {message}");
            ServerFrame {
                r#type: "error",
                content: Some(&error),
                ..common
            }
        }
    };
    Some(text(&frame))
}

fn diagram(drawing: Option<&Drawing>) -> Option<&str> {
    Some(&drawing?.diagram.as_ref()?.mermaid)
}

fn canvas_trigger(drawing: Option<&Drawing>) -> Option<CanvasTrigger<'_>> {
    Some(drawing?.canvas.as_ref()?.into())
}

fn metrics(drawing: Option<&Drawing>) -> Option<Metrics<'_>> {
    Some(drawing?.metrics.as_ref()?.into())
}

/// What a partial says of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Said<'a> {
    /// All of it so far.
    Whole(&'a str),
    /// What comes after the partial before; only for clients that chose it.
    More(&'a str),
}

/// The answer so far.
pub(super) fn partial(said: Said<'_>, turn: TurnId, trace: TraceId) -> String {
    let (content, delta) = match said {
        Said::Whole(text) => (Some(text), None),
        Said::More(text) => (None, Some(text)),
    };
    text(&ServerFrame {
        r#type: "agent_partial",
        content,
        delta,
        turn_id: Some(turn),
        timestamp: Some(timestamp(SystemTime::now())),
        trace_id: trace_id(trace),
        ..ServerFrame::default()
    })
}

/// The end of a turn that is gone together with its log.
pub(super) fn lost(turn: TurnId, trace: TraceId) -> String {
    text(&ServerFrame {
        r#type: "error",
        content: Some(
            "Agent error: the answer was lost together with the history. Please ask again.",
        ),
        turn_id: Some(turn),
        timestamp: Some(timestamp(SystemTime::now())),
        trace_id: trace_id(trace),
        ..ServerFrame::default()
    })
}

/// A frame that was not taken.
pub(super) fn invalid(why: &InvalidFrame) -> String {
    error(&why.to_string(), None, TraceId::default())
}

/// A question waits for the running turn, and for `ahead` others.
pub(super) fn queued(id: &str, ahead: u32, trace: TraceId) -> String {
    text(&ServerFrame {
        r#type: "queued",
        id: Some(id),
        ahead: Some(ahead),
        timestamp: Some(timestamp(SystemTime::now())),
        trace_id: trace_id(trace),
        ..ServerFrame::default()
    })
}

/// A question that was not taken; `id` is the client's id of it.
pub(super) fn refused(refusal: &Refusal, id: Option<&str>, trace: TraceId) -> String {
    error(&capitalized(&refusal.message), id, trace)
}

/// A decision about a call that was not taken.
pub(super) fn not_decided(refusal: &Refusal, call_id: &str) -> String {
    text(&ServerFrame {
        r#type: "error",
        content: Some(&capitalized(&refusal.message)),
        call_id: Some(call_id),
        timestamp: Some(timestamp(SystemTime::now())),
        ..ServerFrame::default()
    })
}

/// An error of the connection, not of a turn.
pub(super) fn error(content: &str, id: Option<&str>, trace: TraceId) -> String {
    text(&ServerFrame {
        r#type: "error",
        content: Some(content),
        id,
        timestamp: Some(timestamp(SystemTime::now())),
        trace_id: trace_id(trace),
        ..ServerFrame::default()
    })
}

/// The log does not reach back to the client's position: what follows is the whole log.
pub(super) fn gap() -> String {
    text(&ServerFrame {
        r#type: "gap",
        content: Some("The history you have is out of date. The whole conversation follows."),
        timestamp: Some(timestamp(SystemTime::now())),
        ..ServerFrame::default()
    })
}

/// A sign of life, exactly as documented.
pub(super) const PING: &str = r#"{"type":"ping"}"#;

fn text(frame: &ServerFrame<'_>) -> String {
    // Strings and numbers only: this cannot fail.
    serde_json::to_string(frame).unwrap_or_default()
}

fn trace_id(trace: TraceId) -> Option<TraceId> {
    (trace != TraceId::default()).then_some(trace)
}

/// ISO 8601 in UTC with milliseconds.
fn timestamp(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time)
        .map(|time| format!("{time:.3}"))
        .unwrap_or_default()
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
