//! Requests to a model that fail.

use serde::Deserialize;

/// A request that failed, and whose fault it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ModelError {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// One sentence for people: what happened and what to do. Holds no secret.
    pub message: String,
}

/// Kinds of failure that callers treat differently. Scripts name them as [`Self::as_str`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Too many requests: later it will work.
    RateLimited,
    /// The account has nothing left to spend: later it will not work either.
    QuotaExhausted,
    /// The key is missing, wrong, or may not do this.
    Auth,
    /// The conversation does not fit the model.
    ContextLength,
    /// A filter of the provider refused the question or the answer.
    ContentFilter,
    /// The model cannot take the request as it was sent.
    BadRequest,
    /// There is no such model, or no model at that address.
    NotFound,
    /// The model has too much to do.
    Overloaded,
    /// The model is broken.
    Server,
    /// It took too long.
    Timeout,
    /// The connection to it broke.
    Transport,
    /// There is no secure connection to it: its certificate is refused, or what it speaks is no TLS.
    Tls,
    /// The answer was cut before its end.
    Truncated,
    /// It sent what it should not have.
    Protocol,
}

// === impl ErrorKind ===

impl ErrorKind {
    /// The kind as `error.type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Auth => "auth",
            Self::ContextLength => "context_length",
            Self::ContentFilter => "content_filter",
            Self::BadRequest => "bad_request",
            Self::NotFound => "not_found",
            Self::Overloaded => "overloaded",
            Self::Server => "server",
            Self::Timeout => "timeout",
            Self::Transport => "transport",
            Self::Tls => "tls",
            Self::Truncated => "truncated",
            Self::Protocol => "protocol",
        }
    }

    /// True if the same request may work a moment later.
    pub fn is_transient(self) -> bool {
        match self {
            Self::RateLimited
            | Self::Overloaded
            | Self::Server
            | Self::Timeout
            | Self::Transport
            | Self::Truncated => true,
            Self::QuotaExhausted
            | Self::Auth
            | Self::ContextLength
            | Self::ContentFilter
            | Self::BadRequest
            | Self::NotFound
            | Self::Tls
            | Self::Protocol => false,
        }
    }
}
