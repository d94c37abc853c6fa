use std::sync::Arc;

use jiff::Timestamp;

use super::{Described, ForeignKey, TableId};

/// What one source says, checked and resolved: its share of the graph. Ids are places in [`Part::tables`].
#[derive(Debug)]
pub(super) struct Part {
    /// What the source calls itself.
    pub(super) name: String,
    /// The state of the data it describes.
    pub(super) as_of: Timestamp,
    /// Ordered by schema, type and name.
    pub(super) tables: Vec<Arc<Described>>,
    pub(super) keys: Vec<ForeignKey>,
    /// For each table what it is made from.
    pub(super) upstream: Vec<Vec<TableId>>,
}

// === impl Part ===

impl Part {
    /// Whether nothing changed but the time.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.name == other.name
            && self.tables == other.tables
            && self.keys == other.keys
            && self.upstream == other.upstream
    }
}
