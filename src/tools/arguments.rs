use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Tool;
use super::reply::{Refusal, shorten};

/// Longest accepted arguments, in bytes: all fields are names.
const MAX_BYTES: usize = 8 * 1024;
/// Longest accepted text in them, in characters.
const MAX_TEXT: usize = 256;

/// Reads the arguments of a call as the model wrote them. No text at all means no arguments.
pub(super) fn parse<A: DeserializeOwned>(tool: Tool, text: &str) -> Result<A, Refusal> {
    let refusal = |problem: &str| {
        Refusal::new(format!(
            "the arguments of {} {problem}. Send a JSON object such as {}",
            tool.name(),
            tool.example()
        ))
    };
    if text.len() > MAX_BYTES {
        return Err(refusal(&format!("are longer than {MAX_BYTES} bytes")));
    }
    let text = if text.trim().is_empty() { "{}" } else { text };
    let value: Value =
        serde_json::from_str(text).map_err(|error| refusal(&format!("are not JSON ({error})")))?;
    // Asked because serde takes an array for an object too.
    let Value::Object(fields) = &value else {
        return Err(refusal("are not an object"));
    };
    let long = |(_, value): &(&String, &Value)| {
        value
            .as_str()
            .is_some_and(|text| text.chars().count() > MAX_TEXT)
    };
    if let Some((name, _)) = fields.iter().find(long) {
        let name = shorten(name, 80);
        return Err(refusal(&format!(
            "have more than {MAX_TEXT} characters in '{name}'"
        )));
    }
    serde_json::from_value(value).map_err(|error| {
        let problem = error.to_string();
        refusal(&format!("are wrong: {}", shorten(&problem, 300)))
    })
}

/// A text that is there and says something. Models fill in what they leave out with nothing.
pub(super) fn given(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// The JSON Schema of arguments, in the one piece that all providers take.
pub(super) fn schema<A: JsonSchema>() -> Value {
    let mut schema = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        })
        .into_generator()
        .into_root_schema_for::<A>();
    schema.remove("title");
    schema.remove("description");
    let mut schema = schema.to_value();
    // What may be left out has no default that could be sent instead.
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for property in properties.values_mut().filter_map(Value::as_object_mut) {
            property.remove("default");
        }
    }
    schema
}
