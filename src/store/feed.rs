//! What is live of a session: the running turn's text, and the events some follower has not seen
//! yet. A feed exists while a follower or a running turn holds it.

use std::collections::{HashMap, VecDeque};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::chat::{Event, EventBody, SessionId, TraceId, TurnId};

use super::{StoreError, TEXT_BYTES};

/// Most events a feed keeps for slow followers. Who is further behind reads the log.
const RECENT_EVENTS: usize = 64;
/// Most bytes of events a feed keeps.
const RECENT_BYTES: usize = 512 * 1024;

/// The feeds that somebody holds.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    feeds: HashMap<SessionId, Slot>,
    closed: bool,
}

#[derive(Debug)]
struct Slot {
    feed: Arc<Feed>,
    holders: usize,
}

/// Keeps a session's feed in [`Feeds`].
#[derive(Debug)]
pub(super) struct FeedHold {
    feeds: Arc<Feeds>,
    session: SessionId,
    feed: Arc<Feed>,
}

/// Durable events of a session, on their way to its followers.
#[derive(Debug)]
pub(super) struct Publication {
    pub(super) session: SessionId,
    pub(super) events: Vec<Published>,
}

/// A durable event.
#[derive(Debug, Clone)]
pub(super) struct Published {
    pub(super) event: Arc<Event>,
    /// Size of its JSON.
    pub(super) bytes: usize,
}

/// What is live of one session.
#[derive(Debug)]
pub(super) struct Feed {
    live: Mutex<Live>,
    /// Changes after every change of `live` that a follower may wait for.
    version: watch::Sender<u64>,
}

/// The state of a [`Feed`].
#[derive(Debug, Default)]
pub(super) struct Live {
    end: u64,
    recent: VecDeque<Published>,
    recent_bytes: usize,
    running: Option<Running>,
    followers: usize,
    /// How many of them have seen `end`.
    caught_up: usize,
    closed: bool,
}

/// The running turn.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) turn: TurnId,
    pub(super) trace: TraceId,
    pub(super) text: String,
}

// === impl Feeds ===

impl Feeds {
    /// The session's feed, made if there is none.
    pub(super) fn hold(self: &Arc<Self>, session: &SessionId) -> FeedHold {
        let mut slots = self.lock();
        let closed = slots.closed;
        let slot = slots
            .feeds
            .entry(session.clone())
            .or_insert_with(|| Slot::new(closed));
        slot.holders += 1;
        FeedHold {
            feeds: Arc::clone(self),
            session: session.clone(),
            feed: Arc::clone(&slot.feed),
        }
    }

    /// The session's feed, if somebody holds it.
    pub(super) fn find(&self, session: &SessionId) -> Option<Arc<Feed>> {
        let slots = self.lock();
        slots.feeds.get(session).map(|slot| Arc::clone(&slot.feed))
    }

    /// Ends every follower, those to come as well.
    pub(super) fn close(&self) {
        let feeds: Vec<_> = {
            let mut slots = self.lock();
            slots.closed = true;
            slots
                .feeds
                .values()
                .map(|slot| Arc::clone(&slot.feed))
                .collect()
        };
        for feed in feeds {
            feed.change(|live| live.closed = true);
        }
    }

    /// How many feeds there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().feeds.len()
    }

    fn release(&self, session: &SessionId) {
        let mut slots = self.lock();
        if let Some(slot) = slots.feeds.get_mut(session) {
            slot.holders -= 1;
            if slot.holders == 0 {
                slots.feeds.remove(session);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Slot ===

impl Slot {
    fn new(closed: bool) -> Self {
        let live = Live {
            closed,
            ..Live::default()
        };
        let feed = Feed {
            live: Mutex::new(live),
            version: watch::Sender::new(0),
        };
        Self {
            feed: Arc::new(feed),
            holders: 0,
        }
    }
}

// === impl FeedHold ===

impl Deref for FeedHold {
    type Target = Feed;

    fn deref(&self) -> &Feed {
        &self.feed
    }
}

impl Drop for FeedHold {
    fn drop(&mut self) {
        self.feeds.release(&self.session);
    }
}

// === impl Feed ===

impl Feed {
    /// The state, for as long as the guard lives. Never keep it across an await.
    pub(super) fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes after every change.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Shows durable events to the followers, and starts or ends the running text with them.
    pub(super) fn publish(&self, events: &[Published]) {
        self.change(|live| {
            for published in events {
                live.publish(published);
            }
        });
    }

    /// Appends to the running text of `turn`.
    pub(super) fn say(&self, turn: TurnId, delta: &str) -> Result<(), StoreError> {
        if delta.is_empty() {
            return Ok(());
        }
        self.change(|live| {
            let running = live.running_turn(turn).ok_or(StoreError::Fenced)?;
            if running.text.len() + delta.len() > TEXT_BYTES {
                return Err(StoreError::TooLarge {
                    what: "the turn's text",
                    limit: TEXT_BYTES,
                });
            }
            running.text.push_str(delta);
            Ok(())
        })
    }

    /// The running text of `turn`; `None` if it does not run.
    pub(super) fn text(&self, turn: TurnId) -> Option<String> {
        self.live()
            .running_turn(turn)
            .map(|running| running.text.clone())
    }

    /// Counts a follower in: from now on events are kept until it has seen them.
    pub(super) fn join(&self) {
        self.live().followers += 1;
    }

    /// Counts a follower out that had seen the log up to `seen`.
    pub(super) fn leave(&self, seen: Option<u64>) {
        let mut live = self.live();
        live.followers -= 1;
        if seen == Some(live.end) {
            live.caught_up -= 1;
        }
        live.forget_what_all_have_seen();
    }

    fn change<T>(&self, change: impl FnOnce(&mut Live) -> T) -> T {
        let changed = change(&mut self.live());
        self.version
            .send_modify(|version| *version = version.wrapping_add(1));
        changed
    }
}

// === impl Live ===

impl Live {
    /// Position of the last event.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// True when the store has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The running turn.
    pub(super) fn running(&self) -> Option<&Running> {
        self.running.as_ref()
    }

    /// The event at `seq`, if it is kept.
    pub(super) fn recent(&self, seq: u64) -> Option<Arc<Event>> {
        let first = self.recent.front()?.event.seq;
        let index = usize::try_from(seq.checked_sub(first)?).ok()?;
        self.recent.get(index).map(|kept| Arc::clone(&kept.event))
    }

    /// Notes where the log ends, read from it. What was published since is newer.
    pub(super) fn learn_end(&mut self, end: u64) {
        if end > self.end {
            self.end = end;
            self.caught_up = 0;
        }
    }

    /// Notes that a follower, which had seen the log up to `seen`, has seen all of it.
    pub(super) fn note_caught_up(&mut self, seen: &mut Option<u64>) {
        if *seen != Some(self.end) {
            *seen = Some(self.end);
            self.caught_up += 1;
            self.forget_what_all_have_seen();
        }
    }

    fn publish(&mut self, published: &Published) {
        let event = &published.event;
        match &event.body {
            EventBody::User { .. } => {
                self.running = Some(Running {
                    turn: event.turn,
                    trace: event.trace,
                    text: String::new(),
                });
            }
            EventBody::Agent { .. } | EventBody::Error { .. } => self.running = None,
            EventBody::ToolCall { .. } | EventBody::ToolResult { .. } => {}
        }
        self.end = event.seq;
        self.caught_up = 0;
        if self.followers == 0 {
            return;
        }
        self.recent_bytes += published.bytes;
        self.recent.push_back(published.clone());
        while self.recent.len() > RECENT_EVENTS || self.recent_bytes > RECENT_BYTES {
            let Some(oldest) = self.recent.pop_front() else {
                break;
            };
            self.recent_bytes -= oldest.bytes;
        }
    }

    fn running_turn(&mut self, turn: TurnId) -> Option<&mut Running> {
        self.running.as_mut().filter(|running| running.turn == turn)
    }

    fn forget_what_all_have_seen(&mut self) {
        if self.caught_up == self.followers {
            self.recent = VecDeque::new();
            self.recent_bytes = 0;
        }
    }
}
