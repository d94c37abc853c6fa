//! The thread that owns the connection. What waits is written in one transaction, one sync of the
//! disk; only then it is shown to followers, and only then answered.

mod erase;

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;
use std::time::SystemTime;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::mpsc;

use crate::chat::{EventBody, Limits, SessionId};
use crate::store::feed::Publication;
use crate::store::feeds::{FeedHold, Feeds};
use crate::store::record;
use crate::store::request::Seal;

use super::log::{Failure, Log};
use super::open::OpenFile;
use super::operation::{Operation, Settled};
use super::seen::Seen;

/// Most operations of one transaction.
const BATCH: usize = 64;

/// The state of the thread.
#[derive(Debug)]
pub(super) struct Thread {
    db: Connection,
    limits: Limits,
    feeds: Arc<Feeds>,
    /// Keeps the text of running turns while nobody follows them.
    running: HashMap<SessionId, FeedHold>,
    /// Turns to end. They are kept until that is durable: nobody would ask for it again.
    seals: Vec<Seal>,
    /// Who has seen what, until it is written with something else.
    seen: Seen,
    /// True if something erased may still be in the write-ahead log's file.
    unfolded: bool,
    /// The last failure, until something works again: logged once, not once for each batch.
    failing: Option<String>,
    /// Given back last, when the connection is closed.
    lock: File,
}

/// Ends the followers however the thread ends.
struct EndFollowers(Arc<Feeds>);

// === impl Thread ===

impl Thread {
    pub(super) fn new(file: OpenFile, limits: Limits, feeds: Arc<Feeds>) -> Self {
        Self {
            db: file.db,
            limits,
            feeds,
            running: HashMap::new(),
            seals: Vec::new(),
            seen: Seen::default(),
            unfolded: false,
            failing: None,
            lock: file.lock,
        }
    }

    /// Ends the turns that an earlier process left running, durably. The first write of all.
    pub(super) fn seal_all(&mut self) -> Result<usize, Failure> {
        let transaction = immediate(&mut self.db)?;
        let log = Log::new(&transaction, &self.limits, now());
        log.probe()?;
        let sealed = log.seal_all()?;
        transaction.commit()?;
        Ok(sealed)
    }

    /// Works until the store is closed or nobody can ask any more.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Operation>) {
        let _end = EndFollowers(Arc::clone(&self.feeds));
        while let Some(first) = queue.blocking_recv() {
            let mut last = None;
            let mut batch = Vec::new();
            let mut next = Some(first);
            while let Some(operation) = next {
                match operation {
                    Operation::Seal(seal) => self.seals.push(seal),
                    operation if operation.is_abandoned() => {}
                    operation if operation.ends_batch() => {
                        last = Some(operation);
                        break;
                    }
                    operation => batch.push(operation),
                }
                next = if batch.len() < BATCH {
                    queue.try_recv().ok()
                } else {
                    None
                };
            }
            self.seal_pending();
            self.run_batch(batch);
            self.seal_pending();
            match last {
                Some(Operation::Erase { session, reply }) => self.erase(&session, reply),
                Some(Operation::Sweep {
                    before,
                    limit,
                    reply,
                }) => self.sweep(before, limit, reply),
                Some(Operation::Close { reply }) => {
                    queue.close();
                    self.close();
                    // Nobody waiting is no reason to stay open.
                    let _ = reply.send(());
                    return;
                }
                Some(_) | None => {}
            }
        }
        self.close();
    }

    /// Does a batch, all or nothing.
    fn run_batch(&mut self, batch: Vec<Operation>) {
        if batch.is_empty() {
            return;
        }
        let settled = match self.settle(batch) {
            Ok(settled) => settled,
            // The replies are gone with the batch: that refuses it.
            Err(failure) => return self.note_failure(&failure),
        };
        self.note_success();
        for publication in settled
            .iter()
            .filter_map(|settled| settled.publication.as_ref())
        {
            self.publish(publication);
        }
        self.seals
            .extend(settled.into_iter().filter_map(Settled::answer));
    }

    /// Ends the turns that were left. In a transaction of its own, so that whatever is wrong with
    /// one of them refuses nothing that was asked.
    fn seal_pending(&mut self) {
        if self.seals.is_empty() {
            return;
        }
        match self.settle_seals() {
            Ok(publications) => {
                self.seals.clear();
                for publication in &publications {
                    self.publish(publication);
                }
            }
            Err(failure) => self.note_failure(&failure),
        }
    }

    fn settle_seals(&mut self) -> Result<Vec<Publication>, Failure> {
        let transaction = immediate(&mut self.db)?;
        let log = Log::new(&transaction, &self.limits, now());
        let mut publications = Vec::new();
        for seal in &self.seals {
            publications.extend(log.seal(seal.clone())?);
        }
        transaction.commit()?;
        Ok(publications)
    }

    /// Runs the operations and makes what they wrote durable. None at all write what waits to be written.
    fn settle(&mut self, batch: Vec<Operation>) -> Result<Vec<Settled>, Failure> {
        let now = now();
        let seen = &mut self.seen;
        let writes = batch.is_empty() || batch.iter().any(Operation::writes);
        if !writes && !seen.is_full() {
            let log = Log::new(&self.db, &self.limits, now);
            return batch
                .into_iter()
                .map(|operation| operation.run(&log, seen))
                .collect();
        }
        let transaction = immediate(&mut self.db)?;
        let log = Log::new(&transaction, &self.limits, now);
        let settled = batch
            .into_iter()
            .map(|operation| operation.run(&log, seen))
            .collect::<Result<Vec<_>, _>>()?;
        seen.write(&log)?;
        transaction.commit()?;
        seen.clear();
        Ok(settled)
    }

    fn publish(&mut self, publication: &Publication) {
        let Publication { session, events } = publication;
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return;
        };
        if matches!(first.event.body, EventBody::User { .. }) {
            let hold = self.feeds.hold(session);
            self.running.insert(session.clone(), hold);
        }
        if let Some(feed) = self.feeds.find(session) {
            feed.publish(events);
        }
        if last.event.body.is_final() {
            self.running.remove(session);
        }
    }

    fn note_success(&mut self) {
        if let Some(cause) = self.failing.take() {
            tracing::info!(cause, "session store: works again");
        }
    }

    fn note_failure(&mut self, failure: &Failure) {
        let cause = failure.to_string();
        if self.failing.as_ref() != Some(&cause) {
            tracing::error!(
                cause,
                "session store: refuses what is asked until this is repaired"
            );
            self.failing = Some(cause);
        }
    }

    fn close(mut self) {
        // Followers hold the store; let none wait for a thread that is gone.
        self.feeds.close();
        if let Err(failure) = self.settle(Vec::new()) {
            tracing::warn!(%failure, "session store: closed without noting who has seen what");
        }
        let folded = self
            .db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = folded {
            tracing::warn!(%error, "session store: closed without folding the log into the file");
        }
        if let Err((_, error)) = self.db.close() {
            tracing::warn!(%error, "session store: closed with an error");
        }
        drop(self.lock);
    }
}

fn immediate(db: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    db.transaction_with_behavior(TransactionBehavior::Immediate)
}

fn now() -> i64 {
    record::millis(SystemTime::now())
}

// === impl EndFollowers ===

impl Drop for EndFollowers {
    fn drop(&mut self) {
        self.0.close();
    }
}
