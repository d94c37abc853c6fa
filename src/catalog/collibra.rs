//! A catalog read from Collibra: tables, views and columns are assets there, their descriptions and types attributes, and
//! what connects them relations.
//!
//! Read by the Knowledge Graph API, or by the REST API where there is none; lineage that no relation tells comes from the
//! technical lineage, if it is asked for. Nothing is ever written. The APIs are documented at
//! <https://developer.collibra.com/api>; where that is silent, what clients of others rely on is relied on here. No live
//! Collibra was seen.

mod address;
mod answer;
mod client;
mod config;
mod dump;
mod error;
mod graphql;
mod keys;
mod lineage;
mod names;
mod operating_model;
mod pages;
mod request;
mod rest;
mod sign_in;
mod tables;
mod technical;
mod text;

use tokio::task::spawn_blocking;

use super::format;
use dump::Dump;
use error::Problem;
use operating_model::OperatingModel;

pub use address::Address;
pub(super) use client::Client;
pub use config::{Config, Field, RelationOf, TypeOf};
pub use error::{CollibraError, Problem as CollibraProblem};

/// Most roles of relations that are named in one line.
const ROLES: usize = 10;

/// What the server says of its tables.
pub(super) async fn read(client: &Client) -> Result<format::File, CollibraError> {
    let file = tables_of(client).await;
    file.map_err(|problem| problem.of(&client.address))
}

async fn tables_of(client: &Client) -> Result<format::File, Problem> {
    let model = OperatingModel::read(client).await?;
    let mut dump = match graphql::read(client, &model).await {
        Err(problem @ (Problem::Missing { .. } | Problem::Query { .. })) => {
            if client.is_news("rest") {
                let why = match problem {
                    Problem::Missing { .. } => "there is none".to_owned(),
                    problem => problem.to_string(),
                };
                tracing::warn!(
                    server = %client.address,
                    "the Knowledge Graph API cannot be used, so the REST API is, which takes longer: {why}"
                );
            }
            rest::read(client, &model).await?
        }
        read => read?,
    };
    technical::add(client, &mut dump).await;
    tell_unused(client, &dump);
    let told = spawn_blocking(move || tables::all(&dump)).await;
    let told = told.map_err(|_| Problem::Panicked)?;
    if told.tables.is_empty() {
        return Err(Problem::NoTables);
    }
    if told.keys_left_out > 0 && client.is_news(&format!("keys {}", told.keys_left_out)) {
        tracing::warn!(
            server = %client.address,
            "{} relations between columns could belong to more than one foreign key, and are left out",
            told.keys_left_out
        );
    }
    Ok(format::File::new(client.address.host(), told.tables))
}

/// Relations may say what nobody told us: they are named, so that who knows them can name them in the settings.
fn tell_unused(client: &Client, dump: &Dump) {
    if dump.unused.is_empty() {
        return;
    }
    let mut roles: Vec<(&String, &usize)> = dump.unused.iter().collect();
    roles.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let told = roles.iter().take(ROLES);
    let told: Vec<String> = told
        .map(|(role, count)| format!("'{role}' ({count})"))
        .collect();
    let more = match roles.len().saturating_sub(ROLES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let text = format!("{}{more}", told.join(", "));
    if client.is_news(&text) {
        tracing::info!(
            server = %client.address,
            "relations of tables and columns that are not used: {text}. Those that are keys or lineage can be named in \
             collibra.relations"
        );
    }
}
