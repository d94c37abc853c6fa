//! What is asked of the server, each as one script. Repeating a call whose answer was lost does no harm.

mod failure;
mod sessions;

use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::PubSub;
use ::redis::{FromRedisValue, RedisResult, ScriptInvocation, Value};
use tokio::time::timeout;
use uuid::Uuid;

use crate::chat::{Cursor, Fingerprint, Limits, SessionId, TraceId, TurnId};
use crate::store::feed::Told;
use crate::store::record::{Encoded, Row};
use crate::store::request::{Head, NewEvent, Range, Seal, interrupted};
use crate::store::{
    Begin, BeginTurn, FINAL_EVENT_BYTES, SESSION_EVENTS, Sessions, StoreError, TEXT_BYTES,
};

use super::address::RedisAddress;
use super::check::{self, Unusable};
use super::connection::{self, Connection};
use super::scripts::Scripts;

use self::failure::{down, strange};

/// How long a call may take, its repetition included.
const DEADLINE: Duration = Duration::from_secs(3);
/// How long a connection for subscriptions may take to be made.
const SUBSCRIBE_DEADLINE: Duration = Duration::from_secs(2);
/// How long an admission is remembered after it left the window of the rate limit: as long as its question may wait.
const ADMISSION_KEPT: Duration = Duration::from_hours(1);
/// Most bytes of JSON one read returns, unless its first event alone has more.
const READ_BYTES: usize = 1024 * 1024;
/// Sessions whose turn nobody holds, and the channel on which that is told.
pub(super) const RELEASED: &str = "dragoman:released";

/// The server, as the store uses it. Clones share the connections.
#[derive(Clone)]
pub(super) struct Commands {
    shared: Arc<Shared>,
    connection: Connection,
}

struct Shared {
    address: RedisAddress,
    scripts: Scripts,
    limits: Limits,
    lease: Duration,
    retention: Duration,
    /// Tells this process's turns from those of others, and from those it held before it was started again.
    holder: String,
    /// The sealed `error` of a turn whose process is gone, up to its text.
    sealed: String,
}

/// A write of a running turn. Without events and text it only renews the lease.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) session: SessionId,
    pub(super) turn: TurnId,
    pub(super) trace: TraceId,
    /// How many events of the turn come before.
    pub(super) index: u64,
    pub(super) events: Vec<NewEvent>,
    pub(super) text: Option<Piece>,
}

/// More of a turn's text.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// Bytes before it.
    pub(super) offset: usize,
    pub(super) delta: String,
}

/// What became of a write that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
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

/// A session at one moment.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) told: Told,
    /// How long the running turn counts as running without a sign of life.
    pub(super) lease_left: Option<Duration>,
}

/// A turn that was taken over.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) begin: BeginTurn,
    pub(super) seq: u64,
    /// Its events in the log.
    pub(super) written: u64,
    pub(super) text: String,
}

// === impl Commands ===

impl Commands {
    /// Connects, and checks what the server is.
    pub(super) async fn connect(
        address: &RedisAddress,
        limits: Limits,
        sessions: &Sessions,
        retention: Duration,
    ) -> Result<Self, Unusable> {
        let connecting = async {
            let mut connection = connection::connect(address)
                .await
                .map_err(|error| check::unusable(address, &error))?;
            check::check(address, &mut connection).await?;
            Ok(connection)
        };
        let connection = timeout(DEADLINE * 2, connecting)
            .await
            .unwrap_or_else(|_| {
                Err(Unusable::Unreachable {
                    address: address.to_string(),
                    cause: "no answer in time".to_owned(),
                })
            })?;
        let sealed = NewEvent::new(interrupted("".into())).map(|event| event.encoded);
        let sealed = sealed.unwrap_or(Encoded {
            kind: "error",
            data: String::new(),
        });
        Ok(Self {
            shared: Arc::new(Shared {
                address: address.clone(),
                scripts: Scripts::new(),
                limits,
                lease: sessions.lease,
                retention,
                holder: Uuid::new_v4().simple().to_string(),
                // The record ends with its text, which a script fills in.
                sealed: sealed.data.trim_end_matches("\"\"}").to_owned(),
            }),
            connection,
        })
    }

    /// A fresh connection for subscriptions.
    pub(super) async fn pubsub(&self) -> Result<PubSub, StoreError> {
        for node in self.shared.address.nodes() {
            let Ok(client) = ::redis::Client::open(node) else {
                continue;
            };
            match timeout(SUBSCRIBE_DEADLINE, client.get_async_pubsub()).await {
                Ok(Ok(pubsub)) => return Ok(pubsub),
                Ok(Err(error)) => tracing::debug!(%error, "session store: cannot subscribe here"),
                Err(_) => tracing::debug!("session store: cannot subscribe here in time"),
            }
        }
        Err(StoreError::Unavailable(Arc::from(
            "the Redis server does not answer",
        )))
    }

    /// Where what happens in a session is told.
    pub(super) fn channel(session: &SessionId) -> String {
        format!("dragoman:{{{}}}:c", session.as_str())
    }

    /// How long a turn counts as running without a sign of life.
    pub(super) fn lease(&self) -> Duration {
        self.shared.lease
    }

    /// See [`crate::store::Store::begin_turn`]. A running turn whose lease is over is not ended here: whoever finds the
    /// session busy follows it, and that ends it.
    pub(super) async fn begin(
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
    pub(super) async fn write(&self, write: &Write) -> Result<Written, StoreError> {
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
    pub(super) async fn seal(&self, seal: &Seal) -> Result<(), StoreError> {
        let mut call = self.call(&self.shared.scripts.seal, &seal.session);
        call.arg(seal.turn.to_string())
            .arg(seal.trace.to_string())
            .arg(&self.shared.holder)
            .arg(&seal.event.encoded.data);
        self.ask::<u8>(&call).await.map(drop)
    }

    /// Where the log is, which event is `at` a position, and the running turn. With `reap`, a running turn whose lease is
    /// over is sealed first.
    pub(super) async fn snapshot(
        &self,
        session: &SessionId,
        at: Option<u64>,
        reap: bool,
    ) -> Result<Snapshot, StoreError> {
        let mut call = self.call(&self.shared.scripts.snapshot, session);
        call.arg(at.map_or(0, |at| at.min(2 * SESSION_EVENTS)))
            .arg(u8::from(reap))
            .arg(&self.shared.sealed)
            .arg(FINAL_EVENT_BYTES);
        let answer: Vec<String> = self.ask(&call).await?;
        let field = |index: usize| answer.get(index).map_or("", String::as_str);
        let number = |index: usize| field(index).parse::<u64>().unwrap_or(0);
        let running = TurnId::parse(field(3)).ok();
        let told = Told {
            head: Head {
                end: Cursor {
                    seq: number(0),
                    fingerprint: Fingerprint::from_client(field(1)),
                },
                at: at
                    .zip(Fingerprint::from_client(field(2)))
                    .map(|(seq, fingerprint)| Cursor {
                        seq,
                        fingerprint: Some(fingerprint),
                    }),
                running,
            },
            trace: TraceId::from_hex(field(4)),
            erased: field(7) == "erased",
            text: field(6).to_owned(),
        };
        Ok(Snapshot {
            told,
            lease_left: running.map(|_| Duration::from_millis(number(5))),
        })
    }

    /// Up to `limit` events, oldest first.
    pub(super) async fn read(
        &self,
        session: &SessionId,
        range: Range,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let mut call = self.call(&self.shared.scripts.read, session);
        let (direction, position) = match range {
            Range::After(position) => ("after", position),
            Range::Before(position) => ("before", position),
        };
        // Scripts count in doubles, and no log is longer.
        let position = position.min(2 * SESSION_EVENTS);
        call.arg(direction).arg(position).arg(limit).arg(READ_BYTES);
        let found: Vec<Vec<String>> = self.ask(&call).await?;
        let mut rows: Vec<Row> = found.into_iter().filter_map(row).collect();
        if matches!(range, Range::Before(_)) {
            rows.reverse();
        }
        Ok(rows)
    }

    /// How many events the running turn has.
    pub(super) async fn turn_length(
        &self,
        session: &SessionId,
        turn: TurnId,
    ) -> Result<u64, StoreError> {
        let mut command = ::redis::cmd("HMGET");
        command
            .arg(key(session, 's'))
            .arg(&["q", "t", "ts", "run", "h"]);
        let row: Vec<Option<String>> = self.query(&command).await?;
        let field = |index: usize| row.get(index).and_then(Option::as_deref).unwrap_or("");
        let ours =
            field(1) == turn.to_string() && field(3) == "1" && field(4) == self.shared.holder;
        if !ours {
            return Err(StoreError::Fenced);
        }
        let number = |index: usize| field(index).parse::<u64>().unwrap_or(0);
        Ok((number(0) + 1).saturating_sub(number(2)))
    }

    fn call<'a>(&self, script: &'a ::redis::Script, session: &SessionId) -> ScriptInvocation<'a> {
        let mut call = script.prepare_invoke();
        for name in ['s', 'l', 'p', 'i', 'r', 'x'] {
            call.key(key(session, name));
        }
        call.arg(Self::channel(session))
            .arg(millis(self.shared.retention));
        call
    }

    /// Calls a script; once more if the connection broke, which every script allows.
    async fn ask<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        let mut connection = self.connection.clone();
        let calling = async {
            match call.invoke_async(&mut connection).await {
                Err(error) if error.is_io_error() => call.invoke_async(&mut connection).await,
                answer => answer,
            }
        };
        in_time(calling).await
    }

    async fn query<T: FromRedisValue>(&self, command: &::redis::Cmd) -> Result<T, StoreError> {
        let mut connection = self.connection.clone();
        let calling = async {
            match command.query_async(&mut connection).await {
                Err(error) if error.is_io_error() => command.query_async(&mut connection).await,
                answer => answer,
            }
        };
        in_time(calling).await
    }
}

async fn in_time<T>(calling: impl Future<Output = RedisResult<T>>) -> Result<T, StoreError> {
    match timeout(DEADLINE, calling).await {
        Ok(answer) => answer.map_err(|error| down(&error)),
        Err(_) => Err(StoreError::Unavailable(Arc::from(
            "the Redis server did not answer in time",
        ))),
    }
}

impl std::fmt::Debug for Commands {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Commands")
            .field("address", &self.shared.address)
            .finish_non_exhaustive()
    }
}

/// The braces are the hash tag: all keys of a session are in one slot of a cluster.
fn key(session: &SessionId, name: char) -> String {
    format!("dragoman:{{{}}}:{name}", session.as_str())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
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

fn row(fields: Vec<String>) -> Option<Row> {
    let mut fields = fields.into_iter();
    let id = fields.next()?;
    Some(Row {
        seq: id.split('-').next()?.parse().ok()?,
        turn: fields.next()?,
        kind: fields.next()?,
        millis: fields.next()?.parse().ok()?,
        trace: fields.next()?,
        data: fields.next()?,
    })
}
