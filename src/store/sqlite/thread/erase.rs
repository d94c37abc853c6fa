//! The end of sessions: one that is told to go, and those that nobody has used for long.

use std::time::Duration;

use rusqlite::Connection;

use crate::chat::SessionId;
use crate::store::sqlite::log::{Failure, Log};
use crate::store::sqlite::open::BUSY_TIMEOUT;
use crate::store::sqlite::operation::Reply;

use super::{Thread, immediate, now};

/// How long another program that reads the file may hold up its cleaning.
const FOLD_TIMEOUT: Duration = Duration::from_millis(500);

/// Largest file that is written anew after a session was erased, in bytes: everybody waits for it, less than a second.
const REWRITTEN: i64 = 64 * 1024 * 1024;

// === impl Thread ===

impl Thread {
    /// Erases a session. A reply that is dropped says that it is not erased.
    pub(super) fn erase(&mut self, session: &SessionId, reply: Reply<bool>) {
        match self.delete(std::slice::from_ref(session)) {
            Ok(erased) => {
                self.note_success();
                if self.unfolded {
                    self.rewrite();
                    self.fold();
                }
                drop(reply.send(Ok(erased > 0)));
            }
            Err(failure) => self.note_failure(&failure),
        }
    }

    /// Erases some of those that were last used before a time, and says how many.
    pub(super) fn sweep(&mut self, before: i64, limit: usize, reply: Reply<usize>) {
        let log = Log::new(&self.db, &self.limits, now());
        let swept = log
            .unused(before, limit)
            .and_then(|unused| match unused.as_slice() {
                [] => Ok(0),
                unused => self.delete(unused),
            });
        match swept {
            Ok(erased) => {
                // The last of several sweeps cleans up for all of them.
                if erased < limit && self.unfolded {
                    self.fold();
                }
                drop(reply.send(Ok(erased)));
            }
            Err(failure) => self.note_failure(&failure),
        }
    }

    /// Deletes sessions durably, and ends whoever follows or runs something there. Says how many there were.
    fn delete(&mut self, sessions: &[SessionId]) -> Result<usize, Failure> {
        let transaction = immediate(&mut self.db)?;
        let log = Log::new(&transaction, &self.limits, now());
        let mut deleted = 0;
        for session in sessions {
            deleted += log.delete(session)?;
        }
        transaction.commit()?;
        self.unfolded |= deleted > 0;
        self.seals.retain(|seal| !sessions.contains(&seal.session));
        for session in sessions {
            self.seen.forget(session);
            if let Some(feed) = self.feeds.find(session) {
                feed.erase();
            }
            self.running.remove(session);
        }
        Ok(deleted)
    }

    /// Writes the file anew. `secure_delete` overwrites what is deleted, but not the copies that stay behind in the free
    /// part of a page when its rows were moved to another one.
    fn rewrite(&self) {
        let rewritten = size(&self.db).and_then(|size| {
            if size <= REWRITTEN {
                return self.db.execute_batch("VACUUM");
            }
            tracing::info!(
                "session store: the file is large: pieces of what was erased can stay in its free space until `VACUUM`"
            );
            Ok(())
        });
        if let Err(error) = rewritten {
            tracing::warn!(%error, "session store: pieces of what was erased may still be in the file");
        }
    }

    /// Empties the write-ahead log's file, where pages from before still are.
    fn fold(&mut self) {
        match checkpoint(&self.db) {
            Ok(true) => self.unfolded = false,
            Ok(false) => tracing::warn!(
                "session store: what was erased stays in the file's `-wal` until no other program reads it"
            ),
            Err(error) => {
                tracing::warn!(%error, "session store: what was erased may still be in the file's `-wal`");
            }
        }
    }
}

/// Bytes of the file.
fn size(db: &Connection) -> rusqlite::Result<i64> {
    let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    Ok(pragma("page_count")?.saturating_mul(pragma("page_size")?))
}

/// True if the file was emptied; false if somebody reads it.
fn checkpoint(db: &Connection) -> rusqlite::Result<bool> {
    db.busy_timeout(FOLD_TIMEOUT)?;
    let busy = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        row.get::<_, i64>(0)
    });
    db.busy_timeout(BUSY_TIMEOUT)?;
    Ok(busy? == 0)
}

// === impl Log ===

impl Log<'_> {
    /// Deletes all there is of a session. Says how many sessions that were.
    fn delete(&self, session: &SessionId) -> Result<usize, Failure> {
        for sql in [
            "DELETE FROM event WHERE session = ?",
            "DELETE FROM message WHERE session = ?",
            "DELETE FROM admission WHERE session = ?",
            "DELETE FROM approval WHERE session = ?",
        ] {
            self.db.prepare_cached(sql)?.execute([session.as_str()])?;
        }
        let deleted = self
            .db
            .prepare_cached("DELETE FROM session WHERE id = ?")?
            .execute([session.as_str()])?;
        Ok(deleted)
    }

    /// Sessions without a running turn that were last used before a time.
    fn unused(&self, before: i64, limit: usize) -> Result<Vec<SessionId>, Failure> {
        let mut statement = self.db.prepare_cached(
            "SELECT id FROM session WHERE running = 0 AND updated < ? ORDER BY updated LIMIT ?",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let ids: Vec<String> = statement
            .query_map([before, limit], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(ids
            .iter()
            .filter_map(|id| SessionId::parse(id).ok())
            .collect())
    }
}
