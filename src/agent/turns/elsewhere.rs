//! Turns of other processes that share the store: waited for, and taken over.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::slots::{SlotUse, Waiting};
use super::{AskError, Started, Turns};
use crate::chat::TurnId;
use crate::store::Adopted;

/// How often it is tried to learn that a turn has ended, while the store does not answer.
const TRIES: u32 = 20;
/// How long to wait before each.
const RETRY: Duration = Duration::from_millis(500);

// === impl Turns ===

impl Turns {
    /// Lets the questions of a slot that wait go on when `turn`, of another process, has ended. Once for a slot.
    pub(super) fn watch(&self, used: &SlotUse, turn: TurnId) {
        if used.begin_watch() {
            let used = self.0.slots.enter(used.session());
            let task = self.clone().await_end(used, turn);
            self.0.tasks.spawn(task);
        }
    }

    async fn await_end(self, used: SlotUse, turn: TurnId) {
        let mut failed = None;
        for _ in 0..TRIES {
            let ended = tokio::select! {
                ended = self.0.store.ended(used.session(), turn) => ended,
                () = self.0.draining.cancelled() => break,
            };
            match ended {
                Ok(()) => {
                    failed = None;
                    break;
                }
                Err(error) => failed = Some(error),
            }
            sleep(RETRY).await;
        }
        let mut waiting = used.waiting.lock().await;
        used.end_watch();
        match failed {
            None => self.next(&used, waiting).await,
            // Nobody waits for ever.
            Some(error) => {
                let refused = Err(AskError::from(error));
                for Waiting { answers, .. } in waiting.drain(..) {
                    Waiting::answer(answers, &refused);
                }
            }
        }
    }

    /// Goes on with turns that other processes could not end, until the drain begins.
    pub async fn adopt_all(self) {
        loop {
            let adopted = tokio::select! {
                adopted = self.0.store.adopt() => adopted,
                () = self.0.draining.cancelled() => return,
            };
            self.take_over(adopted).await;
        }
    }

    async fn take_over(&self, adopted: Adopted) {
        let Adopted { begin, seq, writer } = adopted;
        tracing::info!(turn = %begin.turn, session = begin.session.short(), "a turn is taken over");
        let used = self.0.slots.enter(&begin.session);
        let waiting = used.waiting.lock().await;
        let cancel = CancellationToken::new();
        // Another one cannot run here: in the store this is the running one.
        used.set_running(begin.turn, &cancel);
        let started = Started {
            writer: Some(writer),
            ..Started::new(begin, seq, cancel)
        };
        self.start(started, &Span::none(), |_| {});
        drop(waiting);
    }
}
