//! One connection to a server: opened, asked for its tools, closed.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    ClientCapabilities, ClientConfig, ClientRequest, Implementation, ListToolsRequest,
    PaginatedRequestParams, ProtocolVersion, ServerResult, Tool,
};
use rmcp::service::{
    ClientInitializeError, NotificationContext, Peer, PeerRequestOptions, RoleClient,
    RunningService, RunningServiceCancellationToken, ServiceError,
};
use rmcp::transport::DynamicTransportError;
use rmcp::transport::streamable_http_client::StreamableHttpError;
use rmcp::{ClientHandler, ServiceExt as _};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::child::Child;
use super::config::{Inherited, Server, Transport};
use super::error::ConnectError;
use super::{http, oversize};
use crate::tools::reply::shorten;

/// Most pages of a list of tools.
const PAGES: usize = 20;
/// Most tools of all pages that are looked at.
const LOOKED_AT: usize = 2_000;
/// How long the conversation may take to end.
const CLOSE: Duration = Duration::from_secs(1);
/// Longest reason of a failure that is told, in characters.
const REASON: usize = 300;
const ENDED: &str = "it ended the connection before it said hello: is it an MCP server?";

/// A server that has said hello.
pub(super) struct Connection {
    pub(super) peer: Peer<RoleClient>,
    /// Notified when the server says that its tools have changed.
    pub(super) changed: Arc<Notify>,
    /// Resolves when the conversation has ended; `None` once it has.
    ended: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    stop: RunningServiceCancellationToken,
    child: Option<Child>,
}

/// Our side of the conversation. What servers ask of clients (to sample a model, to ask the user, to list folders) is
/// refused: nothing of it is offered.
#[derive(Debug)]
struct Client {
    changed: Arc<Notify>,
}

type Running = RunningService<RoleClient, Client>;

// === impl Connection ===

impl Connection {
    /// Connects to a server and asks for its tools, within its connect timeout.
    pub(super) async fn open(
        name: &str,
        server: &Server,
        inherited: &Inherited,
        tasks: &TaskTracker,
    ) -> Result<(Self, Vec<Tool>), ConnectError> {
        let limit = server.connect_timeout;
        let changed = Arc::new(Notify::new());
        let client = Client {
            changed: Arc::clone(&changed),
        };
        let (opened, child) = match server.transport() {
            Transport::Http => {
                let serving = client.serve(http::transport(server)?);
                (timeout(limit, greet(serving, limit)).await, None)
            }
            Transport::Stdio => {
                let (child, pipes) = Child::spawn(name, server, inherited, tasks)?;
                let (write, read) = pipes;
                // What cannot be read any more ends the conversation.
                let read =
                    futures_util::StreamExt::filter_map(read, |line| std::future::ready(line.ok()));
                let serving = client.serve((write, read));
                (timeout(limit, greet(serving, limit)).await, Some(child))
            }
        };
        let opened = opened.unwrap_or(Err(ConnectError::Timeout(limit)));
        match opened {
            Ok((service, tools)) => {
                let connection = Self {
                    peer: service.peer().clone(),
                    changed,
                    stop: service.cancellation_token(),
                    ended: Some(Box::pin(async move {
                        let _ = service.waiting().await;
                    })),
                    child,
                };
                Ok((connection, tools))
            }
            Err(error) => {
                if let Some(child) = child {
                    child.end().await;
                }
                Err(error)
            }
        }
    }

    /// Waits until the conversation ends by itself.
    pub(super) async fn ended(&mut self) {
        if let Some(ended) = &mut self.ended {
            ended.await;
            self.ended = None;
        }
    }

    /// Ends the conversation, and the process that was made for it.
    pub(super) async fn close(mut self) {
        let _ = timeout(CLOSE, async {
            self.stop.cancel();
            if let Some(ended) = self.ended.take() {
                ended.await;
            }
        })
        .await;
        if let Some(child) = self.child {
            child.end().await;
        }
    }
}

async fn greet(
    serving: impl Future<Output = Result<Running, ClientInitializeError>>,
    limit: Duration,
) -> Result<(Running, Vec<Tool>), ConnectError> {
    let service = Box::pin(serving).await.map_err(|error| {
        let reason = failed_greeting(&error);
        ConnectError::Initialize(shorten(&reason, REASON).into_owned())
    })?;
    let tools = list(service.peer(), limit).await?;
    Ok((service, tools))
}

/// Why a server did not say hello. rmcp's own texts hold the names of its types.
fn failed_greeting(error: &ClientInitializeError) -> String {
    match error {
        ClientInitializeError::ConnectionClosed(_) => ENDED.to_owned(),
        ClientInitializeError::TransportError { error, .. } => transport_failure(error),
        ClientInitializeError::JsonRpcError(error) => format!("it answered: {}", error.message),
        ClientInitializeError::ExpectedInitResponse(_)
        | ClientInitializeError::ExpectedInitResult(_) => {
            "it answered something else than hello: is it an MCP server?".to_owned()
        }
        error => error.to_string(),
    }
}

/// Why nothing could be sent: the innermost error, as the outer ones repeat the address and the names of types.
fn transport_failure(error: &DynamicTransportError) -> String {
    let mut cause: &(dyn Error + 'static) = error.error.as_ref();
    // This one does not tell its source.
    if let Some(StreamableHttpError::Client(error)) = cause.downcast_ref() {
        let error: &reqwest::Error = error;
        cause = error;
    }
    if let Some(error) = cause.downcast_ref::<io::Error>()
        && error.kind() == io::ErrorKind::BrokenPipe
    {
        return ENDED.to_owned();
    }
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// The tools of a server, of all pages.
pub(super) async fn list(
    peer: &Peer<RoleClient>,
    limit: Duration,
) -> Result<Vec<Tool>, ConnectError> {
    let mut tools = Vec::new();
    let mut cursor = None;
    for _ in 0..PAGES {
        let page = PaginatedRequestParams::default().with_cursor(cursor);
        let request = ClientRequest::ListToolsRequest(ListToolsRequest::with_param(page));
        let answer = ask(peer, request, limit).await.map_err(|error| {
            let reason = match &error {
                ServiceError::McpError(error) if oversize::is_oversize(error) => {
                    error.message.clone().into_owned()
                }
                ServiceError::TransportSend(error) => transport_failure(error),
                error => error.to_string(),
            };
            ConnectError::List(shorten(&reason, REASON).into_owned())
        })?;
        let ServerResult::ListToolsResult(page) = answer else {
            return Err(ConnectError::List("it answers something else".to_owned()));
        };
        tools.extend(page.tools);
        cursor = page.next_cursor;
        if cursor.is_none() || tools.len() >= LOOKED_AT {
            break;
        }
    }
    tools.truncate(LOOKED_AT);
    Ok(tools)
}

/// One request. rmcp's own `list_tools` would answer from a cache, also when the server does not.
async fn ask(
    peer: &Peer<RoleClient>,
    request: ClientRequest,
    limit: Duration,
) -> Result<ServerResult, ServiceError> {
    let options = PeerRequestOptions::with_timeout(limit);
    let asked = peer.send_cancellable_request(request, options).await?;
    asked.await_response().await
}

// === impl Client ===

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let implementation = Implementation::new("dragoman", env!("CARGO_PKG_VERSION"));
        let mut config = ClientConfig::new(ClientCapabilities::default(), implementation);
        config.protocol_version = ProtocolVersion::LATEST_WITH_INITIALIZE;
        config
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.changed.notify_one();
    }
}
