//! Sessions in Redis or Valkey, shared by several processes.
//!
//! Every write is one script: fence, position, log and publication together. [`Hub`] hears what is published, and asks the
//! store again whenever that does not fit.

mod address;
mod adopt;
mod check;
mod commands;
mod connection;
mod handover;
mod hub;
mod message;
mod outbox;
mod scripts;
mod turns;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::chat::{Cursor, Decision, Event, Limits, SessionId, Subject, TurnId};

#[cfg(doc)]
use super::Store;
use super::feeds::{FeedHold, Feeds};
use super::record::Row;
use super::request::{Head, Range};
use super::{
    Day, Decided, Missed, OpenError, Page, SessionInfo, Sessions, SessionsAfter, StoreError,
};

use self::commands::Commands;
use self::hub::Hub;

pub use self::address::{InvalidAddress, RedisAddress};
pub use self::check::Unusable;
pub(super) use self::outbox::RedisOutbox;

/// How long what runs may take to end.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);
/// How often a session is asked about if it changes at the same time.
const HEAD_TRIES: usize = 3;
/// Most events one read returns.
const READ_EVENTS: usize = 1_000;

/// Sessions on a Redis server. Clones share the connections.
#[derive(Clone)]
pub struct RedisStore {
    shared: Arc<Shared>,
}

struct Shared {
    commands: Commands,
    heartbeat: Duration,
    feeds: Arc<Feeds>,
    hub: Arc<Hub>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Ends the tasks with the last clone.
    _stop: DropGuard,
}

// === impl RedisStore ===

impl RedisStore {
    /// Connects to the server, and checks that it can be used.
    pub async fn open(
        address: &RedisAddress,
        limits: Limits,
        sessions: &Sessions,
        retention: Duration,
    ) -> Result<Self, OpenError> {
        let commands = Commands::connect(address, limits, sessions, retention).await?;
        let stop = CancellationToken::new();
        let feeds = Arc::new(Feeds::shared());
        let hub = Arc::new(Hub::new(commands.clone(), Arc::clone(&feeds), stop.clone()));
        let tasks = TaskTracker::new();
        let listening = Arc::clone(&hub);
        tasks.spawn(async move { listening.listen().await });
        let asking = Arc::clone(&hub);
        tasks.spawn(async move { asking.ask().await });
        Ok(Self {
            shared: Arc::new(Shared {
                commands,
                heartbeat: sessions.heartbeat,
                feeds,
                hub,
                tasks,
                _stop: stop.clone().drop_guard(),
                stop,
            }),
        })
    }

    /// See [`Store::read_before`].
    pub async fn read_before(
        &self,
        session: &SessionId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        self.read(session, Range::Before(before), limit).await
    }

    /// See [`Store::events`].
    pub async fn events(
        &self,
        session: &SessionId,
        after: &Cursor,
        limit: usize,
    ) -> Result<Page, StoreError> {
        if after.seq > 0 {
            let snapshot = self
                .shared
                .commands
                .snapshot(session, Some(after.seq), false)
                .await;
            let at = self.noted(snapshot)?.told.head.at;
            let fits = at.is_some_and(|at| {
                after.fingerprint.is_none() || after.fingerprint == at.fingerprint
            });
            if !fits {
                return Ok(Page::Misfit);
            }
        }
        let events = self.read(session, Range::After(after.seq), limit).await?;
        Ok(Page::Events(events))
    }

    /// See [`Store::sessions`].
    pub async fn sessions(
        &self,
        owner: &Subject,
        after: Option<&SessionsAfter>,
        limit: usize,
    ) -> Result<Vec<SessionInfo>, StoreError> {
        self.noted(self.shared.commands.sessions(owner, after, limit).await)
    }

    /// See [`Store::erase`].
    pub async fn erase(&self, session: &SessionId) -> Result<bool, StoreError> {
        self.noted(self.shared.commands.erase(session).await)
    }

    /// See [`Store::request_stop`].
    pub async fn request_stop(
        &self,
        session: &SessionId,
        turn: Option<TurnId>,
    ) -> Result<bool, StoreError> {
        self.noted(self.shared.commands.request_stop(session, turn).await)
    }

    /// See [`Store::decide`].
    pub async fn decide(
        &self,
        session: &SessionId,
        turn: Option<TurnId>,
        call_id: &str,
        decision: Decision,
    ) -> Result<Option<Decided>, StoreError> {
        let commands = &self.shared.commands;
        self.noted(commands.decide(session, turn, call_id, decision).await)
    }

    /// What was decided about a call of the running turn.
    pub(super) async fn decision(
        &self,
        session: &SessionId,
        turn: TurnId,
        call_id: &str,
    ) -> Result<Option<Decision>, StoreError> {
        self.noted(self.shared.commands.decision(session, turn, call_id).await)
    }

    /// See [`Store::delivered`].
    pub async fn delivered(
        &self,
        session: &SessionId,
        seq: u64,
        owed: bool,
    ) -> Result<(), StoreError> {
        self.noted(self.shared.commands.delivered(session, seq, owed).await)
    }

    /// See [`Store::spend`].
    pub async fn spend(&self, subject: &Subject, day: Day, tokens: u64) -> Result<u64, StoreError> {
        self.noted(self.shared.commands.spend(subject, day, tokens).await)
    }

    /// See [`Store::shown`].
    pub async fn shown(&self, session: &SessionId, turn: TurnId) -> Result<(), StoreError> {
        self.noted(self.shared.commands.shown(session, turn).await)
    }

    /// See [`Store::left`].
    pub async fn left(&self, session: &SessionId, turn: TurnId) -> Result<(), StoreError> {
        self.noted(self.shared.commands.left(session, turn).await)
    }

    /// See [`Store::missed`].
    pub async fn missed(&self, session: &SessionId) -> Result<Missed, StoreError> {
        let (turn, seq) = self.noted(self.shared.commands.missed(session).await)?;
        let Some(before) = seq.checked_sub(1) else {
            return Ok(Missed { turn, end: None });
        };
        let mut events = self.read(session, Range::After(before), 1).await?;
        let end = events.pop().filter(|event| event.body.is_final());
        Ok(Missed { turn, end })
    }

    /// See [`Store::check`].
    pub async fn check(&self) -> Result<(), StoreError> {
        self.noted(self.shared.commands.check().await)
    }

    /// See [`Store::close`].
    pub async fn close(&self) {
        let shared = &self.shared;
        shared.tasks.close();
        shared.feeds.close();
        shared.stop.cancel();
        if timeout(CLOSE_DEADLINE, shared.tasks.wait()).await.is_err() {
            tracing::warn!("session store: did not close in time; nothing acknowledged is lost");
        }
    }

    /// The session's feed.
    pub(super) fn feed(&self, session: &SessionId) -> FeedHold {
        self.shared.feeds.hold(session)
    }

    /// Where the session's log ends, and which event is `at` a position.
    pub(super) async fn head(
        &self,
        session: &SessionId,
        feed: &FeedHold,
        at: Option<u64>,
    ) -> Result<Head, StoreError> {
        for _ in 0..HEAD_TRIES {
            let asked = feed.known_end();
            let snapshot = self
                .shared
                .commands
                .snapshot(session, Some(asked.seq), false)
                .await;
            let snapshot = self.noted(snapshot)?;
            // What was written before this call is known after it.
            if feed.learn(&asked, &snapshot.told) {
                break;
            }
        }
        let known = feed.live().head();
        if at.is_none_or(|at| at == 0 || at == known.end.seq) {
            return Ok(known);
        }
        let snapshot = self.shared.commands.snapshot(session, at, false).await;
        let at = self.noted(snapshot)?.told.head.at;
        // The end is the feed's: what comes after it will be heard.
        Ok(Head {
            at,
            ..feed.live().head()
        })
    }

    /// Up to `limit` events, oldest first.
    pub(super) async fn read(
        &self,
        session: &SessionId,
        range: Range,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let rows = self
            .shared
            .commands
            .read(session, range, limit.min(READ_EVENTS))
            .await;
        let events: Result<Vec<_>, _> = self.noted(rows)?.into_iter().map(Row::decode).collect();
        let events = events.map_err(|error| {
            tracing::error!(session = session.short(), %error, "session store: an event cannot be read");
            StoreError::Unavailable(error.to_string().into())
        })?;
        Ok(events.into_iter().map(Arc::new).collect())
    }

    /// Remembers that the store did not answer.
    fn noted<T>(&self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        if self.shared.stop.is_cancelled() {
            return Err(StoreError::closed());
        }
        if matches!(outcome, Err(StoreError::Unavailable(_))) {
            self.shared.hub.note_trouble();
        }
        outcome
    }

    /// How many feeds are held.
    #[cfg(test)]
    pub(super) fn feeds(&self) -> usize {
        self.shared.feeds.len()
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisStore")
            .field("commands", &self.shared.commands)
            .finish_non_exhaustive()
    }
}
