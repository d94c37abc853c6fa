//! What turns of this process write: their begin, their events and text, their end without a writer.

use std::time::Duration;

use ::redis::{FromRedisValue as _, Value};

use super::failure::strange;
use super::{Commands, millis};
use crate::chat::{SessionId, TraceId, TurnId};
use crate::store::request::{NewEvent, Seal};
use crate::store::{Begin, BeginTurn, SESSION_EVENTS, StoreError, TEXT_BYTES};

/// How long an admission is remembered after it left the window of the rate limit: as long as its question may wait.
const ADMISSION_KEPT: Duration = Duration::from_hours(1);

/// A write of a running turn. Without events and text it only renews the lease.
#[derive(Debug, Clone)]
pub(in crate::store::redis) struct Write {
    pub(in crate::store::redis) session: SessionId,
    pub(in crate::store::redis) turn: TurnId,
    pub(in crate::store::redis) trace: TraceId,
    /// How many events of the turn come before.
    pub(in crate::store::redis) index: u64,
    pub(in crate::store::redis) events: Vec<NewEvent>,
    pub(in crate::store::redis) text: Option<Piece>,
}

/// More of a turn's text.
#[derive(Debug, Clone)]
pub(in crate::store::redis) struct Piece {
    /// Bytes before it.
    pub(in crate::store::redis) offset: usize,
    pub(in crate::store::redis) delta: String,
}

/// What became of a write that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::redis) enum Written {
    /// It is in the log.
    Done {
        /// Somebody wants the turn stopped.
        stop: bool,
    },
    /// Nothing was written: the stored text ends before the piece.
    Hole {
        /// Bytes that are there.
        length: usize,
    },
}

// === impl Commands ===

impl Commands {
    /// See [`crate::store::Store::begin_turn`]. A running turn whose lease is over is not ended here: whoever finds the
    /// session busy follows it, and that ends it.
    pub(in crate::store::redis) async fn begin(
        &self,
        begin: &BeginTurn,
        user: &NewEvent,
    ) -> Result<Begin, StoreError> {
        self.note_owner(&begin.owner, &begin.session).await?;
        let limits = &self.shared.limits;
        let mut call = self.call(&self.shared.scripts.begin, &begin.session);
        call.arg(begin.turn.to_string())
            .arg(begin.trace.to_string())
            .arg(begin.message.as_ref().map_or("", |id| id.as_str()))
            .arg(&user.encoded.data)
            .arg(&self.shared.holder)
            .arg(millis(self.shared.lease))
            .arg(limits.rate_questions)
            .arg(millis(limits.rate_window))
            .arg(millis(ADMISSION_KEPT))
            .arg(SESSION_EVENTS)
            .arg(begin.owner.as_str());
        let answer: Vec<String> = self.ask(&call).await?;
        let field = |index: usize| answer.get(index).map_or("", String::as_str);
        let number = |index: usize| field(index).parse::<u64>().unwrap_or(0);
        Ok(match field(0) {
            "started" => Begin::Started { seq: number(1) },
            "duplicate" => Begin::Duplicate {
                turn: TurnId::parse(field(1)).map_err(strange)?,
                trace: TraceId::from_hex(field(2)),
                seq: number(3),
            },
            "busy" => Begin::Busy {
                turn: TurnId::parse(field(1)).map_err(strange)?,
            },
            "conflict" => return Err(StoreError::Conflict),
            "full" => return Err(StoreError::SessionFull),
            "rate" => {
                return Err(StoreError::RateLimited {
                    retry_after: Duration::from_millis(number(1)),
                });
            }
            other => return Err(strange(other)),
        })
    }

    /// Writes events and text of a running turn of this process, and renews its lease.
    pub(in crate::store::redis) async fn write(
        &self,
        write: &Write,
    ) -> Result<Written, StoreError> {
        let ends = write
            .events
            .last()
            .is_some_and(|event| event.body.is_final());
        let mut call = self.call(&self.shared.scripts.write, &write.session);
        let (offset, delta) = match &write.text {
            Some(piece) => (
                i64::try_from(piece.offset).unwrap_or(i64::MAX),
                piece.delta.as_str(),
            ),
            None => (-1, ""),
        };
        call.arg(write.turn.to_string())
            .arg(write.trace.to_string())
            .arg(&self.shared.holder)
            .arg(millis(self.shared.lease))
            .arg(write.index)
            .arg(offset)
            .arg(delta)
            .arg(SESSION_EVENTS)
            .arg(TEXT_BYTES)
            .arg(write.events.len())
            .arg(u8::from(ends));
        for event in &write.events {
            call.arg(event.encoded.kind).arg(&event.encoded.data);
        }
        let (word, number): (String, Option<usize>) = pair(self.ask(&call).await?);
        match (word.as_str(), number) {
            ("done", stop) => Ok(Written::Done {
                stop: stop == Some(1),
            }),
            ("hole", Some(length)) => Ok(Written::Hole { length }),
            ("fenced", _) => Err(StoreError::Fenced),
            ("full", _) => Err(StoreError::SessionFull),
            ("large", _) => Err(StoreError::TooLarge {
                what: "the turn's text",
                limit: TEXT_BYTES,
            }),
            (other, _) => Err(strange(other)),
        }
    }

    /// Ends a turn of this process whose writer is gone, if it still runs.
    pub(in crate::store::redis) async fn seal(&self, seal: &Seal) -> Result<(), StoreError> {
        let mut call = self.call(&self.shared.scripts.seal, &seal.session);
        call.arg(seal.turn.to_string())
            .arg(seal.trace.to_string())
            .arg(&self.shared.holder)
            .arg(&seal.event.encoded.data);
        self.ask::<u8>(&call).await.map(drop)
    }
}

fn pair(answer: Vec<Value>) -> (String, Option<usize>) {
    let mut fields = answer.into_iter();
    let word = fields
        .next()
        .and_then(|value| String::from_redis_value(value).ok());
    let number = fields
        .next()
        .and_then(|value| usize::from_redis_value(value).ok());
    (word.unwrap_or_default(), number)
}
