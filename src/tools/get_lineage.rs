use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::given;
use super::provenance::Provenance;
use super::reply::{self, Part, Refusal, asked_otherwise, shorten};
use super::subject;
use crate::catalog::lineage::{Direction, Reached, reached};
use crate::catalog::{Catalog, LineageStatus, Table, TableKind};
use crate::matching::fold;

pub(super) const DESCRIPTION: &str = "Says where the data of a table comes from (upstream) \
    and what is made from it (downstream: what a change of it may break), over any number of \
    steps. consumers are the reports and applications that read it or what is made from it. via names the tables one step nearer on the way. Lineage that nobody recorded is \
    not known: recorded is then false and note says so; never fill it in.";

const MOST: usize = 100;
/// Room for each direction, in bytes.
const BYTES: usize = 11 * 1024;
/// Room for consumers.
const CONSUMER_BYTES: usize = 4 * 1024;
/// Most tables that a note names.
const MOST_NAMED: usize = 5;
const DIRECTIONS: [&str; 3] = ["upstream", "downstream", "both"];

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The table: its name, schema.name, or part of the name.
    table: String,
    /// Which way to go. Left out: both.
    #[serde(default)]
    #[schemars(with = "String", extend("enum" = DIRECTIONS))]
    direction: Option<String>,
}

#[derive(Debug, Serialize)]
struct Lineage<'a> {
    table: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<&'a str>,
    direction: &'static str,
    recorded: bool,
    upstream: Vec<Step<'a>>,
    downstream: Vec<Step<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    consumers: Vec<Consumer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(flatten)]
    provenance: Provenance,
}

#[derive(Debug, Serialize)]
struct Step<'a> {
    table: &'a str,
    r#type: &'static str,
    distance: u32,
    via: Vec<&'a str>,
}

/// A report or an application, and the table it reads.
#[derive(Debug, Serialize)]
struct Consumer<'a> {
    name: &'a str,
    reads: &'a str,
}

/// One direction, if it was asked for.
type Way<'a> = Option<Vec<Reached<'a>>>;

pub(super) fn run(catalog: &Catalog, arguments: Arguments) -> Result<String, Refusal> {
    let table = subject::table(catalog, &arguments.table)?;
    let direction = direction(given(arguments.direction.as_ref()))?;
    let way = |wanted: Direction, name: &str| -> Way<'_> {
        (direction == name || direction == "both").then(|| reached(catalog, table, wanted))
    };
    let upstream = way(Direction::Upstream, "upstream");
    let downstream = way(Direction::Downstream, "downstream");
    let recorded = match (&upstream, &downstream) {
        (None, Some(downstream)) => {
            !downstream.is_empty() || table.origin != LineageStatus::NotRecorded
        }
        _ => table.origin != LineageStatus::NotRecorded,
    };
    let consumers = consumers(table, downstream.as_deref());
    let mut notes = notes(table, &upstream, &downstream);
    let upstream = shown(upstream, "upstream", &mut notes);
    let downstream = shown(downstream, "downstream", &mut notes);
    reply::json(&Lineage {
        table: table.label(),
        asked: asked_otherwise(&arguments.table, table),
        direction,
        recorded,
        upstream,
        downstream,
        consumers,
        note: (!notes.is_empty()).then(|| notes.join(" ")),
        provenance: Provenance::of_tables(catalog, [table]),
    })
}

/// Who reads the table and what is made from it, the nearest first.
fn consumers<'a>(table: &'a Table, downstream: Option<&[Reached<'a>]>) -> Vec<Consumer<'a>> {
    let Some(downstream) = downstream else {
        return Vec::new();
    };
    let tables = std::iter::once(table).chain(downstream.iter().map(|reached| reached.table));
    let consumers: Vec<Consumer<'_>> = tables
        .flat_map(|table| {
            let reads = table.label();
            let consumers = table.consumers.iter();
            consumers.map(move |name| Consumer { name, reads })
        })
        .take(MOST)
        .collect();
    reply::part(consumers.into_iter(), MOST, CONSUMER_BYTES).items
}

fn direction(asked: Option<&str>) -> Result<&'static str, Refusal> {
    let folded = fold(asked.unwrap_or("both"));
    DIRECTIONS
        .into_iter()
        .find(|direction| *direction == folded)
        .ok_or_else(|| {
            Refusal::with_candidates(
                format!(
                    "there is no direction '{}'. Send one of the candidates, or leave it out",
                    shorten(&folded, 80)
                ),
                DIRECTIONS,
            )
        })
}

/// What an empty list means, and where the record breaks off.
fn notes(table: &Table, upstream: &Way<'_>, downstream: &Way<'_>) -> Vec<String> {
    let name = table.label();
    let mut notes = Vec::new();
    if let Some(upstream) = upstream {
        match table.origin {
            LineageStatus::NotRecorded => {
                notes.push(format!(
                    "Where {name} comes from is not recorded in the catalog."
                ));
            }
            LineageStatus::Generated => {
                notes.push(format!(
                    "{name} is generated: it is made from no other table."
                ));
            }
            LineageStatus::Recorded if table.kind == TableKind::Source => {
                notes.push(format!(
                    "{name} is a source: nothing before it is recorded."
                ));
            }
            LineageStatus::Recorded if upstream.is_empty() => {
                notes.push(format!("{name} is recorded as made from no other table."));
            }
            LineageStatus::Recorded => {}
        }
        let unknown: Vec<&str> = upstream
            .iter()
            .filter(|reached| reached.table.origin == LineageStatus::NotRecorded)
            .map(|reached| reached.table.label())
            .take(MOST_NAMED)
            .collect();
        if !unknown.is_empty() {
            notes.push(format!(
                "The record breaks off at {}: where that comes from is not recorded.",
                unknown.join(", ")
            ));
        }
    }
    if downstream.as_ref().is_some_and(Vec::is_empty) {
        notes.push(format!("No table is recorded as made from {name}."));
    }
    notes
}

fn shown<'a>(way: Way<'a>, name: &str, notes: &mut Vec<String>) -> Vec<Step<'a>> {
    let steps = way.unwrap_or_default();
    let steps = steps.into_iter().map(|reached| Step {
        table: reached.table.label(),
        r#type: reached.table.kind.as_str(),
        distance: reached.distance,
        via: reached.via.into_iter().map(Table::label).collect(),
    });
    let Part { items, omitted } = reply::part(steps, MOST, BYTES);
    if let Some(omitted) = omitted {
        notes.push(format!(
            "{omitted} more tables {name} are left out; the nearest are shown."
        ));
    }
    items
}
