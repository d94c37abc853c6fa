//! The WebSocket side: translates the JSON protocol of `proto/websocket.md` to the gRPC service, and only that.
//!
//! Origins, frames, close codes, heartbeat and connection limits are decided here; sessions, turns and rate limits are
//! the service's, so that gRPC clients get the same.

mod close;
mod connection;
mod frames;
mod link;
mod origin;
mod page;
mod probes;
mod server;
mod turn_spans;
mod upgrade;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chat::WhenBusy;
use crate::rpc::client::{Chat, random_part};
use origin::Origins;

pub use axum::Router;
pub use origin::InvalidOrigin;
pub use probes::{Ready, ReadyAnswer, probes};
pub use server::serve;

/// How far apart connections are closed when the gateway stops, unless that would take too long.
const SPREAD_PER_CONNECTION: Duration = Duration::from_millis(10);

/// How browsers are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Origins a browser page may come from, besides the gateway's own; `*` stands for any characters.
    pub origins: Vec<String>,
    /// Whether a client that sends no `Origin` header, which no browser is, may connect.
    pub allow_missing_origin: bool,
    /// How often a `ping` is sent.
    pub ping_interval: Duration,
    /// How long a client may be silent, pongs included, before it counts as gone.
    pub silence_timeout: Duration,
    /// The shortest time between two partials of one turn.
    pub partial_interval: Duration,
    /// How long one frame may take to be written before the client counts as stalled.
    pub write_timeout: Duration,
    /// Largest frame a client may send, in bytes.
    pub frame_bytes: usize,
    /// Most WebSocket connections at a time.
    pub connections: usize,
    /// What becomes of a question that comes while a turn runs.
    pub when_busy: WhenBusy,
    /// Over how long connections are closed when the gateway stops, so that not all come back at once.
    pub close_spread: Duration,
}

/// When a gateway stops.
#[derive(Debug, Clone)]
pub struct Stop {
    /// Cancelled when it takes no more connections, and sends the open ones away.
    pub draining: CancellationToken,
    /// Cancelled when those that are left must go at once.
    pub closed: CancellationToken,
}

/// The gateway: what all connections share.
#[derive(Clone)]
pub struct Gateway(Arc<Shared>);

struct Shared {
    config: Config,
    origins: Origins,
    chat: Chat,
    ready: Ready,
    connections: Arc<Semaphore>,
    draining: CancellationToken,
    closed: CancellationToken,
    tasks: TaskTracker,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            origins: vec![
                "http://localhost:3000".to_owned(),
                "http://localhost:5173".to_owned(),
            ],
            allow_missing_origin: true,
            ping_interval: Duration::from_secs(30),
            silence_timeout: Duration::from_secs(75),
            partial_interval: Duration::from_millis(40),
            write_timeout: Duration::from_secs(10),
            frame_bytes: 64 * 1024,
            connections: 20_000,
            when_busy: WhenBusy::Queue,
            close_spread: Duration::from_secs(5),
        }
    }
}

// === impl Gateway ===

impl std::fmt::Debug for Gateway {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let config = &self.0.config;
        formatter
            .debug_struct("Gateway")
            .field("config", config)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// A gateway to `chat`.
    pub fn new(
        config: Config,
        chat: Chat,
        ready: Ready,
        stop: Stop,
        tasks: TaskTracker,
    ) -> Result<Self, InvalidOrigin> {
        Ok(Self(Arc::new(Shared {
            origins: Origins::new(&config.origins, config.allow_missing_origin)?,
            connections: Arc::new(Semaphore::new(config.connections)),
            config,
            chat,
            ready,
            draining: stop.draining,
            closed: stop.closed,
            tasks,
        })))
    }

    /// Every route there is.
    pub fn router(&self) -> Router {
        Router::new()
            // Browsers and other chat clients. Any path below /ws is a session id, good or bad: a bad one gets its code.
            .route("/ws", get(upgrade::upgrade))
            .route("/ws/", get(upgrade::upgrade))
            .route("/ws/{*session}", get(upgrade::upgrade))
            // People.
            .route("/", get(page::index))
            .route("/page/{file}", get(page::file))
            .fallback(not_found)
            .with_state(self.clone())
            // Operators.
            .merge(probes(Arc::clone(&self.0.ready), self.0.draining.clone()))
    }

    /// Resolves when no connection is open. Meant for a drain, when none can begin any more.
    pub async fn emptied(&self) {
        let connections = u32::try_from(self.0.config.connections).unwrap_or(u32::MAX);
        // Fails only if the semaphore is closed, which nobody does.
        let _ = self.0.connections.acquire_many(connections).await;
    }

    /// How long a connection stays open when a drain begins: each for a random time, so that their clients do not all
    /// come to the next gateway at once. Few connections need no long time.
    fn time_to_leave(&self) -> Duration {
        let shared = &self.0;
        let open = shared.config.connections - shared.connections.available_permits();
        let spread = SPREAD_PER_CONNECTION.saturating_mul(u32::try_from(open).unwrap_or(u32::MAX));
        random_part(spread.min(shared.config.close_spread))
    }
}

async fn not_found() -> Response {
    let text =
        "there is nothing here: the page is at /, chats are WebSockets at /ws/{session_id}\n";
    (StatusCode::NOT_FOUND, text).into_response()
}
