//! Tables out of nodes.

use std::collections::HashMap;

use serde_json::Value;

use super::artefacts::{Catalog, DocumentedColumn, Manifest, Node, Relation, ResourceType, text};
use super::keys::Keys;
use super::lineage;
use crate::catalog::format::{Column, Kind, Reference, Table};
use crate::matching::{fold, tokens};

/// Where the tables are: a reference for the id of each node that is a relation.
pub(super) type References = HashMap<String, Reference>;

/// Every table of the project and its sources.
pub(super) fn all(manifest: &Manifest, catalog: &Catalog) -> Vec<Table> {
    let relations: Vec<(&String, &Node)> = manifest
        .nodes
        .iter()
        .chain(&manifest.sources)
        .filter(|(_, node)| node.is_relation())
        .collect();
    let references = references(&relations);
    let keys = Keys::of(manifest);
    let consumers = lineage::consumers(manifest);
    let relation = |id: &String| catalog.nodes.get(id).or_else(|| catalog.sources.get(id));
    let mut columns_of: Vec<Vec<Column>> = Vec::with_capacity(relations.len());
    let mut spelled = Spelled::default();
    for (id, node) in &relations {
        let columns = columns(id, node, relation(id), &keys);
        spelled.add(id, &columns);
        columns_of.push(columns);
    }
    let one = |((id, node), columns): ((&String, &Node), Vec<Column>)| {
        let relation = relation(id);
        let Some(Reference::Exact { schema, name }) = references.get(id).cloned() else {
            return None;
        };
        Some(Table {
            schema,
            name,
            kind: kind(node, relation),
            description: given(node.description.as_ref()).or_else(|| {
                given(relation.and_then(|relation| relation.metadata.comment.as_ref()))
            }),
            grain: node.meta(|meta| &meta.grain),
            owner: owner(manifest, node, relation),
            refresh: node.meta(|meta| &meta.refresh),
            synonyms: synonyms(node),
            primary_key: spelled.all(id, keys.primary(id, node, &columns)),
            foreign_keys: keys.foreign(id, node, &references, &spelled),
            lineage: Some(lineage::of(manifest, id, node, &references, &keys)),
            consumers: consumers.get(id).cloned().unwrap_or_default(),
            columns,
        })
    };
    let relations = relations.iter().copied().zip(columns_of);
    relations.filter_map(one).collect()
}

/// The names of columns as the database writes them, where that is not in lower case: projects often write them otherwise.
#[derive(Debug, Default)]
pub(super) struct Spelled<'a> {
    /// By the id of the table and the name in lower case.
    by_lower: HashMap<(&'a str, String), String>,
}

/// A schema is named with its database only where two databases have the same one with the same table in it.
fn references(relations: &[(&String, &Node)]) -> References {
    let place = |node: &Node| {
        let name = [&node.identifier, &node.alias, &node.name]
            .into_iter()
            .find_map(|name| given(name.as_ref()));
        (
            node.schema.clone().unwrap_or_default(),
            name.unwrap_or_default(),
        )
    };
    let mut uses: HashMap<(String, String), usize> = HashMap::new();
    for (_, node) in relations {
        *uses.entry(place(node)).or_default() += 1;
    }
    let reference = |(id, node): &(&String, &Node)| {
        let (mut schema, name) = place(node);
        let is_shared = uses.get(&(schema.clone(), name.clone())) > Some(&1);
        if let Some(database) = given(node.database.as_ref()).filter(|_| is_shared) {
            schema = format!("{database}.{schema}");
        }
        ((*id).clone(), Reference::exact(schema, name))
    };
    relations.iter().map(reference).collect()
}

/// What somebody says it is, or what its name says, or what it is in the database.
fn kind(node: &Node, relation: Option<&Relation>) -> Kind {
    if node.resource_type == ResourceType::Source {
        return Kind::Source;
    }
    let said = node.meta(|meta| &meta.table_type);
    let named = node
        .name
        .as_deref()
        .and_then(|name| tokens(name).into_iter().next());
    for word in said.map(|said| fold(&said)).into_iter().chain(named) {
        match word.as_str() {
            "fact" | "fct" => return Kind::Fact,
            "dimension" | "dim" | "dimv" => return Kind::Dimension,
            "view" => return Kind::View,
            "table" => return Kind::Table,
            _ => {}
        }
    }
    let stored = relation.and_then(|relation| relation.metadata.r#type.as_deref());
    let stored = stored.or(node.config.materialized.as_deref());
    if stored.is_some_and(|stored| fold(stored).contains("view")) {
        Kind::View
    } else {
        Kind::Table
    }
}

/// The columns the database has, in their order; without it those that somebody documented, in the order of their names.
fn columns(id: &str, node: &Node, relation: Option<&Relation>, keys: &Keys<'_>) -> Vec<Column> {
    let documented: HashMap<String, &DocumentedColumn> = node
        .columns
        .iter()
        .map(|(name, column)| (column.name.as_ref().unwrap_or(name).to_lowercase(), column))
        .collect();
    let mut stored: Vec<(i64, &str, Option<&String>, Option<&String>)> = Vec::new();
    match relation {
        Some(relation) => stored.extend(relation.columns.iter().map(|(name, column)| {
            let name = column.name.as_ref().unwrap_or(name);
            (
                column.index,
                name.as_str(),
                column.r#type.as_ref(),
                column.comment.as_ref(),
            )
        })),
        None => stored.extend(node.columns.iter().map(|(name, column)| {
            let name = column.name.as_ref().unwrap_or(name);
            (0, name.as_str(), None, None)
        })),
    }
    stored.sort_unstable_by_key(|(index, name, ..)| (*index, *name));
    let column = |(_, name, data_type, comment): (_, &str, Option<&String>, Option<&String>)| {
        let documented = documented.get(&name.to_lowercase());
        let said = |field: fn(&DocumentedColumn) -> Option<&String>| {
            documented.and_then(|column| given(field(column)))
        };
        Column {
            name: name.to_owned(),
            data_type: given(data_type)
                .or_else(|| said(|column| column.data_type.as_ref()))
                .unwrap_or_default(),
            description: said(|column| column.description.as_ref()).or_else(|| given(comment)),
            nullable: keys.is_never_null(id, node, name).then_some(false),
        }
    };
    stored.into_iter().map(column).collect()
}

/// `meta.owner`, or who owns the group.
fn owner(manifest: &Manifest, node: &Node, relation: Option<&Relation>) -> Option<String> {
    let of_group = || {
        let name = node.group.as_ref()?;
        let mut groups = manifest.groups.values();
        let group = groups.find(|group| group.name.as_ref() == Some(name))?;
        given(Some(&group.owner.to_string()))
    };
    node.meta(|meta| &meta.owner)
        .or_else(of_group)
        .or_else(|| given(relation.and_then(|relation| relation.metadata.owner.as_ref())))
}

fn synonyms(node: &Node) -> Vec<String> {
    let values = [&node.meta.synonyms, &node.config.meta.synonyms];
    let list = values.into_iter().find_map(Value::as_array);
    list.into_iter().flatten().filter_map(text).collect()
}

fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty()).cloned()
}

// === impl Spelled ===

impl<'a> Spelled<'a> {
    fn add(&mut self, id: &'a str, columns: &[Column]) {
        for name in columns.iter().map(|column| &column.name) {
            let lower = name.to_lowercase();
            if lower != *name {
                self.by_lower.insert((id, lower), name.clone());
            }
        }
    }

    /// The names as the database writes them; one it does not have as it is.
    pub(super) fn all(&self, id: &str, names: Vec<String>) -> Vec<String> {
        let spelled = |name: String| {
            let known = self.by_lower.get(&(id, name.to_lowercase()));
            known.cloned().unwrap_or(name)
        };
        names.into_iter().map(spelled).collect()
    }
}
