//! What a server offers, as models are told of it.

use std::sync::Arc;

use rmcp::model::Tool;
use serde_json::{Value, json};

use crate::matching::Wildcard;
use crate::model::ToolSpec;
use crate::tools::reply::shorten;

/// Most tools a model is told of, ours included: what the largest providers take.
pub(super) const MOST_TOOLS: usize = 128;
/// Longest name of a tool, in bytes: what all providers take.
const NAME_BYTES: usize = 64;
/// Longest description of a tool, in characters: what all providers take.
const DESCRIPTION: usize = 1_024;
/// Longest schema of a tool's arguments, in bytes of JSON.
const SCHEMA_BYTES: usize = 16 * 1024;
/// What parts the name of a server from that of its tool.
const SEPARATOR: &str = "__";

/// A tool that may be called.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Offer {
    /// What models are told.
    pub(super) spec: ToolSpec,
    /// What its server calls it.
    pub(super) name: Arc<str>,
}

/// Those of a server's tools that are allowed and can be told, and what is wrong with the other allowed ones.
pub(super) fn offers(
    server: &str,
    allowed: &[Wildcard],
    tools: Vec<Tool>,
) -> (Vec<Offer>, Vec<String>) {
    let mut offers: Vec<Offer> = Vec::new();
    let mut complaints = Vec::new();
    let is_allowed = |tool: &Tool| allowed.iter().any(|pattern| pattern.fits(&tool.name));
    for tool in tools.into_iter().filter(is_allowed) {
        let shown = shorten(&tool.name, 80).into_owned();
        let name = told_name(server, &tool.name);
        let offer = schema(&tool).and_then(|parameters| {
            match offers.iter().find(|other| *other.spec.name == *name) {
                Some(other) => Err(format!(
                    "models would know it as {name}, as they know {}",
                    other.name
                )),
                None if offers.len() >= MOST_TOOLS => {
                    Err(format!("there are more than {MOST_TOOLS} tools"))
                }
                None => Ok(Offer {
                    spec: ToolSpec {
                        name: name.into(),
                        description: description(&tool).into(),
                        parameters,
                    },
                    name: tool.name.as_ref().into(),
                }),
            }
        });
        match offer {
            Ok(offer) => offers.push(offer),
            Err(reason) => complaints.push(format!("{shown}: {reason}")),
        }
    }
    (offers, complaints)
}

/// The server that a tool of this name is of.
pub(super) fn server_of(name: &str) -> Option<&str> {
    name.split_once(SEPARATOR).map(|(server, _)| server)
}

/// `server__tool`, with nothing in it that a provider refuses: `^[a-zA-Z0-9_-]{1,64}$`.
fn told_name(server: &str, tool: &str) -> String {
    let told = |letter: char| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => letter,
        _ => '_',
    };
    let name = server.chars().chain(SEPARATOR.chars());
    let name = name.chain(tool.chars().map(told));
    name.take(NAME_BYTES).collect()
}

fn description(tool: &Tool) -> String {
    let text = tool.description.as_deref().or(tool.title.as_deref());
    shorten(text.unwrap_or_default(), DESCRIPTION - 1).into_owned()
}

/// The schema of a tool's arguments in the shape that all providers take, or why there is none.
fn schema(tool: &Tool) -> Result<Value, String> {
    let mut schema = (*tool.input_schema).clone();
    schema.remove("$schema");
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err("the schema of its arguments is none of an object".to_owned());
    }
    schema.entry("properties").or_insert_with(|| json!({}));
    let schema = Value::Object(schema);
    let length = schema.to_string().len();
    if length > SCHEMA_BYTES {
        return Err(format!(
            "the schema of its arguments has {length} bytes, {SCHEMA_BYTES} are allowed"
        ));
    }
    Ok(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str, schema: Value) -> Tool {
        serde_json::from_value(json!({
            "name": name,
            "description": "Does it.",
            "inputSchema": schema,
        }))
        .unwrap()
    }

    fn plain(name: &str) -> Tool {
        tool(name, json!({"type": "object"}))
    }

    fn all() -> Vec<Wildcard> {
        vec![Wildcard::new("*").unwrap()]
    }

    fn names(offers: &[Offer]) -> Vec<&str> {
        offers.iter().map(|offer| &*offer.spec.name).collect()
    }

    #[test]
    fn only_what_is_allowed_is_offered() {
        let tools = || vec![plain("read_file"), plain("read_url"), plain("write_file")];
        let allowed = |patterns: &[&str]| {
            let patterns = patterns.iter().map(|text| Wildcard::new(text).unwrap());
            let (offers, complaints) = offers("fs", &patterns.collect::<Vec<_>>(), tools());
            assert!(complaints.is_empty());
            names(&offers).join(" ")
        };
        assert_eq!(allowed(&[]), "");
        assert_eq!(allowed(&["read_*"]), "fs__read_file fs__read_url");
        assert_eq!(
            allowed(&["write_file", "read_u?l"]),
            "fs__read_url fs__write_file"
        );
        assert_eq!(allowed(&["read"]), "");
    }

    #[test]
    fn names_are_those_providers_take_and_none_is_there_twice() {
        let long = "n".repeat(100);
        let tools = ["sum/all", "sum all", &long, "größe", ""]
            .map(plain)
            .to_vec();
        let (offers, complaints) = offers("math", &all(), tools);
        let cut = format!("math__{}", "n".repeat(58));
        assert_eq!(
            names(&offers),
            ["math__sum_all", &cut, "math__gr__e", "math__"]
        );
        assert_eq!(&*offers[0].name, "sum/all");
        assert_eq!(
            complaints,
            ["sum all: models would know it as math__sum_all, as they know sum/all"]
        );
        assert_eq!(server_of("math__sum_all"), Some("math"));
        assert_eq!(server_of("list_tables"), None);
    }

    #[test]
    fn what_is_told_is_bounded() {
        let mut tools: Vec<Tool> = (0..200)
            .map(|number| plain(&format!("t{number}")))
            .collect();
        let (told, complaints) = offers("s", &all(), tools.clone());
        assert_eq!(
            (told.len(), complaints.len()),
            (MOST_TOOLS, 200 - MOST_TOOLS)
        );

        let huge = json!({"type": "object", "description": "x".repeat(SCHEMA_BYTES)});
        tools = vec![
            tool("huge", huge),
            tool("list", json!({"type": "array"})),
            tool("none", json!({})),
        ];
        tools[1].description = Some("d".into());
        let mut wordy = tool("wordy", json!({"type": "object", "$schema": "x"}));
        wordy.description = Some("é".repeat(5_000).into());
        tools.push(wordy);
        let (told, complaints) = offers("s", &all(), tools);
        assert_eq!(names(&told), ["s__wordy"]);
        assert_eq!(told[0].spec.description.chars().count(), DESCRIPTION);
        assert_eq!(
            told[0].spec.parameters,
            json!({"type": "object", "properties": {}})
        );
        assert_eq!(complaints.len(), 3);
    }
}
