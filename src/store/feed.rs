//! What is live of a session: the running turn's text, and the events some follower has not seen
//! yet.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use tokio::sync::{Notify, oneshot};

use crate::chat::{Event, EventBody, Fingerprint, SessionId, TraceId, TurnId};

use super::{Lost, StoreError, TEXT_BYTES};

mod remote;

pub(super) use remote::{Heard, Told};

/// Most events a feed keeps for slow followers. Who is further behind reads the log.
const RECENT_EVENTS: usize = 64;
/// Most bytes of events a feed keeps.
const RECENT_BYTES: usize = 512 * 1024;

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
}

/// One follower, among those of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(u64);

/// The state of a [`Feed`].
#[derive(Debug, Default)]
pub(super) struct Live {
    end: u64,
    /// Fingerprint of the event at `end`, where followers need it.
    end_print: Option<Fingerprint>,
    /// True once `end` and `running` are known to be the session's.
    known: bool,
    /// Changes when the log may have become another one: every follower has to look whether its position is still in it.
    epoch: u32,
    recent: VecDeque<Published>,
    recent_bytes: usize,
    running: Option<Running>,
    /// Who hears that the running turn must not go on here.
    keeper: Option<(TurnId, oneshot::Sender<Lost>)>,
    /// Who hears that somebody has decided about a call that waits, while one of this process does.
    decided: Option<Arc<Notify>>,
    /// How often the session was erased while the feed existed.
    erasures: u32,
    followers: usize,
    /// The place the next follower gets.
    next_place: u64,
    /// Followers that wait for a change, with what wakes them: mostly one, and a channel for it costs more than the text.
    waiting: Vec<(Place, Waker)>,
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

// === impl Feed ===

impl Feed {
    /// A feed of which nothing is known yet.
    pub(super) fn new(closed: bool, known: bool) -> Self {
        Self {
            live: Mutex::new(Live {
                known,
                closed,
                ..Live::default()
            }),
        }
    }

    /// The state, for as long as the guard lives. Never keep it across an await.
    pub(super) fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Notes who hears that `turn` must not go on here.
    pub(super) fn set_keeper(&self, turn: TurnId, tell: oneshot::Sender<Lost>) {
        self.live().keeper = Some((turn, tell));
    }

    /// Tells the keeper of `turn`, if it is here. True if it is.
    pub(super) fn tell_keeper(&self, turn: TurnId, lost: Lost) -> bool {
        let mut live = self.live();
        match live.keeper.take() {
            Some((kept, tell)) if kept == turn => tell.send(lost).is_ok(),
            other => {
                live.keeper = other;
                false
            }
        }
    }

    /// What is notified of every decision about a call that waits.
    pub(super) fn decided(&self) -> Arc<Notify> {
        Arc::clone(self.live().decided.get_or_insert_default())
    }

    /// Somebody has decided about a call that waits.
    pub(super) fn tell_decided(&self) {
        let decided = self.live().decided.clone();
        if let Some(decided) = decided {
            decided.notify_waiters();
        }
    }

    /// The session is gone: its followers end, its running turn is fenced.
    pub(super) fn erase(&self) {
        self.change(|live| {
            live.end_keeper(|_| true);
            live.erase();
        });
    }

    /// As [`Feed::erase`], of a session whose last turn is known: one that came after it goes on.
    pub(super) fn erase_up_to(&self, last: TurnId) {
        self.change(|live| {
            live.end_keeper(|turn| turn == last);
            live.erase();
        });
    }

    /// Ends the followers.
    pub(super) fn close(&self) {
        self.change(|live| live.closed = true);
    }

    /// Counts a follower in: from now on events are kept until it has seen them.
    pub(super) fn join(&self) -> Place {
        let mut live = self.live();
        live.followers += 1;
        live.next_place += 1;
        Place(live.next_place)
    }

    /// Counts a follower out that had seen the log up to `seen`.
    pub(super) fn leave(&self, place: Place, seen: Option<u64>) {
        let mut live = self.live();
        live.followers -= 1;
        let waited = live.stop_waiting(place);
        if seen == Some(live.end) {
            // The log it had seen may have been another one, of the same length.
            live.caught_up = live.caught_up.saturating_sub(1);
        }
        live.forget_what_all_have_seen();
        drop(live);
        drop(waited);
    }

    /// Wakes the followers that wait, after every change.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Live) -> T) -> T {
        let mut live = self.live();
        let changed = change(&mut live);
        let waiting = std::mem::take(&mut live.waiting);
        // What is woken may want the lock.
        drop(live);
        for (_, waker) in waiting {
            waker.wake();
        }
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

    /// How often the session was erased while this feed existed.
    pub(super) fn erasures(&self) -> u32 {
        self.erasures
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

    /// The follower at `place` has seen all there is: it is woken, once, by the next change.
    pub(super) fn wait(&mut self, place: Place, context: &Context<'_>) {
        match self.waiting.iter_mut().find(|(known, _)| *known == place) {
            Some((_, waker)) => waker.clone_from(context.waker()),
            None => self.waiting.push((place, context.waker().clone())),
        }
    }

    fn stop_waiting(&mut self, place: Place) -> Option<(Place, Waker)> {
        let index = self.waiting.iter().position(|(known, _)| *known == place)?;
        Some(self.waiting.swap_remove(index))
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

    pub(super) fn publish(&mut self, published: &Published) {
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
            EventBody::ToolCall { .. }
            | EventBody::ToolResult { .. }
            | EventBody::ApprovalRequest { .. }
            | EventBody::ApprovalDecision { .. } => {}
        }
        self.end = event.seq;
        self.end_print = Some(event.fingerprint());
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

    fn end_keeper(&mut self, is_fenced: impl FnOnce(TurnId) -> bool) {
        if let Some((_, tell)) = self.keeper.take_if(|(turn, _)| is_fenced(*turn)) {
            // Nobody listening is a turn that has ended.
            let _ = tell.send(Lost::Fenced);
        }
    }

    fn erase(&mut self) {
        self.erasures = self.erasures.wrapping_add(1);
        self.end = 0;
        self.end_print = None;
        self.running = None;
        self.recent = VecDeque::new();
        self.recent_bytes = 0;
        self.caught_up = 0;
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

#[cfg(test)]
mod tests;
