//! What tools answer, as far as the guide reads it. Keys it does not know do no harm.

use serde::Deserialize;
use serde_json::Value;

/// What a tool call came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome<T> {
    Done(T),
    Failed(Failure),
}

/// A failed call, in the words of the tool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) error: String,
    /// Names the tool offers for one it could not tell.
    pub(super) candidates: Vec<String>,
}

/// `list_tables`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Vec<Value>")]
pub(super) struct TableList {
    pub(super) tables: Vec<ListedTable>,
    /// Tables that were left out to keep the result short.
    pub(super) omitted: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct ListedTable {
    pub(super) name: String,
    pub(super) schema: String,
    /// There only where the catalog has several.
    pub(super) source: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) columns: usize,
}

/// `get_table_details`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct TableDetails {
    pub(super) name: String,
    pub(super) schema: Option<String>,
    pub(super) source: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) description: Option<String>,
    pub(super) grain: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) refresh: Option<String>,
    pub(super) as_of: Option<String>,
    pub(super) primary_key: Vec<String>,
    pub(super) columns: Vec<Column>,
    pub(super) omitted_columns: usize,
    pub(super) references: Vec<ForeignKey>,
    pub(super) referenced_by: Vec<ForeignKey>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Column {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) description: Option<String>,
    pub(super) nullable: Option<bool>,
    pub(super) primary_key: bool,
    pub(super) references: Option<String>,
}

/// A foreign key, seen from the table whose details hold it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct ForeignKey {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
    pub(super) to_columns: Vec<String>,
}

/// `find_relationships` of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Relationships {
    pub(super) table: String,
    #[serde(rename = "relationships")]
    pub(super) joins: Vec<Join>,
    pub(super) omitted: usize,
}

/// `find_relationships` of two tables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct JoinPaths {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) paths: Vec<JoinPath>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct JoinPath {
    pub(super) joins: Vec<Join>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Join {
    pub(super) from_table: String,
    pub(super) from_columns: Vec<String>,
    pub(super) to_table: String,
    pub(super) to_columns: Vec<String>,
}

/// `search_columns`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct FoundColumns {
    pub(super) total: usize,
    pub(super) columns: Vec<FoundColumn>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct FoundColumn {
    pub(super) table: String,
    pub(super) column: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) description: Option<String>,
}

/// `get_lineage`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Lineage {
    pub(super) table: String,
    pub(super) recorded: bool,
    pub(super) upstream: Vec<Related>,
    pub(super) downstream: Vec<Related>,
    pub(super) note: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Related {
    pub(super) table: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    /// 1 for what is next to the table.
    pub(super) distance: usize,
    pub(super) via: Vec<String>,
}

// === impl TableList ===

impl From<Vec<Value>> for TableList {
    /// One object is a table; one without a name says how many were left out.
    fn from(rows: Vec<Value>) -> Self {
        let mut list = Self::default();
        for row in rows {
            if let Some(omitted) = row.get("omitted").and_then(Value::as_u64) {
                list.omitted += usize::try_from(omitted).unwrap_or(usize::MAX);
            } else if let Ok(table) = serde_json::from_value::<ListedTable>(row)
                && !table.name.is_empty()
            {
                list.tables.push(table);
            }
        }
        list
    }
}

// === impl Failure ===

impl Failure {
    /// Reads the result of a failed call; a text that is no such result is the error itself.
    pub(super) fn from_result(content: &str) -> Self {
        let value: Value = serde_json::from_str(content).unwrap_or_default();
        let error = value.get("error").and_then(Value::as_str);
        let candidates = value.get("candidates").and_then(Value::as_array);
        Self {
            error: error.unwrap_or(content).to_owned(),
            candidates: candidates
                .into_iter()
                .flatten()
                .filter_map(|candidate| {
                    let name = candidate.get("name").and_then(Value::as_str);
                    candidate.as_str().or(name)
                })
                .map(ToOwned::to_owned)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_tables_may_say_how_many_were_left_out() {
        let list: TableList = serde_json::from_str(
            r#"[{"name": "a", "type": "FACT", "new": 1}, {"omitted": 7, "hint": "filter"}]"#,
        )
        .unwrap();
        assert_eq!((list.tables.len(), list.omitted), (1, 7));
        assert_eq!(list.tables[0].kind, "FACT");
    }

    #[test]
    fn a_failure_is_read_in_any_shape() {
        let failure =
            Failure::from_result(r#"{"error": "which?", "candidates": ["a", {"name": "b"}, 1]}"#);
        assert_eq!(
            (failure.error.as_str(), failure.candidates.len()),
            ("which?", 2)
        );
        assert_eq!(Failure::from_result("timed out").error, "timed out");
    }
}
