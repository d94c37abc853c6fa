//! What a table is made from, and who reads it.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::artefacts::{Exposure, Manifest, Node, ResourceType};
use super::keys::Keys;
use super::tables::References;
use crate::catalog::format::{Lineage, Status};

/// What a table is made from. What is no relation, an ephemeral model, is passed through to what it is made from.
pub(super) fn of(
    manifest: &Manifest,
    id: &str,
    node: &Node,
    references: &References,
    keys: &Keys<'_>,
) -> Lineage {
    let only_key = only_referred_to(manifest, node, keys);
    let is_origin = |id: &str| !only_key.contains(id);
    let upstream: Vec<_> = reached(manifest, id, is_origin, |id| references.contains_key(id))
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
        for table in reached(manifest, id, |_| true, known) {
            let of_table = consumers.entry(table.to_owned()).or_default();
            of_table.insert(id, exposure.to_string());
        }
    }
    let names = |(table, consumers): (String, BTreeMap<_, String>)| {
        (table, consumers.into_values().collect())
    };
    consumers.into_iter().map(names).collect()
}

/// The parents that are only there because a foreign key refers to them: dbt takes its `to` for one more `ref`, but no
/// data comes from it.
fn only_referred_to<'a>(manifest: &Manifest, node: &Node, keys: &Keys<'a>) -> HashSet<&'a str> {
    let mut by_keys: HashMap<&str, usize> = HashMap::new();
    for to in keys.referred_to(node) {
        *by_keys.entry(to).or_default() += 1;
    }
    let is_only_key = |(to, keys): &(&str, usize)| {
        let mentions = match manifest.sources.get(*to) {
            Some(source) => {
                let table = [source.source_name.as_ref(), source.name.as_ref()];
                let mentions = node.sources.iter();
                mentions
                    .filter(|mention| mention.iter().map(Some).eq(table))
                    .count()
            }
            None => {
                let name = manifest.nodes.get(*to).and_then(|node| node.name.as_ref());
                node.refs
                    .iter()
                    .filter(|one| one.name.as_ref() == name)
                    .count()
            }
        };
        mentions <= *keys
    };
    by_keys
        .into_iter()
        .filter(is_only_key)
        .map(|(to, _)| to)
        .collect()
}

/// The nearest nodes above that are relations.
fn reached<'a>(
    manifest: &'a Manifest,
    id: &str,
    is_origin: impl Fn(&str) -> bool,
    is_relation: impl Fn(&String) -> bool,
) -> Vec<&'a str> {
    let parents = |id: &str| manifest.parent_map.get(id).into_iter().flatten().rev();
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut open: Vec<&String> = parents(id).filter(|id| is_origin(id)).collect();
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
