//! What a table is made from, and who reads it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::artefacts::{Exposure, Manifest, Node, ResourceType};
use super::tables::References;
use crate::catalog::format::{Lineage, Status};

/// What a table is made from. What is no relation, an ephemeral model, is passed through to what it is made from.
pub(super) fn of(manifest: &Manifest, id: &str, node: &Node, references: &References) -> Lineage {
    let upstream: Vec<_> = origins(manifest, id, references)
        .into_iter()
        .filter_map(|origin| references.get(origin).cloned())
        .collect();
    // A model without parents may read a table that dbt was not told of. A source is where the record begins, a seed a
    // file of the project.
    let is_start = matches!(
        node.resource_type,
        ResourceType::Source | ResourceType::Seed
    );
    let status = if is_start || !upstream.is_empty() {
        Status::Recorded
    } else {
        Status::NotRecorded
    };
    Lineage { status, upstream }
}

/// Reports and applications, by the id of each table they read.
pub(super) fn consumers(manifest: &Manifest) -> HashMap<String, Vec<String>> {
    let mut consumers: HashMap<String, BTreeMap<&str, String>> = HashMap::new();
    for (id, exposure) in &manifest.exposures {
        let known = |id: &String| {
            let node = manifest.nodes.get(id).or_else(|| manifest.sources.get(id));
            node.is_some_and(Node::is_relation)
        };
        for table in reached(manifest, id, known) {
            let of_table = consumers.entry(table.to_owned()).or_default();
            of_table.insert(id, exposure.to_string());
        }
    }
    let names = |(table, consumers): (String, BTreeMap<_, String>)| {
        (table, consumers.into_values().collect())
    };
    consumers.into_iter().map(names).collect()
}

fn origins<'a>(manifest: &'a Manifest, id: &str, references: &References) -> Vec<&'a str> {
    reached(manifest, id, |id| references.contains_key(id))
}

/// The nearest nodes above that are relations.
fn reached<'a>(
    manifest: &'a Manifest,
    id: &str,
    is_relation: impl Fn(&String) -> bool,
) -> Vec<&'a str> {
    let parents = |id: &str| manifest.parent_map.get(id).into_iter().flatten().rev();
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut open: Vec<&String> = parents(id).collect();
    while let Some(parent) = open.pop() {
        if !seen.insert(parent) {
            continue;
        }
        if is_relation(parent) {
            found.push(parent.as_str());
        } else {
            open.extend(parents(parent));
        }
    }
    found
}

impl std::fmt::Display for Exposure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = [&self.label, &self.name]
            .into_iter()
            .flatten()
            .find(|name| !name.is_empty());
        let name = name.map_or("exposure", String::as_str);
        match &self.r#type {
            Some(kind) => write!(formatter, "{name} ({kind})"),
            None => formatter.write_str(name),
        }
    }
}
