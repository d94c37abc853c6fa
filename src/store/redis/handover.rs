//! What a task got for a caller who may be gone by then.

use tokio::sync::oneshot;

use super::RedisStore;

/// On its way from a task to whoever asked. What nobody takes is given to `lost`.
struct Handover<T> {
    value: Option<T>,
    store: RedisStore,
    lost: fn(RedisStore, T),
}

// === impl RedisStore ===

impl RedisStore {
    /// Works in a task of its own: it goes on to its end if this future is dropped, and what nobody waits for any more,
    /// at whatever moment that happens, is given to `lost`. `None` if the task was ended before.
    pub(super) async fn in_task<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
        lost: fn(Self, T),
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let store = self.clone();
        self.shared.tasks.spawn(async move {
            let value = Some(work.await);
            drop(answer.send(Handover { value, store, lost }));
        });
        answered.await.ok()?.value.take()
    }
}

// === impl Handover ===

impl<T> Drop for Handover<T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            (self.lost)(self.store.clone(), value);
        }
    }
}
