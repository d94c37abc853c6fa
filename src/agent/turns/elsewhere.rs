//! Turns of other processes that share the store: waited for, and stopped.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::slots::{Queue, SlotUse};
use super::{AskError, Shared, Turns};
use crate::chat::{SessionId, TurnId};
use crate::store::StoreError;

/// How long a store may fail before those who wait for a turn elsewhere are told.
pub(super) const STORE_PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether the store still answers, while somebody waits.
const CHECK_INTERVAL: Duration = Duration::from_secs(3);
/// How long that may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);
/// How long to wait before a failing store is asked again, doubled each time.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));
/// For how long it is tried to tell a turn elsewhere to stop. A cancel that came much later would hit another turn.
const STOP_PATIENCE: Duration = Duration::from_secs(4);

// === impl Turns ===

impl Turns {
    /// Lets the session's questions wait for a turn of another process. The caller holds the slot's lock.
    pub(super) fn watch(&self, used: &SlotUse, queue: &mut Queue, turn: TurnId) {
        if queue.elsewhere.is_some() {
            // One task a slot: when its turn has ended it looks what runs now.
            return;
        }
        queue.elsewhere = Some(turn);
        let used = self.0.slots.enter(used.session());
        let task = self.clone().wait_elsewhere(used, turn);
        // A turn may come of it, so a drain waits for it.
        self.0.tasks.spawn(self.0.running.track_future(task));
    }

    async fn wait_elsewhere(self, used: SlotUse, turn: TurnId) {
        let ended = tokio::select! {
            biased;
            () = self.0.draining.cancelled() => Err(AskError::Stopping),
            ended = self.0.ended(used.session(), turn) => ended.map_err(AskError::from),
        };
        let mut queue = used.queue.lock().await;
        queue.elsewhere = None;
        match ended {
            Ok(()) => self.next(&used, queue).await,
            Err(error) => {
                tracing::warn!(%error, "questions that waited for another process are refused");
                queue.refuse(&error);
            }
        }
    }

    /// Tells a turn of another process to stop, in a task of its own: whoever wants it may leave meanwhile.
    pub(super) fn stop_elsewhere(
        &self,
        session: SessionId,
        turn: Option<TurnId>,
    ) -> JoinHandle<Result<bool, StoreError>> {
        let store = self.0.store.clone();
        self.0.tasks.spawn(async move {
            let until = Instant::now() + STOP_PATIENCE;
            loop {
                match store.request_stop(&session, turn).await {
                    Err(StoreError::Unavailable(_)) if Instant::now() < until => {
                        sleep(RETRY.0).await;
                    }
                    told => return told,
                }
            }
        })
    }
}

// === impl Shared ===

impl Shared {
    /// Resolves when a turn of another process has ended, or the store has failed for too long to know.
    async fn ended(&self, session: &SessionId, turn: TurnId) -> Result<(), StoreError> {
        let (mut answered, mut pause) = (Instant::now(), RETRY.0);
        loop {
            let before = answered;
            let error = tokio::select! {
                ended = self.store.ended(session, turn) => match ended {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                },
                error = self.store_fails(&mut answered) => error,
            };
            if answered.elapsed() >= STORE_PATIENCE {
                return Err(error);
            }
            if answered > before {
                pause = RETRY.0;
            }
            sleep(pause).await;
            pause = (pause * 2).min(RETRY.1);
        }
    }

    /// Resolves when the store does not answer. Until then `answered` is when it did.
    async fn store_fails(&self, answered: &mut Instant) -> StoreError {
        loop {
            sleep(CHECK_INTERVAL).await;
            match timeout(CHECK_TIMEOUT, self.store.check()).await {
                Ok(Ok(())) => *answered = Instant::now(),
                Ok(Err(error)) => return error,
                Err(_) => return StoreError::Unavailable("it does not answer".into()),
            }
        }
    }
}
