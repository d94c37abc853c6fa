//! Writes the events of running turns.

use std::sync::Arc;

use rusqlite::params;

use crate::chat::{Event, SessionId, TraceId, TurnId};
use crate::store::feed::{Publication, Published};
use crate::store::record;
use crate::store::request::{Append, NewEvent, Seal, interrupted};
use crate::store::{SESSION_EVENTS, StoreError};

use super::log::{Done, Failure, Log, Session, signed, unsigned};

/// More clients than come back to one session.
const EVERYBODY: i64 = 1_000;

// === impl Log ===

impl Log<'_> {
    /// Appends events of the running turn; those that are there already are left alone.
    pub(super) fn append(&self, append: Append) -> Result<Done<()>, Failure> {
        let Append {
            session,
            turn,
            trace,
            index,
            events,
        } = append;
        let wanted = index + events.len() as u64;
        let Some(row) = self.running(&session, turn)? else {
            // Perhaps it was this very append that ended the turn.
            let there = self.events_of(&session, turn)?;
            return Ok(if wanted <= there {
                Done::quiet(())
            } else {
                Done::refused(StoreError::Fenced)
            });
        };
        let there = row.length();
        let Some(repeated) = there.checked_sub(index) else {
            // Events of this turn are missing: the log is not the one its writer knew.
            return Ok(Done::refused(StoreError::Fenced));
        };
        let repeated = usize::try_from(repeated).unwrap_or(usize::MAX);
        let fresh: Vec<_> = events.into_iter().skip(repeated).collect();
        let Some(last) = fresh.last() else {
            return Ok(Done::quiet(()));
        };
        // The last place belongs to the final event.
        if !last.body.is_final() && row.seq + fresh.len() as u64 + 1 > SESSION_EVENTS {
            return Ok(Done::refused(StoreError::SessionFull));
        }
        self.write(&session, &row, turn, trace, fresh)
    }

    /// Ends a turn whose writer is gone, if it still runs.
    pub(super) fn seal(&self, seal: Seal) -> Result<Option<Publication>, Failure> {
        let Seal {
            session,
            turn,
            trace,
            event,
        } = seal;
        let Some(row) = self.running(&session, turn)? else {
            return Ok(None);
        };
        let done = self.write(&session, &row, turn, trace, vec![event])?;
        Ok(done.publication)
    }

    /// Ends every turn that an earlier process left running, and says how many.
    pub(super) fn seal_all(&self) -> Result<usize, Failure> {
        let Ok(event) = NewEvent::new(interrupted(Arc::from(""))) else {
            return Ok(0);
        };
        let mut statement = self
            .db
            .prepare("SELECT id, turn, trace FROM session WHERE running = 1")?;
        let left: Vec<(String, String, String)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        for (session, turn, trace) in &left {
            let (Ok(session), Ok(turn)) = (SessionId::parse(session), TurnId::parse(turn)) else {
                tracing::warn!(
                    turn,
                    "session store: a row of `session` is malformed, left alone"
                );
                continue;
            };
            self.seal(Seal {
                session,
                turn,
                trace: TraceId::from_hex(trace),
                event: event.clone(),
            })?;
        }
        // Who was there when the process died could not be noted: whoever comes back is shown the end.
        for (session, _, _) in &left {
            self.db
                .prepare_cached("UPDATE session SET owed = ? WHERE id = ?")?
                .execute(params![EVERYBODY, session])?;
        }
        Ok(left.len())
    }

    /// How many events the running turn has.
    pub(super) fn turn_length(
        &self,
        session: &SessionId,
        turn: TurnId,
    ) -> Result<Result<u64, StoreError>, Failure> {
        let row = self.running(session, turn)?;
        Ok(row.map(|row| row.length()).ok_or(StoreError::Fenced))
    }

    /// How many events a turn has that may be over. Slow, but only a lost answer leads here.
    fn events_of(&self, session: &SessionId, turn: TurnId) -> Result<u64, Failure> {
        let count = self
            .db
            .prepare_cached("SELECT count(*) FROM event WHERE session = ? AND turn = ?")?
            .query_row(params![session.as_str(), turn.to_string()], |row| {
                row.get(0)
            })?;
        Ok(unsigned(count))
    }

    /// The session, if `turn` is its running turn: the fence.
    pub(super) fn running(&self, id: &SessionId, turn: TurnId) -> Result<Option<Session>, Failure> {
        let turn = turn.to_string();
        let row = self.session(id)?;
        Ok(row.filter(|row| row.running && row.turn == turn))
    }

    /// Appends to the log of `row`, which must be the session's newest state.
    fn write(
        &self,
        session: &SessionId,
        row: &Session,
        turn: TurnId,
        trace: TraceId,
        events: Vec<NewEvent>,
    ) -> Result<Done<()>, Failure> {
        let mut seq = row.seq;
        let mut published = Vec::with_capacity(events.len());
        let ends = events.last().is_some_and(|event| event.body.is_final());
        for event in events {
            seq += 1;
            self.note_waiting(session, &event.body)?;
            published.push(self.insert(session, seq, turn, trace, event)?);
        }
        self.db
            .prepare_cached("UPDATE session SET seq = ?, running = ?, updated = ? WHERE id = ?")?
            .execute(params![signed(seq), !ends, self.now, session.as_str()])?;
        Ok(Done {
            outcome: Ok(()),
            publication: Some(Publication {
                session: session.clone(),
                events: published,
            }),
        })
    }

    pub(super) fn insert(
        &self,
        session: &SessionId,
        seq: u64,
        turn: TurnId,
        trace: TraceId,
        event: NewEvent,
    ) -> Result<Published, Failure> {
        self.db
            .prepare_cached(
                "INSERT INTO event (session, seq, turn, kind, time, trace, data)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                session.as_str(),
                signed(seq),
                turn.to_string(),
                event.encoded.kind,
                self.now,
                trace.to_string(),
                event.encoded.data,
            ])?;
        Ok(Published {
            bytes: event.encoded.data.len(),
            event: Arc::new(Event {
                seq,
                turn,
                trace,
                time: record::time(self.now),
                body: event.body,
            }),
        })
    }
}
