//! What each session is doing. A slot is in the map exactly as long as somebody uses it.

use std::collections::{HashMap, VecDeque};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::{Accepted, AskError};
use crate::chat::{SessionId, TurnId};
use crate::store::BeginTurn;

/// The slots of the sessions that do something.
#[derive(Debug, Default)]
pub(super) struct Slots(Mutex<HashMap<SessionId, Entry>>);

#[derive(Debug, Default)]
struct Entry {
    slot: Arc<Slot>,
    users: usize,
}

/// What one session is doing.
#[derive(Debug, Default)]
pub(super) struct Slot {
    /// Questions that wait. Locked while a question becomes a turn and while a turn ends.
    pub(super) waiting: AsyncMutex<VecDeque<Waiting>>,
    /// Has a lock of its own, so that a cancel never waits for a slow store.
    running: Mutex<Option<(TurnId, CancellationToken)>>,
    /// True while a task waits for the end of another process's turn.
    watched: AtomicBool,
}

/// A question that waits for another turn to end.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) begin: BeginTurn,
    pub(super) span: Span,
    /// Who asked, then whoever sent the same question again.
    pub(super) answers: Vec<oneshot::Sender<Result<Accepted, AskError>>>,
}

/// A slot in use.
#[derive(Debug)]
pub(super) struct SlotUse {
    slots: Arc<Slots>,
    session: SessionId,
    slot: Arc<Slot>,
}

// === impl Slots ===

impl Slots {
    /// The session's slot, made if there is none.
    pub(super) fn enter(self: &Arc<Self>, session: &SessionId) -> SlotUse {
        let mut slots = lock(&self.0);
        let entry = slots.entry(session.clone()).or_default();
        entry.users += 1;
        SlotUse {
            slots: Arc::clone(self),
            session: session.clone(),
            slot: Arc::clone(&entry.slot),
        }
    }

    /// Cancels the running turn of a session, if it is `turn` or `turn` is not given. True if there
    /// was one to cancel.
    pub(super) fn cancel(&self, session: &SessionId, turn: Option<TurnId>) -> bool {
        let slots = lock(&self.0);
        let Some(entry) = slots.get(session) else {
            return false;
        };
        match &*lock(&entry.slot.running) {
            Some((running, cancel)) if turn.is_none_or(|turn| turn == *running) => {
                cancel.cancel();
                true
            }
            Some(_) | None => false,
        }
    }

    /// How many sessions do something.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.0).len()
    }
}

// === impl Slot ===

impl Slot {
    /// Notes the running turn and what cancels it; false if another one runs.
    pub(super) fn set_running(&self, turn: TurnId, cancel: &CancellationToken) -> bool {
        let mut running = lock(&self.running);
        if running.is_some() {
            return false;
        }
        *running = Some((turn, cancel.clone()));
        true
    }

    /// Notes that somebody waits for the end of another process's turn; false if somebody does already.
    pub(super) fn begin_watch(&self) -> bool {
        !self.watched.swap(true, Ordering::AcqRel)
    }

    /// Notes that nobody does any more.
    pub(super) fn end_watch(&self) {
        self.watched.store(false, Ordering::Release);
    }

    /// Notes that no turn runs.
    pub(super) fn set_free(&self) {
        *lock(&self.running) = None;
    }

    /// True if no turn of this process runs.
    pub(super) fn is_free(&self) -> bool {
        lock(&self.running).is_none()
    }
}

// === impl Waiting ===

impl Waiting {
    /// Nobody has been promised an answer yet.
    pub(super) fn new(begin: BeginTurn, span: Span) -> Self {
        Self {
            begin,
            span,
            answers: Vec::new(),
        }
    }

    /// Tells all who asked it what became of the question.
    pub(super) fn answer(
        answers: Vec<oneshot::Sender<Result<Accepted, AskError>>>,
        answer: &Result<Accepted, AskError>,
    ) {
        for (index, sender) in answers.into_iter().enumerate() {
            let answer = answer.clone().map(|accepted| Accepted {
                duplicate: accepted.duplicate || index > 0,
                ..accepted
            });
            // Who asked may be gone.
            let _ = sender.send(answer);
        }
    }
}

// === impl SlotUse ===

impl SlotUse {
    /// Whose slot it is.
    pub(super) fn session(&self) -> &SessionId {
        &self.session
    }
}

impl Deref for SlotUse {
    type Target = Slot;

    fn deref(&self) -> &Slot {
        &self.slot
    }
}

impl Drop for SlotUse {
    fn drop(&mut self) {
        let mut slots = lock(&self.slots.0);
        if let Some(entry) = slots.get_mut(&self.session) {
            entry.users -= 1;
            if entry.users == 0 {
                slots.remove(&self.session);
            }
        }
    }
}

/// A panic while one of these was held left nothing half done: each holds one value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
