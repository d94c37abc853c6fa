//! What writers and followers ask of a store, whichever it is.

use std::sync::Arc;

use crate::chat::{Cursor, EventBody, SessionId, TraceId, TurnErrorReason, TurnId};

use super::StoreError;
use super::record::Encoded;

/// An event that has no place in the log yet.
#[derive(Debug, Clone)]
pub(super) struct NewEvent {
    pub(super) body: EventBody,
    pub(super) encoded: Encoded,
}

/// Events that a turn wants in the log.
#[derive(Debug)]
pub(super) struct Append {
    pub(super) session: SessionId,
    pub(super) turn: TurnId,
    pub(super) trace: TraceId,
    /// How many events of the turn come before: a repeated append is known by it.
    pub(super) index: u64,
    pub(super) events: Vec<NewEvent>,
}

/// The final event of a turn whose writer is gone.
#[derive(Debug, Clone)]
pub(super) struct Seal {
    pub(super) session: SessionId,
    pub(super) turn: TurnId,
    pub(super) trace: TraceId,
    pub(super) event: NewEvent,
}

/// Where a session's log is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    /// Its last event.
    pub(super) end: Cursor,
    /// The event at the position that was asked about, if there is one.
    pub(super) at: Option<Cursor>,
    pub(super) running: Option<TurnId>,
}

/// Which events to read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Range {
    /// The first ones after this position.
    After(u64),
    /// The last ones before this position.
    Before(u64),
}

/// The words of a turn that the service could not finish.
pub(super) fn interrupted(partial: Arc<str>) -> EventBody {
    EventBody::Error {
        reason: TurnErrorReason::Interrupted,
        message: Arc::from("The service stopped while it was answering. Please ask again."),
        partial,
    }
}

// === impl NewEvent ===

impl NewEvent {
    /// Encodes `body`, within its bound.
    pub(super) fn new(body: EventBody) -> Result<Self, StoreError> {
        let encoded = Encoded::of(&body)?;
        Ok(Self { body, encoded })
    }
}
