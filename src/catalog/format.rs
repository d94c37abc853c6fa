//! The JSON file, as it is written. `format.md` explains every field. Other sources say what they know in these words
//! too.

use std::fmt;

use serde::Deserialize;

use super::{LineageStatus, TableKind};

/// The version of the format this code reads.
pub(super) const FORMAT: u32 = 1;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) format: u32,
    pub(super) name: String,
    pub(super) as_of: Option<String>,
    pub(super) tables: Vec<Table>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) schema: String,
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: Kind,
    pub(super) description: Option<String>,
    pub(super) grain: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) refresh: Option<String>,
    #[serde(default)]
    pub(super) synonyms: Vec<String>,
    #[serde(default)]
    pub(super) primary_key: Vec<String>,
    #[serde(default)]
    pub(super) columns: Vec<Column>,
    #[serde(default)]
    pub(super) foreign_keys: Vec<ForeignKey>,
    pub(super) lineage: Option<Lineage>,
    #[serde(default)]
    pub(super) consumers: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Kind {
    Fact,
    Dimension,
    View,
    #[default]
    Table,
    Source,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) data_type: String,
    pub(super) description: Option<String>,
    pub(super) nullable: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForeignKey {
    pub(super) columns: Vec<String>,
    pub(super) references: Reference,
    pub(super) to_columns: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lineage {
    pub(super) status: Status,
    #[serde(default)]
    pub(super) upstream: Vec<Reference>,
}

/// The name of another table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(from = "String")]
pub(super) enum Reference {
    /// As people write it: bare, or with the schema before a dot.
    Written(String),
    /// As a source knows it: names may have dots in them.
    Exact { schema: String, name: String },
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Recorded,
    Generated,
    #[default]
    NotRecorded,
}

// === impl File ===

impl File {
    /// What a source that is no file says. `as_of` is the moment it was read, unless it says better.
    pub(super) fn new(name: impl Into<String>, tables: Vec<Table>) -> Self {
        Self {
            format: FORMAT,
            name: name.into(),
            as_of: None,
            tables,
        }
    }
}

// === impl Reference ===

impl Reference {
    pub(super) fn exact(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self::Exact {
            schema: schema.into(),
            name: name.into(),
        }
    }
}

impl Default for Reference {
    fn default() -> Self {
        Self::Written(String::new())
    }
}

impl From<String> for Reference {
    fn from(text: String) -> Self {
        Self::Written(text)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written(text) => formatter.write_str(text),
            Self::Exact { schema, name } => write!(formatter, "{schema}.{name}"),
        }
    }
}

impl From<Kind> for TableKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Fact => Self::Fact,
            Kind::Dimension => Self::Dimension,
            Kind::View => Self::View,
            Kind::Table => Self::Table,
            Kind::Source => Self::Source,
        }
    }
}

impl From<Status> for LineageStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Recorded => Self::Recorded,
            Status::Generated => Self::Generated,
            Status::NotRecorded => Self::NotRecorded,
        }
    }
}
