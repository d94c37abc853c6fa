//! What tables are made from.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::config::RelationOf;
use super::dump::{Dump, End};
use super::names::{self, FullName};
use super::tables::relations;
use crate::catalog::format::{Kind, Lineage, Reference, Status, Table};

/// Assets outside of what was read.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) tables: Vec<Table>,
    known: HashSet<Reference>,
}

/// What each table is made from. What is no table that was read becomes a source.
pub(super) fn upstream<'a>(
    dump: &Dump,
    references: &HashMap<&'a str, Reference>,
    places: &HashMap<&str, (&'a str, &str)>,
    sources: &mut Sources,
) -> HashMap<&'a str, Vec<Reference>> {
    let taken: HashSet<Reference> = references.values().cloned().collect();
    let table_of = |id: &str| {
        let of_column = places.get(id).map(|(table, _)| *table);
        of_column.or_else(|| references.get_key_value(id).map(|(id, _)| *id))
    };
    let mut origins: HashMap<&'a str, BTreeMap<String, Reference>> = HashMap::new();
    for relation in relations(dump, RelationOf::Lineage) {
        let Some(table) = table_of(&relation.target.id) else {
            continue;
        };
        let origin = match table_of(&relation.source.id) {
            Some(origin) if origin == table => continue,
            Some(origin) => references.get(origin).cloned(),
            None => sources.reference(&relation.source, &taken),
        };
        if let Some(origin) = origin {
            let of_table = origins.entry(table).or_default();
            of_table.insert(origin.to_string(), origin);
        }
    }
    let in_order = |(table, origins): (_, BTreeMap<_, _>)| (table, origins.into_values().collect());
    origins.into_iter().map(in_order).collect()
}

// === impl Sources ===

impl Sources {
    /// The source an end of a relation is; `None` if nobody can name it.
    fn reference(&mut self, end: &End, taken: &HashSet<Reference>) -> Option<Reference> {
        let mut name = FullName::of(&end.full_name, &end.display_name);
        if names::is_column(&end.full_name) {
            name = name.table()?;
        }
        if name.name.is_empty() {
            return None;
        }
        let of = |schema: String| Reference::exact(schema, &name.name);
        let mut reference = of(name.schema().to_owned());
        if taken.contains(&reference) {
            reference = of(name.schema_in_database());
        }
        if taken.contains(&reference) {
            return None;
        }
        if self.known.insert(reference.clone()) {
            let Reference::Exact { schema, name } = reference.clone() else {
                return None;
            };
            self.tables.push(Table {
                schema,
                name,
                kind: Kind::Source,
                // The record begins here.
                lineage: Some(Lineage {
                    status: Status::Recorded,
                    upstream: Vec::new(),
                }),
                ..Table::default()
            });
        }
        Some(reference)
    }
}
