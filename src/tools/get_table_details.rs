use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::provenance::Provenance;
use super::reply::{self, Part, Refusal, asked_otherwise, shorten};
use super::subject;
use crate::catalog::{Catalog, Column, Key, Table};

pub(super) const DESCRIPTION: &str = "Describes one table: what it holds, what a row stands \
    for, owner, refresh, primary key, all columns with type and description, and the foreign \
    keys in both directions. What is null is not recorded in the catalog.";

const MOST_COLUMNS: usize = 300;
const MOST_KEYS: usize = 60;
/// Room for columns and for keys in each direction, in bytes.
const COLUMN_BYTES: usize = 15 * 1024;
const KEY_BYTES: usize = 3 * 1024;
const SHORT: usize = 200;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The table: its name, schema.name, or part of the name.
    table: String,
}

#[derive(Debug, Serialize)]
struct Details<'a> {
    name: &'a str,
    schema: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<&'a str>,
    r#type: &'static str,
    description: Option<Cow<'a, str>>,
    grain: Option<Cow<'a, str>>,
    owner: Option<Cow<'a, str>>,
    refresh: Option<Cow<'a, str>>,
    #[serde(flatten)]
    provenance: Provenance,
    primary_key: Vec<&'a str>,
    columns: Vec<ColumnDetails<'a>>,
    references: Vec<Reference<'a>>,
    referenced_by: Vec<ReferencedBy<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    omitted_columns: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    omitted_references: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    omitted_referenced_by: Option<usize>,
}

#[derive(Debug, Serialize)]
struct ColumnDetails<'a> {
    name: &'a str,
    r#type: Cow<'a, str>,
    description: Option<Cow<'a, str>>,
    nullable: bool,
    primary_key: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    references: Option<String>,
}

#[derive(Debug, Serialize)]
struct Reference<'a> {
    columns: &'a [String],
    table: &'a str,
    to_columns: &'a [String],
}

#[derive(Debug, Serialize)]
struct ReferencedBy<'a> {
    table: &'a str,
    columns: &'a [String],
    to_columns: &'a [String],
}

pub(super) fn run(catalog: &Catalog, arguments: Arguments) -> Result<String, Refusal> {
    let table = subject::table(catalog, &arguments.table)?;
    let keys: Vec<Key<'_>> = catalog.keys_from(table).collect();
    let keys_to: Vec<Key<'_>> = catalog.keys_to(table).collect();
    let columns: Part<ColumnDetails<'_>> = reply::part(
        table.columns.iter().map(|column| describe(column, &keys)),
        MOST_COLUMNS,
        COLUMN_BYTES,
    );
    let references = reply::part(
        keys.iter().map(|key| Reference {
            columns: key.from_columns,
            table: key.to.label(),
            to_columns: key.to_columns,
        }),
        MOST_KEYS,
        KEY_BYTES,
    );
    let referenced_by = reply::part(
        keys_to.iter().map(|key| ReferencedBy {
            table: key.from.label(),
            columns: key.from_columns,
            to_columns: key.to_columns,
        }),
        MOST_KEYS,
        KEY_BYTES,
    );
    reply::json(&Details {
        name: &table.name,
        schema: &table.schema,
        asked: asked_otherwise(&arguments.table, table),
        r#type: table.kind.as_str(),
        description: short(table.description.as_ref(), 4 * SHORT),
        grain: short(table.grain.as_ref(), SHORT),
        owner: short(table.owner.as_ref(), SHORT),
        refresh: short(table.refresh.as_ref(), SHORT),
        provenance: Provenance::of_tables(catalog, [table]),
        primary_key: primary_key(table),
        columns: columns.items,
        references: references.items,
        referenced_by: referenced_by.items,
        omitted_columns: columns.omitted,
        omitted_references: references.omitted,
        omitted_referenced_by: referenced_by.omitted,
    })
}

fn primary_key(table: &Table) -> Vec<&str> {
    reply::part(
        table.primary_key.iter().map(String::as_str),
        MOST_KEYS,
        KEY_BYTES,
    )
    .items
}

fn describe<'a>(column: &'a Column, keys: &[Key<'_>]) -> ColumnDetails<'a> {
    ColumnDetails {
        name: &column.name,
        r#type: shorten(&column.data_type, SHORT),
        description: short(column.description.as_ref(), SHORT),
        nullable: column.nullable,
        primary_key: column.primary_key,
        references: references(column, keys),
    }
}

/// Where the column leads: by a key of its own, or else as a part of a composite one.
fn references(column: &Column, keys: &[Key<'_>]) -> Option<String> {
    keys.iter()
        .filter_map(|key| {
            let place = key
                .from_columns
                .iter()
                .position(|from| **from == *column.name)?;
            let to = key.to_columns.get(place)?;
            Some((key.from_columns.len(), format!("{}.{to}", key.to.label())))
        })
        .min_by_key(|(columns, _)| *columns)
        .map(|(_, target)| target)
}

fn short(text: Option<&String>, characters: usize) -> Option<Cow<'_, str>> {
    text.map(|text| shorten(text, characters))
}
