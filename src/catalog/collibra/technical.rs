//! Lineage out of the technical lineage, which Collibra keeps apart: its entities have ids of their own.
//!
//! It is asked for one table at a time, at most `collibra.technical_lineage` of them. Not every Collibra has it, and not
//! every account may read it.

use std::collections::{HashMap, HashSet};

use futures_util::StreamExt as _;
use futures_util::stream;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::client::Client;
use super::config::{RelationOf, TypeOf};
use super::dump::{Dump, End, Relation};
use super::error::Problem;
use super::request::Request;

const ENTITIES: &str = "/technical_lineage_resource/rest/lineageGraphRead/v1/entities";
const ENTITY: &str = "/technical_lineage_resource/rest/lineageGraphRead/v1/entities/{id}";
const UPSTREAM: &str =
    "/technical_lineage_resource/rest/lineageGraphRead/v1/entities/{id}/upstream";
/// How many tables are asked about at once; the client has a bound of its own.
const TABLES_AT_ONCE: usize = 4;
/// Most origins of one table.
const ORIGINS: usize = 200;
/// Most pages of what is above one table.
const UPSTREAM_PAGES: usize = 50;

#[derive(Deserialize)]
struct Entities {
    #[serde(default)]
    results: Vec<Entity>,
}

/// Ids of assets are absent, empty, or an object that says so.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entity {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    dgc_id: Value,
    #[serde(default)]
    parent_id: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Upstream {
    #[serde(default)]
    relations: Vec<Edge>,
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Edge {
    source_entity_id: String,
    target_entity_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    next_cursor: Option<String>,
}

/// One reading of it. Entities are asked for once.
struct Reader<'a> {
    client: &'a Client,
    entities: Mutex<HashMap<String, Entity>>,
}

/// Adds the technical lineage of tables whose lineage no relation tells. A failure leaves the rest of the catalog as it is.
pub(super) async fn add(client: &Client, dump: &mut Dump) {
    let most = client.config.technical_lineage;
    if most == 0 {
        return;
    }
    let open = without_lineage(dump);
    let left_out = open.len().saturating_sub(most);
    let reader = Reader {
        client,
        entities: Mutex::default(),
    };
    let mut origins = stream::iter(open.into_iter().take(most))
        .map(|table| reader.origins(table))
        .buffer_unordered(TABLES_AT_ONCE);
    let (mut found, mut failed) = (Vec::new(), None);
    while let Some(done) = origins.next().await {
        match done {
            Ok(relations) => found.extend(relations),
            Err(problem) => {
                failed = Some(problem);
                break;
            }
        }
    }
    drop(origins);
    let said = match failed {
        Some(problem) => format!("the technical lineage cannot be read: {problem}"),
        None if found.is_empty() => "Collibra has no technical lineage of these tables".to_owned(),
        None => String::new(),
    };
    if !said.is_empty() && client.is_news(&said) {
        tracing::warn!(server = %client.address, "{said}. Lineage is what relations tell, the rest is not recorded");
    }
    if left_out > 0 && client.is_news(&format!("left out {left_out}")) {
        tracing::warn!(
            server = %client.address,
            "the technical lineage of {left_out} tables is not asked for: collibra.technical_lineage is {most}"
        );
    }
    dump.relations.extend(found);
}

/// The tables and views that are no target of a lineage relation, those with the shortest names first; columns count for
/// their tables.
fn without_lineage(dump: &Dump) -> Vec<String> {
    let of = |wanted: RelationOf| {
        let relations = dump.relations.iter();
        relations.filter(move |relation| relation.of == wanted)
    };
    let table_of: HashMap<&str, &str> = of(RelationOf::Column)
        .map(|relation| (relation.source.id.as_str(), relation.target.id.as_str()))
        .collect();
    let told: HashSet<&str> = of(RelationOf::Lineage)
        .map(|relation| relation.target.id.as_str())
        .map(|id| table_of.get(id).copied().unwrap_or(id))
        .collect();
    let mut open: Vec<(&str, &String)> = dump
        .assets
        .iter()
        .filter(|(id, asset)| asset.of != TypeOf::Column && !told.contains(id.as_str()))
        .map(|(id, asset)| (asset.full_name.as_str(), id))
        .collect();
    open.sort_unstable();
    open.into_iter().map(|(_, id)| id.clone()).collect()
}

// === impl Reader ===

impl Reader<'_> {
    /// What a table is made from, one step up.
    async fn origins(&self, table: String) -> Result<Vec<Relation>, Problem> {
        let query = [("dgcId", table.as_str()), ("limit", "1")];
        let entities: Entities = self.client.json(Request::get(ENTITIES, &query)).await?;
        let Some(entity) = entities.results.into_iter().next() else {
            return Ok(Vec::new());
        };
        let mut relations = Vec::new();
        for source in self.sources(&entity.id).await? {
            relations.push(Relation {
                of: RelationOf::Lineage,
                source: self.end(&source).await?,
                target: End {
                    id: table.clone(),
                    ..End::default()
                },
            });
        }
        Ok(relations)
    }

    async fn sources(&self, entity: &str) -> Result<Vec<String>, Problem> {
        let target = format!("{ENTITIES}/{}/upstream", path_part(entity));
        let limit = self.client.config.page_size.to_string();
        let mut cursor = String::new();
        let mut sources: Vec<String> = Vec::new();
        for _ in 0..UPSTREAM_PAGES {
            let mut query = vec![("entityType", "table"), ("limit", limit.as_str())];
            if !cursor.is_empty() {
                query.push(("cursor", &cursor));
            }
            let request = Request::get_at(UPSTREAM, target.clone(), &query);
            let page: Upstream = self.client.json(request).await?;
            for edge in page.relations {
                // What is further up is told by the tables there.
                let is_next = edge.target_entity_id == entity && edge.source_entity_id != entity;
                if is_next && sources.len() < ORIGINS && !sources.contains(&edge.source_entity_id) {
                    sources.push(edge.source_entity_id);
                }
            }
            let next = page
                .pagination
                .and_then(|pagination| pagination.next_cursor);
            match next.filter(|next| !next.is_empty()) {
                Some(next) if next == cursor => {
                    let found = "a cursor comes back";
                    return Err(Problem::Endless {
                        path: UPSTREAM,
                        found,
                    });
                }
                Some(next) => cursor = next,
                None => return Ok(sources),
            }
        }
        let found = "it has too many pages";
        Err(Problem::Endless {
            path: UPSTREAM,
            found,
        })
    }

    /// The asset an entity stands for, or its name and that of what it is in.
    async fn end(&self, entity: &str) -> Result<End, Problem> {
        let entity = self.entity(entity).await?;
        if let Some(id) = id_of(&entity.dgc_id) {
            return Ok(End {
                id: id.to_owned(),
                full_name: entity.name,
                display_name: String::new(),
            });
        }
        let parent = match id_of(&entity.parent_id) {
            Some(parent) => self.entity(parent).await?.name,
            None => String::new(),
        };
        Ok(End {
            id: entity.id,
            full_name: format!("{parent}>{}", entity.name),
            display_name: entity.name,
        })
    }

    async fn entity(&self, id: &str) -> Result<Entity, Problem> {
        if let Some(known) = self.entities.lock().await.get(id) {
            return Ok(known.clone());
        }
        let target = format!("{ENTITIES}/{}", path_part(id));
        let entity: Entity = self
            .client
            .json(Request::get_at(ENTITY, target, &[]))
            .await?;
        let mut entities = self.entities.lock().await;
        entities.insert(id.to_owned(), entity.clone());
        Ok(entity)
    }
}

fn id_of(value: &Value) -> Option<&str> {
    value.as_str().filter(|id| !id.is_empty())
}

/// An id as a part of a path: what would end or leave it is left out.
fn path_part(id: &str) -> String {
    id.chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || "-_.:~".contains(*letter))
        .collect()
}
