//! Who has seen which turn's end. It is kept here until something else is written, and written with that: it is not
//! worth a sync of the disk. Lost in a crash, an end is shown once more than needed.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, params};

use crate::chat::{SessionId, TurnId};
use crate::store::record::Row;
use crate::store::request::Range;

use super::log::{Failure, Log, signed, unsigned};

/// Most sessions that wait to be written.
const WAITING: usize = 1_024;

/// What is not written yet.
#[derive(Debug, Default)]
pub(super) struct Seen(HashMap<SessionId, Change>);

#[derive(Debug, Default)]
struct Change {
    delivered: u64,
    /// The turn that `missing` is about.
    turn: String,
    missing: i64,
}

/// A row of `session`, as far as it matters here.
struct Noted {
    seq: u64,
    turn: String,
    running: bool,
    delivered: u64,
    missing: i64,
}

// === impl Seen ===

impl Seen {
    /// Notes that a client has seen the final event at `seq`.
    pub(super) fn delivered(
        &mut self,
        log: &Log<'_>,
        session: &SessionId,
        seq: u64,
    ) -> Result<(), Failure> {
        if let Some(row) = self.noted(log, session)? {
            let seq = seq.min(row.seq);
            if seq > row.delivered {
                self.0.entry(session.clone()).or_default().delivered = seq;
            }
        }
        Ok(())
    }

    /// Notes that a client has left during `turn`. One that left in an earlier turn has seen the end of the newest.
    pub(super) fn left(
        &mut self,
        log: &Log<'_>,
        session: &SessionId,
        turn: TurnId,
    ) -> Result<(), Failure> {
        match self.noted(log, session)? {
            Some(row) if row.turn == turn.to_string() => self.add(session, row.turn, 1),
            Some(_) | None => {}
        }
        Ok(())
    }

    /// The final event that somebody has missed. One of those who left counts as back.
    pub(super) fn missed(
        &mut self,
        log: &Log<'_>,
        session: &SessionId,
    ) -> Result<Option<Row>, Failure> {
        let Some(row) = self.noted(log, session)? else {
            return Ok(None);
        };
        let left = row.missing > 0;
        if left {
            self.add(session, row.turn, -1);
        }
        // Who comes back while the turn runs sees its end live.
        if row.running || row.seq == 0 || (!left && row.delivered >= row.seq) {
            return Ok(None);
        }
        let mut rows = log.read(session, Range::After(row.seq - 1), 1)?;
        Ok(rows.pop())
    }

    /// Writes all of it.
    pub(super) fn write(&self, log: &Log<'_>) -> Result<(), Failure> {
        for (session, change) in &self.0 {
            log.db
                .prepare_cached(
                    "UPDATE session SET delivered = max(delivered, min(?1, seq)),
                         missing = CASE turn WHEN ?2 THEN max(missing + ?3, 0) ELSE missing END
                     WHERE id = ?4",
                )?
                .execute(params![
                    signed(change.delivered),
                    change.turn,
                    change.missing,
                    session.as_str()
                ])?;
        }
        Ok(())
    }

    /// It is written.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The session is gone.
    pub(super) fn forget(&mut self, session: &SessionId) {
        self.0.remove(session);
    }

    /// True if it has to be written now.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= WAITING
    }

    fn add(&mut self, session: &SessionId, turn: String, clients: i64) {
        let change = self.0.entry(session.clone()).or_default();
        if change.turn != turn {
            change.turn = turn;
            change.missing = 0;
        }
        change.missing += clients;
    }

    /// The row as it will be.
    fn noted(&self, log: &Log<'_>, session: &SessionId) -> Result<Option<Noted>, Failure> {
        let row = log
            .db
            .prepare_cached(
                "SELECT seq, turn, running, delivered, missing FROM session WHERE id = ?",
            )?
            .query_row([session.as_str()], |row| {
                Ok(Noted {
                    seq: unsigned(row.get(0)?),
                    turn: row.get(1)?,
                    running: row.get(2)?,
                    delivered: unsigned(row.get(3)?),
                    missing: row.get(4)?,
                })
            })
            .optional()?;
        let (Some(mut row), change) = (row, self.0.get(session)) else {
            return Ok(None);
        };
        if let Some(change) = change {
            row.delivered = row.delivered.max(change.delivered);
            if change.turn == row.turn {
                row.missing += change.missing;
            }
        }
        Ok(Some(row))
    }
}
