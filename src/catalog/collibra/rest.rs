//! The graph as the REST API gives it, where there is no Knowledge Graph API: assets, attributes and relations in lists of
//! their own.
//!
//! Whole lists, filtered here: asking for the attributes of each column would take a request a column.

use std::collections::HashMap;

use futures_util::future::try_join_all;
use serde::Deserialize;
use serde_json::Value;

use super::client::Client;
use super::config::{RelationOf, TypeOf};
use super::dump::{Asset, Dump, End};
use super::error::Problem;
use super::operating_model::OperatingModel;
use super::pages;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    name: Option<String>,
    display_name: Option<String>,
    r#type: Option<Reference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    id: String,
    name: Option<String>,
}

#[derive(Deserialize)]
struct AttributeType {
    name: String,
}

#[derive(Deserialize)]
struct Attribute {
    asset: Reference,
    #[serde(default)]
    value: Value,
}

#[derive(Deserialize)]
struct Edge {
    source: Reference,
    target: Reference,
}

/// Reads every table, view and column.
pub(super) async fn read(client: &Client, model: &OperatingModel) -> Result<Dump, Problem> {
    let mut dump = Dump::default();
    dump.assets = assets(client, model).await?;
    for (attribute, values) in attributes(client, model, &dump.assets).await? {
        for (asset, value) in values {
            if let Some(asset) = dump.assets.get_mut(&asset) {
                asset.set(model, &attribute, &value);
            }
        }
    }
    for (type_id, edges) in relations(client, model, &dump.assets).await? {
        for (id, ends) in edges {
            dump.add_relation(model, &id, type_id, None, ends);
        }
    }
    Ok(dump)
}

/// The parameters for what is read, one after the other: they take one domain or community.
fn places(client: &Client) -> Vec<Option<(&'static str, &str)>> {
    let config = &client.config;
    let domains = config.domains.iter().map(|id| ("domainId", id.as_str()));
    let communities = config
        .communities
        .iter()
        .map(|id| ("communityId", id.as_str()));
    let mut places: Vec<_> = domains.chain(communities).map(Some).collect();
    if places.is_empty() {
        places.push(None);
    }
    places
}

async fn assets(
    client: &Client,
    model: &OperatingModel,
) -> Result<HashMap<String, Asset>, Problem> {
    let kinds = [TypeOf::Table, TypeOf::View, TypeOf::Column];
    let lists = kinds.into_iter().flat_map(|of| {
        let places = places(client).into_iter();
        places.map(move |place| listed(client, model, of, place))
    });
    let lists = try_join_all(lists).await?;
    Ok(lists.into_iter().flatten().collect())
}

async fn listed(
    client: &Client,
    model: &OperatingModel,
    of: TypeOf,
    place: Option<(&'static str, &str)>,
) -> Result<Vec<(String, Asset)>, Problem> {
    let types = model.types_of(of);
    if types.is_empty() {
        return Ok(Vec::new());
    }
    let mut query: Vec<(&str, &str)> = types.into_iter().map(|id| ("typeIds", id)).collect();
    query.push(("sortField", "NAME"));
    query.extend(place);
    let asset = |listed: pages::Identified<Listed>| {
        let (id, listed) = (listed.id, listed.rest);
        // A type stands for those that inherit from it too, such as tables for views.
        let exact = listed.r#type.and_then(|own| model.types.get(&own.id));
        let of = *exact.unwrap_or(&of);
        let name = listed.name.unwrap_or_default();
        Some((
            id,
            Asset::new(of, name, listed.display_name.unwrap_or_default()),
        ))
    };
    pages::all(client, "/rest/2.0/assets", &query, asset).await
}

type Values = Vec<(String, Value)>;

/// The values of each attribute that a setting names, by asset.
async fn attributes(
    client: &Client,
    model: &OperatingModel,
    assets: &HashMap<String, Asset>,
) -> Result<Vec<(String, Values)>, Problem> {
    let wanted = |one: pages::Identified<AttributeType>| {
        let name = one.rest.name;
        model
            .attributes
            .contains_key(&name)
            .then_some((one.id, name))
    };
    let types = pages::all(client, "/rest/2.0/attributeTypes", &[], wanted).await?;
    let lists = types.into_iter().map(|(id, name)| async move {
        let value = |one: pages::Identified<Attribute>| {
            let asset = one.rest.asset.id;
            assets
                .contains_key(&asset)
                .then_some((asset, one.rest.value))
        };
        let query = [("typeIds", id.as_str())];
        let values = pages::all(client, "/rest/2.0/attributes", &query, value).await?;
        Ok((name, values))
    });
    try_join_all(lists).await
}

type Edges = Vec<(String, [End; 2])>;

/// The relations that a setting names, by their type.
async fn relations<'a>(
    client: &Client,
    model: &'a OperatingModel,
    assets: &HashMap<String, Asset>,
) -> Result<Vec<(&'a str, Edges)>, Problem> {
    let lists = model.relations.iter().map(|(type_id, of)| async move {
        let edge = |one: pages::Identified<Edge>| {
            let ends = [one.rest.source, one.rest.target].map(End::from);
            let are_read = ends.each_ref().map(|end| assets.contains_key(&end.id));
            let is_ours = match of {
                // What data comes from may be no table.
                RelationOf::Lineage => are_read.contains(&true),
                RelationOf::Column | RelationOf::Key => !are_read.contains(&false),
            };
            is_ours.then_some((one.id, ends))
        };
        let query = [("relationTypeId", type_id.as_str())];
        let edges = pages::all(client, "/rest/2.0/relations", &query, edge).await?;
        Ok((type_id.as_str(), edges))
    });
    try_join_all(lists).await
}

impl From<Reference> for End {
    fn from(reference: Reference) -> Self {
        Self {
            id: reference.id,
            full_name: reference.name.unwrap_or_default(),
            display_name: String::new(),
        }
    }
}
