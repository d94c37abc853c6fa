//! Who runs: one turn a session, questions that wait their turn, cancel, and an end for every turn that began.
//!
//! A session's slot is locked while a question becomes a turn and while a turn ends, so within this process a free slot
//! and a session in the store that is not busy here are the same thing. Where several processes share the store, another
//! one can have the session's turn: questions wait for its end too.

mod adopting;
mod approvals;
mod asking;
mod elsewhere;
mod ending;
mod running;
mod slots;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Span;

use self::asking::Taking;
use self::slots::{Cancelled, Slots};
use super::Agent;
use crate::chat::{Decision, Limits, MessageId, SessionId, Subject, TraceId, TurnId, WhenBusy};
use crate::mutant::{self, Mutant};
use crate::store::{BeginTurn, Store, StoreError};
use crate::telemetry;

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
    /// Too many questions wait. The client's doing.
    #[error("{limit} questions are waiting already: wait for their answers")]
    QueueFull {
        /// What is allowed.
        limit: usize,
    },
    /// A turn runs, and the question was not to wait. The client's doing.
    #[error("another question is being answered: wait for its end, or let yours wait")]
    TurnRunning,
    /// Who asks has used up what the day allows.
    #[error(
        "{limit} tokens were used up today, which is all there are for a day: ask again tomorrow (UTC)"
    )]
    DailyTokens {
        /// What a day allows.
        limit: usize,
        /// When the next day begins.
        retry_after: Duration,
    },
    /// The process is stopping. Another one, or a later one, will take it.
    #[error("the service is stopping: ask again in a moment")]
    Stopping,
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a decision about a call was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// No such call waits, nor did lately. The client's doing.
    #[error("no such call waits to be allowed")]
    NotWaiting,
    /// Somebody was faster, or the time was over. Nobody's doing.
    #[error("{}", otherwise(*.0))]
    Otherwise(Decision),
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
        let taking = Taking {
            begin,
            when_busy: question.when_busy,
            span: question.span,
        };
        let task = self.clone().take(taking, answer);
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
    ///
    /// Everything is under way when this returns: to drop the future takes nothing back.
    pub fn cancel(
        &self,
        session: &SessionId,
        turn: Option<TurnId>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send + use<> {
        let here = self.0.slots.cancel(session, turn);
        // While a question is becoming a turn here, another process may have one.
        let elsewhere =
            (here != Cancelled::Running).then(|| self.stop_elsewhere(session.clone(), turn));
        async move {
            let Some(elsewhere) = elsewhere else {
                return Ok(true);
            };
            let stopped = elsewhere.await.unwrap_or_else(|_| {
                let cause = "the service is stopping";
                Err(StoreError::Unavailable(cause.into()))
            });
            Ok(stopped? || here == Cancelled::Becoming)
        }
    }

    /// Resolves when no turn runs. Meant for a drain, when none can begin any more.
    pub async fn ended(&self) {
        if mutant::is(Mutant::NoDrain) {
            return;
        }
        self.0.running.close();
        self.0.running.wait().await;
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

fn otherwise(decision: Decision) -> &'static str {
    match decision {
        Decision::Approved => "the call was allowed already, by somebody else",
        Decision::Denied => "the call was denied already, by somebody else",
        Decision::TimedOut => "nobody allowed the call in time: it was not run",
    }
}
