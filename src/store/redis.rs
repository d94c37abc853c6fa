//! Sessions in Redis or Valkey, shared by several processes.
//!
//! Every write is one script: fence, position, log and publication together. [`Hub`] hears what is published, and asks the
//! store again whenever that does not fit.

mod address;
mod check;
mod commands;
mod connection;
mod handover;
mod hub;
mod message;
mod outbox;
mod scripts;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::chat::{Cursor, Event, EventBody, Limits, SessionId, Subject, TraceId, TurnId};

use super::feeds::{FeedHold, Feeds};
use super::record::Row;
use super::request::{Append, Head, NewEvent, Range, Seal};
use super::{
    Adopted, Begin, BeginTurn, Missed, OpenError, Page, SessionInfo, Sessions, SessionsAfter,
    Store, StoreError, TurnWriter,
};

use self::commands::{Claimed, Commands};
use self::hub::Hub;

pub use self::address::{InvalidAddress, RedisAddress};
pub use self::check::Unusable;
pub(super) use self::outbox::RedisOutbox;

/// How long what runs may take to end.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);
/// How long to wait before a turn is sealed again.
const SEAL_RETRY: Duration = Duration::from_millis(500);
/// How long to wait before it is asked again whether a turn was taken over.
const CLAIM_RETRY: Duration = Duration::from_millis(500);
/// How often it is looked whether a turn is there to be taken over, besides being told.
const ADOPT_INTERVAL: Duration = Duration::from_secs(5);
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

    /// See [`Store::begin_turn`].
    pub async fn begin_turn(&self, begin: BeginTurn) -> Result<Begin, StoreError> {
        let user = NewEvent::new(EventBody::User {
            content: Arc::clone(&begin.content),
            message: begin.message.clone(),
        })?;
        // Who drops this future must not leave a turn that nobody runs: the call goes on, and its end is looked at.
        let commands = self.shared.commands.clone();
        let work = async move {
            let begun = commands.begin(&begin, &user).await;
            (begin, begun)
        };
        let begun = self.in_task(work, Self::begun_for_nobody).await;
        let begun = begun.map_or_else(|| Err(StoreError::closed()), |(_, begun)| begun);
        self.noted(begun)
    }

    /// Ends a turn that nobody will run.
    fn begun_for_nobody(self, (begin, begun): (BeginTurn, Result<Begin, StoreError>)) {
        // Whether one that was not answered has begun is not known.
        if matches!(
            begun,
            Ok(Begin::Started { .. }) | Err(StoreError::Unavailable(_))
        ) {
            drop(Store::Redis(self).turn_writer(begin.session, begin.turn, begin.trace));
        }
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

    /// See [`Store::delivered`].
    pub async fn delivered(
        &self,
        session: &SessionId,
        seq: u64,
        owed: bool,
    ) -> Result<(), StoreError> {
        self.noted(self.shared.commands.delivered(session, seq, owed).await)
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

    /// See [`Store::adopt`].
    pub async fn adopt(&self) -> Adopted {
        loop {
            let store = self.clone();
            let claiming = async move { store.claim().await };
            if let Some(Some(adopted)) = self.in_task(claiming, Self::adopted_by_nobody).await {
                return adopted;
            }
            tokio::select! {
                () = self.shared.hub.released.notified() => {}
                () = sleep(ADOPT_INTERVAL) => {}
            }
        }
    }

    /// Takes a turn over, if there is one.
    async fn claim(&self) -> Option<Adopted> {
        let shared = &self.shared;
        let mut attempt = None;
        let claiming = async {
            loop {
                match shared.commands.claim(&mut attempt).await {
                    Ok(claimed) => return claimed,
                    Err(error) => {
                        tracing::debug!(%error, "session store: cannot look for turns to take over");
                    }
                }
                // One that may have been taken is asked for until it is known, or its lease is over.
                if attempt.is_none() || timeout(CLAIM_RETRY, shared.stop.cancelled()).await.is_ok()
                {
                    return None;
                }
            }
        };
        let claimed = timeout(shared.commands.lease(), claiming).await;
        claimed.ok().flatten().map(|claimed| self.adopted(claimed))
    }

    /// Puts a turn back that was taken over for somebody who is gone.
    fn adopted_by_nobody(self, adopted: Option<Adopted>) {
        if let Some(Adopted { writer, .. }) = adopted {
            // What cannot be put back is ended, with the text so far.
            let putting_back = async move { drop(writer.release().await) };
            self.shared.tasks.spawn(putting_back);
        }
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

    /// A running turn's way to the server.
    pub(super) fn outbox(&self, session: &SessionId, turn: TurnId, trace: TraceId) -> RedisOutbox {
        RedisOutbox::new(
            self.shared.commands.clone(),
            self.shared.heartbeat,
            session.clone(),
            turn,
            trace,
        )
    }

    /// Appends events of a turn, and the text before them. To repeat it with the same index is safe.
    pub(super) async fn append(
        &self,
        append: Append,
        outbox: &super::Outbox,
    ) -> Result<(), StoreError> {
        let super::Outbox::Redis(outbox) = outbox else {
            return Err(StoreError::closed());
        };
        let written = outbox.write(append.index, append.events).await;
        self.noted(written).map(drop)
    }

    /// Ends a turn without waiting for it.
    pub(super) fn seal(&self, seal: Seal) {
        let shared = &self.shared;
        let (commands, stop) = (shared.commands.clone(), shared.stop.clone());
        shared.tasks.spawn(async move {
            // Without an end it is its lease that ends it.
            let deadline = commands.lease() * 4;
            let sealing = async {
                while commands.seal(&seal).await.is_err() {
                    // A store that closes has tried once, and does not try again.
                    if timeout(SEAL_RETRY, stop.cancelled()).await.is_ok() {
                        return;
                    }
                }
            };
            // Over is over: then the lease has ended it.
            drop(timeout(deadline, sealing).await);
        });
    }

    /// How many events the running turn has.
    pub(super) async fn turn_length(
        &self,
        session: &SessionId,
        turn: TurnId,
    ) -> Result<u64, StoreError> {
        self.noted(self.shared.commands.turn_length(session, turn).await)
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

    fn adopted(&self, claimed: Claimed) -> Adopted {
        let Claimed {
            begin,
            seq,
            written,
            text,
        } = claimed;
        let store = Store::Redis(self.clone());
        let writer = TurnWriter::new(store, begin.session.clone(), begin.turn, begin.trace);
        Adopted {
            begin,
            seq,
            writer: writer.resumed(written, text),
        }
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
