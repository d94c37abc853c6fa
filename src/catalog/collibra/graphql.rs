//! The graph as the Knowledge Graph API gives it: assets with their attributes and relations in one answer.
//!
//! <https://developer.collibra.com/api/graphql/knowledge-graph>. Pages follow each other by the last id seen.

mod answer;
mod queries;

use std::collections::HashSet;

use futures_util::future::try_join_all;
use serde_json::{Map, Value, json};

use super::answer::one_line;
use super::client::Client;
use super::config::{RelationOf, TypeOf};
use super::dump::{Asset, Dump, End};
use super::error::Problem;
use super::operating_model::OperatingModel;
use super::pages::MOST_PAGES;
use super::request::Request;

use answer::{Answer, Edge, Node};
use queries::{RELATIONS, more_query, query};

/// Where it is. Not every Collibra has it.
pub(super) const PATH: &str = "/graphql/knowledgeGraph/v1";

/// Reads every table, view and column.
pub(super) async fn read(client: &Client, model: &OperatingModel) -> Result<Dump, Problem> {
    let kinds = [TypeOf::Table, TypeOf::View, TypeOf::Column];
    let lists = kinds.into_iter().flat_map(|of| {
        let places = places(client).into_iter();
        places.map(move |place| list(client, model, of, place))
    });
    let lists = try_join_all(lists).await?;
    let mut dump = Dump::default();
    for (of, node) in lists.into_iter().flatten() {
        take(&mut dump, model, of, node);
    }
    Ok(dump)
}

/// Filters for the domains that are read, one after the other.
fn places(client: &Client) -> Vec<Option<Value>> {
    let config = &client.config;
    let mut places = Vec::new();
    if !config.domains.is_empty() {
        places.push(Some(json!({ "id": { "in": config.domains } })));
    }
    if !config.communities.is_empty() {
        places.push(Some(
            json!({ "parent": { "id": { "in": config.communities } } }),
        ));
    }
    if places.is_empty() {
        places.push(None);
    }
    places
}

async fn list(
    client: &Client,
    model: &OperatingModel,
    of: TypeOf,
    place: Option<Value>,
) -> Result<Vec<(TypeOf, Node)>, Problem> {
    let types = model.types_of(of);
    if types.is_empty() {
        return Ok(Vec::new());
    }
    let lineage = model.relations_of(RelationOf::Lineage);
    let query = query(!lineage.is_empty());
    let mut filter = Map::from_iter([("type".to_owned(), json!({ "id": { "in": types } }))]);
    filter.extend(place.map(|place| ("domain".to_owned(), place)));
    let (mut nodes, mut seen) = (Vec::new(), HashSet::new());
    for _ in 0..MOST_PAGES {
        let mut variables = Map::from_iter([
            ("limit".to_owned(), json!(client.config.page_size)),
            ("where".to_owned(), json!(filter)),
        ]);
        if !lineage.is_empty() {
            variables.insert("lineage".to_owned(), json!(lineage));
        }
        let page = ask(client, &query, variables.into()).await?;
        // Less than was asked for may only mean that the server gives less at a time.
        let Some(last) = page.last().map(|node| node.id.clone()) else {
            return Ok(nodes);
        };
        let before = seen.len();
        for mut node in page {
            if seen.insert(node.id.clone()) {
                complete(client, &mut node, &lineage).await?;
                nodes.push((of, node));
            }
        }
        if seen.len() == before {
            let found = "a page repeats those before";
            return Err(Problem::Endless { path: PATH, found });
        }
        filter.insert("id".to_owned(), json!({ "gt": last }));
    }
    let found = "it has too many pages";
    Err(Problem::Endless { path: PATH, found })
}

/// Asks for the relations of an asset that did not fit.
async fn complete(client: &Client, node: &mut Node, lineage: &[&str]) -> Result<(), Problem> {
    let id = node.id.clone();
    let is_full = |edges: &Vec<Edge>| edges.len() >= RELATIONS;
    if is_full(&node.outgoing_relations) {
        let more = |after: &Edge| {
            let query = more_query("outgoingRelations", "target", "");
            let variables = json!({ "id": id, "after": after.id });
            async move { ask(client, &query, variables).await }
        };
        let edges = &mut node.outgoing_relations;
        rest(edges, more, |node| node.outgoing_relations).await?;
    }
    if is_full(&node.incoming_relations) {
        let more = |after: &Edge| {
            let query = more_query(
                "incomingRelations",
                "source",
                ", type: { id: { in: $lineage } }",
            );
            let variables = json!({ "id": id, "after": after.id, "lineage": lineage });
            async move { ask(client, &query, variables).await }
        };
        let edges = &mut node.incoming_relations;
        rest(edges, more, |node| node.incoming_relations).await?;
    }
    Ok(())
}

async fn rest<F: Future<Output = Result<Vec<Node>, Problem>>>(
    edges: &mut Vec<Edge>,
    more: impl Fn(&Edge) -> F,
    of: fn(Node) -> Vec<Edge>,
) -> Result<(), Problem> {
    for _ in 0..MOST_PAGES {
        let Some(last) = edges.last() else {
            return Ok(());
        };
        let page: Vec<Edge> = more(last).await?.into_iter().flat_map(of).collect();
        if page.is_empty() {
            return Ok(());
        }
        if page.iter().any(|edge| edge.id == last.id) {
            let found = "relations come back";
            return Err(Problem::Endless { path: PATH, found });
        }
        edges.extend(page);
    }
    let found = "an asset has too many relations";
    Err(Problem::Endless { path: PATH, found })
}

async fn ask(client: &Client, query: &str, variables: Value) -> Result<Vec<Node>, Problem> {
    let body = json!({ "query": query, "variables": variables });
    let answer: Answer = client.json(Request::post_json(PATH, &body)).await?;
    // A part of the graph is not taken for all of it.
    if let Some(complaint) = answer.errors.first() {
        let said = one_line(&complaint.message);
        return Err(Problem::Query { said });
    }
    let data = answer.data.ok_or_else(|| Problem::Broken {
        path: PATH,
        cause: "it has no data in it".to_owned(),
    })?;
    Ok(data.assets)
}

fn take(dump: &mut Dump, model: &OperatingModel, of: TypeOf, node: Node) {
    let own = End {
        id: node.id.clone(),
        ..End::default()
    };
    for (edges, is_out) in [
        (node.outgoing_relations, true),
        (node.incoming_relations, false),
    ] {
        for edge in edges {
            let Some(other) = edge.other else {
                continue;
            };
            let other = End {
                id: other.id,
                full_name: other.full_name.unwrap_or_default(),
                display_name: other.display_name.unwrap_or_default(),
            };
            let ends = if is_out {
                [own.clone(), other]
            } else {
                [other, own.clone()]
            };
            let role = edge.r#type.role.as_deref();
            dump.add_relation(model, &edge.id, &edge.r#type.id, role, ends);
        }
    }
    let full_name = node.full_name.unwrap_or_default();
    let mut asset = Asset::new(of, full_name, node.display_name.unwrap_or_default());
    let values = [
        node.string_attributes,
        node.numeric_attributes,
        node.boolean_attributes,
    ];
    for attribute in values.into_iter().flatten() {
        asset.set(model, &attribute.r#type.name, &attribute.value);
    }
    dump.assets.insert(node.id, asset);
}

#[cfg(test)]
mod tests;
