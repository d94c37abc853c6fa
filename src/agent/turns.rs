//! Who runs: one turn a session, questions that wait their turn, cancel, and an end for every turn that began.
//!
//! A session's [`Slot`] is locked while a question becomes a turn and while a turn ends, so within this process a free
//! slot and a free session in the store are the same thing.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{Mutex as AsyncMutex, MutexGuard, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument as _, Span};

use super::{Agent, Outcome, Turn, history};
use crate::chat::{EventBody, Limits, MessageId, SessionId, TraceId, TurnErrorReason, TurnId};
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
    /// Turns only, so that a drain can wait for them alone.
    running: TaskTracker,
    slots: Mutex<HashMap<SessionId, Arc<Slot>>>,
}

/// What one session is doing. Exists while it does something.
#[derive(Debug, Default)]
struct Slot {
    /// Questions that wait. Locked while a question becomes a turn and while a turn ends.
    waiting: AsyncMutex<VecDeque<Waiting>>,
    /// Has a lock of its own, so that a cancel never waits for a slow store.
    running: Mutex<Option<(TurnId, CancellationToken)>>,
}

#[derive(Debug)]
struct Waiting {
    begin: BeginTurn,
    span: Span,
    answer: oneshot::Sender<Result<Accepted, AskError>>,
}

/// A slot in use; leaves the map with its last user.
struct SlotUse<'a> {
    shared: &'a Shared,
    session: SessionId,
    slot: Arc<Slot>,
}

/// How long to wait before the store is asked again to take a turn's final event.
const SEAL_RETRY: Duration = Duration::from_millis(500);

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
            slots: Mutex::default(),
        }))
    }

    /// What sessions accept.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Takes a question: it becomes a turn, or waits, or is refused. The turn goes on whatever becomes of the caller.
    pub async fn ask(&self, session: &SessionId, question: Question) -> Result<Asked, AskError> {
        let limit = self.0.limits.question_bytes;
        if question.content.len() > limit {
            let length = question.content.len();
            return Err(AskError::TooLong { length, limit });
        }
        if self.0.draining.is_cancelled() {
            return Err(AskError::Stopping);
        }
        let begin = BeginTurn {
            session: session.clone(),
            turn: TurnId::random(),
            trace: telemetry::trace_id(&question.span),
            message: question.message,
            content: question.content.into(),
        };
        let used = self.0.enter(session);
        let mut waiting = used.slot.waiting.lock().await;
        match self.0.store.begin_turn(begin.clone()).await? {
            Begin::Started { seq } => Ok(Asked::Accepted(self.start(
                &used,
                begin,
                seq,
                question.span,
            ))),
            Begin::Duplicate { turn, trace, seq } => Ok(Asked::Accepted(Accepted {
                turn,
                trace,
                seq,
                duplicate: true,
            })),
            Begin::Busy { .. } => {
                let ahead = waiting.len();
                let limit = self.0.limits.waiting_questions;
                if ahead >= limit {
                    return Err(AskError::QueueFull { limit });
                }
                let (answer, receiver) = oneshot::channel();
                waiting.push_back(Waiting {
                    begin,
                    span: question.span,
                    answer,
                });
                Ok(Asked::Queued {
                    ahead,
                    answer: receiver,
                })
            }
        }
    }

    /// Stops the running turn of a session, if it is `turn` or `turn` is not given. True if there was one to stop.
    pub fn cancel(&self, session: &SessionId, turn: Option<TurnId>) -> bool {
        let slot = lock(&self.0.slots).get(session).map(Arc::clone);
        let Some(slot) = slot else {
            return false;
        };
        match &*lock(&slot.running) {
            Some((running, cancel)) if turn.is_none_or(|turn| turn == *running) => {
                cancel.cancel();
                true
            }
            Some(_) | None => false,
        }
    }

    /// Resolves when no turn runs. Meant for a drain, when none can begin any more.
    pub async fn ended(&self) {
        self.0.running.close();
        self.0.running.wait().await;
    }

    /// Runs a turn that the store has begun. The caller holds the slot's lock.
    fn start(&self, used: &SlotUse<'_>, begin: BeginTurn, seq: u64, parent: Span) -> Accepted {
        let accepted = Accepted {
            turn: begin.turn,
            trace: begin.trace,
            seq,
            duplicate: false,
        };
        let cancel = CancellationToken::new();
        *lock(&used.slot.running) = Some((begin.turn, cancel.clone()));
        let span = spans::invoke_agent(&parent, &begin.session, begin.turn);
        spans::record_turn(&parent, begin.turn);
        let turns = self.clone();
        let task = async move { turns.run_and_seal(begin, seq, cancel).await };
        let tracked = self.0.running.track_future(task.instrument(span));
        self.0.tasks.spawn(tracked);
        accepted
    }

    /// One turn to its very end: whatever happens, a final event is written, and the next question gets its turn.
    async fn run_and_seal(self, begin: BeginTurn, seq: u64, cancel: CancellationToken) {
        let shared = &self.0;
        let used = shared.enter(&begin.session);
        let mut log = shared
            .store
            .turn_writer(begin.session.clone(), begin.turn, begin.trace);
        let work = AssertUnwindSafe(shared.run(&begin, seq, &mut log, &cancel)).catch_unwind();
        let outcome = tokio::select! {
            biased;
            outcome = work => outcome.unwrap_or_else(|_| {
                tracing::error!("a turn panicked");
                Ok(Outcome(internal("a defect stopped the answer. Ask again.", "")))
            }),
            () = shared.stopped.cancelled() => Ok(Outcome(interrupted(""))),
        };
        let body = match outcome {
            Ok(Outcome(EventBody::Error {
                reason: TurnErrorReason::Interrupted,
                ..
            })) => interrupted(&log.text_so_far()),
            Ok(Outcome(body)) => body,
            Err(StoreError::Fenced) => {
                tracing::warn!("the turn was taken away from this process");
                spans::record_error(&Span::current(), "fenced", "the turn was taken away");
                let waiting = used.slot.waiting.lock().await;
                return self.next(&used, waiting).await;
            }
            Err(error) => {
                tracing::error!(%error, "the session store did not take an event");
                internal(
                    "the answer could not be kept. Ask again.",
                    &log.text_so_far(),
                )
            }
        };
        record(&body);
        self.seal(&used, &mut log, body).await;
    }

    /// Writes the final event, as often as it takes, and starts the next question.
    async fn seal(&self, used: &SlotUse<'_>, log: &mut TurnWriter, body: EventBody) {
        loop {
            let waiting = used.slot.waiting.lock().await;
            match log.finish(body.clone()).await {
                Ok(()) | Err(StoreError::Fenced) => return self.next(used, waiting).await,
                Err(error) => {
                    tracing::error!(%error, "the end of a turn could not be written, trying again");
                }
            }
            drop(waiting);
            // The next start of the process seals what this one could not.
            if self.0.stopped.is_cancelled() {
                return;
            }
            tokio::time::sleep(SEAL_RETRY).await;
        }
    }

    /// The session is free: whoever waits longest goes on.
    async fn next(&self, used: &SlotUse<'_>, mut waiting: MutexGuard<'_, VecDeque<Waiting>>) {
        *lock(&used.slot.running) = None;
        while let Some(next) = waiting.pop_front() {
            if self.0.draining.is_cancelled() {
                let _ = next.answer.send(Err(AskError::Stopping));
                continue;
            }
            match self.0.store.begin_turn(next.begin.clone()).await {
                Ok(Begin::Started { seq }) => {
                    let accepted = self.start(used, next.begin, seq, next.span);
                    let _ = next.answer.send(Ok(accepted));
                    return;
                }
                Ok(Begin::Duplicate { turn, trace, seq }) => {
                    let accepted = Accepted {
                        turn,
                        trace,
                        seq,
                        duplicate: true,
                    };
                    let _ = next.answer.send(Ok(accepted));
                }
                Ok(Begin::Busy { .. }) => {
                    let why = "another process answers in this session".into();
                    let _ = next.answer.send(Err(StoreError::Unavailable(why).into()));
                }
                Err(error) => {
                    let _ = next.answer.send(Err(error.into()));
                }
            }
        }
    }
}

// === impl Shared ===

impl Shared {
    async fn run(
        &self,
        begin: &BeginTurn,
        seq: u64,
        log: &mut TurnWriter,
        cancel: &CancellationToken,
    ) -> Result<Outcome, StoreError> {
        let events = self
            .store
            .read_before(&begin.session, seq, history::EVENTS)
            .await?;
        let turn = Turn {
            question: Arc::clone(&begin.content),
            history: history::messages(&events, self.agent.config.history_bytes),
        };
        self.agent.run_turn(turn, log, cancel).await
    }

    fn enter(&self, session: &SessionId) -> SlotUse<'_> {
        let slot = Arc::clone(lock(&self.slots).entry(session.clone()).or_default());
        SlotUse {
            shared: self,
            session: session.clone(),
            slot,
        }
    }
}

impl Drop for SlotUse<'_> {
    fn drop(&mut self) {
        let mut slots = lock(&self.shared.slots);
        // Two: the map's and this one. Nobody else can come in while the map is locked.
        let last = Arc::strong_count(&self.slot) == 2;
        if last && lock(&self.slot.running).is_none() {
            slots.remove(&self.session);
        }
    }
}

fn record(body: &EventBody) {
    let span = Span::current();
    match body {
        EventBody::Agent { finish, usage, .. } => {
            spans::record_finish(&span, *finish);
            spans::record_usage(&span, *usage);
        }
        EventBody::Error { reason, .. } => {
            spans::record_error(&span, spans::error_type(*reason), "the turn failed");
            tracing::warn!(reason = spans::error_type(*reason), "a turn failed");
        }
        EventBody::User { .. } | EventBody::ToolCall { .. } | EventBody::ToolResult { .. } => {}
    }
}

fn interrupted(partial: &str) -> EventBody {
    EventBody::Error {
        reason: TurnErrorReason::Interrupted,
        message: "The service stopped while it was answering. Please ask again.".into(),
        partial: partial.into(),
    }
}

fn internal(message: &str, partial: &str) -> EventBody {
    EventBody::Error {
        reason: TurnErrorReason::Internal,
        message: message.into(),
        partial: partial.into(),
    }
}

/// A panic while one of these was held left nothing half done: each holds one value.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
