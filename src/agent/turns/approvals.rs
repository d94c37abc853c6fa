//! What people say of calls that wait to be allowed, on its way to the turn, wherever that runs.

use std::sync::Arc;

use super::{DecideError, Turns};
use crate::agent::history;
use crate::chat::{Decision, Event, EventBody, SessionId, TurnId};
use crate::store::{Decided, StoreError};

/// A position after every event.
const END: u64 = u64::MAX >> 1;

// === impl Turns ===

impl Turns {
    /// Allows a call that waits, or does not, if its turn is `turn` or `turn` is not given. The first decision counts:
    /// to repeat it is safe, to decide otherwise is refused.
    pub async fn decide(
        &self,
        session: &SessionId,
        turn: Option<TurnId>,
        call_id: &str,
        approved: bool,
    ) -> Result<Decided, DecideError> {
        let wanted = Decision::of(approved);
        let store = &self.0.store;
        let decided = store.decide(session, turn, call_id, wanted).await?;
        let decided = match decided {
            Some(decided) => decided,
            // Its turn may be over: who did not hear the answer may ask for it again.
            None => self
                .decided_before(session, turn, call_id)
                .await?
                .ok_or(DecideError::NotWaiting)?,
        };
        if decided.decision == wanted {
            Ok(decided)
        } else {
            Err(DecideError::Otherwise(decided.decision))
        }
    }

    async fn decided_before(
        &self,
        session: &SessionId,
        turn: Option<TurnId>,
        call_id: &str,
    ) -> Result<Option<Decided>, StoreError> {
        let store = &self.0.store;
        let events = store.read_before(session, END, history::EVENTS).await?;
        let found = events.iter().rev().find_map(|event| match &event.body {
            EventBody::ApprovalDecision {
                call_id: of,
                decision,
                ..
            } if **of == *call_id && turn.is_none_or(|turn| turn == event.turn) => Some(Decided {
                turn: event.turn,
                decision: *decision,
            }),
            _ => None,
        });
        Ok(found)
    }

    /// The calls of a running turn that wait to be allowed, as of position `end`: where their requests are in the log.
    pub async fn waiting_calls(
        &self,
        session: &SessionId,
        turn: TurnId,
        end: u64,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let store = &self.0.store;
        let before = end.saturating_add(1);
        let events = store.read_before(session, before, history::EVENTS).await?;
        let mut waiting: Vec<Arc<Event>> = Vec::new();
        for event in events.into_iter().filter(|event| event.turn == turn) {
            match &event.body {
                EventBody::ApprovalRequest { .. } => waiting.push(event),
                EventBody::ApprovalDecision { call_id, .. } => {
                    waiting.retain(|event| match &event.body {
                        EventBody::ApprovalRequest { request, .. } => request.call_id != *call_id,
                        _ => false,
                    });
                }
                _ => {}
            }
        }
        Ok(waiting)
    }
}
