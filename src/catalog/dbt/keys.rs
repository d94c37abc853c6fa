//! Keys, as far as tests and constraints tell them.

use std::collections::{HashMap, HashSet};

use super::artefacts::{Constraint, Manifest, Node, ResourceType};
use super::tables::{References, Spelled};
use crate::catalog::format::{Column, ForeignKey};

/// What tests say of the columns of each node. Columns are in lower case: tests write them as they like.
#[derive(Debug, Default)]
pub(super) struct Keys<'a> {
    unique: HashSet<(&'a str, String)>,
    not_null: HashSet<(&'a str, String)>,
    combined: HashMap<&'a str, Vec<String>>,
    relationships: HashMap<&'a str, Vec<Relationship<'a>>>,
    /// Ids by the relation's name in the database.
    by_relation: HashMap<String, &'a str>,
}

/// A test that each value of a column is in a column of another table.
#[derive(Debug)]
struct Relationship<'a> {
    column: String,
    to: &'a str,
    field: String,
}

// === impl Keys ===

impl<'a> Keys<'a> {
    pub(super) fn of(manifest: &'a Manifest) -> Self {
        let mut keys = Self::default();
        for (id, node) in manifest.nodes.iter().chain(&manifest.sources) {
            if let Some(relation) = &node.relation_name {
                keys.by_relation.insert(bare(relation), id);
            }
            if node.resource_type == ResourceType::Test {
                keys.test(node);
            }
        }
        keys
    }

    fn test(&mut self, node: &'a Node) {
        let (Some(on), Some(test)) = (node.attached_node.as_deref(), &node.test_metadata) else {
            return;
        };
        let name = test.name.as_deref().unwrap_or_default();
        if name == "unique_combination_of_columns" {
            let columns = &test.kwargs.combination_of_columns;
            let columns = columns.iter().map(|column| unquoted(column)).collect();
            self.combined.entry(on).or_insert(columns);
            return;
        }
        let Some(column) = node.column_name.as_deref().map(unquoted) else {
            return;
        };
        match name {
            "unique" => {
                self.unique.insert((on, column.to_lowercase()));
            }
            "not_null" => {
                self.not_null.insert((on, column.to_lowercase()));
            }
            "relationships" | "relationships_where" => {
                // A table that refers to itself is listed once.
                let nodes = &node.depends_on.nodes;
                let to = nodes.iter().find(|id| *id != on).or_else(|| nodes.first());
                if let Some((to, field)) = to.zip(test.kwargs.field.as_deref()) {
                    self.relationships
                        .entry(on)
                        .or_default()
                        .push(Relationship {
                            column,
                            to,
                            field: unquoted(field),
                        });
                }
            }
            _ => {}
        }
    }

    /// The primary key: a constraint, else the first column that is tested to be unique and never empty, else a tested
    /// combination.
    pub(super) fn primary(&self, id: &str, node: &Node, columns: &[Column]) -> Vec<String> {
        let of_table = constraints(node, "primary_key").find(|one| !one.columns.is_empty());
        if let Some(constraint) = of_table {
            return constraint
                .columns
                .iter()
                .map(|column| unquoted(column))
                .collect();
        }
        let all = || columns.iter().map(|column| &column.name);
        let of_columns: Vec<String> = all()
            .filter(|name| has_constraint(node, name, "primary_key"))
            .cloned()
            .collect();
        if !of_columns.is_empty() {
            return of_columns;
        }
        let tested = |name: &&String| {
            let column = (id, name.to_lowercase());
            self.unique.contains(&column) && self.not_null.contains(&column)
        };
        if let Some(name) = all().find(tested) {
            return vec![name.clone()];
        }
        self.combined.get(id).cloned().unwrap_or_default()
    }

    /// Foreign keys: tests of relationships, and constraints.
    pub(super) fn foreign(
        &self,
        id: &str,
        node: &Node,
        references: &References,
        spelled: &Spelled<'_>,
    ) -> Vec<ForeignKey> {
        let mut keys = Vec::new();
        let mut add = |columns: Vec<String>, to: &str, to_columns: Vec<String>| {
            let Some(references) = references.get(to).cloned() else {
                return;
            };
            let key = ForeignKey {
                columns: spelled.all(id, columns),
                references,
                to_columns: spelled.all(to, to_columns),
            };
            if !keys.iter().any(|known| same(known, &key)) {
                keys.push(key);
            }
        };
        for relationship in self.relationships.get(id).into_iter().flatten() {
            let (column, field) = (&relationship.column, &relationship.field);
            add(vec![column.clone()], relationship.to, vec![field.clone()]);
        }
        for (columns, to, to_columns) in self.references(node) {
            let unquoted = |columns: &[String]| columns.iter().map(|one| unquoted(one)).collect();
            add(unquoted(&columns), to, unquoted(to_columns));
        }
        keys
    }

    /// The nodes that foreign keys refer to, one for each key.
    pub(super) fn referred_to(&self, node: &Node) -> Vec<&'a str> {
        self.references(node).map(|(_, to, _)| to).collect()
    }

    /// Foreign keys that are constraints: columns, id of the other node, its columns.
    fn references<'n>(
        &'n self,
        node: &'n Node,
    ) -> impl Iterator<Item = (Vec<String>, &'a str, &'n [String])> {
        let of_columns = node.columns.iter().flat_map(|(name, column)| {
            let name = column.name.as_ref().unwrap_or(name);
            let constraints = column.constraints.iter();
            constraints.map(move |constraint| (constraint, vec![name.clone()]))
        });
        let of_table = node.constraints.iter();
        let of_table = of_table.map(|constraint| (constraint, constraint.columns.clone()));
        let all = of_columns.chain(of_table);
        all.filter_map(|(constraint, columns)| {
            let is_key = constraint.r#type.as_deref() == Some("foreign_key");
            let relation = bare(constraint.to.as_ref().filter(|_| is_key)?);
            let to = self.by_relation.get(&relation)?;
            Some((columns, *to, constraint.to_columns.as_slice()))
        })
    }

    /// Whether a column is tested or bound to be filled.
    pub(super) fn is_never_null(&self, id: &str, node: &Node, column: &str) -> bool {
        has_constraint(node, column, "not_null")
            || self.not_null.contains(&(id, column.to_lowercase()))
    }
}

fn same(one: &ForeignKey, other: &ForeignKey) -> bool {
    one.columns == other.columns
        && one.references == other.references
        && one.to_columns == other.to_columns
}

fn constraints<'a>(node: &'a Node, kind: &str) -> impl Iterator<Item = &'a Constraint> {
    let of_kind = move |constraint: &&Constraint| constraint.r#type.as_deref() == Some(kind);
    node.constraints.iter().filter(of_kind)
}

fn has_constraint(node: &Node, column: &str, kind: &str) -> bool {
    node.columns.iter().any(|(name, documented)| {
        let name = documented.name.as_ref().unwrap_or(name);
        let mut constraints = documented.constraints.iter();
        name.eq_ignore_ascii_case(column)
            && constraints.any(|constraint| constraint.r#type.as_deref() == Some(kind))
    })
}

/// A column as its database calls it: tests may write it in quotes.
fn unquoted(column: &str) -> String {
    let quoted = |quote: char| column.strip_prefix(quote)?.strip_suffix(quote);
    let inner = quoted('"').or_else(|| quoted('`')).unwrap_or(column);
    inner.to_owned()
}

/// The name of a relation without what databases put around its parts.
fn bare(relation: &str) -> String {
    let is_quote = |letter: &char| matches!(letter, '"' | '`' | '[' | ']');
    let name = relation.trim().chars().filter(|letter| !is_quote(letter));
    name.collect::<String>().to_lowercase()
}
