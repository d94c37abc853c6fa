//! Turns that other processes let go of when they stop, taken over.

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::Turns;
use super::running::Started;
use crate::store::Adopted;

/// How many turns are taken over at a time. Each takes some round trips to the store, and all that a process let go of
/// must be taken before their leases are over.
const AT_A_TIME: usize = 8;

// === impl Turns ===

impl Turns {
    /// Takes over, until a drain begins, what other processes let go of.
    pub async fn adopt_all(self) {
        join_all((0..AT_A_TIME).map(|_| self.clone().adopt())).await;
    }

    async fn adopt(self) {
        loop {
            let adopted = tokio::select! {
                biased;
                () = self.0.draining.cancelled() => return,
                adopted = self.0.store.adopt() => adopted,
            };
            // A task of its own: a session that is slow to be locked must not hold up the other offers.
            let task = self.clone().take_over(adopted);
            self.0.tasks.spawn(self.0.running.track_future(task));
        }
    }

    async fn take_over(self, adopted: Adopted) {
        let Adopted { begin, seq, writer } = adopted;
        tracing::info!(turn = %begin.turn, session = begin.session.short(), "a turn is taken over");
        let used = self.0.slots.enter(&begin.session);
        let _queue = used.queue.lock().await;
        let cancel = CancellationToken::new();
        used.set_running(begin.turn, &cancel);
        let started = Started {
            begin,
            seq,
            cancel,
            log: writer,
        };
        self.spawn_turn(started, &Span::none());
    }
}
