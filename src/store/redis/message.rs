//! What is published about a session, read.

use std::sync::Arc;

use crate::chat::{Fingerprint, TraceId, TurnId};
use crate::store::feed::Published;
use crate::store::record::Row;

/// One thing that happened.
#[derive(Debug)]
pub(super) enum Message<'a> {
    Event {
        published: Published,
        /// Fingerprint of its predecessor.
        before: Option<Fingerprint>,
    },
    Text {
        turn: TurnId,
        /// Bytes before it.
        offset: usize,
        delta: &'a str,
    },
    Stop(TurnId),
    /// Somebody has decided about a call of the running turn that waits.
    Decided,
    /// The session was erased; its last turn.
    Erased(Option<TurnId>),
}

// === impl Message ===

impl<'a> Message<'a> {
    /// Reads a payload; `None` if it is of no kind this version knows.
    pub(super) fn read(payload: &'a str) -> Option<Self> {
        let (kind, rest) = payload.split_once(' ').unwrap_or((payload, ""));
        match kind {
            "E" => Self::event(rest),
            "T" => {
                let mut fields = rest.splitn(4, ' ');
                let turn = TurnId::parse(fields.next()?).ok()?;
                TraceId::from_hex(fields.next()?);
                Some(Self::Text {
                    turn,
                    offset: fields.next()?.parse().ok()?,
                    delta: fields.next()?,
                })
            }
            "S" => TurnId::parse(rest).ok().map(Self::Stop),
            "D" => Some(Self::Decided),
            "X" => Some(Self::Erased(TurnId::parse(rest).ok())),
            _ => None,
        }
    }

    fn event(rest: &str) -> Option<Self> {
        let mut fields = rest.splitn(7, ' ');
        let seq = fields.next()?.parse().ok()?;
        let turn = fields.next()?.to_owned();
        let kind = fields.next()?.to_owned();
        let millis = fields.next()?.parse().ok()?;
        let trace = fields.next()?.to_owned();
        let before = fields.next()?;
        let data = fields.next()?.to_owned();
        let bytes = data.len();
        let row = Row {
            seq,
            turn,
            kind,
            millis,
            trace,
            data,
        };
        Some(Self::Event {
            published: Published {
                event: Arc::new(row.decode().ok()?),
                bytes,
            },
            before: Fingerprint::from_client(before.trim_start_matches('-')),
        })
    }
}
