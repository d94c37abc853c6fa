//! What is read of the artefacts. Macros, code and configurations are left where they are.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// `manifest.json`, v10 to v12. Ids are like `model.PROJECT.NAME`.
#[derive(Debug, Deserialize)]
pub(super) struct Manifest {
    pub(super) metadata: Metadata,
    /// Models, seeds, snapshots, tests and more.
    pub(super) nodes: BTreeMap<String, Node>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) sources: BTreeMap<String, Node>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) exposures: BTreeMap<String, Exposure>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) groups: BTreeMap<String, Group>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) parent_map: HashMap<String, Vec<String>>,
}

/// `catalog.json`, v1.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Catalog {
    pub(super) metadata: Metadata,
    pub(super) nodes: HashMap<String, Relation>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) sources: HashMap<String, Relation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    pub(super) dbt_schema_version: Option<String>,
    pub(super) generated_at: Option<String>,
    pub(super) project_name: Option<String>,
}

/// A model, a seed, a snapshot, a source, a test. What one of them does not have is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Node {
    #[serde(deserialize_with = "or_default")]
    pub(super) resource_type: ResourceType,
    pub(super) database: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) name: Option<String>,
    pub(super) alias: Option<String>,
    /// What a source is called in the database.
    pub(super) identifier: Option<String>,
    pub(super) relation_name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) group: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) columns: HashMap<String, DocumentedColumn>,
    #[serde(deserialize_with = "lenient")]
    pub(super) meta: Meta,
    #[serde(deserialize_with = "or_default")]
    pub(super) config: Config,
    #[serde(deserialize_with = "or_default")]
    pub(super) constraints: Vec<Constraint>,
    /// Each `ref` of the query, then one for each foreign key.
    #[serde(deserialize_with = "or_default")]
    pub(super) refs: Vec<Ref>,
    /// Each `source` in the same way: name of the source, name of the table.
    #[serde(deserialize_with = "or_default")]
    pub(super) sources: Vec<Vec<String>>,
    pub(super) source_name: Option<String>,
    /// Of a test.
    pub(super) attached_node: Option<String>,
    pub(super) column_name: Option<String>,
    pub(super) test_metadata: Option<TestMetadata>,
    #[serde(deserialize_with = "or_default")]
    pub(super) depends_on: DependsOn,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ref {
    pub(super) name: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ResourceType {
    Model,
    Seed,
    Snapshot,
    Source,
    Test,
    #[default]
    #[serde(other)]
    Other,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DocumentedColumn {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) data_type: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) constraints: Vec<Constraint>,
}

/// What people write about a table as they like; other keys are theirs alone.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Meta {
    pub(super) table_type: Value,
    pub(super) owner: Value,
    pub(super) grain: Value,
    pub(super) refresh: Value,
    pub(super) synonyms: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    pub(super) materialized: Option<String>,
    /// Where dbt 1.10 and newer keep it.
    #[serde(deserialize_with = "lenient")]
    pub(super) meta: Meta,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Constraint {
    pub(super) r#type: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) columns: Vec<String>,
    /// The relation a foreign key refers to, in the words of the database.
    pub(super) to: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) to_columns: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TestMetadata {
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) kwargs: Arguments,
}

/// Arguments of the tests that say something of keys.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Arguments {
    pub(super) field: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) combination_of_columns: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DependsOn {
    #[serde(deserialize_with = "or_default")]
    pub(super) nodes: Vec<String>,
}

/// A report or an application that reads tables.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Exposure {
    pub(super) name: Option<String>,
    pub(super) label: Option<String>,
    pub(super) r#type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Group {
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) owner: Owner,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Owner {
    pub(super) name: Value,
    pub(super) email: Value,
}

/// A table as the database has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Relation {
    #[serde(deserialize_with = "or_default")]
    pub(super) metadata: RelationMetadata,
    #[serde(deserialize_with = "or_default")]
    pub(super) columns: HashMap<String, RelationColumn>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RelationMetadata {
    pub(super) r#type: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) owner: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RelationColumn {
    pub(super) name: Option<String>,
    pub(super) r#type: Option<String>,
    pub(super) index: i64,
    pub(super) comment: Option<String>,
}

/// `null` is as good as nothing.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// What people may write as they like is what is expected, or nothing.
fn lenient<'de, D: Deserializer<'de>, T: Default + serde::de::DeserializeOwned>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}

// === impl Node ===

impl Node {
    /// What somebody wrote, on the node itself or in its configuration.
    pub(super) fn meta(&self, field: fn(&Meta) -> &Value) -> Option<String> {
        [&self.meta, &self.config.meta]
            .into_iter()
            .find_map(|meta| text(field(meta)))
    }

    /// A table that exists, or a part of the queries that use it.
    pub(super) fn is_relation(&self) -> bool {
        use ResourceType::{Model, Seed, Snapshot, Source};
        let is_table = matches!(self.resource_type, Model | Seed | Snapshot | Source);
        is_table && self.config.materialized.as_deref() != Some("ephemeral")
    }
}

/// A value as a text that says something.
pub(super) fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(values) => {
            let texts: Vec<String> = values.iter().filter_map(text).collect();
            texts.join(", ")
        }
        Value::Null | Value::Bool(_) | Value::Object(_) => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

impl fmt::Display for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = [&self.name, &self.email]
            .into_iter()
            .filter_map(text)
            .collect();
        formatter.write_str(&parts.join(", "))
    }
}
