use std::fmt;

use jiff::Timestamp;

use super::TableKind;
use super::part::Part;

/// What a catalog holds, for people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    /// The name it gives itself.
    pub name: String,
    /// The state of the data it describes: what it says itself, or when its file was changed.
    pub as_of: Timestamp,
    /// Tables and views, sources left out.
    pub tables: usize,
    /// How many of the tables are facts.
    pub facts: usize,
    /// How many of the tables are dimensions.
    pub dimensions: usize,
    /// How many of the tables are views.
    pub views: usize,
    /// Sources outside the warehouse.
    pub sources: usize,
    /// Columns of all tables.
    pub columns: usize,
    /// Foreign keys, each counted once however many columns it has.
    pub foreign_keys: usize,
    /// Pairs of tables of which one is made from the other.
    pub lineage_edges: usize,
}

// === impl Info ===

impl Info {
    pub(super) fn of(part: &Part) -> Self {
        let count = |kind| {
            let tables = part.tables.iter();
            tables.filter(|table| table.kind == kind).count()
        };
        let sources = count(TableKind::Source);
        Self {
            name: part.name.clone(),
            as_of: part.as_of,
            tables: part.tables.len() - sources,
            facts: count(TableKind::Fact),
            dimensions: count(TableKind::Dimension),
            views: count(TableKind::View),
            sources,
            columns: part.tables.iter().map(|table| table.columns.len()).sum(),
            foreign_keys: part.keys.len(),
            lineage_edges: part.upstream.iter().map(Vec::len).sum(),
        }
    }

    /// Adds what another source holds.
    pub(super) fn add(&mut self, other: Self) {
        if self.name.is_empty() {
            *self = other;
            return;
        }
        self.name = format!("{}, {}", self.name, other.name);
        self.as_of = self.as_of.min(other.as_of);
        self.tables += other.tables;
        self.facts += other.facts;
        self.dimensions += other.dimensions;
        self.views += other.views;
        self.sources += other.sources;
        self.columns += other.columns;
        self.foreign_keys += other.foreign_keys;
        self.lineage_edges += other.lineage_edges;
    }
}

/// In one line, for logs and the start.
impl fmt::Display for Info {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {} tables, {} columns, {} foreign keys, {} lineage edges, as of {}",
            self.name, self.tables, self.columns, self.foreign_keys, self.lineage_edges, self.as_of
        )
    }
}
