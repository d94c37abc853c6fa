use std::sync::Arc;
use std::time::SystemTime;

use crate::chat::{Cursor, Event, SessionId, TurnId};

/// A session, without its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// Its id.
    pub session: SessionId,
    /// When its first question was taken.
    pub created: SystemTime,
    /// When it was last written to.
    pub updated: SystemTime,
    /// Where its log ends.
    pub end: Cursor,
    /// The turn that runs.
    pub running: Option<TurnId>,
}

/// Where a page of sessions begins: after the last one of the page before. Sessions come last used first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionsAfter {
    /// [`SessionInfo::updated`] of that one.
    pub updated: SystemTime,
    /// Its id.
    pub session: SessionId,
}

/// A page of a log.
#[derive(Debug, Clone, PartialEq)]
pub enum Page {
    /// Events after the position that was asked for, in order; empty at the end of the log.
    Events(Vec<Arc<Event>>),
    /// The position does not fit the log any more: it was erased, restored, or lost its tail.
    Misfit,
}
