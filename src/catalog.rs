//! The data catalog the agent answers from: tables, columns, keys and lineage in one indexed graph.
//!
//! A [`Catalog`] is read once, checked completely, and never changes. What it does not hold is not
//! recorded, and nothing here fills the gap. The questions about it are functions of [`joins`],
//! [`lineage`] and [`search`].

mod build;
pub mod collibra;
mod config;
mod error;
mod file;
mod find;
mod format;
pub mod joins;
pub mod lineage;
pub mod postgres;
pub mod search;
mod source;

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;

use crate::matching::Names;

pub use config::{Config, MOST_SOURCES, NamedSource};
pub use error::CatalogError;
pub use find::{Found, FoundSchema};
pub use source::Source;

/// Everything that is known about the data.
#[derive(Debug)]
pub struct Catalog {
    name: String,
    as_of: Timestamp,
    /// Ordered by schema, type and name; a [`TableId`] is a place in it.
    tables: Vec<Table>,
    links: Vec<Links>,
    keys: Vec<ForeignKey>,
    names: Names,
    /// By folded bare name.
    by_name: HashMap<String, Vec<TableId>>,
    schemas: Names,
}

/// A table, a view, or a source outside the warehouse.
#[derive(Debug)]
pub struct Table {
    /// Its name, unique in its schema.
    pub name: String,
    /// The schema it is in.
    pub schema: String,
    /// What it is.
    pub kind: TableKind,
    /// What it holds.
    pub description: Option<String>,
    /// What one row stands for.
    pub grain: Option<String>,
    /// The people to ask.
    pub owner: Option<String>,
    /// When its data is renewed.
    pub refresh: Option<String>,
    /// Other names people use for it, in any language.
    pub synonyms: Vec<String>,
    /// The columns that identify a row, in the order of the key; empty if none are recorded.
    pub primary_key: Vec<String>,
    /// Its columns, in the table's order.
    pub columns: Vec<Column>,
    /// What is known about where its data comes from.
    pub origin: LineageStatus,
    id: TableId,
    label: String,
}

/// A column.
#[derive(Debug)]
pub struct Column {
    /// Its name, unique in its table.
    pub name: String,
    /// Its type, as the database writes it.
    pub data_type: String,
    /// What it holds.
    pub description: Option<String>,
    /// Whether it may be empty.
    pub nullable: bool,
    /// Whether it is part of the primary key.
    pub primary_key: bool,
}

/// What a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableKind {
    /// Events or measurements.
    Fact,
    /// What facts are described by.
    Dimension,
    /// A query with a name.
    View,
    /// Any other table.
    Table,
    /// Where data comes from, outside the warehouse.
    Source,
}

/// What is known about where a table's data comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineageStatus {
    /// All tables it is made from are recorded; a source has none.
    Recorded,
    /// It is computed, not made from other tables: a calendar.
    Generated,
    /// Nobody wrote it down. It may come from anywhere.
    NotRecorded,
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

/// What a catalog holds, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct TableId(u32);

#[derive(Debug)]
struct ForeignKey {
    from: TableId,
    from_columns: Vec<String>,
    to: TableId,
    to_columns: Vec<String>,
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
        file::demo()
    }

    /// Reads the first source.
    pub async fn open(config: &Config) -> Result<Self, CatalogError> {
        let source = config.sources.first().map(|named| &named.source);
        match source {
            None | Some(Source::Demo) => Self::demo(),
            Some(Source::File(path) | Source::Dbt(path)) => Self::of_file(path),
            Some(source @ Source::Postgres(address)) => {
                let file = postgres::read(address, &config.postgres).await?;
                Self::lenient(source, file)
            }
            Some(source @ Source::Collibra(address)) => {
                let file = collibra::read(address, &config.collibra).await?;
                Self::lenient(source, file)
            }
        }
    }

    fn lenient(source: &Source, file: format::File) -> Result<Self, CatalogError> {
        build::build(file, Timestamp::now()).map_err(|flaw| CatalogError::Content {
            catalog: source.clone(),
            at: flaw.at,
            problem: flaw.problem,
        })
    }

    /// Reads and checks a JSON file.
    pub fn of_file(path: &Path) -> Result<Self, CatalogError> {
        file::load(path)
    }

    /// What it holds.
    pub fn info(&self) -> Info {
        let count = |kind| {
            self.tables
                .iter()
                .filter(|table| table.kind == kind)
                .count()
        };
        let sources = count(TableKind::Source);
        Info {
            name: self.name.clone(),
            as_of: self.as_of,
            tables: self.tables.len() - sources,
            facts: count(TableKind::Fact),
            dimensions: count(TableKind::Dimension),
            views: count(TableKind::View),
            sources,
            columns: self.tables.iter().map(|table| table.columns.len()).sum(),
            foreign_keys: self.keys.len(),
            lineage_edges: self.links.iter().map(|links| links.upstream.len()).sum(),
        }
    }

    /// The state of the data it describes.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// All tables and sources, ordered by schema, type and name.
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

// === impl Table ===

impl Table {
    /// The shortest name that means only this table: bare, or with the schema where others are
    /// called the same.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The name with the schema.
    pub fn qualified_name(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

// === impl TableKind ===

impl TableKind {
    /// All of them, in the order tables are listed in.
    pub const ALL: [Self; 5] = [
        Self::Fact,
        Self::Dimension,
        Self::View,
        Self::Table,
        Self::Source,
    ];

    /// The name in files and tool results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fact => "FACT",
            Self::Dimension => "DIMENSION",
            Self::View => "VIEW",
            Self::Table => "TABLE",
            Self::Source => "SOURCE",
        }
    }
}

// === impl TableId ===

impl TableId {
    fn new(place: usize) -> Self {
        Self(u32::try_from(place).unwrap_or(u32::MAX))
    }

    fn place(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests;
