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
    /// The turn that the others are about.
    turn: String,
    owed: i64,
    away: i64,
}

/// A row of `session`, as far as it matters here.
struct Noted {
    seq: u64,
    turn: String,
    running: bool,
    delivered: u64,
    /// How many clients without a cursor were shown the turn and have not confirmed its end.
    owed: i64,
    /// How many of them left while it ran and have not come back.
    away: i64,
}

// === impl Seen ===

impl Seen {
    /// Notes that a client has received the final event at `seq`. Whoever confirms an older end is not owed it any more.
    pub(super) fn delivered(
        &mut self,
        log: &Log<'_>,
        session: &SessionId,
        seq: u64,
        owed: bool,
    ) -> Result<(), Failure> {
        if let Some(row) = self.noted(log, session)? {
            let seq = seq.min(row.seq);
            if seq > row.delivered {
                self.0.entry(session.clone()).or_default().delivered = seq;
            }
            if owed && seq == row.seq && !row.running && row.owed > 0 {
                self.change(session, row.turn).owed -= 1;
            }
        }
        Ok(())
    }

    /// Notes that a client is about to be shown `turn`.
    pub(super) fn shown(
        &mut self,
        log: &Log<'_>,
        session: &SessionId,
        turn: TurnId,
    ) -> Result<(), Failure> {
        self.of_newest(log, session, turn, |change| change.owed += 1)
    }

    /// Notes that a client has left during `turn`.
    pub(super) fn left(
        &mut self,
        log: &Log<'_>,
        session: &SessionId,
        turn: TurnId,
    ) -> Result<(), Failure> {
        self.of_newest(log, session, turn, |change| change.away += 1)
    }

    /// What is owed to a client that comes now: a turn, and its final event if that is there.
    pub(super) fn missed(
        &mut self,
        log: &Log<'_>,
        session: &SessionId,
    ) -> Result<(Option<TurnId>, Option<Row>), Failure> {
        let Some(row) = self.noted(log, session)? else {
            return Ok((None, None));
        };
        let turn = TurnId::parse(&row.turn).ok();
        if row.running {
            // One of those who left is back, to whom the end is owed already.
            if row.away > 0 {
                self.change(session, row.turn).away -= 1;
            } else {
                self.change(session, row.turn).owed += 1;
            }
            return Ok((turn, None));
        }
        if row.seq == 0 || (row.owed == 0 && row.delivered >= row.seq) {
            return Ok((None, None));
        }
        if row.owed == 0 {
            self.change(session, row.turn).owed += 1;
        }
        let mut rows = log.read(session, Range::After(row.seq - 1), 1)?;
        Ok((turn, rows.pop()))
    }

    /// Writes all of it.
    pub(super) fn write(&self, log: &Log<'_>) -> Result<(), Failure> {
        for (session, change) in &self.0 {
            log.db
                .prepare_cached(
                    "UPDATE session SET delivered = max(delivered, min(?1, seq)),
                         owed = CASE turn WHEN ?2 THEN max(owed + ?3, 0) ELSE owed END,
                         away = CASE turn WHEN ?2 THEN max(away + ?4, 0) ELSE away END
                     WHERE id = ?5",
                )?
                .execute(params![
                    signed(change.delivered),
                    change.turn,
                    change.owed,
                    change.away,
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

    /// Changes what is noted of `turn`, if it is the newest. Of an older one nothing matters any more.
    fn of_newest(
        &mut self,
        log: &Log<'_>,
        session: &SessionId,
        turn: TurnId,
        note: impl FnOnce(&mut Change),
    ) -> Result<(), Failure> {
        let row = self.noted(log, session)?;
        if let Some(row) = row.filter(|row| row.turn == turn.to_string()) {
            note(self.change(session, row.turn));
        }
        Ok(())
    }

    /// What is to be changed of `turn`, the newest.
    fn change(&mut self, session: &SessionId, turn: String) -> &mut Change {
        let change = self.0.entry(session.clone()).or_default();
        if change.turn != turn {
            change.turn = turn;
            (change.owed, change.away) = (0, 0);
        }
        change
    }

    /// The row as it will be.
    fn noted(&self, log: &Log<'_>, session: &SessionId) -> Result<Option<Noted>, Failure> {
        let row = log
            .db
            .prepare_cached(
                "SELECT seq, turn, running, delivered, owed, away FROM session WHERE id = ?",
            )?
            .query_row([session.as_str()], |row| {
                Ok(Noted {
                    seq: unsigned(row.get(0)?),
                    turn: row.get(1)?,
                    running: row.get(2)?,
                    delivered: unsigned(row.get(3)?),
                    owed: row.get(4)?,
                    away: row.get(5)?,
                })
            })
            .optional()?;
        let (Some(mut row), change) = (row, self.0.get(session)) else {
            return Ok(None);
        };
        if let Some(change) = change {
            row.delivered = row.delivered.max(change.delivered);
            if change.turn == row.turn {
                row.owed += change.owed;
                row.away += change.away;
            }
        }
        Ok(Some(row))
    }
}
