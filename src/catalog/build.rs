//! From a file to a part of the catalog: everything is checked, and every name of a table is resolved.

mod clean;
mod limits;
mod references;

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::part::Part;
use super::{Column, Description, LineageStatus, TableId, TableKind, format};
pub(super) use clean::Cleaned;
use limits::{check_count, check_name, check_optional_text, check_text};
use references::Directory;

/// What is wrong with a file, and where.
#[derive(Debug)]
pub(super) struct Flaw {
    /// JSON path.
    pub(super) at: String,
    pub(super) problem: String,
}

/// A table of the file, with its place there for error messages.
#[derive(Debug)]
struct Listed {
    at: String,
    table: format::Table,
}

/// Checks a file as a whole, and resolves what its tables say of each other.
pub(super) fn build(file: format::File, modified: Timestamp) -> Result<Part, Flaw> {
    if file.format != format::FORMAT {
        return Err(Flaw::new(
            "format",
            format!(
                "this dragoman reads format {}, not {}. Write \"format\": {}",
                format::FORMAT,
                file.format,
                format::FORMAT
            ),
        ));
    }
    check_name("name", &file.name)?;
    let as_of = match &file.as_of {
        Some(text) => parse_as_of(text)?,
        None => modified,
    };
    let listed = check_tables(file.tables)?;
    let directory = Directory::new(&listed)?;
    let mut keys = Vec::new();
    let mut upstream = Vec::with_capacity(listed.len());
    for (place, Listed { at, table }) in listed.iter().enumerate() {
        directory.read_keys(at, TableId::new(place), table, &mut keys)?;
        upstream.push(directory.read_upstream(at, table)?);
    }
    let tables = listed
        .into_iter()
        .map(|listed| Arc::new(describe(listed.table)))
        .collect();
    Ok(Part {
        name: file.name,
        as_of,
        tables,
        keys,
        upstream,
    })
}

/// Builds what can be used of a source that nobody here wrote, and counts the rest.
pub(super) fn lenient(mut file: format::File, read: Timestamp) -> Result<(Part, Cleaned), Flaw> {
    let cleaned = clean::clean(&mut file);
    if file.tables.is_empty() {
        return Err(Flaw::new(
            "tables",
            "there is none that could be asked about",
        ));
    }
    let part = build(file, read)?;
    Ok((part, cleaned))
}

/// Checks each table by itself and puts them into the order of the catalog.
fn check_tables(tables: Vec<format::Table>) -> Result<Vec<Listed>, Flaw> {
    if tables.is_empty() {
        return Err(Flaw::new(
            "tables",
            "there is no table. Describe at least one",
        ));
    }
    check_count("tables", tables.len(), limits::TABLES)?;
    let mut listed = Vec::with_capacity(tables.len());
    for (place, table) in tables.into_iter().enumerate() {
        let at = format!("tables[{place}]");
        check_table(&at, &table)?;
        listed.push(Listed { at, table });
    }
    let order = |listed: &Listed| {
        let table = &listed.table;
        (
            table.schema.clone(),
            TableKind::from(table.kind),
            table.name.clone(),
        )
    };
    listed.sort_by_cached_key(order);
    Ok(listed)
}

fn check_table(at: &str, table: &format::Table) -> Result<(), Flaw> {
    check_name(&format!("{at}.schema"), &table.schema)?;
    check_name(&format!("{at}.name"), &table.name)?;
    for (field, text) in [
        ("description", &table.description),
        ("grain", &table.grain),
        ("owner", &table.owner),
        ("refresh", &table.refresh),
    ] {
        check_optional_text(|| format!("{at}.{field}"), text.as_deref())?;
    }
    check_count(
        &format!("{at}.synonyms"),
        table.synonyms.len(),
        limits::SYNONYMS,
    )?;
    for (place, synonym) in table.synonyms.iter().enumerate() {
        check_name(&format!("{at}.synonyms[{place}]"), synonym)?;
    }
    check_count(
        &format!("{at}.consumers"),
        table.consumers.len(),
        limits::CONSUMERS,
    )?;
    for (place, consumer) in table.consumers.iter().enumerate() {
        check_name(&format!("{at}.consumers[{place}]"), consumer)?;
    }
    check_count(
        &format!("{at}.columns"),
        table.columns.len(),
        limits::COLUMNS,
    )?;
    let mut names = HashSet::new();
    for (place, column) in table.columns.iter().enumerate() {
        let at = || format!("{at}.columns[{place}]");
        check_name(&format!("{}.name", at()), &column.name)?;
        check_text(&format!("{}.type", at()), &column.data_type)?;
        check_optional_text(
            || format!("{}.description", at()),
            column.description.as_deref(),
        )?;
        if !names.insert(column.name.as_str()) {
            return Err(Flaw::new(
                format!("{}.name", at()),
                format!(
                    "the table has two columns called '{}'. Remove one",
                    column.name
                ),
            ));
        }
    }
    let mut key = HashSet::new();
    for (place, column) in table.primary_key.iter().enumerate() {
        let at = || format!("{at}.primary_key[{place}]");
        if !names.contains(column.as_str()) {
            return Err(Flaw::new(at(), references::no_column(column, table)));
        }
        if !key.insert(column) {
            return Err(Flaw::new(
                at(),
                format!("'{column}' is listed twice. Remove one"),
            ));
        }
    }
    Ok(())
}

/// A moment, or a day, which then means its beginning in UTC.
fn parse_as_of(text: &str) -> Result<Timestamp, Flaw> {
    let day = || -> Option<Timestamp> {
        let day: Date = text.parse().ok()?;
        day.to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    };
    text.parse().ok().or_else(day).ok_or_else(|| {
        Flaw::new(
            "as_of",
            "this is no time. Write a moment as 2026-11-20T04:30:00Z, or a day as 2026-11-20",
        )
    })
}

fn describe(table: format::Table) -> Description {
    let columns = table
        .columns
        .into_iter()
        .map(|column| {
            let primary_key = table.primary_key.contains(&column.name);
            Column {
                // What identifies a row is never empty, whatever is written.
                nullable: !primary_key && column.nullable.unwrap_or(true),
                primary_key,
                name: column.name,
                data_type: column.data_type,
                description: column.description,
            }
        })
        .collect();
    Description {
        name: table.name,
        schema: table.schema,
        kind: table.kind.into(),
        description: table.description,
        grain: table.grain,
        owner: table.owner,
        refresh: table.refresh,
        synonyms: table.synonyms,
        primary_key: table.primary_key,
        columns,
        origin: table
            .lineage
            .map_or(LineageStatus::NotRecorded, |lineage| lineage.status.into()),
        consumers: table.consumers,
    }
}

// === impl Flaw ===

impl Flaw {
    fn new(at: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            problem: problem.into(),
        }
    }
}
