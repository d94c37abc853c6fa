use std::ops::Deref;
use std::sync::Arc;

use super::TableId;

/// A table, a view, or a source outside the warehouse, in its place in the catalog. What its source says of it is in the
/// [`Description`] behind it.
#[derive(Debug)]
pub struct Table {
    description: Arc<Description>,
    pub(super) id: TableId,
    /// Place of its source in the catalog.
    pub(super) source: usize,
    /// If it is not the bare name.
    label: Option<Box<str>>,
}

/// What a source says of a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Description {
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
    /// Reports and applications that read it.
    pub consumers: Vec<String>,
}

/// A column.
#[derive(Debug, PartialEq, Eq)]
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

// === impl Table ===

impl Table {
    /// A described table; `label` if its bare name is not enough.
    pub(super) fn new(
        id: TableId,
        source: usize,
        description: Arc<Description>,
        label: Option<String>,
    ) -> Self {
        Self {
            description,
            id,
            source,
            label: label.map(String::into_boxed_str),
        }
    }

    /// The shortest name that means only this table: bare, or with the schema where others are
    /// called the same, or with the source before that.
    pub fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
    }

    /// The name with the schema.
    pub fn qualified_name(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }
}

impl Deref for Table {
    type Target = Description;

    fn deref(&self) -> &Description {
        &self.description
    }
}

/// Of one catalog: the same place is the same table.
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
