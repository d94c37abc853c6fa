//! Decisions about calls that wait to be allowed.

use std::collections::HashMap;

use super::failure::strange;
use super::{Commands, key};
use crate::chat::{Decision, SessionId, TurnId};
use crate::store::{Decided, StoreError};

// === impl Commands ===

impl Commands {
    /// See [`crate::store::Store::decide`].
    pub(in crate::store::redis) async fn decide(
        &self,
        session: &SessionId,
        turn: Option<TurnId>,
        call_id: &str,
        decision: Decision,
    ) -> Result<Option<Decided>, StoreError> {
        let mut call = self.call(&self.shared.scripts.decide, session);
        call.arg(turn.map(|turn| turn.to_string()).unwrap_or_default())
            .arg(call_id)
            .arg(decision.as_str());
        let answer: Vec<String> = self.ask(&call).await?;
        let [turn, decision] = answer.as_slice() else {
            return Ok(None);
        };
        Ok(Some(Decided {
            turn: TurnId::parse(turn).map_err(strange)?,
            decision: Decision::parse(decision).ok_or_else(|| strange(decision))?,
        }))
    }

    /// What was decided about a call of the running turn.
    pub(in crate::store::redis) async fn decision(
        &self,
        session: &SessionId,
        turn: TurnId,
        call_id: &str,
    ) -> Result<Option<Decision>, StoreError> {
        let mut command = ::redis::cmd("HMGET");
        command.arg(key(session, 's')).arg(&["t", "run", "ask"]);
        let row: Vec<Option<String>> = self.query(&command).await?;
        let field = |index: usize| row.get(index).and_then(Option::as_deref).unwrap_or("");
        if field(0) != turn.to_string() || field(1) != "1" {
            return Err(StoreError::Fenced);
        }
        let asked: HashMap<String, String> = match field(2) {
            "" => HashMap::new(),
            text => serde_json::from_str(text).map_err(strange)?,
        };
        Ok(asked.get(call_id).and_then(|word| Decision::parse(word)))
    }
}
