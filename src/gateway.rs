//! The WebSocket side: translates the JSON protocol of `proto/websocket.md` to the gRPC service, and only that.

use std::time::Duration;

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
        }
    }
}
