//! What is read of a session, and of its running turn.

use std::time::Duration;

use super::{Commands, key};
use crate::chat::{Cursor, Fingerprint, SessionId, TraceId, TurnId};
use crate::store::feed::Told;
use crate::store::record::Row;
use crate::store::request::{Head, Range};
use crate::store::{FINAL_EVENT_BYTES, SESSION_EVENTS, StoreError};

/// Most bytes of JSON one read returns, unless its first event alone has more.
const READ_BYTES: usize = 1024 * 1024;

/// A session at one moment.
#[derive(Debug, Clone)]
pub(in crate::store::redis) struct Snapshot {
    pub(in crate::store::redis) told: Told,
    /// How long the running turn counts as running without a sign of life.
    pub(in crate::store::redis) lease_left: Option<Duration>,
}

// === impl Commands ===

impl Commands {
    /// Where the log is, which event is `at` a position, and the running turn. With `reap`, a running turn whose lease is
    /// over is sealed first.
    pub(in crate::store::redis) async fn snapshot(
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
    pub(in crate::store::redis) async fn read(
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
    pub(in crate::store::redis) async fn turn_length(
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
