//! From rows to tables. No server is needed for it.

use std::collections::{HashMap, HashSet};

use crate::catalog::format::{Column, ForeignKey, Kind, Lineage, Reference, Status, Table};
use crate::matching::tokens;

/// A relation the role may read.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) oid: u32,
    pub(super) schema: String,
    pub(super) name: String,
    /// `pg_class.relkind`.
    pub(super) kind: String,
    pub(super) comment: Option<String>,
}

/// A primary key, or a foreign key if it refers to something.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) from: u32,
    pub(super) columns: Vec<String>,
    pub(super) to: Option<u32>,
    /// The table of which `to` is a partition.
    pub(super) to_root: Option<u32>,
    pub(super) to_columns: Vec<String>,
}

/// What a view is made from. Without a source: something nobody recorded.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) view: u32,
    pub(super) source: Option<u32>,
    /// The table of which `source` is a partition.
    pub(super) root: Option<u32>,
}

/// Tables in the making. First all of them are added, then their columns, then what connects them.
#[derive(Debug, Default)]
pub(super) struct Tables {
    list: Vec<Table>,
    /// Place in `list` by object id.
    places: HashMap<u32, usize>,
    /// The origins of every view, those too that the role may not read.
    origins: HashMap<u32, Vec<Origin>>,
}

// === impl Tables ===

impl Tables {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The object ids of all tables.
    pub(super) fn oids(&self) -> Vec<u32> {
        self.places.keys().copied().collect()
    }

    pub(super) fn add(&mut self, relation: Relation) {
        let kind = kind(&relation.kind, &relation.name);
        self.places.insert(relation.oid, self.list.len());
        self.list.push(Table {
            schema: relation.schema,
            name: relation.name,
            kind,
            description: relation.comment,
            lineage: (kind == Kind::Source).then(|| recorded(Vec::new())),
            ..Table::default()
        });
    }

    pub(super) fn add_column(&mut self, relation: u32, column: Column) {
        let place = self.places.get(&relation);
        if let Some(table) = place.and_then(|place| self.list.get_mut(*place)) {
            table.columns.push(column);
        }
    }

    /// A key of which the role may not read every column is not known to it.
    pub(super) fn add_key(&mut self, key: Key) {
        let Some(to) = key.to else {
            if let Some(table) = self.of_mut(key.from)
                && has_all(table, &key.columns)
            {
                table.primary_key = key.columns;
            }
            return;
        };
        let Some(target) = self.visible(to, key.to_root).and_then(|oid| self.of(oid)) else {
            return;
        };
        let is_known = has_all(target, &key.to_columns);
        let references = reference(target);
        if let Some(table) = self.of_mut(key.from)
            && is_known
            && has_all(table, &key.columns)
            && !table.foreign_keys.iter().any(|other| {
                other.references == references
                    && other.columns == key.columns
                    && other.to_columns == key.to_columns
            })
        {
            table.foreign_keys.push(ForeignKey {
                columns: key.columns,
                references,
                to_columns: key.to_columns,
            });
        }
    }

    pub(super) fn add_origin(&mut self, origin: Origin) {
        self.origins.entry(origin.view).or_default().push(origin);
    }

    pub(super) fn finish(mut self) -> Vec<Table> {
        let lineages: Vec<(usize, Lineage)> = self
            .places
            .iter()
            .filter_map(|(view, place)| Some((*place, self.lineage(*view)?)))
            .collect();
        for (place, lineage) in lineages {
            if let Some(table) = self.list.get_mut(place) {
                table.lineage = Some(lineage);
            }
        }
        self.list
    }

    /// All that a view is made from, seen through the views between that the role may not read. Nothing if any of it is
    /// hidden or not recorded, as a part would pass for the whole.
    fn lineage(&self, view: u32) -> Option<Lineage> {
        let mut upstream: Vec<u32> = Vec::new();
        let mut open = vec![view];
        let mut seen = HashSet::from([view]);
        while let Some(view) = open.pop() {
            for origin in self.origins.get(&view)? {
                let source = origin.source?;
                match self.visible(source, origin.root) {
                    Some(table) if seen.insert(table) => upstream.push(table),
                    None if seen.insert(source) => open.push(source),
                    _ => {}
                }
            }
        }
        let mut names: Vec<Reference> = upstream
            .into_iter()
            .filter_map(|oid| self.of(oid).map(reference))
            .collect();
        names.sort_by_cached_key(ToString::to_string);
        Some(recorded(names))
    }

    /// The relation itself or the table it is a partition of, whichever the role may read.
    fn visible(&self, relation: u32, root: Option<u32>) -> Option<u32> {
        let known = |oid: &u32| self.places.contains_key(oid);
        [Some(relation), root].into_iter().flatten().find(known)
    }

    fn of(&self, oid: u32) -> Option<&Table> {
        self.list.get(*self.places.get(&oid)?)
    }

    fn of_mut(&mut self, oid: u32) -> Option<&mut Table> {
        self.list.get_mut(*self.places.get(&oid)?)
    }
}

/// What a relation is. The data of a foreign table is somewhere else, whatever it is called here.
fn kind(relkind: &str, name: &str) -> Kind {
    match relkind {
        "v" | "m" => Kind::View,
        "f" => Kind::Source,
        _ => by_name(name),
    }
}

/// Facts and dimensions by the usual first words of their names: `fact_sales`, `dimv_date`, `FactSales`.
fn by_name(name: &str) -> Kind {
    match tokens(name).first().map(String::as_str) {
        Some("fact" | "factv" | "fct") => Kind::Fact,
        Some("dim" | "dimv" | "dimension") => Kind::Dimension,
        _ => Kind::Table,
    }
}

fn has_all(table: &Table, names: &[String]) -> bool {
    names
        .iter()
        .all(|name| table.columns.iter().any(|column| column.name == *name))
}

fn reference(table: &Table) -> Reference {
    Reference::exact(&table.schema, &table.name)
}

fn recorded(upstream: Vec<Reference>) -> Lineage {
    Lineage {
        status: Status::Recorded,
        upstream,
    }
}

#[cfg(test)]
mod tests;
