use std::sync::Arc;

use crate::chat::{Event, TurnId};

/// What a client that keeps no cursor has missed, and is owed from now on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Missed {
    /// The newest turn, if its end is owed to this client.
    pub turn: Option<TurnId>,
    /// That end, if the turn is over.
    pub end: Option<Arc<Event>>,
}
