//! What subjects have used up: a counter a subject and a day.

use std::time::Duration;

use ::redis::cmd;

use super::{Commands, millis};
use crate::chat::Subject;
use crate::store::{Day, StoreError};

/// How long a counter is kept: longer than its day, wherever the clocks of the agents are.
const KEPT: Duration = Duration::from_hours(48);

// === impl Commands ===

impl Commands {
    /// See [`crate::store::Store::spend`].
    pub(in crate::store::redis) async fn spend(
        &self,
        subject: &Subject,
        day: Day,
        tokens: u64,
    ) -> Result<u64, StoreError> {
        let key = format!("dragoman:spent:{}:{}", day.0, subject.as_str());
        if tokens == 0 {
            let mut command = cmd("GET");
            command.arg(key);
            let spent: Option<u64> = self.query(&command).await?;
            return Ok(spent.unwrap_or(0));
        }
        let mut command = cmd("INCRBY");
        command.arg(&key).arg(tokens);
        let spent = self.query(&command).await?;
        let mut command = cmd("PEXPIRE");
        command.arg(&key).arg(millis(KEPT));
        self.query::<i64>(&command).await?;
        Ok(spent)
    }
}
