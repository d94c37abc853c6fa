//! One turn from its first step to its very end, and what comes after it.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::MutexGuard;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::slots::{SlotUse, Waiting};
use super::{Accepted, AskError, Shared, Started, Turns};
use crate::agent::{Outcome, Progress, Turn, history};
use crate::chat::{Cursor, EventBody, TurnErrorReason};
use crate::mutant::{self, Mutant};
use crate::store::{Begin, BeginTurn, Lost, Page, StoreError, TurnWriter};
use crate::telemetry::spans;

/// How long to wait before the store is asked again to take a turn's final event.
const SEAL_RETRY: Duration = Duration::from_millis(500);

/// How long another process may take to be offered a turn.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(3);

/// Why nothing more is done for a turn.
enum Ended {
    /// It was done, or failed, or panicked.
    Work(std::thread::Result<Result<Outcome, StoreError>>),
    /// The store has not answered for too long.
    Unreachable,
    /// The process stops.
    Stopped,
}

// === impl Turns ===

impl Turns {
    /// One turn to its very end: whatever happens, a final event is written, and the next question gets its turn.
    pub(super) async fn run_and_seal(self, used: SlotUse, started: Started) {
        let Started {
            begin,
            seq,
            cancel,
            writer,
        } = started;
        let shared = &self.0;
        let mut log = writer.unwrap_or_else(|| {
            let session = begin.session.clone();
            shared.store.turn_writer(session, begin.turn, begin.trace)
        });
        let mut keeper = log.keeper();
        let ended = {
            let work = AssertUnwindSafe(shared.run(&begin, seq, &mut log, &cancel)).catch_unwind();
            let mut work = std::pin::pin!(work);
            loop {
                tokio::select! {
                    biased;
                    ended = &mut work => break Ended::Work(ended),
                    lost = keeper.lost() => match lost {
                        // The work ends by it, with the text so far.
                        Lost::Stopped => cancel.cancel(),
                        Lost::Fenced => break Ended::Work(Ok(Err(StoreError::Fenced))),
                        Lost::Unreachable => break Ended::Unreachable,
                    },
                    () = shared.stopped.cancelled() => break Ended::Stopped,
                }
            }
        };
        let body = match ended {
            Ended::Work(Ok(Ok(Outcome(body)))) => body,
            Ended::Work(Ok(Err(StoreError::Fenced))) => {
                tracing::warn!("the turn was taken away from this process");
                spans::record_error(&Span::current(), "fenced", "the turn was taken away");
                let waiting = used.waiting.lock().await;
                return self.next(&used, waiting).await;
            }
            Ended::Work(Ok(Err(error))) => {
                tracing::error!(%error, "the session store did not take an event");
                not_kept(&error, &log.text_so_far())
            }
            Ended::Work(Err(_panic)) => {
                tracing::error!("a turn panicked");
                let message = "a defect stopped the answer. Ask again.";
                failed(TurnErrorReason::Internal, message, &log.text_so_far())
            }
            Ended::Unreachable => {
                tracing::error!("the session store does not answer: the turn is given up");
                interrupted(&log.text_so_far())
            }
            Ended::Stopped if mutant::is(Mutant::NoDrain) => std::process::abort(),
            Ended::Stopped => {
                match tokio::time::timeout(RELEASE_TIMEOUT, log.release()).await {
                    Ok(Ok(())) => {
                        tracing::info!("the turn was handed over");
                        spans::record_error(
                            &Span::current(),
                            "handed_over",
                            "another process goes on",
                        );
                        let waiting = used.waiting.lock().await;
                        return self.next(&used, waiting).await;
                    }
                    Ok(Err(writer)) => log = writer,
                    // What was left of the writer ends the turn.
                    Err(_) => return,
                }
                interrupted(&log.text_so_far())
            }
        };
        record(&body);
        self.seal(&used, &mut log, body).await;
    }

    /// Writes the final event, as often as it takes, and starts the next question.
    async fn seal(&self, used: &SlotUse, log: &mut TurnWriter, mut body: EventBody) {
        let mut told = false;
        loop {
            let waiting = used.waiting.lock().await;
            match log.finish(body.clone()).await {
                Ok(()) | Err(StoreError::Fenced) => return self.next(used, waiting).await,
                // It would be refused for ever. A short one never is.
                Err(error @ StoreError::TooLarge { .. }) => {
                    tracing::error!(%error, "the end of a turn is replaced by a shorter one");
                    body = not_kept(&error, "");
                    continue;
                }
                Err(error) if told => tracing::debug!(%error, "the end of a turn waits still"),
                Err(error) => {
                    tracing::error!(%error, "the end of a turn could not be written, trying again");
                    told = true;
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
    pub(super) async fn next(
        &self,
        used: &SlotUse,
        mut waiting: MutexGuard<'_, VecDeque<Waiting>>,
    ) {
        used.set_free();
        while let Some(next) = waiting.pop_front() {
            let Waiting {
                begin,
                span,
                answers,
            } = next;
            let refused = if self.0.draining.is_cancelled() {
                AskError::Stopping
            } else {
                let cancel = CancellationToken::new();
                match self.begin(used, &begin, &cancel).await {
                    Ok(Begin::Started { seq }) => {
                        let tell = |accepted| Waiting::answer(answers, &Ok(accepted));
                        return self.start(Started::new(begin, seq, cancel), &span, tell);
                    }
                    Ok(Begin::Duplicate { turn, trace, seq }) => {
                        Waiting::answer(answers, &Ok(Accepted::again(turn, trace, seq)));
                        continue;
                    }
                    // Another process was faster.
                    Ok(Begin::Busy { turn }) => {
                        waiting.push_front(Waiting {
                            begin,
                            span,
                            answers,
                        });
                        return self.watch(used, turn);
                    }
                    Err(error) => error.into(),
                }
            };
            Waiting::answer(answers, &Err(refused));
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
        let said = log.text_so_far();
        // The turn's own events, if another process began it.
        let after = Cursor {
            seq,
            fingerprint: None,
        };
        let progress = if log.is_resumed() {
            match self
                .store
                .events(&begin.session, &after, history::EVENTS)
                .await?
            {
                Page::Events(events) => Progress::of(&events, &said),
                Page::Misfit => return Err(StoreError::Fenced),
            }
        } else {
            Progress::default()
        };
        let turn = Turn {
            question: Arc::clone(&begin.content),
            history: history::messages(&events, self.agent.config.history_bytes),
            progress,
        };
        self.agent.run_turn(turn, log, cancel).await
    }
}

fn interrupted(partial: &str) -> EventBody {
    let message = "The service stopped while it was answering. Please ask again.";
    failed(TurnErrorReason::Interrupted, message, partial)
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

/// The end of a turn whose events the store did not take.
fn not_kept(error: &StoreError, partial: &str) -> EventBody {
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
