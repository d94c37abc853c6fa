//! What the thread is asked to do, and how it answers.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::chat::{SessionId, TurnId};
use crate::store::feed::Publication;
use crate::store::record::Row;
use crate::store::request::{Append, Head, NewEvent, Range, Seal, interrupted};
use crate::store::{Begin, BeginTurn, StoreError};

use super::log::{Failure, Log};

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

/// What an operation came to, and who waits for it.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) publication: Option<Publication>,
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

// === impl Operation ===

impl Operation {
    /// True if nobody waits for it any more. The one who asked must not take it for done.
    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Self::Begin { reply, .. } => reply.is_closed(),
            Self::Append { reply, .. } | Self::Probe { reply } => reply.is_closed(),
            Self::TurnLength { reply, .. } => reply.is_closed(),
            Self::Head { reply, .. } => reply.is_closed(),
            Self::Read { reply, .. } => reply.is_closed(),
            Self::Seal(_) | Self::Close { .. } => false,
        }
    }

    pub(super) fn writes(&self) -> bool {
        match self {
            Self::Begin { .. } | Self::Append { .. } | Self::Probe { .. } => true,
            Self::Seal(_)
            | Self::TurnLength { .. }
            | Self::Head { .. }
            | Self::Read { .. }
            | Self::Close { .. } => false,
        }
    }

    pub(super) fn run(self, log: &Log<'_>) -> Result<Settled, Failure> {
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
            // Never in a batch.
            Self::Seal(_) | Self::Close { .. } => Settled::read(Answer::Nobody),
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
    pub(super) fn answer(self) -> Option<Seal> {
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
fn end_of(begun: &Publication) -> Option<Seal> {
    let event = &begun.events.first()?.event;
    Some(Seal {
        session: begun.session.clone(),
        turn: event.turn,
        trace: event.trace,
        event: NewEvent::new(interrupted(Arc::from(""))).ok()?,
    })
}
