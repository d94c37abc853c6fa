//! One turn while it runs: its work, what keeps it this process's own, and who wants it to stop.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use super::slots::SlotUse;
use super::{AskError, Shared, Turns};
use crate::agent::{Outcome, Resumed, Turn, history};
use crate::chat::{EventBody, TurnErrorReason, TurnId};
use crate::gate::Gate;
use crate::mutant::{self, Mutant};
use crate::store::{BeginTurn, Keeper, Lost, StoreError, TurnWriter};
use crate::telemetry::spans;

/// How long the store may take to offer a turn to other processes: long enough for a second connection to it.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(4);

/// A turn that this process has and nobody runs yet.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) begin: BeginTurn,
    /// Position of its `user` event.
    pub(super) seq: u64,
    pub(super) cancel: CancellationToken,
    pub(super) log: TurnWriter,
}

/// How the work on a turn came to its end.
enum Worked {
    /// By itself; `Err` is a panic.
    Through(Result<Result<Outcome, StoreError>, ()>),
    Fenced,
    Unreachable,
    Stopped,
}

// === impl Turns ===

impl Turns {
    /// One turn to its very end: whatever happens, a final event is written or another process goes on, and the next
    /// question gets its turn.
    pub(super) async fn run_and_seal(self, used: SlotUse, started: Started, span: Span) {
        let turn = started.begin.turn;
        let (worked, log, keeper) = self.work(&used, started, &span).await;
        let end = self.end(&used, turn, worked, log, keeper);
        end.instrument(span).await;
    }

    /// Everything after the work, in the turn's span.
    async fn end(
        &self,
        used: &SlotUse,
        turn: TurnId,
        worked: Worked,
        mut log: TurnWriter,
        mut keeper: Keeper,
    ) {
        let body = match worked {
            Worked::Through(Ok(Ok(Outcome(body)))) => body,
            Worked::Fenced | Worked::Through(Ok(Err(StoreError::Fenced | StoreError::Erased))) => {
                tracing::warn!("the turn was taken away from this process");
                spans::record_error(&Span::current(), "fenced", "the turn was taken away");
                return self.over(used, turn).await;
            }
            Worked::Through(Ok(Err(error))) => {
                tracing::error!(%error, "the session store did not take an event");
                not_kept(&error, &log.text_so_far())
            }
            Worked::Through(Err(())) => {
                tracing::error!("a turn panicked");
                let message = "a defect stopped the answer. Ask again.";
                failed(TurnErrorReason::Internal, message, &log.text_so_far())
            }
            Worked::Unreachable => {
                tracing::error!("the session store cannot be reached: a turn is interrupted");
                let message = "The session store could not be reached. Please ask again.";
                failed(TurnErrorReason::Interrupted, message, &log.text_so_far())
            }
            Worked::Stopped => {
                log = match release(log).await {
                    Some(log) => log,
                    None => return self.over(used, turn).await,
                };
                let message = "The service stopped while it was answering. Please ask again.";
                failed(TurnErrorReason::Interrupted, message, &log.text_so_far())
            }
        };
        record(&body);
        self.seal(used, turn, &mut log, &mut keeper, body).await;
    }

    async fn work(
        &self,
        used: &SlotUse,
        started: Started,
        span: &Span,
    ) -> (Worked, TurnWriter, Keeper) {
        let shared = &self.0;
        let Started {
            begin,
            seq,
            cancel,
            mut log,
        } = started;
        let mut keeper = log.keeper();
        let worked = {
            let run = shared.run(&begin, seq, &mut log, &cancel, span);
            let mut run = pin!(AssertUnwindSafe(run).catch_unwind());
            let taken = self.until_taken_away(used, &mut keeper, &cancel);
            let taken = pin!(taken.instrument(span.clone()));
            // What wakes the task is nearly always the model.
            let mut taken = Gate::new(taken);
            tokio::select! {
                biased;
                through = &mut run => Worked::Through(through.map_err(drop)),
                worked = &mut taken => worked,
            }
        };
        (worked, log, keeper)
    }

    /// Keeps the turn this process's own while it is polled; resolves when it must not go on.
    async fn until_taken_away(
        &self,
        used: &SlotUse,
        keeper: &mut Keeper,
        cancel: &CancellationToken,
    ) -> Worked {
        let mut refusing = pin!(self.refuse_when_draining(used));
        let mut refused = false;
        loop {
            tokio::select! {
                biased;
                lost = keeper.lost() => match lost {
                    // The work sees it and ends with what it has spent.
                    Lost::Stopped => cancel.cancel(),
                    Lost::Fenced => return Worked::Fenced,
                    Lost::Unreachable => return Worked::Unreachable,
                },
                () = self.0.stopped.cancelled() => return Worked::Stopped,
                () = &mut refusing, if !refused => refused = true,
            }
        }
    }

    /// Who waits here would wait for nothing once a drain begins: another process takes the question at once.
    async fn refuse_when_draining(&self, used: &SlotUse) {
        self.0.draining.cancelled().await;
        used.queue.lock().await.refuse(&AskError::Stopping);
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
        span: &Span,
    ) -> Result<Outcome, StoreError> {
        let turn = self.prepare(begin, seq, log, span);
        let turn = turn.instrument(span.clone()).await?;
        self.agent.run_turn(turn, log, cancel).await
    }

    async fn prepare(
        &self,
        begin: &BeginTurn,
        seq: u64,
        log: &TurnWriter,
        span: &Span,
    ) -> Result<Turn, StoreError> {
        let events = self
            .store
            .read_before(&begin.session, seq, history::EVENTS)
            .await?;
        let resumed = if log.is_resumed() {
            let text = log.text_so_far();
            Some(Resumed::read(&self.store, begin, seq, &text).await?)
        } else {
            None
        };
        Ok(Turn {
            question: Arc::clone(&begin.content),
            counted: (self.limits.daily_tokens > 0).then(|| begin.owner.clone()),
            history: history::turns(&events),
            resumed,
            span: span.clone(),
        })
    }
}

/// Offers a turn to other processes; `None` if it is not this one's any more.
async fn release(log: TurnWriter) -> Option<TurnWriter> {
    if mutant::is(Mutant::NoDrain) {
        return Some(log);
    }
    match timeout(RELEASE_TIMEOUT, log.release()).await {
        Ok(Ok(())) => {
            tracing::info!("the turn is left to another process");
            spans::record_error(&Span::current(), "handed_over", "another process goes on");
            None
        }
        Ok(Err(log)) => Some(log),
        Err(_) => {
            // Its writer is dropped: that ends the turn if nobody has taken it.
            tracing::warn!("the session store is too slow to hand a turn over");
            None
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
        EventBody::User { .. }
        | EventBody::ToolCall { .. }
        | EventBody::ToolResult { .. }
        | EventBody::ApprovalRequest { .. }
        | EventBody::ApprovalDecision { .. } => {}
    }
}

/// The end of a turn whose events the store did not take.
pub(super) fn not_kept(error: &StoreError, partial: &str) -> EventBody {
    let (reason, message) = match error {
        StoreError::SessionFull => (
            TurnErrorReason::Limit,
            "this conversation is full. Start a new one.",
        ),
        StoreError::TooLarge { .. } => (
            TurnErrorReason::Limit,
            "the answer is too large to be kept. Ask a narrower question.",
        ),
        StoreError::RateLimited { .. }
        | StoreError::Conflict
        | StoreError::Fenced
        | StoreError::Erased
        | StoreError::Unavailable(_) => (
            TurnErrorReason::Internal,
            "the answer could not be kept. Ask again.",
        ),
    };
    failed(reason, message, partial)
}

fn failed(reason: TurnErrorReason, message: &str, partial: &str) -> EventBody {
    EventBody::Error {
        reason,
        message: message.into(),
        partial: partial.into(),
    }
}
