//! From the parts of all sources to one graph.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::part::Part;
use super::{Catalog, Described, ForeignKey, Links, SourceState, Table, TableId};
use crate::matching::{Names, Words, fold};

/// How often a name is used, bare and with its schema.
#[derive(Debug, Default)]
struct Uses<'a> {
    bare: HashMap<&'a str, usize>,
    qualified: HashMap<(&'a str, &'a str), usize>,
}

/// One catalog of all of them, in this order. Keys and lineage stay within a part.
pub(super) fn merge(parts: &[(SourceState, Arc<Part>)]) -> Catalog {
    let described = || parts.iter().flat_map(|(_, part)| &part.tables);
    let mut uses = Uses::default();
    for description in described() {
        uses.count(description);
    }
    let mut tables = Vec::with_capacity(described().count());
    let mut keys = Vec::new();
    let mut upstream = Vec::with_capacity(tables.capacity());
    for (source, (state, part)) in parts.iter().enumerate() {
        let offset = tables.len();
        for description in &part.tables {
            let label = uses.label(state.name(), description);
            let id = TableId::new(tables.len());
            tables.push(Table::new(id, source, Arc::clone(description), label));
        }
        keys.extend(part.keys.iter().map(|key| ForeignKey {
            from: key.from.after(offset),
            to: key.to.after(offset),
            ..key.clone()
        }));
        let moved = |ids: &Vec<TableId>| ids.iter().map(|id| id.after(offset)).collect();
        upstream.extend(part.upstream.iter().map(moved));
    }
    let links = link(&keys, upstream);
    let sources = parts.iter().map(|(state, _)| state.clone()).collect();
    index(sources, tables, links, keys)
}

fn link(keys: &[ForeignKey], upstream: Vec<Vec<TableId>>) -> Vec<Links> {
    let mut links: Vec<Links> = upstream
        .into_iter()
        .map(|upstream| Links {
            upstream,
            ..Links::default()
        })
        .collect();
    for (number, key) in (0..).zip(keys) {
        if let Some(from) = links.get_mut(key.from.place()) {
            from.keys_from.push(number);
        }
        if let Some(to) = links.get_mut(key.to.place()) {
            to.keys_to.push(number);
        }
    }
    for place in 0..links.len() {
        let sources = links
            .get(place)
            .map_or_else(Vec::new, |links| links.upstream.clone());
        for source in sources {
            if let Some(source) = links.get_mut(source.place()) {
                source.downstream.push(TableId::new(place));
            }
        }
    }
    links
}

fn index(
    sources: Vec<SourceState>,
    tables: Vec<Table>,
    links: Vec<Links>,
    keys: Vec<ForeignKey>,
) -> Catalog {
    let mut by_name: HashMap<String, Vec<TableId>> = HashMap::new();
    let mut synonyms: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for table in &tables {
        by_name.entry(fold(&table.name)).or_default().push(table.id);
        synonyms
            .entry(&table.name)
            .or_default()
            .extend(table.synonyms.iter().map(String::as_str));
    }
    let names = Names::with_synonyms(synonyms);
    let schemas: BTreeSet<&str> = tables.iter().map(|table| table.schema.as_str()).collect();
    let schemas = Names::new(schemas);
    let columns = tables.iter().flat_map(|table| &table.columns);
    let columns: HashSet<&str> = columns.map(|column| &*column.name).collect();
    let column_words = Words::new(columns);
    Catalog {
        sources,
        tables,
        links,
        keys,
        names,
        by_name,
        schemas,
        column_words,
    }
}

// === impl Uses ===

impl<'a> Uses<'a> {
    fn count(&mut self, table: &'a Described) {
        *self.bare.entry(&table.name).or_default() += 1;
        *self
            .qualified
            .entry((&table.schema, &table.name))
            .or_default() += 1;
    }

    /// The shortest name that means only this table, if that is not its bare one.
    fn label(&self, source: &str, table: &Described) -> Option<String> {
        let (schema, name) = (table.schema.as_str(), table.name.as_str());
        if self
            .qualified
            .get(&(schema, name))
            .is_some_and(|uses| *uses > 1)
        {
            Some(format!("{source}.{schema}.{name}"))
        } else if self.bare.get(name).is_some_and(|uses| *uses > 1) || self.is_qualified(name) {
            Some(format!("{schema}.{name}"))
        } else {
            None
        }
    }

    /// Whether a bare name reads like another table's name with its schema.
    fn is_qualified(&self, name: &str) -> bool {
        name.match_indices('.')
            .any(|(dot, _)| match (name.get(..dot), name.get(dot + 1..)) {
                (Some(schema), Some(rest)) => self.qualified.contains_key(&(schema, rest)),
                _ => false,
            })
    }
}
