//! Which types of assets, relations and attributes this Collibra has. Customers make their own, so settings name them, by
//! id or by public id; attributes by their name.

use std::collections::HashMap;

use serde::Deserialize;
use tokio::try_join;

use super::client::Client;
use super::config::{Config, Field, RelationOf, TypeOf};
use super::error::Problem;
use super::pages::{self, Identified};

/// What the types of this Collibra are to us, by their ids.
#[derive(Debug, Default)]
pub(super) struct OperatingModel {
    pub(super) types: HashMap<String, TypeOf>,
    pub(super) relations: HashMap<String, RelationOf>,
    /// By name: what an attribute fills, and how many others are preferred.
    pub(super) attributes: HashMap<String, (Field, usize)>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Type {
    public_id: Option<String>,
}

// === impl OperatingModel ===

impl OperatingModel {
    /// Asks which types there are, and finds those of the settings among them.
    pub(super) async fn read(client: &Client) -> Result<Self, Problem> {
        let (types, relations) = try_join!(
            all_types(client, "/rest/2.0/assetTypes"),
            all_types(client, "/rest/2.0/relationTypes"),
        )?;
        let (types, no_types) = found(&client.config.types, &types);
        let (relations, no_relations) = found(&client.config.relations, &relations);
        if !types
            .values()
            .any(|of| matches!(of, TypeOf::Table | TypeOf::View))
        {
            let types = no_types.join(", ");
            return Err(Problem::NoTypes { types });
        }
        for (setting, missing) in [
            ("collibra.types", no_types),
            ("collibra.relations", no_relations),
        ] {
            let missing = missing.join(", ");
            if !missing.is_empty() && client.is_news(&format!("{setting} {missing}")) {
                tracing::warn!(
                    server = %client.address,
                    "Collibra has no such type, so nothing of it is read: {missing}. Check {setting}"
                );
            }
        }
        Ok(Self {
            types,
            relations,
            attributes: attributes(&client.config),
        })
    }

    /// The ids of the types of relations that say this.
    pub(super) fn relations_of(&self, wanted: RelationOf) -> Vec<&str> {
        let ids = self.relations.iter();
        ids.filter(|(_, of)| **of == wanted)
            .map(|(id, _)| id.as_str())
            .collect()
    }

    /// The ids of the types of assets that are this.
    pub(super) fn types_of(&self, wanted: TypeOf) -> Vec<&str> {
        let ids = self.types.iter();
        ids.filter(|(_, of)| **of == wanted)
            .map(|(id, _)| id.as_str())
            .collect()
    }
}

async fn all_types(client: &Client, path: &'static str) -> Result<Vec<Identified<Type>>, Problem> {
    pages::all(client, path, &[], Some).await
}

/// What the settings name, by id, and what of it is not there.
fn found<T: Copy>(
    wanted: &[(T, String)],
    there: &[Identified<Type>],
) -> (HashMap<String, T>, Vec<String>) {
    let (mut found, mut missing) = (HashMap::new(), Vec::new());
    for (of, name) in wanted {
        let is_it = |one: &&Identified<Type>| {
            one.id.eq_ignore_ascii_case(name) || one.rest.public_id.as_ref() == Some(name)
        };
        match there.iter().find(is_it) {
            Some(one) => {
                found.insert(one.id.clone(), *of);
            }
            None => missing.push(name.clone()),
        }
    }
    (found, missing)
}

fn attributes(config: &Config) -> HashMap<String, (Field, usize)> {
    let ranked = config.attributes.iter().enumerate();
    ranked
        .map(|(rank, (field, name))| (name.clone(), (*field, rank)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_by_either_id() {
        let there: Vec<Identified<Type>> = serde_json::from_str(
            r#"[{"id": "00000000-0000-0000-0000-0000000A1007", "publicId": "Table", "name": "Table", "meta": true},
                {"id": "2", "name": "Own"}]"#,
        )
        .unwrap();
        let named = |name: &str| found(&[(TypeOf::Table, name.to_owned())], &there);
        assert_eq!(named("Table").0.len(), 1);
        assert_eq!(named("00000000-0000-0000-0000-0000000a1007").0.len(), 1);
        assert_eq!(named("2").0["2"], TypeOf::Table);
        assert_eq!(named("Tables").1, ["Tables"]);
    }
}
