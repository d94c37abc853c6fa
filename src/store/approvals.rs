//! Decisions about tool calls that wait to be allowed. They are kept beside the running turn, whoever runs it: the first
//! one counts, and the turn's owner writes it into the log.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::{Store, StoreError};
use crate::chat::{Decision, SessionId, TurnId};

/// How often it is looked whether somebody has decided, besides being told.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// The decision that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// The turn whose call it is about.
    pub turn: TurnId,
    /// What was decided first.
    pub decision: Decision,
}

/// Where a running turn of this process hears what was decided about its calls. Clones share it.
#[derive(Clone)]
pub struct Approvals {
    store: Store,
    session: SessionId,
    turn: TurnId,
    decided: Arc<Notify>,
}

// === impl Store ===

impl Store {
    /// Decides about a call of the running turn that waits to be allowed, if that is `turn` or `turn` is not given.
    /// Answers with the decision that counts, which is the first one: to repeat a call is safe. `None` if no such call
    /// waits or waited.
    pub async fn decide(
        &self,
        session: &SessionId,
        turn: Option<TurnId>,
        call_id: &str,
        decision: Decision,
    ) -> Result<Option<Decided>, StoreError> {
        match self {
            Self::Sqlite(store) => store.decide(session, turn, call_id, decision).await,
            Self::Redis(store) => store.decide(session, turn, call_id, decision).await,
        }
    }

    /// What was decided about a call of the running turn.
    async fn decision(
        &self,
        session: &SessionId,
        turn: TurnId,
        call_id: &str,
    ) -> Result<Option<Decision>, StoreError> {
        match self {
            Self::Sqlite(store) => store.decision(session, turn, call_id).await,
            Self::Redis(store) => store.decision(session, turn, call_id).await,
        }
    }
}

// === impl Approvals ===

impl Approvals {
    pub(super) fn new(
        store: Store,
        session: SessionId,
        turn: TurnId,
        decided: Arc<Notify>,
    ) -> Self {
        Self {
            store,
            session,
            turn,
            decided,
        }
    }

    /// Waits until somebody has decided about a call whose request is in the log. A store that does not answer is asked
    /// again: whether the turn may go on without it is for its keeper to say.
    pub async fn decided(&self, call_id: &str) -> Result<Decision, StoreError> {
        loop {
            let told = self.decided.notified();
            let mut told = std::pin::pin!(told);
            // Who decides from here on is heard, so nothing falls between the look and the wait.
            told.as_mut().enable();
            let look = self.store.decision(&self.session, self.turn, call_id);
            match look.await {
                Ok(Some(decision)) => return Ok(decision),
                Ok(None) => {}
                Err(StoreError::Unavailable(cause)) => {
                    tracing::debug!(%cause, "session store: cannot look whether a call was allowed");
                }
                Err(error) => return Err(error),
            }
            tokio::select! {
                () = told => {}
                () = sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    /// Nobody has decided in time: that is the decision, unless somebody was faster.
    pub async fn time_out(&self, call_id: &str) -> Result<Decision, StoreError> {
        loop {
            let late = Decision::TimedOut;
            let decided = self
                .store
                .decide(&self.session, Some(self.turn), call_id, late);
            match decided.await {
                Ok(Some(decided)) => return Ok(decided.decision),
                // The turn is not the running one any more.
                Ok(None) => return Err(StoreError::Fenced),
                Err(StoreError::Unavailable(cause)) => {
                    tracing::debug!(%cause, "session store: cannot note that nobody allowed a call");
                    sleep(LOOK_INTERVAL).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Debug for Approvals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Approvals")
            .field("turn", &self.turn)
            .finish_non_exhaustive()
    }
}
