//! One server: its connection as long as the process lives, and what it offers.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::Tool;
use rmcp::service::{Peer, RoleClient};
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Board;
use super::config::{Inherited, Server};
use super::connection::{Connection, list};
use super::error::ConnectError;
use super::offers::{Offer, offers};
use crate::backoff::Backoff;
use crate::matching::Wildcard;

/// Pauses between attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A connection that held so long was a good one: the pauses begin anew.
const GOOD_CONNECTION: Duration = Duration::from_secs(30);
/// How often a server is asked for its tools although nothing happened: it may be gone without a sign, or not say that
/// they have changed.
const CHECK: Duration = Duration::from_secs(30);
/// How long to wait for more changes after one: a server may say so for each of its tools.
const CHANGES: Duration = Duration::from_millis(100);

/// A server as it is configured, and what is known of it.
#[derive(Debug)]
pub(super) struct Remote {
    pub(super) name: Arc<str>,
    pub(super) server: Server,
    allowed: Vec<Wildcard>,
    state: watch::Sender<State>,
    /// Notified when a call makes it doubtful that the server is there.
    doubt: Notify,
}

/// What is known of a server.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) link: Link,
    /// What it offered last. It is told to models also while the server is away: that may be over when they call.
    pub(super) offers: Arc<[Offer]>,
}

/// Whether a server can be asked.
#[derive(Debug, Clone)]
pub(super) enum Link {
    /// Nobody knows yet.
    Connecting,
    Up(Peer<RoleClient>),
    /// Why not.
    Down(Arc<str>),
}

/// Why a connection is no more.
enum Lost {
    Stopped,
    Because(String),
}

// === impl Remote ===

impl Remote {
    pub(super) fn new(name: &str, server: Server) -> Self {
        Self {
            name: name.into(),
            allowed: server.allowed(),
            server,
            state: watch::Sender::new(State {
                link: Link::Connecting,
                offers: Arc::default(),
            }),
            doubt: Notify::new(),
        }
    }

    pub(super) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Has the connection looked at, after a call that failed as if there were none.
    pub(super) fn doubt(&self) {
        self.doubt.notify_one();
    }

    /// Resolves when it is known whether the server can be reached.
    pub(super) async fn settled(&self) {
        let mut states = self.state.subscribe();
        // An error would mean that the sender is gone, which is in `self`.
        let _ = states
            .wait_for(|state| !matches!(state.link, Link::Connecting))
            .await;
    }

    /// Connects, again and again, until it is told to stop.
    pub(super) async fn run(
        self: Arc<Self>,
        board: Arc<Board>,
        inherited: Inherited,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) {
        let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        loop {
            let open = Connection::open(&self.name, &self.server, &inherited, &tasks);
            let Some(opened) = stop.run_until_cancelled(Box::pin(open)).await else {
                return;
            };
            let reason = match opened {
                Ok((mut connection, tools)) => {
                    let since = tokio::time::Instant::now();
                    self.up(&connection, tools, &board);
                    let lost = self.keep(&mut connection, &board, &stop).await;
                    connection.close().await;
                    if since.elapsed() >= GOOD_CONNECTION {
                        pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
                    }
                    match lost {
                        Lost::Stopped => return,
                        Lost::Because(reason) => reason,
                    }
                }
                Err(error) => error.to_string(),
            };
            self.down(&reason);
            if stop
                .run_until_cancelled(sleep(pauses.pause()))
                .await
                .is_none()
            {
                return;
            }
        }
    }

    /// Stays until the connection is lost. What changes at the server is taken over.
    async fn keep(
        &self,
        connection: &mut Connection,
        board: &Board,
        stop: &CancellationToken,
    ) -> Lost {
        let changed = Arc::clone(&connection.changed);
        let peer = connection.peer.clone();
        let limit = self.server.connect_timeout;
        let mut checks = interval(CHECK);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        checks.reset();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Lost::Stopped,
                () = connection.ended() => {
                    return Lost::Because("the connection has ended".to_owned());
                }
                () = changed.notified() => sleep(CHANGES).await,
                () = self.doubt.notified() => {}
                _ = checks.tick() => {}
            }
            checks.reset();
            let listed = tokio::select! {
                () = stop.cancelled() => return Lost::Stopped,
                listed = timeout(limit, list(&peer, limit)) => {
                    listed.unwrap_or(Err(ConnectError::Timeout(limit)))
                }
            };
            match listed {
                Ok(tools) => self.take(Link::Up(peer.clone()), tools, board),
                Err(error) => return Lost::Because(error.to_string()),
            }
        }
    }

    fn up(&self, connection: &Connection, tools: Vec<Tool>, board: &Board) {
        self.take(Link::Up(connection.peer.clone()), tools, board);
        let tools = self.state.borrow().offers.len();
        tracing::info!(server = &*self.name, tools, "MCP server connected");
    }

    /// The first failure of an outage is told, those that follow are not: they would say the same.
    fn down(&self, reason: &str) {
        let known = matches!(self.state.borrow().link, Link::Down(_));
        self.state
            .send_modify(|state| state.link = Link::Down(reason.into()));
        if known {
            tracing::debug!(
                server = &*self.name,
                reason,
                "MCP server still not reachable"
            );
        } else {
            tracing::warn!(
                server = &*self.name,
                reason,
                "MCP server not reachable: it is tried again until it is"
            );
        }
    }

    /// Takes over what the server offers now, and has models told. Who waits for the link sees both at once.
    fn take(&self, link: Link, tools: Vec<Tool>, board: &Board) {
        let (offers, complaints) = offers(&self.name, &self.allowed, tools);
        let before = Arc::clone(&self.state.borrow().offers);
        let is_first = matches!(self.state.borrow().link, Link::Connecting);
        let has_changed = *before != *offers;
        let tools = offers.len();
        self.state.send_replace(State {
            link,
            offers: offers.into(),
        });
        if !has_changed && !is_first {
            return;
        }
        for complaint in &complaints {
            tracing::warn!(server = &*self.name, "MCP tool left out: {complaint}");
        }
        if tools == 0 {
            tracing::warn!(
                server = &*self.name,
                "MCP server offers no tool that `tools` allows"
            );
        } else if !before.is_empty() {
            tracing::info!(
                server = &*self.name,
                tools,
                "MCP server has other tools now"
            );
        }
        board.publish();
    }
}
