//! The session log: append-only events with positions from 1, beside them the running turn's text,
//! and followers.
//!
//! Every write is fenced by the turn's random id and idempotent by the index of its event in the
//! turn. Nothing is acknowledged or published before it is durable. A follower is a cursor, not a
//! queue: see [`Follower`].

mod approvals;
mod error;
mod feed;
mod feeds;
mod follower;
mod keeper;
mod listing;
mod missed;
mod options;
mod record;
mod redis;
mod request;
mod spending;
mod sqlite;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

use std::sync::Arc;

use crate::chat::{Cursor, Event, Limits, MessageId, SessionId, Subject, TraceId, TurnId};

use self::feeds::FeedHold;
use self::redis::RedisOutbox;
use self::request::{Append, Head, Range, Seal};

pub use approvals::{Approvals, Decided};
pub use error::StoreError;
pub use follower::{Followed, Follower, Opened};
pub use keeper::{Keeper, Lost};
pub use listing::{Page, SessionInfo, SessionsAfter};
pub use missed::Missed;
pub use options::{Config, Sessions};
pub use redis::{InvalidAddress, RedisAddress, RedisStore, Unusable};
pub use spending::Day;
pub use sqlite::{OpenError, SqliteStore};
pub use writer::TurnWriter;

/// Where sessions are kept. A closed set: one file a variant.
#[derive(Debug, Clone)]
pub enum Store {
    /// One file, one process. The default.
    Sqlite(SqliteStore),
    /// A server that several processes share.
    Redis(RedisStore),
}

/// A question that wants to become a turn.
#[derive(Debug, Clone)]
pub struct BeginTurn {
    /// The session; made if it does not exist.
    pub session: SessionId,
    /// Who asks: the owner of a session that is made.
    pub owner: Subject,
    /// A fresh id. It also makes a repeated `begin_turn` count once against the rate limit.
    pub turn: TurnId,
    /// The turn's trace.
    pub trace: TraceId,
    /// The client's id of the question.
    pub message: Option<MessageId>,
    /// The question.
    pub content: Arc<str>,
}

/// A turn taken over from another process.
#[derive(Debug)]
pub struct Adopted {
    /// The question, as it was asked. Its events are in the log.
    pub begin: BeginTurn,
    /// Position of its `user` event.
    pub seq: u64,
    /// Writes the rest; it knows what was said and written before.
    pub writer: TurnWriter,
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

/// Where a running turn's text goes.
#[derive(Debug, Clone)]
enum Outbox {
    /// Into the feed: whoever follows is in this process.
    Feed,
    /// To the server, and from there to everybody.
    Redis(RedisOutbox),
}

// === impl Store ===

impl Store {
    /// Opens the store `config` names: migrates it, and seals turns that an earlier process left
    /// running.
    pub async fn open(
        config: &Config,
        limits: Limits,
        sessions: &Sessions,
    ) -> Result<Self, OpenError> {
        let retention = sessions.retention_on(config);
        match config {
            Config::Sqlite(path) => SqliteStore::open(path, limits, retention)
                .await
                .map(Self::Sqlite),
            Config::Redis(address) => RedisStore::open(address, limits, sessions, retention)
                .await
                .map(Self::Redis),
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
            Self::Redis(store) => store.begin_turn(begin).await,
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
            Self::Redis(store) => store.read_before(session, before, limit).await,
        }
    }

    /// Up to `limit` events after a position, oldest first; fewer if they are large (1 MiB) together.
    pub async fn events(
        &self,
        session: &SessionId,
        after: &Cursor,
        limit: usize,
    ) -> Result<Page, StoreError> {
        match self {
            Self::Sqlite(store) => store.events(session, after, limit).await,
            Self::Redis(store) => store.events(session, after, limit).await,
        }
    }

    /// Up to `limit` sessions of `owner`, the last used first.
    pub async fn sessions(
        &self,
        owner: &Subject,
        after: Option<&SessionsAfter>,
        limit: usize,
    ) -> Result<Vec<SessionInfo>, StoreError> {
        match self {
            Self::Sqlite(store) => store.sessions(owner, after, limit).await,
            Self::Redis(store) => store.sessions(owner, after, limit).await,
        }
    }

    /// Erases a session: its followers end with [`StoreError::Erased`], its running turn is fenced. False if there was
    /// none. Afterwards its id is free.
    pub async fn erase(&self, session: &SessionId) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(store) => store.erase(session).await,
            Self::Redis(store) => store.erase(session).await,
        }
    }

    /// Erases what has not been used for as long as sessions are kept, and says how many that were. A store that forgets
    /// by itself has nothing to do.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        match self {
            Self::Sqlite(store) => store.sweep().await,
            Self::Redis(_) => Ok(0),
        }
    }

    /// Tells the running turn of a session, wherever it runs, to stop, if it is `turn` or `turn` is not given. True if
    /// there was one. Its [`Keeper`] hears of it.
    pub async fn request_stop(
        &self,
        session: &SessionId,
        turn: Option<TurnId>,
    ) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(store) => store.request_stop(session, turn).await,
            Self::Redis(store) => store.request_stop(session, turn).await,
        }
    }

    /// Resolves when `turn` does not run any more, wherever it ran. A turn whose process has died is ended by that.
    pub async fn ended(&self, session: &SessionId, turn: TurnId) -> Result<(), StoreError> {
        Follower::until_ended(self.clone(), session.clone(), turn).await
    }

    /// Notes that a client has received the final event at `seq`. `owed`: it is one that keeps no cursor, and was noted
    /// as [shown](Self::shown) that turn.
    pub async fn delivered(
        &self,
        session: &SessionId,
        seq: u64,
        owed: bool,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.delivered(session, seq, owed).await,
            Self::Redis(store) => store.delivered(session, seq, owed).await,
        }
    }

    /// Notes that a client which keeps no cursor is about to be shown a turn: it is owed that turn's end.
    pub async fn shown(&self, session: &SessionId, turn: TurnId) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.shown(session, turn).await,
            Self::Redis(store) => store.shown(session, turn).await,
        }
    }

    /// Notes that a client which keeps no cursor has left while a turn runs that it was shown.
    pub async fn left(&self, session: &SessionId, turn: TurnId) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.left(session, turn).await,
            Self::Redis(store) => store.left(session, turn).await,
        }
    }

    /// What a client that keeps no cursor, and comes now, may have missed: the end of the newest turn, if nobody has
    /// received it, or not everybody who is [owed](Self::shown) it. Who was there before cannot be told from who was not,
    /// so one of the latter may be shown an end it did not wait for.
    pub async fn missed(&self, session: &SessionId) -> Result<Missed, StoreError> {
        match self {
            Self::Sqlite(store) => store.missed(session).await,
            Self::Redis(store) => store.missed(session).await,
        }
    }

    /// Counts tokens as used up by `subject` in `day`, and says how many that are together; with 0 it only says. A repetition
    /// whose first answer was lost counts twice.
    pub async fn spend(&self, subject: &Subject, day: Day, tokens: u64) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(store) => store.spend(subject, day, tokens).await,
            Self::Redis(store) => store.spend(subject, day, tokens).await,
        }
    }

    /// Waits for a turn that another process has [released](TurnWriter::release), and takes it over. A store of one
    /// process never has one.
    pub async fn adopt(&self) -> Adopted {
        match self {
            Self::Sqlite(_) => std::future::pending().await,
            Self::Redis(store) => store.adopt().await,
        }
    }

    /// Answers if the store can read and write now.
    pub async fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.check().await,
            Self::Redis(store) => store.check().await,
        }
    }

    /// Ends every follower, finishes what is queued and closes the store.
    pub async fn close(&self) {
        match self {
            Self::Sqlite(store) => store.close().await,
            Self::Redis(store) => store.close().await,
        }
    }

    fn feed(&self, session: &SessionId) -> FeedHold {
        match self {
            Self::Sqlite(store) => store.feed(session),
            Self::Redis(store) => store.feed(session),
        }
    }

    async fn append(&self, append: Append, outbox: &Outbox) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.append(append).await,
            Self::Redis(store) => store.append(append, outbox).await,
        }
    }

    /// What takes a turn's text on its way.
    fn outbox(&self, session: &SessionId, turn: TurnId, trace: TraceId) -> Outbox {
        match self {
            Self::Sqlite(_) => Outbox::Feed,
            Self::Redis(store) => Outbox::Redis(store.outbox(session, turn, trace)),
        }
    }

    fn seal(&self, seal: Seal) {
        match self {
            Self::Sqlite(store) => store.seal(seal),
            Self::Redis(store) => store.seal(seal),
        }
    }

    async fn turn_length(&self, session: &SessionId, turn: TurnId) -> Result<u64, StoreError> {
        match self {
            Self::Sqlite(store) => store.turn_length(session, turn).await,
            Self::Redis(store) => store.turn_length(session, turn).await,
        }
    }

    /// Where the log ends and what is `at` a position. What `feed` knows is not behind it then.
    async fn head(
        &self,
        session: &SessionId,
        feed: &FeedHold,
        at: Option<u64>,
    ) -> Result<Head, StoreError> {
        match self {
            Self::Sqlite(store) => {
                let erasures = feed.live().erasures();
                let head = store.head(session, at).await?;
                let mut live = feed.live();
                // The end of a log that was erased meanwhile is not the end of the next one.
                if live.erasures() == erasures {
                    live.learn_end(head.end.seq);
                }
                drop(live);
                Ok(head)
            }
            Self::Redis(store) => store.head(session, feed, at).await,
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
            Self::Redis(store) => store.read(session, range, limit).await,
        }
    }
}
