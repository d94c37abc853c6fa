//! The data catalog the agent answers from: tables, columns, keys and lineage in one indexed graph.
//!
//! A [`Catalog`] is one graph of one or more [`Source`]s. It never changes: when a source does, the [`Keeper`] makes
//! another, which a [`Handle`] gives from then on. What a catalog does not hold is not recorded, and nothing here fills
//! the gap. The questions about it are functions of [`joins`], [`lineage`] and [`search`].

mod build;
pub mod collibra;
mod config;
pub mod dbt;
mod error;
mod file;
mod find;
mod format;
mod freshness;
mod handle;
mod info;
pub mod joins;
mod keeper;
pub mod lineage;
mod loader;
mod merge;
mod part;
pub mod postgres;
pub mod search;
mod source;
mod stamp;
mod table;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::matching::Names;

pub use config::{Config, MOST_SOURCES, NamedSource};
pub use error::CatalogError;
pub use find::{Found, FoundSchema};
pub use freshness::SourceState;
pub use handle::Handle;
pub use info::Info;
pub use keeper::Keeper;
pub use source::Source;
pub use table::{Column, Description, LineageStatus, Table, TableKind};

use freshness::Freshness;
use part::Part;

/// Everything that is known about the data.
#[derive(Debug)]
pub struct Catalog {
    /// In the order they were named.
    sources: Vec<SourceState>,
    /// Ordered by source, schema, type and name; a [`TableId`] is a place in it.
    tables: Vec<Table>,
    links: Vec<Links>,
    keys: Vec<ForeignKey>,
    names: Names,
    /// By folded bare name.
    by_name: HashMap<String, Vec<TableId>>,
    schemas: Names,
}

/// A foreign key, with the tables it connects.
#[derive(Debug, Clone, Copy)]
pub struct Key<'a> {
    /// The table that refers.
    pub from: &'a Table,
    /// Its columns, in the order of [`Key::to_columns`].
    pub from_columns: &'a [String],
    /// The table that is referred to.
    pub to: &'a Table,
    /// Its columns.
    pub to_columns: &'a [String],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct TableId(u32);

#[derive(Debug, Clone, PartialEq, Eq)]
struct ForeignKey {
    from: TableId,
    from_columns: Arc<[String]>,
    to: TableId,
    to_columns: Arc<[String]>,
}

/// What a table is connected with. Keys are places in [`Catalog::keys`].
#[derive(Debug, Default)]
struct Links {
    keys_from: Vec<u32>,
    keys_to: Vec<u32>,
    upstream: Vec<TableId>,
    downstream: Vec<TableId>,
}

// === impl Catalog ===

impl Catalog {
    /// The embedded demo. It fails only if dragoman was built with a broken one.
    pub fn demo() -> Result<Self, CatalogError> {
        Ok(Self::of("demo", file::demo()?))
    }

    /// Reads and checks a JSON file.
    pub fn of_file(path: &Path) -> Result<Self, CatalogError> {
        let source = Source::File(path.to_owned());
        Ok(Self::of(&source.default_name(), file::load(path)?))
    }

    fn of(name: &str, part: Part) -> Self {
        let state = SourceState::new(name, &part, Arc::new(Freshness::new(part.as_of, None)));
        merge::merge(&[(state, Arc::new(part))])
    }

    /// What it holds: the sum of its sources, as of the oldest of them.
    pub fn info(&self) -> Info {
        let mut all = Info::default();
        for source in &self.sources {
            all.add(source.info());
        }
        all
    }

    /// Where it was read from, in the order the sources were named.
    pub fn sources(&self) -> &[SourceState] {
        &self.sources
    }

    /// Where a table was read from.
    pub fn source(&self, table: &Table) -> Option<&SourceState> {
        self.sources.get(table.source)
    }

    /// All tables and sources, ordered by source, schema, type and name.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter()
    }

    /// The keys by which a table refers to others, in the order of its file.
    pub fn keys_from(&self, table: &Table) -> impl Iterator<Item = Key<'_>> {
        self.keys(self.links(table.id).map_or(&[], |links| &links.keys_from))
    }

    /// The keys by which others refer to a table.
    pub fn keys_to(&self, table: &Table) -> impl Iterator<Item = Key<'_>> {
        self.keys(self.links(table.id).map_or(&[], |links| &links.keys_to))
    }

    fn keys<'a>(&'a self, ids: &'a [u32]) -> impl Iterator<Item = Key<'a>> {
        ids.iter().filter_map(|id| {
            let key = self.keys.get(usize::try_from(*id).ok()?)?;
            Some(Key {
                from: self.table(key.from)?,
                from_columns: &key.from_columns,
                to: self.table(key.to)?,
                to_columns: &key.to_columns,
            })
        })
    }

    fn table(&self, id: TableId) -> Option<&Table> {
        self.tables.get(id.place())
    }

    fn links(&self, id: TableId) -> Option<&Links> {
        self.links.get(id.place())
    }
}

// === impl TableId ===

impl TableId {
    fn new(place: usize) -> Self {
        Self(u32::try_from(place).unwrap_or(u32::MAX))
    }

    /// The same table where so many others come before it.
    fn after(self, others: usize) -> Self {
        Self::new(self.place() + others)
    }

    fn place(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests;
