//! What a client that keeps no cursor is owed: the end of every turn it was shown. It cannot ask for what it has missed
//! when it comes back, and an old frontend takes no question before it has seen that end.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::chat::{Event, EventBody, SessionId, TurnId};
use crate::store::{Missed, Opened, Store};

/// How long the store may take to note what this client was shown. Then the client is shown it all the same.
const NOTE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long it may take to note that a client has left.
const LEFT_TIMEOUT: Duration = Duration::from_secs(3);

/// Of one stream.
pub(super) struct Owed {
    store: Store,
    tasks: TaskTracker,
    session: SessionId,
    /// The newest turn the store knows this client is owed the end of.
    noted: Option<TurnId>,
    /// The turn this stream was shown and was not sent the end of.
    running: Option<TurnId>,
    /// Position of the end this stream was sent and has not confirmed.
    unconfirmed: Option<u64>,
}

// === impl Owed ===

impl Owed {
    /// For a client that comes, and the end it may have missed.
    pub(super) async fn new(
        store: Store,
        tasks: TaskTracker,
        session: SessionId,
        at: &Opened,
    ) -> (Self, Option<Arc<Event>>) {
        let missed = match store.missed(&session).await {
            Ok(missed) => missed,
            Err(error) => {
                tracing::warn!(session = session.short(), %error, "what was missed is not known");
                Missed::default()
            }
        };
        // What comes later than the stream was opened comes live.
        let end = missed.end.filter(|event| event.seq <= at.end.seq);
        let owed = Self {
            store,
            tasks,
            session,
            noted: missed.turn,
            running: at.running,
            unconfirmed: end.as_ref().map(|event| event.seq),
        };
        (owed, end)
    }

    /// For a stream that goes on where another one broke off: what was owed there is owed here.
    pub(super) fn inherited(
        store: Store,
        tasks: TaskTracker,
        session: SessionId,
        at: &Opened,
    ) -> Self {
        Self {
            store,
            tasks,
            session,
            noted: at.running,
            running: at.running,
            unconfirmed: at.running.is_none().then_some(at.end.seq),
        }
    }

    /// Notes what the client is about to be sent.
    pub(super) async fn sends(&mut self, event: &Event) {
        if event.body.is_final() {
            self.running = None;
            self.unconfirmed = Some(event.seq);
            return;
        }
        self.running = Some(event.turn);
        if matches!(event.body, EventBody::User { .. }) && self.noted != Some(event.turn) {
            self.noted = Some(event.turn);
            // Before the client sees it: whatever happens to this process then, the end is owed.
            let noting = self.store.shown(&self.session, event.turn);
            if !matches!(timeout(NOTE_TIMEOUT, noting).await, Ok(Ok(()))) {
                tracing::debug!(turn = %event.turn, "who was shown a turn could not be noted");
            }
        }
    }

    /// The log is another one.
    pub(super) fn reset(&mut self) {
        self.running = None;
        self.unconfirmed = None;
    }

    /// True if the client, which has received the end at `seq`, was owed it and is not any more.
    pub(super) fn confirms(&mut self, seq: u64) -> bool {
        self.unconfirmed.take_if(|sent| *sent <= seq).is_some()
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if let Some(turn) = self.running
            && let Ok(runtime) = Handle::try_current()
        {
            let left = left(self.store.clone(), self.session.clone(), turn);
            self.tasks.spawn_on(left, &runtime);
        }
    }
}

/// Notes that a client without a cursor has left during a turn.
async fn left(store: Store, session: SessionId, turn: TurnId) {
    match timeout(LEFT_TIMEOUT, store.left(&session, turn)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%turn, %error, "who left could not be noted"),
        Err(_) => tracing::debug!(%turn, "who left could not be noted in time"),
    }
}
