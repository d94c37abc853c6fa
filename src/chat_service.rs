//! The gRPC service `dragoman.chat.v1.Chat` on top of the agent.

use std::time::Duration;

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
}

impl Default for Config {
    fn default() -> Self {
        Self {
            message_bytes: 256 * 1024,
            streams_per_connection: 1_000,
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(20),
        }
    }
}
