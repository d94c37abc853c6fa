//! The thread that owns the connection. What waits is written in one transaction, one sync of the
//! disk; only then it is shown to followers, and only then answered.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;
use std::time::SystemTime;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::chat::{EventBody, Limits, SessionId, TurnId};
use crate::store::feed::{FeedHold, Feeds, Publication};
use crate::store::record::Row;
use crate::store::request::{Append, Head, NewEvent, Range, Seal, interrupted};
use crate::store::{Begin, BeginTurn, StoreError};

use super::log::{Failure, Log};
use super::open::OpenFile;

/// Most operations of one transaction.
const BATCH: usize = 64;

/// Answers an operation. Dropped without an answer, it was not done.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Operation {
    Begin {
        begin: BeginTurn,
        user: NewEvent,
        reply: Reply<Begin>,
    },
    Append {
        append: Append,
        reply: Reply<()>,
    },
    /// Nobody waits for this one.
    Seal(Seal),
    TurnLength {
        session: SessionId,
        turn: TurnId,
        reply: Reply<u64>,
    },
    Head {
        session: SessionId,
        at: Option<u64>,
        reply: Reply<Head>,
    },
    Read {
        session: SessionId,
        range: Range,
        limit: usize,
        reply: Reply<Vec<Row>>,
    },
    Probe {
        reply: Reply<()>,
    },
    /// The last one: those behind it are not done.
    Close {
        reply: oneshot::Sender<()>,
    },
}

/// The state of the thread.
#[derive(Debug)]
pub(super) struct Thread {
    db: Connection,
    limits: Limits,
    feeds: Arc<Feeds>,
    /// Keeps the text of running turns while nobody follows them.
    running: HashMap<SessionId, FeedHold>,
    /// The last failure, until something works again: logged once, not once for each batch.
    failing: Option<String>,
    /// Given back last, when the connection is closed.
    lock: File,
}

/// What an operation came to, and who waits for it.
#[derive(Debug)]
struct Settled {
    publication: Option<Publication>,
    answer: Answer,
}

#[derive(Debug)]
enum Answer {
    Nobody,
    Begin(Reply<Begin>, Result<Begin, StoreError>),
    Done(Reply<()>, Result<(), StoreError>),
    Length(Reply<u64>, Result<u64, StoreError>),
    Head(Reply<Head>, Head),
    Rows(Reply<Vec<Row>>, Vec<Row>),
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
            let mut closing = None;
            let mut batch = Vec::new();
            let mut next = Some(first);
            while let Some(operation) = next {
                match operation {
                    Operation::Close { reply } => {
                        closing = Some(reply);
                        break;
                    }
                    operation if operation.is_abandoned() => {}
                    operation => batch.push(operation),
                }
                next = if batch.len() < BATCH {
                    queue.try_recv().ok()
                } else {
                    None
                };
            }
            let orphans = self.run_batch(batch);
            if !orphans.is_empty() {
                self.run_batch(orphans);
            }
            if let Some(reply) = closing {
                queue.close();
                self.close();
                // Nobody waiting is no reason to stay open.
                let _ = reply.send(());
                return;
            }
        }
        self.close();
    }

    /// Does a batch, all or nothing, and returns what has to be done because of it.
    fn run_batch(&mut self, batch: Vec<Operation>) -> Vec<Operation> {
        if batch.is_empty() {
            return Vec::new();
        }
        let settled = match self.settle(batch) {
            Ok(settled) => settled,
            // The replies are gone with the batch: that refuses it.
            Err(failure) => {
                self.note_failure(&failure);
                return Vec::new();
            }
        };
        if let Some(cause) = self.failing.take() {
            tracing::info!(cause, "session store: works again");
        }
        for publication in settled
            .iter()
            .filter_map(|settled| settled.publication.as_ref())
        {
            self.publish(publication);
        }
        settled.into_iter().filter_map(Settled::answer).collect()
    }

    /// Runs the operations and makes what they wrote durable.
    fn settle(&mut self, batch: Vec<Operation>) -> Result<Vec<Settled>, Failure> {
        let now = now();
        if !batch.iter().any(Operation::writes) {
            let log = Log::new(&self.db, &self.limits, now);
            return batch
                .into_iter()
                .map(|operation| operation.run(&log))
                .collect();
        }
        let transaction = immediate(&mut self.db)?;
        let log = Log::new(&transaction, &self.limits, now);
        let settled = batch
            .into_iter()
            .map(|operation| operation.run(&log))
            .collect::<Result<Vec<_>, _>>()?;
        transaction.commit()?;
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

    fn close(self) {
        // Followers hold the store; let none wait for a thread that is gone.
        self.feeds.close();
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
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

// === impl Operation ===

impl Operation {
    /// True if nobody waits for it any more. The one who asked must not take it for done.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Begin { reply, .. } => reply.is_closed(),
            Self::Append { reply, .. } | Self::Probe { reply } => reply.is_closed(),
            Self::TurnLength { reply, .. } => reply.is_closed(),
            Self::Head { reply, .. } => reply.is_closed(),
            Self::Read { reply, .. } => reply.is_closed(),
            Self::Seal(_) | Self::Close { .. } => false,
        }
    }

    fn writes(&self) -> bool {
        match self {
            Self::Begin { .. } | Self::Append { .. } | Self::Seal(_) | Self::Probe { .. } => true,
            Self::TurnLength { .. }
            | Self::Head { .. }
            | Self::Read { .. }
            | Self::Close { .. } => false,
        }
    }

    fn run(self, log: &Log<'_>) -> Result<Settled, Failure> {
        let settled = match self {
            Self::Begin { begin, user, reply } => {
                let done = log.begin(&begin, user)?;
                Settled {
                    publication: done.publication,
                    answer: Answer::Begin(reply, done.outcome),
                }
            }
            Self::Append { append, reply } => {
                let done = log.append(append)?;
                Settled {
                    publication: done.publication,
                    answer: Answer::Done(reply, done.outcome),
                }
            }
            Self::Seal(seal) => Settled {
                publication: log.seal(seal)?,
                answer: Answer::Nobody,
            },
            Self::TurnLength {
                session,
                turn,
                reply,
            } => Settled::read(Answer::Length(reply, log.turn_length(&session, turn)?)),
            Self::Head { session, at, reply } => {
                Settled::read(Answer::Head(reply, log.head(&session, at)?))
            }
            Self::Read {
                session,
                range,
                limit,
                reply,
            } => Settled::read(Answer::Rows(reply, log.read(&session, range, limit)?)),
            Self::Probe { reply } => {
                log.probe()?;
                Settled::read(Answer::Done(reply, Ok(())))
            }
            // Taken out of the batch before.
            Self::Close { .. } => Settled::read(Answer::Nobody),
        };
        Ok(settled)
    }
}

// === impl Settled ===

impl Settled {
    fn read(answer: Answer) -> Self {
        Self {
            publication: None,
            answer,
        }
    }

    /// Answers. If the one who asked for a turn has gone in the meantime, nobody will run it, so
    /// it has to be ended. Who asked for anything else asks again.
    fn answer(self) -> Option<Operation> {
        match self.answer {
            Answer::Nobody => {}
            Answer::Begin(reply, outcome) => {
                if reply.send(outcome).is_err() {
                    return end_of(&self.publication?);
                }
            }
            Answer::Done(reply, outcome) => drop(reply.send(outcome)),
            Answer::Length(reply, outcome) => drop(reply.send(outcome)),
            Answer::Head(reply, head) => drop(reply.send(Ok(head))),
            Answer::Rows(reply, rows) => drop(reply.send(Ok(rows))),
        }
        None
    }
}

/// What ends a turn that was just begun.
fn end_of(begun: &Publication) -> Option<Operation> {
    let event = &begun.events.first()?.event;
    Some(Operation::Seal(Seal {
        session: begun.session.clone(),
        turn: event.turn,
        trace: event.trace,
        event: NewEvent::new(interrupted(Arc::from(""))).ok()?,
    }))
}

// === impl EndFollowers ===

impl Drop for EndFollowers {
    fn drop(&mut self) {
        self.0.close();
    }
}
