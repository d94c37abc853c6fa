use serde::Serialize;

use crate::catalog::{Catalog, SourceState, Table};

/// Where an answer comes from, and how old that is.
#[derive(Debug, Serialize)]
pub(super) struct Provenance {
    /// The source of the catalog; several are separated by commas.
    source: String,
    /// The state of the data the answer describes; of several sources the oldest.
    as_of: String,
    /// There only if a source could not be read again when that was due.
    #[serde(skip_serializing_if = "is_false")]
    is_stale: bool,
}

/// An element of a list, whose other elements are no place to say it.
#[derive(Debug, Serialize)]
pub(super) struct Stale<'a> {
    source: &'a str,
    as_of: String,
    /// Always true.
    #[serde(rename = "is_stale")]
    flag: bool,
    hint: &'static str,
}

// === impl Provenance ===

impl Provenance {
    /// Of an answer that looked everywhere.
    pub(super) fn of_all(catalog: &Catalog) -> Self {
        Self::of(catalog.sources().iter())
    }

    /// Of an answer about these tables.
    pub(super) fn of_tables<'a>(
        catalog: &'a Catalog,
        tables: impl IntoIterator<Item = &'a Table>,
    ) -> Self {
        let mut sources: Vec<&SourceState> = Vec::new();
        for source in tables.into_iter().filter_map(|table| catalog.source(table)) {
            if sources.iter().all(|known| known.name() != source.name()) {
                sources.push(source);
            }
        }
        Self::of(sources.into_iter())
    }

    fn of<'a>(sources: impl Iterator<Item = &'a SourceState> + Clone) -> Self {
        let names: Vec<&str> = sources.clone().map(SourceState::name).collect();
        let oldest = sources.clone().map(SourceState::as_of).min();
        Self {
            source: names.join(", "),
            as_of: oldest.unwrap_or_default().to_string(),
            is_stale: sources.clone().any(SourceState::is_stale),
        }
    }
}

/// The source of a table, where there are several to tell apart.
pub(super) fn source_of<'a>(catalog: &'a Catalog, table: &Table) -> Option<&'a str> {
    if catalog.sources().len() < 2 {
        return None;
    }
    catalog.source(table).map(SourceState::name)
}

/// The sources that could not be read again, as elements of a list.
pub(super) fn stale(catalog: &Catalog) -> impl Iterator<Item = Stale<'_>> {
    let stale = catalog.sources().iter().filter(|source| source.is_stale());
    stale.map(|source| Stale {
        source: source.name(),
        as_of: source.as_of().to_string(),
        flag: true,
        hint: "This source could not be read again: what is listed of it may be out of date",
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !value
}
