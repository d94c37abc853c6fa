use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::timeout;

use crate::chat::{Cursor, Event, Fingerprint, SessionId, TextChange, TraceId, TurnId};
use crate::mutant::{self, Mutant};

use super::feed::{Place, Running};
use super::feeds::FeedHold;
use super::request::{Head, Range};
use super::{Start, Store, StoreError};

/// Events read from the log at a time.
const CHUNK: usize = 128;
/// How long a shared store may take to tell what a session is.
const KNOWN_DEADLINE: Duration = Duration::from_secs(3);

/// Follows a session: its events in order without gap or repeat, and between them the running
/// turn's text.
///
/// A follower is a cursor, not a queue: one that is slow costs nothing and loses nothing. It gets
/// what was said meanwhile as one piece, and the text of a turn that has ended not at all, for the
/// final event has the whole.
pub struct Follower {
    store: Store,
    session: SessionId,
    feed: FeedHold,
    place: Place,
    opened: Opened,
    reset: Option<&'static str>,
    /// The last event delivered.
    position: u64,
    /// Its fingerprint, if it is known.
    print: Option<Fingerprint>,
    /// The feed's epoch in which the position was last looked up.
    epoch: u32,
    /// Events after `position`, read from the log.
    read: VecDeque<Arc<Event>>,
    said: Said,
    /// Up to where the feed was told that this follower has seen the log.
    seen: Option<u64>,
    /// How often the session had been erased before.
    erasures: u32,
}

/// What a follower found when it started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// Where the log ended; `seq` 0 if the session has no events.
    pub end: Cursor,
    /// The turn that ran.
    pub running: Option<TurnId>,
}

/// What a follower delivers.
#[derive(Debug, Clone, PartialEq)]
pub enum Followed {
    /// The next event.
    Event(Arc<Event>),
    /// The running turn said more.
    Text {
        /// The turn.
        turn: TurnId,
        /// Its trace.
        trace: TraceId,
        /// What to do to the text that was delivered before.
        change: TextChange,
    },
    /// The cursor did not fit the log: forget what was received, the log follows from its start.
    Reset {
        /// One sentence for people.
        reason: &'static str,
    },
}

/// How much of a turn's text was delivered.
#[derive(Debug, Default)]
struct Said {
    turn: Option<TurnId>,
    bytes: usize,
}

enum Step {
    Deliver(Followed),
    Read,
    LookUp,
    Erased,
    End,
}

// === impl Follower ===

impl Follower {
    pub(super) async fn start(
        store: Store,
        session: SessionId,
        start: Start,
    ) -> Result<Self, StoreError> {
        let feed = store.feed(&session);
        let place = feed.join();
        let erasures = feed.live().erasures();
        // From here on `drop` counts it out again.
        let mut follower = Self {
            store,
            session,
            place,
            erasures,
            feed,
            print: None,
            epoch: 0,
            opened: Opened::default(),
            reset: None,
            position: 0,
            read: VecDeque::new(),
            said: Said::default(),
            seen: None,
        };
        let at = match &start {
            Start::Live => None,
            Start::After(cursor) => Some(cursor.seq),
        };
        follower.known().await?;
        // What was erased before is not what is followed.
        follower.erasures = follower.feed.live().erasures();
        follower.epoch = follower.feed.live().epoch();
        let head = follower
            .store
            .head(&follower.session, &follower.feed, at)
            .await?;
        match start {
            Start::Live => {
                follower.position = head.end.seq;
                follower.print.clone_from(&head.end.fingerprint);
            }
            Start::After(cursor) => {
                follower.reset = misfit(&cursor, &head);
                if follower.reset.is_none() {
                    follower.position = cursor.seq;
                    follower.print = head.at.as_ref().and_then(|at| at.fingerprint.clone());
                }
            }
        }
        follower.opened = Opened {
            end: head.end,
            running: head.running,
        };
        Ok(follower)
    }

    /// Waits until the feed knows what the session is.
    async fn known(&self) -> Result<(), StoreError> {
        let waiting = poll_fn(|context| {
            let mut live = self.feed.live();
            if live.is_closed() {
                return Poll::Ready(Err(StoreError::closed()));
            }
            if live.is_known() {
                return Poll::Ready(Ok(()));
            }
            live.wait(self.place, context);
            Poll::Pending
        });
        timeout(KNOWN_DEADLINE, waiting).await.unwrap_or_else(|_| {
            Err(StoreError::Unavailable(Arc::from(
                "it does not tell what happens in a session",
            )))
        })
    }

    /// The log may have become another one: is the position still in it?
    async fn look_up(&mut self) -> Result<(), StoreError> {
        let epoch = self.feed.live().epoch();
        let cursor = Cursor {
            seq: self.position,
            fingerprint: self.print.clone(),
        };
        let head = self
            .store
            .head(&self.session, &self.feed, Some(self.position))
            .await?;
        if let Some(reason) = misfit(&cursor, &head) {
            self.reset = Some(reason);
            self.position = 0;
            self.print = None;
            self.said = Said::default();
        }
        self.read = VecDeque::new();
        self.epoch = epoch;
        Ok(())
    }

    /// The state of the session when this follower started.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// What comes next; waits until there is something. Dropping the future loses nothing. An error
    /// means that the log cannot be read now, or that the store is closed.
    pub async fn next(&mut self) -> Result<Followed, StoreError> {
        loop {
            if let Some(reason) = self.reset.take() {
                return Ok(Followed::Reset { reason });
            }
            match poll_fn(|context| self.step(context)).await {
                Step::Deliver(followed) => return Ok(followed),
                // Rare; without the box every waiting follower had room for it.
                Step::Read => Box::pin(self.read_on()).await?,
                Step::LookUp => self.look_up().await?,
                Step::Erased => return Err(StoreError::Erased),
                Step::End => return Err(StoreError::closed()),
            }
        }
    }

    /// See [`Store::ended`].
    pub(super) async fn until_ended(
        store: Store,
        session: SessionId,
        turn: TurnId,
    ) -> Result<(), StoreError> {
        let mut follower = Self::start(store, session, Start::Live).await?;
        while follower.opened.running == Some(turn) {
            match follower.next().await {
                Ok(Followed::Event(event)) if event.turn == turn && !event.body.is_final() => {}
                Ok(Followed::Text { .. }) => {}
                Ok(Followed::Event(_) | Followed::Reset { .. }) | Err(StoreError::Erased) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What is to be done next; pending until the feed changes.
    fn step(&mut self, context: &Context<'_>) -> Poll<Step> {
        let mut live = self.feed.live();
        if live.erasures() != self.erasures {
            return Poll::Ready(Step::Erased);
        }
        if live.epoch() != self.epoch && !mutant::is(Mutant::NoFingerprint) {
            return Poll::Ready(Step::LookUp);
        }
        if self.position < live.end() {
            let next = self.position + 1;
            let Some(event) = self.read.front().cloned().or_else(|| live.recent(next)) else {
                return Poll::Ready(Step::Read);
            };
            if let Some(offset) = event.body.text_offset()
                && let Some(running) = live.running().filter(|running| running.turn == event.turn)
                && let Some(text) = self.said.up_to(offset, running)
            {
                return Poll::Ready(Step::Deliver(text));
            }
            self.position = next;
            self.print = Some(event.fingerprint());
            self.read.pop_front();
            if self.read.is_empty() {
                self.read = VecDeque::new();
            }
            return Poll::Ready(Step::Deliver(Followed::Event(event)));
        }
        if let Some(running) = live.running()
            && let Some(text) = self.said.up_to(running.text.len(), running)
        {
            return Poll::Ready(Step::Deliver(text));
        }
        if live.is_closed() {
            return Poll::Ready(Step::End);
        }
        live.note_caught_up(&mut self.seen);
        // Under the lock under which nothing was found: no change is missed.
        live.wait(self.place, context);
        Poll::Pending
    }

    /// Reads what the feed does not keep any more.
    async fn read_on(&mut self) -> Result<(), StoreError> {
        let range = Range::After(self.position);
        let events = self.store.read(&self.session, range, CHUNK).await?;
        if self.feed.live().erasures() != self.erasures {
            // What was to be read is gone, and the next step says so.
            return Ok(());
        }
        let gapless = (self.position + 1..)
            .zip(&events)
            .all(|(seq, event)| event.seq == seq);
        if events.is_empty() || !gapless {
            let after = self.position;
            tracing::error!(session = self.session.short(), after, "the log has a gap");
            return Err(StoreError::Unavailable(
                format!("the session's log has a gap after event {after}").into(),
            ));
        }
        self.read = events.into();
        Ok(())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.feed.leave(self.place, self.seen);
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Follower")
            .field("session", &self.session)
            .field("position", &self.position)
            .field("said", &self.said)
            .finish_non_exhaustive()
    }
}

/// Why a cursor does not fit the log, if it does not.
pub(super) fn misfit(cursor: &Cursor, head: &Head) -> Option<&'static str> {
    if cursor.seq == 0 || mutant::is(Mutant::NoFingerprint) {
        return None;
    }
    let Some(at) = &head.at else {
        return Some("The log ends before this position: it was erased or restored.");
    };
    let same = cursor.fingerprint.is_none() || cursor.fingerprint == at.fingerprint;
    (!same).then_some("Another event is at this position: the log was erased or restored.")
}

// === impl Said ===

impl Said {
    /// What has to be delivered so that the text of `running` is known up to byte `until`.
    fn up_to(&mut self, until: usize, running: &Running) -> Option<Followed> {
        let is_first = self.turn != Some(running.turn);
        let from = if is_first { 0 } else { self.bytes };
        let until = running.text.floor_char_boundary(until);
        let piece = running
            .text
            .get(from..until)
            .filter(|piece| !piece.is_empty())?;
        let change = if is_first {
            TextChange::Replace(piece.to_owned())
        } else {
            TextChange::Append(piece.to_owned())
        };
        self.turn = Some(running.turn);
        self.bytes = until;
        Some(Followed::Text {
            turn: running.turn,
            trace: running.trace,
            change,
        })
    }
}
