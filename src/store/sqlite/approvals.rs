//! Decisions about calls that wait to be allowed: rows of `approval`, which are there until their turn ends.

use rusqlite::{OptionalExtension, params};

use super::SqliteStore;
use super::log::{Failure, Log};
use super::operation::Operation;
use crate::chat::{Decision, EventBody, SessionId, TurnId};
use crate::store::{Decided, StoreError};

// === impl SqliteStore ===

impl SqliteStore {
    /// See [`crate::store::Store::decide`].
    pub async fn decide(
        &self,
        session: &SessionId,
        turn: Option<TurnId>,
        call_id: &str,
        decision: Decision,
    ) -> Result<Option<Decided>, StoreError> {
        let (asked, call_id) = (session.clone(), call_id.to_owned());
        let decided = self
            .ask(|reply| Operation::Decide {
                session: asked,
                turn,
                call_id,
                decision,
                reply,
            })
            .await?;
        // Only now, when it is durable.
        if let Some(feed) = self.shared.feeds.find(session) {
            feed.tell_decided();
        }
        Ok(decided)
    }

    /// What was decided about a call of the running turn.
    pub(in crate::store) async fn decision(
        &self,
        session: &SessionId,
        turn: TurnId,
        call_id: &str,
    ) -> Result<Option<Decision>, StoreError> {
        let (session, call_id) = (session.clone(), call_id.to_owned());
        self.ask(|reply| Operation::Decision {
            session,
            turn,
            call_id,
            reply,
        })
        .await
    }
}

// === impl Log ===

impl Log<'_> {
    /// Takes the first decision about a call that waits.
    pub(super) fn decide(
        &self,
        session: &SessionId,
        turn: Option<TurnId>,
        call_id: &str,
        decision: Decision,
    ) -> Result<Option<Decided>, Failure> {
        let Some(row) = self.session(session)?.filter(|row| row.running) else {
            return Ok(None);
        };
        let running = row.turn()?;
        if turn.is_some_and(|turn| turn != running) {
            return Ok(None);
        }
        self.db
            .prepare_cached(
                "UPDATE approval SET decision = ? WHERE session = ? AND call = ? AND decision IS NULL",
            )?
            .execute(params![decision.as_str(), session.as_str(), call_id])?;
        let made = self.made(session, call_id)?;
        Ok(made.map(|decision| Decided {
            turn: running,
            decision,
        }))
    }

    /// What was decided about a call of the running turn.
    pub(super) fn decision(
        &self,
        session: &SessionId,
        turn: TurnId,
        call_id: &str,
    ) -> Result<Result<Option<Decision>, StoreError>, Failure> {
        if self.running(session, turn)?.is_none() {
            return Ok(Err(StoreError::Fenced));
        }
        Ok(Ok(self.made(session, call_id)?))
    }

    /// Notes which calls wait, and forgets them with the end of their turn.
    pub(super) fn note_waiting(
        &self,
        session: &SessionId,
        body: &EventBody,
    ) -> Result<(), Failure> {
        if let EventBody::ApprovalRequest { request, .. } = body {
            self.db
                .prepare_cached(
                    "INSERT OR REPLACE INTO approval (session, call, decision) VALUES (?, ?, NULL)",
                )?
                .execute(params![session.as_str(), &*request.call_id])?;
        } else if body.is_final() {
            self.db
                .prepare_cached("DELETE FROM approval WHERE session = ?")?
                .execute([session.as_str()])?;
        }
        Ok(())
    }

    fn made(&self, session: &SessionId, call_id: &str) -> Result<Option<Decision>, Failure> {
        let made: Option<Option<String>> = self
            .db
            .prepare_cached("SELECT decision FROM approval WHERE session = ? AND call = ?")?
            .query_row([session.as_str(), call_id], |row| row.get(0))
            .optional()?;
        Ok(made.flatten().and_then(|word| Decision::parse(&word)))
    }
}
