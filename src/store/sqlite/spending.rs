//! What subjects have used up.

use rusqlite::{OptionalExtension, params};

use crate::chat::Subject;
use crate::store::{Day, StoreError};

use super::SqliteStore;
use super::log::{Failure, Log, signed, unsigned};
use super::operation::Operation;

/// Days that are kept before the newest one.
const KEPT: u64 = 1;

// === impl SqliteStore ===

impl SqliteStore {
    /// See [`crate::store::Store::spend`].
    pub async fn spend(&self, subject: &Subject, day: Day, tokens: u64) -> Result<u64, StoreError> {
        let subject = subject.clone();
        self.ask(|reply| Operation::Spend {
            subject,
            day,
            tokens,
            reply,
        })
        .await
    }
}

// === impl Log ===

impl Log<'_> {
    /// Adds to what `subject` has used up, and says how much that is.
    pub(super) fn spend(&self, subject: &Subject, day: Day, tokens: u64) -> Result<u64, Failure> {
        if tokens > 0 {
            self.db
                .prepare_cached("DELETE FROM spending WHERE day < ?")?
                .execute([signed(day.0.saturating_sub(KEPT))])?;
            self.db
                .prepare_cached(
                    "INSERT INTO spending (day, subject, tokens) VALUES (?1, ?2, ?3)
                     ON CONFLICT (day, subject) DO UPDATE SET tokens = tokens + ?3",
                )?
                .execute(params![signed(day.0), subject.as_str(), signed(tokens)])?;
        }
        let spent = self
            .db
            .prepare_cached("SELECT tokens FROM spending WHERE day = ? AND subject = ?")?
            .query_row(params![signed(day.0), subject.as_str()], |row| row.get(0))
            .optional()?;
        Ok(spent.map_or(0, unsigned))
    }
}
