use std::sync::Arc;
use std::time::Duration;

/// Why the store did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The session asked too much. The client's doing; it may try again.
    #[error("too many questions in this session: try again in {} s", whole_seconds(*.retry_after))]
    RateLimited {
        /// When the next question will be taken.
        retry_after: Duration,
    },
    /// The message id was used before for another question. The client's doing.
    #[error("this message id was used before for another question: send a new id")]
    Conflict,
    /// The session reached its limit of events. The client's doing; a new session helps.
    #[error("this session is full: start a new one")]
    SessionFull,
    /// The session was erased meanwhile.
    #[error("this session was erased")]
    Erased,
    /// The turn is not the running one any more: stop working on it.
    #[error("the turn is not the running one any more")]
    Fenced,
    /// An event or a text is over its bound.
    #[error("{what} is over its limit of {limit} bytes")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its bound.
        limit: usize,
    },
    /// The store does not answer or cannot write. The operator's business; a retry is safe.
    #[error("the session store is not available: {0}")]
    Unavailable(Arc<str>),
}

// === impl StoreError ===

impl StoreError {
    pub(super) fn closed() -> Self {
        Self::Unavailable(Arc::from("it is closed"))
    }
}

/// Rounded up: who comes back after that time must not be too early.
fn whole_seconds(duration: Duration) -> u128 {
    duration.as_millis().div_ceil(1_000).max(1)
}
