//! The very end of a turn, and what comes after it.

use std::time::Duration;

use tokio::sync::MutexGuard;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::elsewhere::STORE_PATIENCE;
use super::running::not_kept;
use super::slots::{Queue, SlotUse, Waiting};
use super::{Accepted, AskError, Turns};
use crate::chat::{EventBody, TurnId};
use crate::store::{Begin, Keeper, Lost, StoreError, TurnWriter};

/// How long to wait before the store is asked again to take a turn's final event.
const SEAL_RETRY: Duration = Duration::from_millis(500);

// === impl Turns ===

impl Turns {
    /// Writes the final event, as often as it takes, and starts the next question.
    pub(super) async fn seal(
        &self,
        used: &SlotUse,
        turn: TurnId,
        log: &mut TurnWriter,
        keeper: &mut Keeper,
        body: EventBody,
    ) {
        let ended = tokio::select! {
            biased;
            ended = self.write_end(used, log, body) => ended,
            () = fenced(keeper) => Some(used.queue.lock().await),
        };
        match ended {
            Some(queue) => {
                used.set_free(turn);
                self.next(used, queue).await;
            }
            // The process stops; whoever reads the session next ends the turn.
            None => used.queue.lock().await.refuse(&AskError::Stopping),
        }
    }

    /// The lock under which the turn has ended; `None` if the process stops before the store took its end.
    async fn write_end<'a>(
        &self,
        used: &'a SlotUse,
        log: &mut TurnWriter,
        mut body: EventBody,
    ) -> Option<MutexGuard<'a, Queue>> {
        let mut failing: Option<Instant> = None;
        loop {
            let mut queue = used.queue.lock().await;
            match log.finish(body.clone()).await {
                Ok(()) | Err(StoreError::Fenced | StoreError::Erased) => return Some(queue),
                // It would be refused for ever. A short one never is.
                Err(error @ StoreError::TooLarge { .. }) => {
                    tracing::error!(%error, "the end of a turn is replaced by a shorter one");
                    body = not_kept(&error, "");
                    continue;
                }
                Err(error) => match failing {
                    None => {
                        tracing::error!(%error, "the end of a turn could not be written, trying again");
                        failing = Some(Instant::now());
                    }
                    Some(since) => {
                        tracing::debug!(%error, "the end of a turn waits still");
                        if since.elapsed() >= STORE_PATIENCE {
                            queue.refuse(&error.into());
                        }
                    }
                },
            }
            drop(queue);
            if self.0.stopped.is_cancelled() {
                return None;
            }
            sleep(SEAL_RETRY).await;
        }
    }

    /// A turn does not run here any more, and there is nothing to write.
    pub(super) async fn over(&self, used: &SlotUse, turn: TurnId) {
        let queue = used.queue.lock().await;
        used.set_free(turn);
        self.next(used, queue).await;
    }

    /// Whoever waits longest goes on, unless a turn runs here.
    pub(super) async fn next(&self, used: &SlotUse, mut queue: MutexGuard<'_, Queue>) {
        while used.is_free()
            && let Some(next) = queue.waiting.pop_front()
        {
            if self.0.draining.is_cancelled() {
                Waiting::answer(next.answers, &Err(AskError::Stopping));
                continue;
            }
            let cancel = CancellationToken::new();
            match self.begin(used, &next.begin, &cancel).await {
                Ok(Begin::Started { seq }) => {
                    let tell = |accepted| Waiting::answer(next.answers, &Ok(accepted));
                    return self.start(next.begin, seq, cancel, &next.span, tell);
                }
                Ok(Begin::Duplicate { turn, trace, seq }) => {
                    Waiting::answer(next.answers, &Ok(Accepted::again(turn, trace, seq)));
                }
                // Another process was faster.
                Ok(Begin::Busy { turn }) => {
                    if next.interrupts {
                        drop(self.stop_elsewhere(next.begin.session.clone(), Some(turn)));
                    }
                    queue.waiting.push_front(next);
                    return self.watch(used, &mut queue, turn);
                }
                Err(error) => Waiting::answer(next.answers, &Err(error)),
            }
        }
    }
}

/// Keeps a turn while its end is written; resolves when it is not this process's any more.
async fn fenced(keeper: &mut Keeper) {
    loop {
        match keeper.lost().await {
            Lost::Fenced => return,
            // It ends anyway.
            Lost::Stopped | Lost::Unreachable => sleep(SEAL_RETRY).await,
        }
    }
}
