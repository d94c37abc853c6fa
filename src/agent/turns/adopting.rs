//! Turns that other processes let go of when they stop, taken over.

use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::Turns;
use super::running::Started;
use crate::store::Adopted;

/// How long a drain lets the store finish an offer it is just taking: what was taken and dropped, nobody would run.
const LAST_OFFER: Duration = Duration::from_millis(500);

// === impl Turns ===

impl Turns {
    /// Takes over, until a drain begins, what other processes let go of.
    pub fn adopt_released(&self) {
        let turns = self.clone();
        // A turn may come of it, so a drain waits for it.
        let task = self.0.running.track_future(async move {
            loop {
                let mut offer = std::pin::pin!(turns.0.store.adopt());
                tokio::select! {
                    biased;
                    adopted = &mut offer => turns.spawn_taken_over(adopted),
                    () = turns.0.draining.cancelled() => {
                        if let Ok(adopted) = timeout(LAST_OFFER, offer).await {
                            turns.pass_on(adopted).await;
                        }
                        return;
                    }
                }
            }
        });
        self.0.tasks.spawn(task);
    }

    /// A task of its own: a session that is slow to be locked must not hold up the other offers.
    fn spawn_taken_over(&self, adopted: Adopted) {
        let task = self.clone().take_over(adopted);
        self.0.tasks.spawn(self.0.running.track_future(task));
    }

    async fn take_over(self, adopted: Adopted) {
        let Adopted { begin, seq, writer } = adopted;
        tracing::info!(turn = %begin.turn, "a turn of another process goes on here");
        let used = self.0.slots.enter(&begin.session);
        let _queue = used.queue.lock().await;
        let cancel = CancellationToken::new();
        used.set_running(begin.turn, &cancel);
        let started = Started {
            begin,
            seq,
            cancel,
            log: writer,
            adopted: true,
        };
        self.spawn_turn(started, &Span::none());
    }

    /// This process stops too: somebody else may have the turn. If nobody can, dropping the writer ends it.
    async fn pass_on(&self, adopted: Adopted) {
        drop(adopted.writer.release().await);
    }
}
