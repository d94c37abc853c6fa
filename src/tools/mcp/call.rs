//! One call of a server's tool.

use rmcp::model::{CallToolRequestParams, CallToolResult, RequestMetaObject};
use rmcp::service::{Peer, RoleClient, ServiceError};
use serde_json::{Map, Value};
use tokio::time::timeout;
use tracing::Span;

use super::offers::{Offer, server_of};
use super::remote::{Link, Remote};
use super::{Mcp, oversize, result};
use crate::chat::ToolCall;
use crate::telemetry::{context_of, spans};
use crate::tools::reply::{Refusal, shorten};

/// Longest arguments of a call, in bytes.
const ARGUMENT_BYTES: usize = 64 * 1024;
/// Longest reason of a failure that is told, in characters.
const REASON: usize = 500;

/// How a call failed, as `error.type` of its span.
#[derive(Debug)]
struct Failure {
    error_type: &'static str,
    refusal: Refusal,
}

// === impl Mcp ===

impl Mcp {
    /// Runs a call, if it is one of a server's tool. Dropping the future tells the server that nobody waits any more.
    pub(in crate::tools) async fn call(&self, call: &ToolCall) -> Option<Result<String, Refusal>> {
        let name = server_of(&call.name)?;
        let server = self
            .board
            .servers
            .iter()
            .find(|server| *server.name == *name)?;
        let state = server.state();
        let offer = state
            .offers
            .iter()
            .find(|offer| offer.spec.name == call.name);
        let answer = match (&state.link, offer) {
            (Link::Up(peer), Some(offer)) => server.call(peer, offer, &call.arguments).await,
            (Link::Up(_), None) => Err(unknown(&call.name, &state.offers)),
            (Link::Down(reason), _) => Err(unreachable(name, reason)),
            (Link::Connecting, _) => Err(unreachable(name, "it has not answered yet")),
        };
        Some(answer)
    }
}

// === impl Remote ===

impl Remote {
    async fn call(
        &self,
        peer: &Peer<RoleClient>,
        offer: &Offer,
        arguments: &str,
    ) -> Result<String, Refusal> {
        let address = self.server.address();
        let address = address.as_ref().map(|(host, port)| (host.as_str(), *port));
        let span = spans::call_tool(&offer.name, &self.name, address);
        let answer = self.ask(peer, offer, arguments, &span).await;
        answer.map_err(|failure| {
            spans::record_error(&span, failure.error_type, "the call failed");
            failure.refusal
        })
    }

    async fn ask(
        &self,
        peer: &Peer<RoleClient>,
        offer: &Offer,
        arguments: &str,
        span: &Span,
    ) -> Result<String, Failure> {
        let mut params = CallToolRequestParams::new(offer.name.to_string())
            .with_arguments(read(arguments).map_err(|refusal| Failure::new("arguments", refusal))?);
        params.meta = Some(trace(span));
        let limit = self.server.timeout;
        let answer = timeout(limit, peer.call_tool(params)).await;
        let result = match answer {
            Ok(Ok(result)) => result,
            Ok(Err(error)) => return Err(self.failure(&error)),
            Err(_) => {
                // Perhaps it does not answer anything any more.
                self.doubt();
                let refusal = Refusal::new(format!(
                    "the tool took longer than {} s and was told to stop. Ask for less",
                    limit.as_secs_f32()
                ));
                return Err(Failure::new("timeout", refusal));
            }
        };
        self.content(result)
    }

    fn content(&self, result: CallToolResult) -> Result<String, Failure> {
        let error_type = if result.is_error == Some(true) {
            "tool_error"
        } else {
            "limit"
        };
        let content = result::content(result, self.server.result_bytes);
        content.map_err(|refusal| Failure::new(error_type, refusal))
    }

    fn failure(&self, error: &ServiceError) -> Failure {
        match error {
            ServiceError::McpError(error) if oversize::is_oversize(error) => {
                let refusal =
                    result::too_long(self.server.message_bytes(), self.server.result_bytes);
                Failure::new("limit", refusal)
            }
            ServiceError::McpError(error) => {
                let reason = shorten(&error.message, REASON);
                let refusal =
                    Refusal::new(format!("server {} refused the call: {reason}", self.name));
                Failure::new("tool_error", refusal)
            }
            ServiceError::TransportSend(_) | ServiceError::TransportClosed => {
                self.doubt();
                let refusal = Refusal::new(format!(
                    "the connection to server {} was lost during the call, and it is not known whether the call had an \
                     effect. It is connected again: try again only if that can do no harm",
                    self.name
                ));
                Failure::new("transport", refusal)
            }
            ServiceError::UnexpectedResponse => {
                let refusal = Refusal::new(format!(
                    "server {} answered with a question or a task of its own, which is not supported",
                    self.name
                ));
                Failure::new("protocol", refusal)
            }
            error => {
                let reason = error.to_string();
                let reason = shorten(&reason, REASON);
                let refusal = Refusal::new(format!("server {} failed: {reason}", self.name));
                Failure::new("protocol", refusal)
            }
        }
    }
}

// === impl Failure ===

impl Failure {
    fn new(error_type: &'static str, refusal: Refusal) -> Self {
        Self {
            error_type,
            refusal,
        }
    }
}

/// The arguments as the model wrote them. No text at all means no arguments. What they mean is the server's business.
fn read(arguments: &str) -> Result<Map<String, Value>, Refusal> {
    if arguments.len() > ARGUMENT_BYTES {
        return Err(Refusal::new(format!(
            "the arguments are longer than {ARGUMENT_BYTES} bytes"
        )));
    }
    if arguments.trim().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str(arguments).map_err(|error| {
        Refusal::new(format!(
            "the arguments are no JSON object ({error}). Send a JSON object"
        ))
    })
}

/// The trace of a call, for its server (SEP-414).
fn trace(span: &Span) -> RequestMetaObject {
    let context = context_of(span);
    let mut meta = RequestMetaObject::new();
    if !context.traceparent.is_empty() {
        meta.set_traceparent(context.traceparent);
    }
    if !context.tracestate.is_empty() {
        meta.set_tracestate(context.tracestate);
    }
    meta
}

fn unreachable(server: &str, reason: &str) -> Refusal {
    Refusal::new(format!(
        "server {server} is not reachable ({}). It is tried again all the time: answer without it, and say so",
        shorten(reason, REASON)
    ))
}

fn unknown(name: &str, offers: &[Offer]) -> Refusal {
    let names = offers.iter().map(|offer| &*offer.spec.name);
    Refusal::with_candidates(
        format!(
            "there is no tool '{}', or it may not be called. The candidates are the tools of this server",
            shorten(name, 80)
        ),
        names,
    )
}
