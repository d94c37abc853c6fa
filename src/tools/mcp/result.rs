//! Results of calls, as models are given them: JSON, and never more than is allowed.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde::Serialize;
use serde_json::Value;

use crate::tools::reply::{self, Refusal, shorten};

/// Longest error of a server that is told, in characters.
const ERROR: usize = 2_000;
/// Most things that are told to be left out.
const MOST_LEFT_OUT: usize = 20;

/// A result that is not JSON by itself.
#[derive(Debug, Serialize)]
struct Answer {
    text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<String>,
}

/// The result as JSON. What the server calls an error is a refusal, and so is what is too long.
pub(super) fn content(result: CallToolResult, limit: usize) -> Result<String, Refusal> {
    let failed = result.is_error == Some(true);
    let (text, left_out) = texts(&result.content);
    if failed {
        let text = match (text.is_empty(), &result.structured_content) {
            (true, Some(value)) => value.to_string(),
            (true, None) => "the tool failed without saying why".to_owned(),
            (false, _) => text,
        };
        return Err(Refusal::new(shorten(&text, ERROR)));
    }
    let content = match result.structured_content {
        Some(value) => value.to_string(),
        None if left_out.is_empty() && is_json(&text) => text,
        None => reply::json(&Answer { text, left_out })?,
    };
    if content.len() > limit {
        return Err(too_long(content.len(), limit));
    }
    Ok(content)
}

/// What a model is told in place of a result that is too long.
pub(super) fn too_long(length: usize, limit: usize) -> Refusal {
    Refusal::new(format!(
        "the result has {length} bytes or more, {limit} are allowed. Ask for less: fewer rows or fields, a narrower \
         filter, or one part at a time"
    ))
}

/// The texts of a result, and what else is in it in words.
fn texts(blocks: &[ContentBlock]) -> (String, Vec<String>) {
    let mut texts = Vec::new();
    let mut left_out = Vec::new();
    for block in blocks {
        match block {
            ContentBlock::Text(text) => texts.push(text.text.as_str()),
            ContentBlock::Image(image) => {
                left_out.push(binary("an image", &image.mime_type, &image.data));
            }
            ContentBlock::Audio(audio) => {
                left_out.push(binary("a sound", &audio.mime_type, &audio.data));
            }
            ContentBlock::Resource(embedded) => left_out.push(resource(&embedded.resource)),
            ContentBlock::ResourceLink(link) => {
                let name = shorten(&link.name, 100);
                left_out.push(format!("a link to {name}, {}", shorten(&link.uri, 300)));
            }
            _ => left_out.push("something of an unknown kind".to_owned()),
        }
    }
    if left_out.len() > MOST_LEFT_OUT {
        let more = left_out.len() - MOST_LEFT_OUT;
        left_out.truncate(MOST_LEFT_OUT);
        left_out.push(format!("{more} more things"));
    }
    (texts.join("\n"), left_out)
}

fn binary(what: &str, mime_type: &str, base64: &str) -> String {
    let bytes = base64.len() / 4 * 3;
    format!("{what} ({}, about {bytes} bytes)", shorten(mime_type, 100))
}

fn resource(resource: &ResourceContents) -> String {
    let (uri, bytes) = match resource {
        ResourceContents::TextResourceContents { uri, text, .. } => (uri.as_str(), text.len()),
        ResourceContents::BlobResourceContents { uri, blob, .. } => (uri.as_str(), blob.len()),
        _ => ("unknown", 0),
    };
    format!("a resource ({}, {bytes} bytes)", shorten(uri, 300))
}

/// True for an object or an array: many servers put JSON into a text.
fn is_json(text: &str) -> bool {
    let begins = text.trim_start().starts_with(['{', '[']);
    begins && serde_json::from_str::<Value>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(result: Value) -> Result<Value, Value> {
        let result: CallToolResult = serde_json::from_value(result).unwrap();
        let read = |text: String| serde_json::from_str(&text).unwrap();
        match content(result, 200) {
            Ok(text) => Ok(read(text)),
            Err(refusal) => Err(read(refusal.into_json())),
        }
    }

    #[test]
    fn what_is_structured_is_preferred_and_all_else_becomes_json() {
        let text = |text: &str| json!({"type": "text", "text": text});
        assert_eq!(
            told(json!({"content": [text("{\"a\":2}")], "structuredContent": {"a": 1}})),
            Ok(json!({"a": 1}))
        );
        assert_eq!(
            told(json!({"content": [text("[1, 2]")]})),
            Ok(json!([1, 2]))
        );
        assert_eq!(
            told(json!({"content": [text("one"), text("two")]})),
            Ok(json!({"text": "one\ntwo"}))
        );
        assert_eq!(
            told(json!({"content": [text("{broken")]})),
            Ok(json!({"text": "{broken"}))
        );
        assert_eq!(told(json!({"content": []})), Ok(json!({"text": ""})));
    }

    #[test]
    fn what_is_no_text_is_described() {
        let result = json!({"content": [
            {"type": "text", "text": "a chart:"},
            {"type": "image", "data": "AAAABBBB", "mimeType": "image/png"},
            {"type": "resource", "resource": {"uri": "file:///x", "text": "secret"}},
            {"type": "resource_link", "uri": "file:///y", "name": "y"},
        ]});
        let left_out = [
            "an image (image/png, about 6 bytes)",
            "a resource (file:///x, 6 bytes)",
            "a link to y, file:///y",
        ];
        assert_eq!(
            told(result),
            Ok(json!({"text": "a chart:", "left_out": left_out}))
        );
    }

    #[test]
    fn errors_and_what_is_too_long_are_refusals() {
        let text = |text: &str| json!([{"type": "text", "text": text}]);
        assert_eq!(
            told(json!({"content": text("no such row"), "isError": true})),
            Err(json!({"error": "no such row"}))
        );
        assert_eq!(
            told(json!({"content": [], "isError": true})),
            Err(json!({"error": "the tool failed without saying why"}))
        );
        let long = told(json!({"content": text(&"x".repeat(300))})).unwrap_err();
        let long = long["error"].as_str().unwrap().to_owned();
        assert!(long.contains("200 are allowed. Ask for less"), "{long}");
    }
}
