//! Reads the log.

use rusqlite::{OptionalExtension, params};

use crate::chat::{Cursor, Event, SessionId, Subject};
use crate::store::record::{self, Row};
use crate::store::request::{Head, Range};
use crate::store::{SessionInfo, SessionsAfter};

use super::log::{Failure, Log, Session, parse_turn, signed, unsigned};

/// Most bytes of JSON one read returns, unless its first event alone has more.
const READ_BYTES: usize = 1024 * 1024;

// === impl Log ===

impl Log<'_> {
    /// Where the log ends, and which event is `at` a position.
    pub(super) fn head(&self, session: &SessionId, at: Option<u64>) -> Result<Head, Failure> {
        let Some(row) = self.session(session)? else {
            return Ok(Head {
                end: Cursor::default(),
                at: None,
                running: None,
            });
        };
        let at = match at {
            Some(seq) => self.cursor(session, seq)?,
            None => None,
        };
        Ok(Head {
            end: self.cursor(session, row.seq)?.unwrap_or(Cursor {
                seq: row.seq,
                fingerprint: None,
            }),
            at,
            running: if row.running { Some(row.turn()?) } else { None },
        })
    }

    /// Up to `limit` events, oldest first.
    pub(super) fn read(
        &self,
        session: &SessionId,
        range: Range,
        limit: usize,
    ) -> Result<Vec<Row>, Failure> {
        let (position, sql) = match range {
            Range::After(position) => (
                position,
                "SELECT seq, turn, kind, time, trace, data FROM event
                 WHERE session = ? AND seq > ? ORDER BY seq LIMIT ?",
            ),
            Range::Before(position) => (
                position,
                "SELECT seq, turn, kind, time, trace, data FROM event
                 WHERE session = ? AND seq < ? ORDER BY seq DESC LIMIT ?",
            ),
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.db.prepare_cached(sql)?;
        let mut found = statement.query(params![session.as_str(), signed(position), limit])?;
        let mut rows = Vec::new();
        let mut bytes = 0;
        while let Some(row) = found.next()? {
            let row = Row::read(row)?;
            bytes += row.data.len();
            if bytes > READ_BYTES && !rows.is_empty() {
                break;
            }
            rows.push(row);
        }
        if matches!(range, Range::Before(_)) {
            rows.reverse();
        }
        Ok(rows)
    }

    /// Up to `limit` sessions of `owner`, the last used first.
    pub(super) fn sessions(
        &self,
        owner: &Subject,
        after: Option<&SessionsAfter>,
        limit: usize,
    ) -> Result<Vec<SessionInfo>, Failure> {
        let (updated, id) = after.map_or((i64::MAX, ""), |after| {
            (record::millis(after.updated), after.session.as_str())
        });
        let mut statement = self.db.prepare_cached(
            "SELECT id, seq, turn, running, created, updated FROM session
             WHERE owner = ? AND (updated, id) < (?, ?)
             ORDER BY updated DESC, id DESC LIMIT ?",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut found = statement.query(params![owner.as_str(), updated, id, limit])?;
        let mut sessions = Vec::new();
        while let Some(row) = found.next()? {
            let id: String = row.get(0)?;
            let Ok(session) = SessionId::parse(&id) else {
                continue;
            };
            let seq = unsigned(row.get(1)?);
            let running = if row.get(3)? {
                Some(parse_turn(&row.get::<_, String>(2)?, seq)?)
            } else {
                None
            };
            sessions.push(SessionInfo {
                created: record::time(row.get(4)?),
                updated: record::time(row.get(5)?),
                end: self.cursor(&session, seq)?.unwrap_or(Cursor {
                    seq,
                    fingerprint: None,
                }),
                running,
                session,
            });
        }
        Ok(sessions)
    }

    pub(super) fn session(&self, id: &SessionId) -> Result<Option<Session>, Failure> {
        let row = self
            .db
            .prepare_cached("SELECT seq, turn, turn_seq, running FROM session WHERE id = ?")?
            .query_row([id.as_str()], Session::read)
            .optional()?;
        Ok(row)
    }

    pub(super) fn event(&self, session: &SessionId, seq: u64) -> Result<Option<Event>, Failure> {
        let row = self
            .db
            .prepare_cached(
                "SELECT seq, turn, kind, time, trace, data FROM event
                 WHERE session = ? AND seq = ?",
            )?
            .query_row(params![session.as_str(), signed(seq)], Row::read)
            .optional()?;
        Ok(row.map(Row::decode).transpose()?)
    }

    pub(super) fn cursor(&self, session: &SessionId, seq: u64) -> Result<Option<Cursor>, Failure> {
        let found = self
            .db
            .prepare_cached("SELECT turn, time FROM event WHERE session = ? AND seq = ?")?
            .query_row(params![session.as_str(), signed(seq)], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((turn, time)): Option<(String, i64)> = found else {
            return Ok(None);
        };
        Ok(Some(record::cursor(seq, parse_turn(&turn, seq)?, time)))
    }
}
