//! Every span dragoman makes, with its name and attributes.
//!
//! GenAI names follow the OpenTelemetry semantic conventions 1.41 (names unchanged in semantic-conventions-genai 0.1.0);
//! all of them are still "development" there. RPC names follow the conventions for gRPC. A span ends when it is dropped,
//! so each is owned by the thing it describes.

use std::time::Duration;

use opentelemetry::trace::Status;
use opentelemetry::{KeyValue, StringValue, Value};
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::chat::{Decision, Finish, SessionId, TurnErrorReason, TurnId, Usage};

const CONVERSATION_ID: &str = "gen_ai.conversation.id";
const ERROR_TYPE: &str = "error.type";
const FINISH: &str = "dragoman.turn.finish";
const OPERATION_NAME: &str = "gen_ai.operation.name";
const PROVIDER_NAME: &str = "gen_ai.provider.name";
const REQUEST_MODEL: &str = "gen_ai.request.model";
const TURN_ID: &str = "dragoman.turn.id";

/// A turn as the gateway sees it: from the question's frame received to the final frame written.
pub fn gateway_turn(session: &SessionId) -> Span {
    let span = info_span!(parent: None, "turn", otel.name = "websocket turn", otel.kind = "server");
    span.set_attribute(CONVERSATION_ID, session.short().to_owned());
    span.set_attribute("network.protocol.name", "websocket");
    span
}

/// The gateway's call of the chat service for one question.
pub fn rpc_client(parent: &Span, method: &'static str) -> Span {
    let span = info_span!(parent: parent, "rpc_client", otel.name = method, otel.kind = "client");
    rpc_attributes(&span, method);
    span
}

/// The chat service's work on one question. Its parent comes with the question.
pub fn rpc_server(method: &'static str) -> Span {
    let span = info_span!(parent: None, "rpc_server", otel.name = method, otel.kind = "server");
    rpc_attributes(&span, method);
    span
}

fn rpc_attributes(span: &Span, method: &'static str) {
    span.set_attribute("rpc.system.name", "grpc");
    span.set_attribute("rpc.method", method);
}

/// One run of the agent.
pub fn invoke_agent(parent: &Span, session: &SessionId, turn: TurnId) -> Span {
    let span = info_span!(
        parent: parent,
        "invoke_agent",
        otel.name = "invoke_agent explorer",
        otel.kind = "internal"
    );
    span.set_attribute(OPERATION_NAME, "invoke_agent");
    span.set_attribute("gen_ai.agent.name", "explorer");
    span.set_attribute(CONVERSATION_ID, session.short().to_owned());
    span.set_attribute(TURN_ID, turn.to_string());
    span
}

/// One request to the model; `server` is where it is asked, if that is another process.
pub fn chat(parent: &Span, provider: &str, model: &str, server: Option<(&str, u16)>) -> Span {
    let span = info_span!(
        parent: parent,
        "chat",
        otel.name = format!("chat {model}"),
        otel.kind = "client"
    );
    span.set_attribute(OPERATION_NAME, "chat");
    span.set_attribute(PROVIDER_NAME, provider.to_owned());
    span.set_attribute(REQUEST_MODEL, model.to_owned());
    span.set_attribute("gen_ai.request.stream", true);
    if let Some((address, port)) = server {
        span.set_attribute("server.address", address.to_owned());
        span.set_attribute("server.port", i64::from(port));
    }
    span
}

/// One run of a tool.
pub fn execute_tool(name: &str, call_id: &str) -> Span {
    let span = info_span!(
        "execute_tool",
        otel.name = format!("execute_tool {name}"),
        otel.kind = "internal"
    );
    span.set_attribute(OPERATION_NAME, "execute_tool");
    span.set_attribute("gen_ai.tool.name", name.to_owned());
    span.set_attribute("gen_ai.tool.call.id", call_id.to_owned());
    span.set_attribute("gen_ai.tool.type", "function");
    span
}

/// One reading of a source of the catalog: a trace of its own, as no turn waits for it.
pub fn catalog_load(name: &str, kind: &'static str) -> Span {
    let span = info_span!(parent: None, "catalog_load", otel.name = "catalog load", otel.kind = "internal");
    span.set_attribute("dragoman.catalog.source", name.to_owned());
    span.set_attribute("dragoman.catalog.kind", kind);
    span
}

/// Notes how many tables a source was found to have.
pub fn record_tables(span: &Span, tables: usize) {
    let tables = i64::try_from(tables).unwrap_or(i64::MAX);
    span.set_attribute("dragoman.catalog.tables", tables);
}

/// One call of a tool of an MCP server, below the run of the tool it is for; `address` is where the server is, if it is
/// no child of this process.
pub fn call_tool(tool: &str, server: &str, address: Option<(&str, u16)>) -> Span {
    let span = info_span!(
        "call_tool",
        otel.name = format!("tools/call {tool}"),
        otel.kind = "client"
    );
    span.set_attribute("mcp.method.name", "tools/call");
    span.set_attribute(OPERATION_NAME, "execute_tool");
    span.set_attribute("gen_ai.tool.name", tool.to_owned());
    span.set_attribute("dragoman.mcp.server", server.to_owned());
    let transport = if address.is_some() { "tcp" } else { "pipe" };
    span.set_attribute("network.transport", transport);
    if let Some((address, port)) = address {
        span.set_attribute("server.address", address.to_owned());
        span.set_attribute("server.port", i64::from(port));
    }
    span
}

/// One wait for somebody to allow a call of a tool.
pub fn await_approval(name: &str, call_id: &str) -> Span {
    let span = info_span!(
        "await_approval",
        otel.name = format!("await_approval {name}"),
        otel.kind = "internal"
    );
    span.set_attribute("gen_ai.tool.name", name.to_owned());
    span.set_attribute("gen_ai.tool.call.id", call_id.to_owned());
    span
}

/// Notes what came of such a wait; `None` if its turn ended, or another process goes on waiting.
pub fn record_decision(span: &Span, decision: Option<Decision>) {
    let word = decision.map_or("none", Decision::as_str);
    span.set_attribute("dragoman.approval.decision", word);
}

/// Notes the turn a span turned out to work on.
pub fn record_turn(span: &Span, turn: TurnId) {
    span.set_attribute(TURN_ID, turn.to_string());
}

/// Notes what an answer of the model says of itself; what is empty is not known.
pub fn record_response(span: &Span, id: &str, model: &str, finish: &str) {
    for (key, value) in [("gen_ai.response.id", id), ("gen_ai.response.model", model)] {
        if !value.is_empty() {
            span.set_attribute(key, value.to_owned());
        }
    }
    if !finish.is_empty() {
        let finish: Vec<StringValue> = vec![finish.to_owned().into()];
        span.set_attribute(
            "gen_ai.response.finish_reasons",
            Value::Array(finish.into()),
        );
    }
}

/// Notes how much of a request's input the provider had in its cache, and how much it wrote there. The second name is that
/// of semantic-conventions-genai; 1.41 still says `cache_creation`.
pub fn record_cache(span: &Span, read: Option<u64>, written: Option<u64>) {
    for (key, tokens) in [
        ("gen_ai.usage.cache_read.input_tokens", read),
        ("gen_ai.usage.cache_write.input_tokens", written),
    ] {
        if let Some(tokens) = tokens {
            span.set_attribute(key, as_i64(tokens));
        }
    }
}

/// Notes that a request to the model is sent again: an event on its span, and how often it was sent until now, this time
/// included. The conventions have no name for either.
pub fn record_retry(span: &Span, attempt: i64, error_type: &'static str, pause: Duration) {
    span.set_attribute("dragoman.model.attempts", attempt);
    span.add_event(
        "dragoman.model.retry",
        vec![
            KeyValue::new("dragoman.model.attempts", attempt),
            KeyValue::new(ERROR_TYPE, error_type),
            KeyValue::new("dragoman.model.pause", pause.as_secs_f64()),
        ],
    );
}

/// Notes what a turn or a request used up.
pub fn record_usage(span: &Span, usage: Usage) {
    if usage.input_tokens > 0 || usage.output_tokens > 0 {
        span.set_attribute("gen_ai.usage.input_tokens", as_i64(usage.input_tokens));
        span.set_attribute("gen_ai.usage.output_tokens", as_i64(usage.output_tokens));
    }
    if usage.cost_micros > 0 {
        span.set_attribute("dragoman.usage.cost_micros", as_i64(usage.cost_micros));
    }
}

/// Notes how a turn ended well.
pub fn record_finish(span: &Span, finish: Finish) {
    let text = match finish {
        Finish::Completed => "completed",
        Finish::Cancelled => "cancelled",
        Finish::Truncated => "truncated",
    };
    span.set_attribute(FINISH, text);
}

/// Notes, as an event, when the first text of an answer was written to the client.
pub fn record_first_partial(span: &Span, after: Duration) {
    span.set_attribute("dragoman.turn.time_to_first_partial", after.as_secs_f64());
}

/// Notes that a span failed, and why: `error.type` as the conventions ask, and a message without anybody's content.
pub fn record_error(span: &Span, error_type: &'static str, message: &str) {
    span.set_attribute(ERROR_TYPE, error_type);
    span.set_status(Status::error(message.to_owned()));
}

/// `error.type` of a failed turn.
pub fn error_type(reason: TurnErrorReason) -> &'static str {
    match reason {
        TurnErrorReason::Model => "model",
        TurnErrorReason::Timeout => "timeout",
        TurnErrorReason::Interrupted => "interrupted",
        TurnErrorReason::Limit => "limit",
        TurnErrorReason::Internal => "internal",
    }
}

fn as_i64(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
