//! One address of the pool: its connections, and whether it serves.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::pool::Changes;
use crate::backoff::Backoff;
use crate::rpc::proto::chat_client::ChatClient;
use crate::rpc::proto::chat_server::SERVICE_NAME;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the health service may take to answer.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);
/// How often an agent is asked whose health cannot be watched.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// How often a connection is probed with an HTTP/2 PING, and how long the answer may take.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(4);
/// The pauses before an agent that is down is tried again.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Most conversations of one connection. An agent takes 1,000 streams on each unless it is set otherwise.
const STREAMS_PER_CONNECTION: usize = 900;

/// An agent at one address.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) address: SocketAddr,
    endpoint: Endpoint,
    /// Empty while it does not serve.
    connections: Mutex<Vec<Connection>>,
    /// Conversations with it, those on connections that are given up included.
    streams: Arc<AtomicUsize>,
    /// Cancelled when the address is not one of an agent any more.
    pub(super) gone: CancellationToken,
}

#[derive(Debug)]
struct Connection {
    channel: Channel,
    streams: Arc<AtomicUsize>,
}

/// Counts one conversation for as long as it is open.
#[derive(Debug)]
pub(super) struct Counted(Vec<Arc<AtomicUsize>>);

/// Why an agent is not used.
#[derive(Debug, thiserror::Error)]
enum Down {
    #[error("cannot connect: {}", innermost(.0))]
    Connect(tonic::transport::Error),
    #[error("no connection within {CONNECT_TIMEOUT:?}")]
    ConnectTimeout,
    #[error("its health service does not answer")]
    Silent,
    #[error("no gRPC answer ({}): is that the gRPC address of an agent?", .0.message())]
    Health(Box<Status>),
    #[error("it says that it does not serve")]
    NotServing,
    #[error("the connection was closed")]
    Closed,
}

// === impl Agent ===

impl Agent {
    /// An agent at `address`; requests carry the authority of `url`.
    pub(super) fn new(
        address: SocketAddr,
        url: &http::Uri,
    ) -> Result<Self, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?
            .origin(url.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        Ok(Self {
            address,
            endpoint,
            connections: Mutex::default(),
            streams: Arc::default(),
            gone: CancellationToken::new(),
        })
    }

    /// True if it can be given a conversation.
    pub(super) fn serves(&self) -> bool {
        !self.locked().is_empty()
    }

    /// How many conversations it has.
    pub(super) fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }

    /// A client on the connection with the fewest conversations; `None` if the agent does not serve.
    pub(super) fn client(&self) -> Option<(ChatClient<Channel>, Counted)> {
        let mut connections = self.locked();
        let least = connections
            .iter()
            .map(|connection| connection.streams.load(Ordering::Relaxed))
            .min()?;
        if least >= STREAMS_PER_CONNECTION {
            connections.push(Connection::new(self.endpoint.connect_lazy()));
        }
        let connection = connections
            .iter()
            .min_by_key(|connection| connection.streams.load(Ordering::Relaxed))?;
        let counted = Counted::new([&connection.streams, &self.streams]);
        Some((ChatClient::new(connection.channel.clone()), counted))
    }

    /// Keeps a connection and watches the agent's health, for as long as the address is one of an agent.
    pub(super) async fn watch(self: Arc<Self>, changes: Changes) {
        let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        let mut told_down = false;
        loop {
            let down = tokio::select! {
                down = self.serve_until_down(&changes, &mut told_down) => down,
                () = self.gone.cancelled() => break,
            };
            let served = self.serves();
            self.locked().clear();
            changes.tell();
            if served {
                backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
            }
            if !std::mem::replace(&mut told_down, true) {
                tracing::warn!(agent = %self.address, "an agent is not used: {down}");
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.pause()) => {}
                () = self.gone.cancelled() => break,
            }
        }
        self.locked().clear();
        changes.tell();
    }

    async fn serve_until_down(&self, changes: &Changes, told_down: &mut bool) -> Down {
        let channel = match timeout(CONNECT_TIMEOUT, self.endpoint.connect()).await {
            Ok(Ok(channel)) => channel,
            Ok(Err(error)) => return Down::Connect(error),
            Err(_) => return Down::ConnectTimeout,
        };
        let mut health = HealthClient::new(channel.clone());
        let request = HealthCheckRequest {
            service: SERVICE_NAME.to_owned(),
        };
        let watched = timeout(HEALTH_TIMEOUT, health.watch(request.clone())).await;
        let mut answers = match watched {
            Ok(Ok(answers)) => Some(answers.into_inner()),
            Ok(Err(status)) if status.code() == Code::Unimplemented => None,
            Ok(Err(status)) => return Down::Health(Box::new(status)),
            Err(_) => return Down::Silent,
        };
        let mut first = true;
        loop {
            // What is watched is silent while nothing changes; that the agent lives is the PINGs' matter then.
            let answer = match &mut answers {
                Some(answers) if first => match timeout(HEALTH_TIMEOUT, answers.message()).await {
                    Ok(answer) => answer,
                    Err(_) => return Down::Silent,
                },
                Some(answers) => answers.message().await,
                None => match timeout(HEALTH_TIMEOUT, health.check(request.clone())).await {
                    Ok(answer) => answer.map(|answer| Some(answer.into_inner())),
                    Err(_) => return Down::Silent,
                },
            };
            match answer {
                Ok(Some(answer)) if serving(answer) => self.up(&channel, changes, told_down),
                Ok(Some(_)) if answers.is_none() => return Down::NotServing,
                // Still connected: it will say so when it serves.
                Ok(Some(_)) => self.pause_serving(changes, told_down),
                // A stream that cannot be opened is told with its first message.
                Err(status) if first && status.code() == Code::Unimplemented => answers = None,
                Err(status) => return Down::Health(Box::new(status)),
                Ok(None) => return Down::Closed,
            }
            first = false;
            if answers.is_none() {
                tokio::time::sleep(CHECK_INTERVAL).await;
            }
        }
    }

    fn up(&self, channel: &Channel, changes: &Changes, told_down: &mut bool) {
        let mut connections = self.locked();
        if connections.is_empty() {
            connections.push(Connection::new(channel.clone()));
            drop(connections);
            *told_down = false;
            tracing::info!(agent = %self.address, "an agent serves");
            changes.tell();
        }
    }

    fn pause_serving(&self, changes: &Changes, told_down: &mut bool) {
        self.locked().clear();
        if !std::mem::replace(told_down, true) {
            tracing::warn!(agent = %self.address, "an agent is not used: {}", Down::NotServing);
        }
        changes.tell();
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Connection ===

impl Connection {
    fn new(channel: Channel) -> Self {
        Self {
            channel,
            streams: Arc::default(),
        }
    }
}

// === impl Counted ===

impl Counted {
    fn new(counters: [&Arc<AtomicUsize>; 2]) -> Self {
        for counter in counters {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        Self(counters.map(Arc::clone).into())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        for counter in &self.0 {
            counter.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn serving(answer: HealthCheckResponse) -> bool {
    answer.status() == ServingStatus::Serving
}

/// The cause at the end of the chain: what stands before it is always "transport error".
fn innermost(error: &tonic::transport::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
