//! The JSON file, as it is written. `format.md` explains every field.

use serde::Deserialize;

use super::{LineageStatus, TableKind};

/// The version of the format this code reads.
pub(super) const FORMAT: u32 = 1;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) format: u32,
    pub(super) name: String,
    pub(super) as_of: Option<String>,
    pub(super) tables: Vec<Table>,
}

#[derive(Debug, Deserialize)]
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
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Kind {
    Fact,
    Dimension,
    View,
    Table,
    Source,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) data_type: String,
    pub(super) description: Option<String>,
    pub(super) nullable: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForeignKey {
    pub(super) columns: Vec<String>,
    pub(super) references: String,
    pub(super) to_columns: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lineage {
    pub(super) status: Status,
    #[serde(default)]
    pub(super) upstream: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Recorded,
    Generated,
    NotRecorded,
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
