//! What the thread is asked to do, and how it answers.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::chat::{Decision, SessionId, Subject, TurnId};
use crate::store::feed::Publication;
use crate::store::record::Row;
use crate::store::request::{Append, Head, NewEvent, Range, Seal, interrupted};
use crate::store::{Begin, BeginTurn, Day, Decided, SessionInfo, SessionsAfter, StoreError};

use super::log::{Failure, Log};
use super::seen::Seen;

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
    Sessions {
        owner: Subject,
        after: Option<SessionsAfter>,
        limit: usize,
        reply: Reply<Vec<SessionInfo>>,
    },
    Delivered {
        session: SessionId,
        seq: u64,
        /// True if the client keeps no cursor.
        owed: bool,
        reply: Reply<()>,
    },
    Shown {
        session: SessionId,
        turn: TurnId,
        reply: Reply<()>,
    },
    Left {
        session: SessionId,
        turn: TurnId,
        reply: Reply<()>,
    },
    /// With 0 tokens it only reads.
    Spend {
        subject: Subject,
        day: Day,
        tokens: u64,
        reply: Reply<u64>,
    },
    Missed {
        session: SessionId,
        reply: Reply<(Option<TurnId>, Option<Row>)>,
    },
    Decide {
        session: SessionId,
        turn: Option<TurnId>,
        call_id: String,
        decision: Decision,
        reply: Reply<Option<Decided>>,
    },
    Decision {
        session: SessionId,
        turn: TurnId,
        call_id: String,
        reply: Reply<Option<Decision>>,
    },
    /// Not part of a batch.
    Erase {
        session: SessionId,
        reply: Reply<bool>,
    },
    /// Not part of a batch. Erases up to `limit` sessions that were last used before `before`, in milliseconds since 1970.
    Sweep {
        before: i64,
        limit: usize,
        reply: Reply<usize>,
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
    Decided(Reply<Option<Decided>>, Option<Decided>),
    Decision(
        Reply<Option<Decision>>,
        Result<Option<Decision>, StoreError>,
    ),
    Sessions(Reply<Vec<SessionInfo>>, Vec<SessionInfo>),
    Missed(
        Reply<(Option<TurnId>, Option<Row>)>,
        (Option<TurnId>, Option<Row>),
    ),
}

// === impl Operation ===

impl Operation {
    /// True if nobody waits for it any more. The one who asked must not take it for done.
    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Self::Begin { reply, .. } => reply.is_closed(),
            Self::Append { reply, .. } | Self::Probe { reply } => reply.is_closed(),
            // What was seen was seen: it is noted though who told it has gone, which is when clients go.
            Self::TurnLength { reply, .. } | Self::Spend { reply, .. } => reply.is_closed(),
            Self::Head { reply, .. } => reply.is_closed(),
            Self::Read { reply, .. } => reply.is_closed(),
            Self::Sessions { reply, .. } => reply.is_closed(),
            Self::Missed { reply, .. } => reply.is_closed(),
            Self::Decision { reply, .. } => reply.is_closed(),
            Self::Erase { reply, .. } => reply.is_closed(),
            Self::Sweep { reply, .. } => reply.is_closed(),
            // Nobody waits for these.
            Self::Delivered { .. }
            | Self::Shown { .. }
            | Self::Left { .. }
            // Who said yes or no said it, and may leave.
            | Self::Decide { .. }
            | Self::Seal(_)
            | Self::Close { .. } => false,
        }
    }

    /// True if a batch with it needs a transaction. Who has seen what is written with the next one.
    pub(super) fn writes(&self) -> bool {
        matches!(
            self,
            Self::Begin { .. }
                | Self::Append { .. }
                | Self::Probe { .. }
                | Self::Decide { .. }
                | Self::Spend { tokens: 1.., .. }
        )
    }

    /// True if it is done after a batch, by itself.
    pub(super) fn ends_batch(&self) -> bool {
        matches!(
            self,
            Self::Erase { .. } | Self::Sweep { .. } | Self::Close { .. }
        )
    }

    pub(super) fn run(self, log: &Log<'_>, seen: &mut Seen) -> Result<Settled, Failure> {
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
            Self::Sessions {
                owner,
                after,
                limit,
                reply,
            } => {
                let sessions = log.sessions(&owner, after.as_ref(), limit)?;
                Settled::read(Answer::Sessions(reply, sessions))
            }
            Self::Delivered {
                session,
                seq,
                owed,
                reply,
            } => {
                seen.delivered(log, &session, seq, owed)?;
                Settled::read(Answer::Done(reply, Ok(())))
            }
            Self::Shown {
                session,
                turn,
                reply,
            } => {
                seen.shown(log, &session, turn)?;
                Settled::read(Answer::Done(reply, Ok(())))
            }
            Self::Left {
                session,
                turn,
                reply,
            } => {
                seen.left(log, &session, turn)?;
                Settled::read(Answer::Done(reply, Ok(())))
            }
            Self::Spend {
                subject,
                day,
                tokens,
                reply,
            } => Settled::read(Answer::Length(reply, Ok(log.spend(&subject, day, tokens)?))),
            Self::Missed { session, reply } => {
                Settled::read(Answer::Missed(reply, seen.missed(log, &session)?))
            }
            Self::Decide {
                session,
                turn,
                call_id,
                decision,
                reply,
            } => {
                let decided = log.decide(&session, turn, &call_id, decision)?;
                Settled::read(Answer::Decided(reply, decided))
            }
            Self::Decision {
                session,
                turn,
                call_id,
                reply,
            } => {
                let decision = log.decision(&session, turn, &call_id)?;
                Settled::read(Answer::Decision(reply, decision))
            }
            // Never in a batch.
            Self::Seal(_) | Self::Erase { .. } | Self::Sweep { .. } | Self::Close { .. } => {
                Settled::read(Answer::Nobody)
            }
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
            Answer::Decided(reply, decided) => drop(reply.send(Ok(decided))),
            Answer::Decision(reply, outcome) => drop(reply.send(outcome)),
            Answer::Sessions(reply, sessions) => drop(reply.send(Ok(sessions))),
            Answer::Missed(reply, missed) => drop(reply.send(Ok(missed))),
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
