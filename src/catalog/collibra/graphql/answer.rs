//! Answers, of the fields that the queries name.

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) data: Option<Data>,
    #[serde(default)]
    pub(super) errors: Vec<Complaint>,
}

#[derive(Deserialize)]
pub(super) struct Complaint {
    #[serde(default)]
    pub(super) message: String,
}

#[derive(Deserialize)]
pub(super) struct Data {
    #[serde(default)]
    pub(super) assets: Vec<Node>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) full_name: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) string_attributes: Vec<Attribute>,
    pub(super) numeric_attributes: Vec<Attribute>,
    pub(super) boolean_attributes: Vec<Attribute>,
    pub(super) outgoing_relations: Vec<Edge>,
    pub(super) incoming_relations: Vec<Edge>,
}

#[derive(Deserialize)]
pub(super) struct Attribute {
    #[serde(
        alias = "stringValue",
        alias = "numericValue",
        alias = "booleanValue",
        default
    )]
    pub(super) value: Value,
    pub(super) r#type: Named,
}

#[derive(Deserialize)]
pub(super) struct Named {
    #[serde(default)]
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct Edge {
    pub(super) id: String,
    pub(super) r#type: EdgeType,
    #[serde(alias = "source", alias = "target")]
    pub(super) other: Option<Box<Node>>,
}

#[derive(Deserialize)]
pub(super) struct EdgeType {
    pub(super) id: String,
    pub(super) role: Option<String>,
}
