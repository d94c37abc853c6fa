//! What each session is doing. A slot is in the map exactly as long as somebody uses it.

use std::collections::{HashMap, VecDeque};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::{Accepted, AskError};
use crate::chat::{SessionId, TurnId};
use crate::mutant::{self, Mutant};
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
    pub(super) queue: AsyncMutex<Queue>,
    /// Has a lock of its own, so that a cancel never waits for a slow store.
    running: Mutex<Option<Running>>,
}

/// Questions that wait for another turn to end: one of this process, or else the one in `elsewhere`.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) waiting: VecDeque<Waiting>,
    /// The turn of another process whose end a task of this slot waits for.
    pub(super) elsewhere: Option<TurnId>,
}

/// The turn that runs in this process, or the question that is just becoming one.
#[derive(Debug)]
struct Running {
    turn: TurnId,
    cancel: CancellationToken,
    /// True once the store has it.
    begun: bool,
}

/// What a cancel has found in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancelled {
    /// The running turn, and it ends.
    Running,
    /// A question that is becoming a turn, or is told that another process has one.
    Becoming,
    Nothing,
}

/// A question that waits for another turn to end.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) begin: BeginTurn,
    pub(super) span: Span,
    /// It stops the turn it waits for.
    pub(super) interrupts: bool,
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

    /// Cancels the turn of a session that runs here, if it is `turn` or `turn` is not given.
    pub(super) fn cancel(&self, session: &SessionId, turn: Option<TurnId>) -> Cancelled {
        let slots = lock(&self.0);
        match slots.get(session) {
            Some(entry) => entry.slot.cancel(turn),
            None => Cancelled::Nothing,
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
    /// Notes a question that is becoming a turn and what cancels it; false if a turn runs.
    pub(super) fn set_becoming(&self, turn: TurnId, cancel: &CancellationToken) -> bool {
        let mut running = lock(&self.running);
        if running.is_some() {
            return false;
        }
        *running = Some(Running {
            turn,
            cancel: cancel.clone(),
            begun: false,
        });
        true
    }

    /// Notes the turn that the store has running here. Another one that is noted is not, and is about to learn it.
    pub(super) fn set_running(&self, turn: TurnId, cancel: &CancellationToken) {
        *lock(&self.running) = Some(Running {
            turn,
            cancel: cancel.clone(),
            begun: true,
        });
    }

    /// Notes that `turn` does not run here any more.
    pub(super) fn set_free(&self, turn: TurnId) {
        let mut running = lock(&self.running);
        if running.as_ref().is_some_and(|running| running.turn == turn) {
            *running = None;
        }
    }

    /// Cancels the turn that runs here, if it is `turn` or `turn` is not given.
    pub(super) fn cancel(&self, turn: Option<TurnId>) -> Cancelled {
        match &*lock(&self.running) {
            Some(running) if turn.is_none_or(|turn| turn == running.turn) => {
                if !mutant::is(Mutant::NoCancel) {
                    running.cancel.cancel();
                }
                if running.begun {
                    Cancelled::Running
                } else {
                    Cancelled::Becoming
                }
            }
            Some(_) | None => Cancelled::Nothing,
        }
    }

    /// True if no turn of this process runs.
    pub(super) fn is_free(&self) -> bool {
        lock(&self.running).is_none()
    }
}

// === impl Queue ===

impl Queue {
    /// Tells all who wait that they wait in vain.
    pub(super) fn refuse(&mut self, error: &AskError) {
        for waiting in self.waiting.drain(..) {
            Waiting::answer(waiting.answers, &Err(error.clone()));
        }
    }
}

// === impl Waiting ===

impl Waiting {
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
