//! The session log: append-only events with positions from 1, beside them the running turn's text,
//! and followers.
//!
//! Every write is fenced by the turn's random id and idempotent by the index of its event in the
//! turn. Nothing is acknowledged or published before it is durable. A follower is a cursor, not a
//! queue: see [`Follower`].

mod feed;
mod feeds;
mod follower;
mod record;
mod request;
mod sqlite;
#[cfg(test)]
mod tests;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::chat::{Cursor, Event, Limits, MessageId, SessionId, TraceId, TurnId};

use self::feeds::FeedHold;
use self::request::{Append, Head, Range, Seal};

pub use follower::{Followed, Follower, Opened};
pub use sqlite::{OpenError, SqliteStore};
pub use writer::TurnWriter;

/// Where sessions are kept. A closed set: one file a variant.
#[derive(Debug, Clone)]
pub enum Store {
    /// One file, one process. The default.
    Sqlite(SqliteStore),
}

/// Which store to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Config {
    /// SQLite in this file; its folder is made if missing.
    Sqlite(PathBuf),
}

/// A question that wants to become a turn.
#[derive(Debug, Clone)]
pub struct BeginTurn {
    /// The session; made if it does not exist.
    pub session: SessionId,
    /// A fresh id. It also makes a repeated `begin_turn` count once against the rate limit.
    pub turn: TurnId,
    /// The turn's trace.
    pub trace: TraceId,
    /// The client's id of the question.
    pub message: Option<MessageId>,
    /// The question.
    pub content: Arc<str>,
}

/// What became of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// It is a turn: its `user` event is durable, and the caller must run it.
    Started {
        /// Position of the `user` event.
        seq: u64,
    },
    /// Its message id had been accepted before: nothing new runs.
    Duplicate {
        /// The turn that answers it.
        turn: TurnId,
        /// That turn's trace.
        trace: TraceId,
        /// Position of that turn's `user` event.
        seq: u64,
    },
    /// Another turn runs. Try again with the same [`BeginTurn`] when it has ended.
    Busy {
        /// The running turn.
        turn: TurnId,
    },
}

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

/// Where a follower starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At the running turn's text, or with the next event.
    Live,
    /// With the event after this position.
    After(Cursor),
}

/// Largest question or tool event, in bytes of its JSON.
pub const EVENT_BYTES: usize = 256 * 1024;
/// Longest text of a running turn, in bytes.
pub const TEXT_BYTES: usize = 1024 * 1024;
/// Largest final event, in bytes of its JSON: it has the turn's whole text.
pub const FINAL_EVENT_BYTES: usize = TEXT_BYTES + EVENT_BYTES;
/// Most events of one session. The last place is for a final event.
pub const SESSION_EVENTS: u64 = 5_000;

// === impl Store ===

impl Store {
    /// Opens the store `config` names: migrates it, and seals turns that an earlier process left
    /// running.
    pub async fn open(config: &Config, limits: Limits) -> Result<Self, OpenError> {
        match config {
            Config::Sqlite(path) => SqliteStore::open(path, limits).await.map(Self::Sqlite),
        }
    }

    /// Turns a question into a turn, durably: duplicate? too many? busy? then its `user` event is
    /// appended. To repeat it with the same turn id is safe.
    ///
    /// If nobody waits for the answer any more, because the future was dropped or the deadline has
    /// passed, the turn is not begun, or ended at once as interrupted: nobody would run it. Who
    /// repeats the call after that is told `Started`, and fenced with the first write.
    pub async fn begin_turn(&self, begin: BeginTurn) -> Result<Begin, StoreError> {
        match self {
            Self::Sqlite(store) => store.begin_turn(begin).await,
        }
    }

    /// The one writer of a turn that [`Store::begin_turn`] started.
    pub fn turn_writer(&self, session: SessionId, turn: TurnId, trace: TraceId) -> TurnWriter {
        TurnWriter::new(self.clone(), session, turn, trace)
    }

    /// Follows a session from `start`. A session without events can be followed too.
    pub async fn follow(&self, session: SessionId, start: Start) -> Result<Follower, StoreError> {
        Follower::start(self.clone(), session, start).await
    }

    /// The last `limit` events before position `before`, oldest first; fewer if there are not more,
    /// or if they are large (1 MiB) or many (1,000) together.
    pub async fn read_before(
        &self,
        session: &SessionId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        match self {
            Self::Sqlite(store) => store.read_before(session, before, limit).await,
        }
    }

    /// Answers if the store can read and write now.
    pub async fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.check().await,
        }
    }

    /// Ends every follower, finishes what is queued and closes the store.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
        }
    }

    fn feed(&self, session: &SessionId) -> FeedHold {
        match self {
            Self::Sqlite(store) => store.feed(session),
        }
    }

    async fn append(&self, append: Append) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.append(append).await,
        }
    }

    fn seal(&self, seal: Seal) {
        match self {
            Self::Sqlite(store) => store.seal(seal),
        }
    }

    async fn turn_length(&self, session: &SessionId, turn: TurnId) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(store) => store.turn_length(session, turn).await,
        }
    }

    async fn head(&self, session: &SessionId, at: Option<u64>) -> Result<Head, StoreError> {
        match self {
            Self::Sqlite(store) => store.head(session, at).await,
        }
    }

    async fn read(
        &self,
        session: &SessionId,
        range: Range,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        match self {
            Self::Sqlite(store) => store.read(session, range, limit).await,
        }
    }
}

// === impl StoreError ===

impl StoreError {
    fn closed() -> Self {
        Self::Unavailable(Arc::from("it is closed"))
    }
}

/// Rounded up: who comes back after that time must not be too early.
fn whole_seconds(duration: Duration) -> u128 {
    duration.as_millis().div_ceil(1_000).max(1)
}
