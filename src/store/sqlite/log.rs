//! What the store decides, as statements inside the transaction of a batch. A refusal is decided
//! before anything is written, so it leaves nothing behind.

use rusqlite::{Connection, Row as SqlRow};

use crate::chat::{Limits, TurnId};
use crate::store::StoreError;
use crate::store::feed::Publication;
use crate::store::record::{RecordError, Row};

/// The tables, at one moment.
#[derive(Debug)]
pub(super) struct Log<'db> {
    pub(super) db: &'db Connection,
    pub(super) limits: &'db Limits,
    /// Now, in milliseconds since 1970.
    pub(super) now: i64,
}

/// What an operation came to. It holds as soon as the batch is durable.
#[derive(Debug)]
pub(super) struct Done<T> {
    pub(super) outcome: Result<T, StoreError>,
    pub(super) publication: Option<Publication>,
}

/// The database failed, which is never the doing of who asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// A row of `session`.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) seq: u64,
    pub(super) turn: String,
    pub(super) turn_seq: u64,
    pub(super) running: bool,
}

pub(super) fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(column: i64) -> u64 {
    u64::try_from(column).unwrap_or(0)
}

// === impl Log ===

impl<'db> Log<'db> {
    /// The log in `db`, as of `now` in milliseconds since 1970.
    pub(super) fn new(db: &'db Connection, limits: &'db Limits, now: i64) -> Self {
        Self { db, limits, now }
    }

    /// Writes something, so that a disk that is full or gone is noticed.
    pub(super) fn probe(&self) -> Result<(), Failure> {
        self.db
            .prepare_cached("INSERT OR REPLACE INTO probe (id, time) VALUES (1, ?)")?
            .execute([self.now])?;
        Ok(())
    }
}

pub(super) fn parse_turn(text: &str, seq: u64) -> Result<TurnId, RecordError> {
    TurnId::parse(text).map_err(|_| RecordError::Turn {
        seq,
        turn: text.to_owned(),
    })
}

// === impl Done ===

impl<T> Done<T> {
    pub(super) fn quiet(value: T) -> Self {
        Self {
            outcome: Ok(value),
            publication: None,
        }
    }

    pub(super) fn refused(error: StoreError) -> Self {
        Self {
            outcome: Err(error),
            publication: None,
        }
    }
}

// === impl Session ===

impl Session {
    pub(super) fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: unsigned(row.get(0)?),
            turn: row.get(1)?,
            turn_seq: unsigned(row.get(2)?),
            running: row.get(3)?,
        })
    }

    /// How many events its newest turn has: turns never interleave.
    pub(super) fn length(&self) -> u64 {
        (self.seq + 1).saturating_sub(self.turn_seq)
    }

    pub(super) fn turn(&self) -> Result<TurnId, RecordError> {
        parse_turn(&self.turn, self.turn_seq)
    }
}

// === impl Row ===

impl Row {
    pub(super) fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: unsigned(row.get(0)?),
            turn: row.get(1)?,
            kind: row.get(2)?,
            millis: row.get(3)?,
            trace: row.get(4)?,
            data: row.get(5)?,
        })
    }
}
