use std::io;
use std::time::Duration;

/// Why MCP servers cannot be used. The operator's business.
#[derive(Debug, thiserror::Error)]
pub enum McpError {
    /// A server without which dragoman may not start.
    #[error("mcp.{name} is required, and cannot be used: {reason}")]
    Required {
        /// Its name.
        name: String,
        /// What happened, and what to do.
        reason: String,
    },
}

/// Why there is no connection to a server.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// The program cannot be run.
    #[error("cannot run {program}: {error}")]
    Spawn { program: String, error: io::Error },
    /// The token cannot be sent.
    #[error("its token has characters that no HTTP header can hold: check how it was copied")]
    Token,
    /// There are no connections to be had.
    #[error("cannot make connections: {0}; are there CA certificates on this system?")]
    Client(reqwest::Error),
    /// It did not answer in time.
    #[error("it did not answer within {} s (connect_timeout)", .0.as_secs_f32())]
    Timeout(Duration),
    /// It did not begin the conversation.
    #[error("{0}")]
    Initialize(String),
    /// It did not tell its tools.
    #[error("it does not tell its tools: {0}")]
    List(String),
}
