//! Tools of others: servers that speak the Model Context Protocol (<https://modelcontextprotocol.io>).
//!
//! A tool is told to models as `server__tool`. What its server says is not believed: names are cleaned, sizes bounded,
//! only allowed tools are known, and results are data. A server that is away costs its own tools and nothing else.

mod call;
mod child;
mod config;
mod connection;
mod error;
mod http;
mod lines;
mod offers;
mod oversize;
mod remote;
mod result;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::model::ToolSpec;
use offers::MOST_TOOLS;
use remote::{Link, Remote};

pub use config::{Config, Inherited, Server, check_pattern};
pub use error::McpError;

/// How long a start waits to hear of a server that it could do without.
const OPTIONAL_WAIT: Duration = Duration::from_secs(2);

/// All servers, each kept by a task of its own.
#[derive(Debug, Clone)]
pub(super) struct Mcp {
    board: Arc<Board>,
}

/// What models are told of: the tools that are ours, then those of the servers.
#[derive(Debug)]
struct Board {
    own: Arc<[ToolSpec]>,
    servers: Vec<Arc<Remote>>,
    specs: watch::Sender<Arc<[ToolSpec]>>,
}

/// True for the name of a server's tool.
pub(super) fn is_of_server(name: &str) -> bool {
    offers::server_of(name).is_some()
}

// === impl Mcp ===

impl Mcp {
    /// Connects to the servers, and goes on doing so until `stop`. Fails if one that is required cannot be reached
    /// within its connect timeout; does not wait long for the others.
    pub(super) async fn start(
        config: &Config,
        own: Arc<[ToolSpec]>,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, McpError> {
        let servers = config.servers.iter();
        let board = Arc::new(Board {
            specs: watch::Sender::new(Arc::clone(&own)),
            own,
            servers: servers
                .map(|(name, server)| Arc::new(Remote::new(name, server.clone())))
                .collect(),
        });
        let stop = stop.child_token();
        let running: Vec<_> = board
            .servers
            .iter()
            .map(|server| {
                tasks.spawn(Arc::clone(server).run(
                    Arc::clone(&board),
                    config.inherited.clone(),
                    stop.clone(),
                    tasks.clone(),
                ))
            })
            .collect();
        let missing = board.first_looks().await;
        if let Some(error) = missing {
            stop.cancel();
            // Nobody else waits for them: this process does not even start.
            for task in running {
                let _ = task.await;
            }
            return Err(error);
        }
        Ok(Self { board })
    }

    /// What models are told of now.
    pub(super) fn specs(&self) -> Arc<[ToolSpec]> {
        Arc::clone(&self.board.specs.borrow())
    }

    /// The servers and how many tools each has, in words; empty if there are none.
    pub(super) fn summary(&self) -> String {
        let servers = self.board.servers.iter().map(|server| {
            let state = server.state();
            let what = match state.link {
                Link::Connecting => "not connected yet".to_owned(),
                Link::Down(_) => "not reachable yet".to_owned(),
                Link::Up(_) if state.offers.len() == 1 => "1 tool".to_owned(),
                Link::Up(_) => format!("{} tools", state.offers.len()),
            };
            format!("{} ({what})", server.name)
        });
        servers.collect::<Vec<_>>().join(", ")
    }
}

// === impl Board ===

impl Board {
    /// Waits until it is known which servers can be reached, as long as each may take. A required one that cannot is an
    /// error.
    async fn first_looks(&self) -> Option<McpError> {
        let begin = Instant::now();
        for server in &self.servers {
            let wait = if server.server.required {
                server.server.connect_timeout
            } else {
                OPTIONAL_WAIT.min(server.server.connect_timeout)
            };
            let settled = timeout_at(begin + wait, server.settled()).await;
            if !server.server.required {
                continue;
            }
            let reason = match server.state().link {
                Link::Up(_) => continue,
                Link::Down(reason) => reason.to_string(),
                Link::Connecting => {
                    debug_assert!(settled.is_err(), "settled without a result");
                    format!(
                        "no answer within {} s (connect_timeout)",
                        wait.as_secs_f32()
                    )
                }
            };
            return Some(McpError::Required {
                name: server.name.to_string(),
                reason,
            });
        }
        None
    }

    /// Has models told what the servers offer now.
    fn publish(&self) {
        let mut specs = self.own.to_vec();
        let mut left_out = 0;
        for server in &self.servers {
            for offer in server.state().offers.iter() {
                if specs.len() < MOST_TOOLS {
                    specs.push(offer.spec.clone());
                } else {
                    left_out += 1;
                }
            }
        }
        if left_out > 0 {
            tracing::warn!(
                left_out,
                "there are more than {MOST_TOOLS} tools: models are not told of the rest, allow fewer"
            );
        }
        self.specs.send_replace(specs.into());
    }
}
