//! Turns that run in this process: how they begin, what they write, how they end without a writer.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use crate::chat::{EventBody, SessionId, TraceId, TurnId};
use crate::store::request::{Append, NewEvent, Seal};
use crate::store::{Begin, BeginTurn, Outbox, Store, StoreError};

use super::{RedisOutbox, RedisStore};

/// How long to wait before a turn is sealed again.
const SEAL_RETRY: Duration = Duration::from_millis(500);

// === impl RedisStore ===

impl RedisStore {
    /// See [`Store::begin_turn`].
    pub async fn begin_turn(&self, begin: BeginTurn) -> Result<Begin, StoreError> {
        let user = NewEvent::new(EventBody::User {
            content: Arc::clone(&begin.content),
            message: begin.message.clone(),
        })?;
        // Who drops this future must not leave a turn that nobody runs: the call goes on, and its end is looked at.
        let commands = self.shared.commands.clone();
        let work = async move {
            let begun = commands.begin(&begin, &user).await;
            (begin, begun)
        };
        let begun = self.in_task(work, Self::begun_for_nobody).await;
        let begun = begun.map_or_else(|| Err(StoreError::closed()), |(_, begun)| begun);
        self.noted(begun)
    }

    /// Ends a turn that nobody will run.
    fn begun_for_nobody(self, (begin, begun): (BeginTurn, Result<Begin, StoreError>)) {
        // Whether one that was not answered has begun is not known.
        if matches!(
            begun,
            Ok(Begin::Started { .. }) | Err(StoreError::Unavailable(_))
        ) {
            drop(Store::Redis(self).turn_writer(begin.session, begin.turn, begin.trace));
        }
    }

    /// A running turn's way to the server.
    pub(in crate::store) fn outbox(
        &self,
        session: &SessionId,
        turn: TurnId,
        trace: TraceId,
    ) -> RedisOutbox {
        RedisOutbox::new(
            self.shared.commands.clone(),
            self.shared.heartbeat,
            session.clone(),
            turn,
            trace,
        )
    }

    /// Appends events of a turn, and the text before them. To repeat it with the same index is safe.
    pub(in crate::store) async fn append(
        &self,
        append: Append,
        outbox: &Outbox,
    ) -> Result<(), StoreError> {
        let Outbox::Redis(outbox) = outbox else {
            return Err(StoreError::closed());
        };
        let written = outbox.write(append.index, append.events).await;
        self.noted(written).map(drop)
    }

    /// Ends a turn without waiting for it.
    pub(in crate::store) fn seal(&self, seal: Seal) {
        let shared = &self.shared;
        let (commands, stop) = (shared.commands.clone(), shared.stop.clone());
        shared.tasks.spawn(async move {
            // Without an end it is its lease that ends it.
            let deadline = commands.lease() * 4;
            let sealing = async {
                while commands.seal(&seal).await.is_err() {
                    // A store that closes has tried once, and does not try again.
                    if timeout(SEAL_RETRY, stop.cancelled()).await.is_ok() {
                        return;
                    }
                }
            };
            // Over is over: then the lease has ended it.
            drop(timeout(deadline, sealing).await);
        });
    }

    /// How many events the running turn has.
    pub(in crate::store) async fn turn_length(
        &self,
        session: &SessionId,
        turn: TurnId,
    ) -> Result<u64, StoreError> {
        self.noted(self.shared.commands.turn_length(session, turn).await)
    }
}
