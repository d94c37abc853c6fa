//! What was read, before it is tables: assets and the relations between them.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use super::config::{Field, RelationOf, TypeOf};
use super::operating_model::OperatingModel;

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Dump {
    /// By id.
    pub(super) assets: HashMap<String, Asset>,
    pub(super) relations: Vec<Relation>,
    /// How many relations between tables and columns say what no setting names, by their role.
    pub(super) unused: BTreeMap<String, usize>,
    seen: HashSet<String>,
}

/// A table, a view or a column.
#[derive(Debug)]
pub(super) struct Asset {
    pub(super) of: TypeOf,
    /// Whole, such as `System>database>schema>table`.
    pub(super) full_name: String,
    /// Short.
    pub(super) display_name: String,
    values: BTreeMap<Field, Preferred>,
}

/// A relation between two assets that need not be read.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) of: RelationOf,
    pub(super) source: End,
    pub(super) target: End,
}

/// An asset, as a relation names it.
#[derive(Debug, Clone, Default)]
pub(super) struct End {
    pub(super) id: String,
    pub(super) full_name: String,
    pub(super) display_name: String,
}

#[derive(Debug)]
struct Preferred {
    rank: usize,
    texts: Vec<String>,
}

// === impl Dump ===

impl Dump {
    /// Notes a relation once, however often it is found: from both of its ends it is found twice.
    pub(super) fn add_relation(
        &mut self,
        model: &OperatingModel,
        id: &str,
        type_id: &str,
        role: Option<&str>,
        ends: [End; 2],
    ) {
        if !self.seen.insert(id.to_owned()) {
            return;
        }
        let [source, target] = ends;
        if let Some(of) = model.relations.get(type_id) {
            let of = *of;
            self.relations.push(Relation { of, source, target });
        } else {
            let role = role.filter(|role| !role.is_empty()).unwrap_or(type_id);
            *self.unused.entry(role.to_owned()).or_default() += 1;
        }
    }
}

// === impl Asset ===

impl Asset {
    pub(super) fn new(of: TypeOf, full_name: String, display_name: String) -> Self {
        Self {
            of,
            full_name,
            display_name,
            values: BTreeMap::new(),
        }
    }

    /// Notes the value of an attribute, if a setting names it.
    pub(super) fn set(&mut self, model: &OperatingModel, attribute: &str, value: &Value) {
        let (Some((field, rank)), Some(text)) = (model.attributes.get(attribute), text(value))
        else {
            return;
        };
        let value = self.values.entry(*field).or_insert_with(|| Preferred {
            rank: *rank,
            texts: Vec::new(),
        });
        if *rank < value.rank {
            *value = Preferred {
                rank: *rank,
                texts: Vec::new(),
            };
        }
        if *rank == value.rank {
            value.texts.push(text);
        }
    }

    /// The value of a field, the first if there are several.
    pub(super) fn get(&self, field: Field) -> Option<&str> {
        self.all(field).first().map(String::as_str)
    }

    /// Every value of a field.
    pub(super) fn all(&self, field: Field) -> &[String] {
        self.values.get(&field).map_or(&[], |value| &value.texts)
    }

    /// A value that says yes or no, whether as a boolean or in words.
    pub(super) fn is(&self, field: Field) -> Option<bool> {
        match self.get(field)?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" => Some(true),
            "false" | "no" | "n" => Some(false),
            number => number.parse::<f64>().ok().map(|number| number > 0.0),
        }
    }

    /// A value that is a number.
    pub(super) fn number(&self, field: Field) -> Option<f64> {
        self.get(field)?
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
    }
}

/// A value as text: it may come as a string, a number or a boolean, whatever the attribute is.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}
