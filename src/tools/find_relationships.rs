use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::given;
use super::provenance::{Provenance, source_of};
use super::reply::{self, Join, Refusal, asked_otherwise};
use super::subject;
use crate::catalog::joins::{self, MOST_HOPS};
use crate::catalog::{Catalog, Key, Table};

pub(super) const DESCRIPTION: &str = "Says how tables are related by recorded foreign keys. \
    With one table: all keys from and to it. With two: the shortest ways to join them, over \
    other tables if need be, as the keys to follow in this order; the first way is the best. \
    Each key is written in its own direction, from the table that refers to the one referred \
    to. Use it to write joins; never guess one from column names.";

const MOST: usize = 100;
const BYTES: usize = 22 * 1024;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The table: its name, schema.name, or part of the name.
    table: String,
    /// The other table, to find out how the two can be joined.
    #[serde(default)]
    #[schemars(with = "String")]
    other: Option<String>,
}

#[derive(Debug, Serialize)]
struct Direct<'a> {
    table: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<&'a str>,
    relationships: Vec<Join<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    omitted: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
    #[serde(flatten)]
    provenance: Provenance,
}

#[derive(Debug, Serialize)]
struct Between<'a> {
    from: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<&'a str>,
    to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_other: Option<&'a str>,
    paths: Vec<Path<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(flatten)]
    provenance: Provenance,
}

#[derive(Debug, Serialize)]
struct Path<'a> {
    length: usize,
    joins: Vec<Join<'a>>,
}

pub(super) fn run(catalog: &Catalog, arguments: Arguments) -> Result<String, Refusal> {
    let table = subject::table(catalog, &arguments.table)?;
    match given(arguments.other.as_ref()) {
        None => direct(catalog, table, &arguments.table),
        Some(other) => {
            let to = subject::table(catalog, other)?;
            between(catalog, (table, &arguments.table), (to, other))
        }
    }
}

fn direct(catalog: &Catalog, table: &Table, asked: &str) -> Result<String, Refusal> {
    let mut keys: Vec<Key<'_>> = catalog.keys_from(table).collect();
    // A key to itself is one relationship, not two.
    keys.extend(catalog.keys_to(table).filter(|key| key.from != table));
    let part = reply::part(keys.into_iter().map(Join::from), MOST, BYTES);
    let none = part.items.is_empty() && part.omitted.is_none();
    reply::json(&Direct {
        table: table.label(),
        asked: asked_otherwise(asked, table),
        relationships: part.items,
        omitted: part.omitted,
        note: none.then_some("No foreign key from or to this table is recorded."),
        provenance: Provenance::of_tables(catalog, [table]),
    })
}

fn between(
    catalog: &Catalog,
    (from, asked): (&Table, &str),
    (to, asked_other): (&Table, &str),
) -> Result<String, Refusal> {
    let found = joins::shortest(catalog, from, to);
    let paths = found.paths.into_iter().map(|path| Path {
        length: path.len(),
        joins: path.into_iter().map(Join::from).collect(),
    });
    let part = reply::part(paths, joins::MOST_PATHS, BYTES);
    let sources = source_of(catalog, from).zip(source_of(catalog, to));
    let note = if let Some((of_from, of_to)) = sources.filter(|(from, to)| from != to) {
        Some(format!(
            "{} is in the source {of_from}, {} in {of_to}: no foreign key leads from one source to another.",
            from.label(),
            to.label()
        ))
    } else if part.items.is_empty() {
        Some(format!(
            "No way of at most {MOST_HOPS} recorded foreign keys leads from {} to {}. That columns \
             have the same name is no recorded relationship.",
            from.label(),
            to.label()
        ))
    } else if found.more || part.omitted.is_some() {
        Some("There are more ways of this length; the best are shown.".to_owned())
    } else {
        None
    };
    reply::json(&Between {
        from: from.label(),
        asked: asked_otherwise(asked, from),
        to: to.label(),
        asked_other: asked_otherwise(asked_other, to),
        paths: part.items,
        note,
        provenance: Provenance::of_tables(catalog, [from, to]),
    })
}
