//! Who runs: one turn a session, questions that wait their turn, cancel, and an end for every turn that began.
//!
//! A session's slot is locked while a question becomes a turn and while a turn ends, so within this process a free slot
//! and a free session in the store are the same thing.

mod elsewhere;
mod ending;
mod slots;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, Span};

use self::slots::{SlotUse, Slots, Waiting};
use super::Agent;
use crate::chat::{Limits, MessageId, SessionId, Subject, TraceId, TurnId, WhenBusy};
use crate::store::{Begin, BeginTurn, Store, StoreError, TurnWriter};
use crate::telemetry::{self, spans};

/// A question to a session.
#[derive(Debug, Clone)]
pub struct Question {
    /// The question.
    pub content: String,
    /// The client's id of it.
    pub message: Option<MessageId>,
    /// The span the turn belongs to; its trace is the turn's.
    pub span: Span,
    /// Who asks.
    pub owner: Subject,
    /// What to do if a turn is running.
    pub when_busy: WhenBusy,
}

/// A question that became a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The turn.
    pub turn: TurnId,
    /// Its trace.
    pub trace: TraceId,
    /// Position of its `user` event.
    pub seq: u64,
    /// True if the question had been accepted before.
    pub duplicate: bool,
}

/// What became of a question at once.
#[derive(Debug)]
pub enum Asked {
    /// It is a turn.
    Accepted(Accepted),
    /// Another turn runs. The rest comes through the channel.
    Queued {
        /// Questions that wait before it.
        ahead: usize,
        /// What becomes of it later.
        answer: oneshot::Receiver<Result<Accepted, AskError>>,
    },
}

/// Why a question was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The question is too long. The client's doing.
    #[error("the question has {length} bytes, {limit} are allowed: ask a shorter one")]
    TooLong {
        /// Its length, in bytes.
        length: usize,
        /// What is allowed.
        limit: usize,
    },
    /// A turn runs, and the question was not to wait. The client's wish.
    #[error("a question is being answered: wait for its end, or cancel it")]
    TurnRunning,
    /// Too many questions wait. The client's doing.
    #[error("{limit} questions are waiting already: wait for their answers")]
    QueueFull {
        /// What is allowed.
        limit: usize,
    },
    /// The process is stopping. Another one, or a later one, will take it.
    #[error("the service is stopping: ask again in a moment")]
    Stopping,
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The turns of this process. Clones share them.
#[derive(Debug, Clone)]
pub struct Turns(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    agent: Agent,
    store: Store,
    limits: Limits,
    /// Cancelled when no turn may begin.
    draining: CancellationToken,
    /// Cancelled when running turns must be sealed.
    stopped: CancellationToken,
    tasks: TaskTracker,
    /// Turns, and questions that are becoming one, so that a drain can wait for them alone.
    running: TaskTracker,
    slots: Arc<Slots>,
}

/// A turn that the store has begun and nobody runs yet.
#[derive(Debug)]
struct Started {
    begin: BeginTurn,
    /// Position of its `user` event.
    seq: u64,
    cancel: CancellationToken,
    /// What another process left of it.
    writer: Option<TurnWriter>,
}

// === impl Turns ===

impl Turns {
    /// Turns run by `agent`, kept in `store`, on `tasks`.
    pub fn new(
        agent: Agent,
        store: Store,
        limits: Limits,
        draining: CancellationToken,
        stopped: CancellationToken,
        tasks: TaskTracker,
    ) -> Self {
        Self(Arc::new(Shared {
            agent,
            store,
            limits,
            draining,
            stopped,
            tasks,
            running: TaskTracker::new(),
            slots: Arc::default(),
        }))
    }

    /// What sessions accept.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Takes a question: it becomes a turn, or waits, or is refused. Dropping the future takes nothing back: what was
    /// asked is asked, and the turn goes on whatever becomes of the caller.
    pub async fn ask(&self, session: &SessionId, question: Question) -> Result<Asked, AskError> {
        let limit = self.0.limits.question_bytes;
        if question.content.len() > limit {
            let length = question.content.len();
            return Err(AskError::TooLong { length, limit });
        }
        let begin = BeginTurn {
            session: session.clone(),
            owner: question.owner,
            turn: TurnId::random(),
            trace: telemetry::trace_id(&question.span),
            message: question.message,
            content: question.content.into(),
        };
        let (answer, asked) = oneshot::channel();
        // A task of its own: between the store's answer and the first step of the turn nobody may let go of it, or the
        // session would have a turn that nobody runs.
        let task = self
            .clone()
            .take(begin, question.span, question.when_busy, answer);
        let task = self.0.running.track_future(task);
        // Only now, when a drain would wait for this question.
        if self.0.draining.is_cancelled() {
            return Err(AskError::Stopping);
        }
        self.0.tasks.spawn(task);
        asked.await.unwrap_or(Err(AskError::Stopping))
    }

    /// Stops the running turn of a session, wherever it runs, if it is `turn` or `turn` is not given. True if there was
    /// one to stop.
    pub async fn cancel(
        &self,
        session: &SessionId,
        turn: Option<TurnId>,
    ) -> Result<bool, StoreError> {
        if self.0.slots.cancel(session, turn) {
            return Ok(true);
        }
        self.0.store.request_stop(session, turn).await
    }

    /// Resolves when no turn runs. Meant for a drain, when none can begin any more.
    pub async fn ended(&self) {
        self.0.running.close();
        self.0.running.wait().await;
    }

    async fn take(
        self,
        begin: BeginTurn,
        span: Span,
        when_busy: WhenBusy,
        answer: oneshot::Sender<Result<Asked, AskError>>,
    ) {
        let used = self.0.slots.enter(&begin.session);
        let mut waiting = used.waiting.lock().await;
        if let Some(joined) = self.join_waiting(&begin, &mut waiting) {
            let _ = answer.send(joined);
            return;
        }
        // Those that wait for a turn of another process come first.
        if used.is_free() && !waiting.is_empty() && when_busy == WhenBusy::Queue {
            let _ = answer.send(self.wait(Waiting::new(begin, span), &mut waiting));
            return;
        }
        let cancel = CancellationToken::new();
        let asked = match self.begin(&used, &begin, &cancel).await {
            Ok(Begin::Started { seq }) => {
                let tell = |accepted| drop(answer.send(Ok(Asked::Accepted(accepted))));
                return self.start(Started::new(begin, seq, cancel), &span, tell);
            }
            Ok(Begin::Duplicate { turn, trace, seq }) => {
                Ok(Asked::Accepted(Accepted::again(turn, trace, seq)))
            }
            Ok(Begin::Busy { turn }) => {
                let asked = Waiting::new(begin, span);
                self.busy(turn, &used, asked, when_busy, &mut waiting).await
            }
            Err(error) => Err(error.into()),
        };
        let _ = answer.send(asked);
    }

    /// A question that came while `turn` runs. The caller holds the slot's lock.
    async fn busy(
        &self,
        turn: TurnId,
        used: &SlotUse,
        question: Waiting,
        when_busy: WhenBusy,
        waiting: &mut VecDeque<Waiting>,
    ) -> Result<Asked, AskError> {
        // The lock is held: it cannot be a turn of this process that is just ending.
        let elsewhere = used.is_free();
        let session = question.begin.session.clone();
        let asked = match when_busy {
            WhenBusy::Reject => return Err(AskError::TurnRunning),
            WhenBusy::Queue => self.wait(question, waiting)?,
            WhenBusy::Interrupt => {
                let asked = self.wait(question, waiting)?;
                // It was put behind the others; it is the next one.
                waiting.rotate_right(1);
                self.cancel(&session, Some(turn)).await?;
                match asked {
                    Asked::Queued { answer, .. } => Asked::Queued { ahead: 0, answer },
                    accepted @ Asked::Accepted(_) => accepted,
                }
            }
        };
        if elsewhere {
            self.watch(used, turn);
        }
        Ok(asked)
    }

    /// A question that waits already, sent again, gets the same answer: it neither waits nor counts twice.
    fn join_waiting(
        &self,
        begin: &BeginTurn,
        waiting: &mut VecDeque<Waiting>,
    ) -> Option<Result<Asked, AskError>> {
        let message = begin.message.as_ref()?;
        let (ahead, known) = waiting
            .iter_mut()
            .enumerate()
            .find(|(_, known)| known.begin.message.as_ref() == Some(message))?;
        let limit = self.0.limits.waiting_questions;
        Some(if known.begin.content != begin.content {
            Err(StoreError::Conflict.into())
        } else if known.answers.len() >= limit {
            Err(AskError::QueueFull { limit })
        } else {
            let (sender, answer) = oneshot::channel();
            known.answers.push(sender);
            Ok(Asked::Queued { ahead, answer })
        })
    }

    fn wait(
        &self,
        mut question: Waiting,
        waiting: &mut VecDeque<Waiting>,
    ) -> Result<Asked, AskError> {
        let (ahead, limit) = (waiting.len(), self.0.limits.waiting_questions);
        if ahead >= limit {
            return Err(AskError::QueueFull { limit });
        }
        let (sender, answer) = oneshot::channel();
        question.answers.push(sender);
        waiting.push_back(question);
        Ok(Asked::Queued { ahead, answer })
    }

    /// Turns a question into a turn, if the session is free. The caller holds the slot's lock.
    ///
    /// The turn is noted as running before the store has it: whoever reads its question in the log can cancel it.
    async fn begin(
        &self,
        used: &SlotUse,
        begin: &BeginTurn,
        cancel: &CancellationToken,
    ) -> Result<Begin, StoreError> {
        let noted = used.set_running(begin.turn, cancel);
        let begun = self.0.store.begin_turn(begin.clone()).await;
        if matches!(begun, Err(StoreError::Unavailable(_))) {
            // Its answer may have been lost on the way. A turn that did begin is ended by dropping its writer.
            let session = begin.session.clone();
            drop(self.0.store.turn_writer(session, begin.turn, begin.trace));
        }
        if noted && !matches!(begun, Ok(Begin::Started { .. })) {
            used.set_free();
        }
        begun
    }

    /// Runs a turn that the store has begun. The caller holds the slot's lock.
    ///
    /// Whoever asked is told before the turn's task exists, so that nobody hears of its end first.
    fn start(&self, started: Started, parent: &Span, tell: impl FnOnce(Accepted)) {
        let begin = &started.begin;
        let span = spans::invoke_agent(parent, &begin.session, begin.turn);
        spans::record_turn(parent, begin.turn);
        tell(Accepted {
            turn: begin.turn,
            trace: begin.trace,
            seq: started.seq,
            duplicate: false,
        });
        let used = self.0.slots.enter(&begin.session);
        let task = self.clone().run_and_seal(used, started);
        let tracked = self.0.running.track_future(task.instrument(span));
        self.0.tasks.spawn(tracked);
    }
}

// === impl Started ===

impl Started {
    fn new(begin: BeginTurn, seq: u64, cancel: CancellationToken) -> Self {
        Self {
            begin,
            seq,
            cancel,
            writer: None,
        }
    }
}

// === impl Accepted ===

impl Accepted {
    /// A question that was sent before.
    fn again(turn: TurnId, trace: TraceId, seq: u64) -> Self {
        Self {
            turn,
            trace,
            seq,
            duplicate: true,
        }
    }
}
