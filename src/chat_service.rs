//! The gRPC service `dragoman.chat.v1.Chat` on top of the agent: nothing but streams, spans, conversion and status.
//!
//! A stream is a follower of the session's log. It is polled, not spawned: an idle one costs no task.

mod ask;
mod converse;
mod deadline;
mod outcome;
mod unary;

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::Stream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status, Streaming};

use crate::agent::Turns;
use crate::gate::Gate;
use crate::rpc::proto::chat_server::{self, ChatServer};
use crate::rpc::proto::{self, AskRequest, AskResponse, ConverseRequest, ConverseResponse};
use crate::store::Store;

/// How gRPC clients are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Largest message taken, in bytes.
    pub message_bytes: usize,
    /// Most streams of one connection at a time.
    pub streams_per_connection: u32,
    /// How often an idle connection is probed with an HTTP/2 PING.
    pub keepalive_interval: Duration,
    /// How long its answer may take.
    pub keepalive_timeout: Duration,
    /// Whether callers that have not signed in may list sessions, which all of them share.
    pub list_anonymous: bool,
}

/// The service.
#[derive(Debug, Clone)]
pub struct ChatService {
    turns: Turns,
    store: Store,
    /// Cancelled when this process is about to leave.
    draining: CancellationToken,
    /// How long streams go on after that, at most.
    drain_timeout: Duration,
    /// When that will be over; set by the first stream that warns its client.
    drained_by: Arc<OnceLock<Instant>>,
    /// Cancelled when streams must end.
    closed: CancellationToken,
    /// What is left to be done when a stream has ended.
    tasks: TaskTracker,
    list_anonymous: bool,
}

/// Messages to a client, in order. The gate, because tonic asks once more after each whether there is another one.
type Responses<T> = Gate<Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>>;

/// Why a span ended before its turn.
const CLIENT_GONE: &str = "the client left before the end of the turn";
impl Default for Config {
    fn default() -> Self {
        Self {
            message_bytes: 256 * 1024,
            streams_per_connection: 1_000,
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(20),
            list_anonymous: false,
        }
    }
}

// === impl ChatService ===

impl ChatService {
    /// The service, as tonic serves it. `draining` warns its clients, at least `drain_timeout` before `closed` ends their
    /// streams, unless all turns have ended before.
    pub fn server(
        config: &Config,
        turns: Turns,
        store: Store,
        (draining, drain_timeout): (CancellationToken, Duration),
        closed: CancellationToken,
        tasks: TaskTracker,
    ) -> ChatServer<Self> {
        let service = Self {
            turns,
            store,
            draining,
            drain_timeout,
            drained_by: Arc::default(),
            closed,
            tasks,
            list_anonymous: config.list_anonymous,
        };
        ChatServer::new(service).max_decoding_message_size(config.message_bytes)
    }

    /// How long streams go on at most, now that the process drains.
    fn time_left(&self) -> Duration {
        let drained_by = self
            .drained_by
            .get_or_init(|| Instant::now() + self.drain_timeout);
        drained_by.saturating_duration_since(Instant::now())
    }
}

#[tonic::async_trait]
impl chat_server::Chat for ChatService {
    type ConverseStream = Responses<ConverseResponse>;
    type AskStream = Responses<AskResponse>;

    async fn converse(
        &self,
        request: Request<Streaming<ConverseRequest>>,
    ) -> Result<Response<Self::ConverseStream>, Status> {
        let deadline = deadline::of(request.metadata());
        let stream = converse::stream(self.clone(), request.into_inner(), deadline);
        Ok(Response::new(Gate::new(Box::pin(stream))))
    }

    async fn cancel_turn(
        &self,
        request: Request<proto::CancelTurnRequest>,
    ) -> Result<Response<proto::CancelTurnResponse>, Status> {
        unary::call(
            "dragoman.chat.v1.Chat/CancelTurn",
            request,
            async |request| unary::cancel_turn(self, request).await,
        )
        .await
    }

    async fn decide_approval(
        &self,
        request: Request<proto::DecideApprovalRequest>,
    ) -> Result<Response<proto::DecideApprovalResponse>, Status> {
        unary::call(
            "dragoman.chat.v1.Chat/DecideApproval",
            request,
            async |request| unary::decide_approval(self, request).await,
        )
        .await
    }

    async fn list_events(
        &self,
        request: Request<proto::ListEventsRequest>,
    ) -> Result<Response<proto::ListEventsResponse>, Status> {
        unary::call(
            "dragoman.chat.v1.Chat/ListEvents",
            request,
            async |request| unary::list_events(self, request).await,
        )
        .await
    }

    async fn list_sessions(
        &self,
        request: Request<proto::ListSessionsRequest>,
    ) -> Result<Response<proto::ListSessionsResponse>, Status> {
        unary::call(
            "dragoman.chat.v1.Chat/ListSessions",
            request,
            async |request| unary::list_sessions(self, request).await,
        )
        .await
    }

    async fn erase_session(
        &self,
        request: Request<proto::EraseSessionRequest>,
    ) -> Result<Response<proto::EraseSessionResponse>, Status> {
        unary::call(
            "dragoman.chat.v1.Chat/EraseSession",
            request,
            async |request| unary::erase_session(self, request).await,
        )
        .await
    }

    async fn ask(&self, request: Request<AskRequest>) -> Result<Response<Self::AskStream>, Status> {
        let deadline = deadline::of(request.metadata());
        let stream = ask::stream(self.clone(), request, deadline).await?;
        Ok(Response::new(Gate::new(Box::pin(stream))))
    }
}
