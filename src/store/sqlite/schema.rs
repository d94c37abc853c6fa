//! The tables, and how an older file becomes a newer one.

use rusqlite::{Connection, TransactionBehavior};

/// Marks a SQLite file as one of dragoman's: `drgm` in its header.
pub(super) const APPLICATION_ID: i32 = 0x6472_676d;

/// The version this build writes, in `PRAGMA user_version`.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// `MIGRATIONS[n]` turns version `n` into version `n + 1`. Entries are never changed, only added.
const MIGRATIONS: [&str; 3] = [
    "
    CREATE TABLE session (
        id       TEXT    NOT NULL PRIMARY KEY,
        seq      INTEGER NOT NULL, -- its last event
        turn     TEXT    NOT NULL, -- its newest turn
        turn_seq INTEGER NOT NULL, -- that turn's `user` event
        trace    TEXT    NOT NULL, -- that turn's trace
        running  INTEGER NOT NULL, -- 1 until that turn's final event
        created  INTEGER NOT NULL, -- times are milliseconds since 1970
        updated  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX session_running ON session (running) WHERE running = 1;

    CREATE TABLE event (
        session TEXT    NOT NULL,
        seq     INTEGER NOT NULL,
        turn    TEXT    NOT NULL,
        kind    TEXT    NOT NULL,
        time    INTEGER NOT NULL,
        trace   TEXT    NOT NULL,
        data    TEXT    NOT NULL, -- JSON
        PRIMARY KEY (session, seq)
    ) STRICT, WITHOUT ROWID;

    -- The clients' message ids. What a message said is in its `user` event.
    CREATE TABLE message (
        session TEXT    NOT NULL,
        id      TEXT    NOT NULL,
        turn    TEXT    NOT NULL,
        seq     INTEGER NOT NULL,
        trace   TEXT    NOT NULL,
        PRIMARY KEY (session, id)
    ) STRICT, WITHOUT ROWID;

    -- When a question was taken: the sliding window of the rate limit.
    CREATE TABLE admission (
        session TEXT    NOT NULL,
        turn    TEXT    NOT NULL,
        time    INTEGER NOT NULL,
        PRIMARY KEY (session, turn)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX admission_time ON admission (session, time);

    -- Written to learn whether the file can be written.
    CREATE TABLE probe (
        id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
        time INTEGER NOT NULL
    ) STRICT;
",
    "
    ALTER TABLE session ADD COLUMN owner TEXT NOT NULL DEFAULT 'anonymous';
    -- The last final event that somebody has seen.
    ALTER TABLE session ADD COLUMN delivered INTEGER NOT NULL DEFAULT 0;
    -- How many clients without a cursor were shown the newest turn and have not confirmed its end.
    ALTER TABLE session ADD COLUMN owed INTEGER NOT NULL DEFAULT 0;
    -- How many of them left while it ran and have not come back.
    ALTER TABLE session ADD COLUMN away INTEGER NOT NULL DEFAULT 0;
    -- Nobody knows who has seen what. Nothing is said twice.
    UPDATE session SET delivered = seq;
    CREATE INDEX session_owner ON session (owner, updated, id);
    CREATE INDEX session_unused ON session (updated) WHERE running = 0;
",
    "
    -- What subjects have used up.
    CREATE TABLE spending (
        day     INTEGER NOT NULL, -- since 1970, UTC
        subject TEXT    NOT NULL,
        tokens  INTEGER NOT NULL,
        PRIMARY KEY (day, subject)
    ) STRICT, WITHOUT ROWID;

    -- Calls of the running turn that wait, or waited, to be allowed.
    CREATE TABLE approval (
        session  TEXT NOT NULL,
        call     TEXT NOT NULL,
        decision TEXT, -- the first one, NULL until there is one
        PRIMARY KEY (session, call)
    ) STRICT, WITHOUT ROWID;
",
];

/// Brings the file from version `found` to [`VERSION`], all or nothing.
pub(super) fn migrate(db: &mut Connection, found: usize) -> rusqlite::Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    for migration in MIGRATIONS.iter().skip(found) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(
        None,
        "user_version",
        i64::try_from(VERSION).unwrap_or(i64::MAX),
    )?;
    transaction.commit()
}
