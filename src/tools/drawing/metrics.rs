use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::catalog::{Catalog, SourceState, Table, TableKind};
use crate::chat::CatalogMetrics;

/// Figures of the schema all these tables are in, or else of the whole catalog.
pub(super) fn of(catalog: &Catalog, scope: &[&Table]) -> CatalogMetrics {
    let place = |table: &Table| {
        (
            catalog.source(table).map(SourceState::name),
            table.schema.clone(),
        )
    };
    // Where data comes from says nothing about which part of the warehouse was meant.
    let mut places = scope
        .iter()
        .filter(|table| table.kind != TableKind::Source)
        .map(|table| place(table));
    let schema = places
        .next()
        .filter(|first| places.all(|other| other == *first));
    let tables: Vec<&Table> = catalog
        .tables()
        .filter(|table| table.kind != TableKind::Source)
        .filter(|table| schema.as_ref().is_none_or(|schema| place(table) == *schema))
        .collect();
    let mut sources: Vec<&SourceState> = Vec::new();
    for source in catalog.sources() {
        let source_name = Some(source.name());
        if schema.as_ref().is_none_or(|(name, _)| *name == source_name) {
            sources.push(source);
        }
    }
    let kind = |kind| count(tables.iter().filter(|table| table.kind == kind).count());
    CatalogMetrics {
        tables: count(tables.len()),
        columns: count(tables.iter().map(|table| table.columns.len()).sum()),
        facts: kind(TableKind::Fact),
        dimensions: kind(TableKind::Dimension),
        quality: described(&tables),
        relationships: count(
            tables
                .iter()
                .map(|table| catalog.keys_from(table).count())
                .sum(),
        ),
        as_of: whole_millis(sources.iter().map(|source| source.as_of()).min()),
        is_stale: sources.iter().any(|source| source.is_stale()),
        schema: schema.map(|(_, name)| name.into()),
    }
}

/// How many of the tables and columns have a description, in percent.
fn described(tables: &[&Table]) -> Option<u32> {
    let columns = || tables.iter().flat_map(|table| &table.columns);
    let all = tables.len() + columns().count();
    let described = tables
        .iter()
        .filter(|table| table.description.is_some())
        .count()
        + columns()
            .filter(|column| column.description.is_some())
            .count();
    (described * 100).checked_div(all).map(count)
}

fn whole_millis(time: Option<Timestamp>) -> SystemTime {
    let millis = time.unwrap_or_default().as_millisecond();
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
