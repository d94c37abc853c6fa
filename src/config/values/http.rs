use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use serde_json::{Map, Value};

use crate::model::{Secret, anthropic, openai};

/// What stands for a secret.
pub(super) const HIDDEN: &str = "(not shown)";
const MOST_HEADERS: usize = 50;
const BODY_BYTES: usize = 16 * 1024;
/// Headers that are ours to write: without them a request is another one.
const OUR_HEADERS: &[&str] = &[
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "traceparent",
    "tracestate",
    "transfer-encoding",
];
/// Fields of the body that are ours to write.
const OUR_FIELDS: &[&str] = &["messages", "model", "stream", "tools"];

/// What is particular to a provider and its API.
#[derive(Debug)]
pub(in crate::config) struct Provider {
    /// The section of the settings.
    section: &'static str,
    /// The model if none is named.
    pub(in crate::config) model: &'static str,
    /// Where it is, as an example.
    url: &'static str,
    /// What is added to that.
    path: &'static str,
    /// What is wrong with a URL that has a query.
    query: &'static str,
    /// More headers that are ours to write.
    pub(in crate::config) headers: &'static [&'static str],
    /// More fields of the body that are ours to write, and why they are not for others to write.
    fields: &'static [(&'static str, &'static str)],
    /// What else is wrong with a body.
    refuses: fn(&Map<String, Value>) -> Option<&'static str>,
}

/// OpenAI, Azure and the many that are compatible.
pub(in crate::config) const OPENAI: Provider = Provider {
    section: "openai",
    model: openai::DEFAULT_MODEL,
    url: openai::OPENAI_URL,
    path: "/chat/completions",
    query: "has a query: the version of Azure's dated API is openai.api_version",
    headers: &["api-key", "authorization"],
    fields: &[("n", "is written by dragoman itself")],
    refuses: |_| None,
};
/// Anthropic, and those that are compatible. `authorization` is left to who needs it: some gateways want a key there.
pub(in crate::config) const ANTHROPIC: Provider = Provider {
    section: "anthropic",
    model: anthropic::DEFAULT_MODEL,
    url: anthropic::ANTHROPIC_URL,
    path: "/v1/messages",
    query: "has a query",
    headers: &["anthropic-version", "x-api-key"],
    fields: &[
        ("max_tokens", "is anthropic.max_output_tokens"),
        ("system", "is written by dragoman itself"),
    ],
    refuses: |body| {
        let is_manual = body
            .get("thinking")
            .and_then(|thinking| thinking.get("type"))
            == Some(&Value::from("enabled"));
        is_manual.then_some(
            "thinking of the type `enabled` needs the model's thoughts back with every result of a tool, and dragoman \
             keeps none: leave it out, or write {\"type\": \"adaptive\"} where the model knows that",
        )
    },
};

/// The name of a model or of a deployment.
pub(in crate::config) fn model_name(name: &str, provider: &Provider) -> Result<String, String> {
    if name.is_empty() || name.len() > 200 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        let Provider { section, model, .. } = provider;
        return Err(format!(
            "write the model's name after {section}:, such as {section}:{model}"
        ));
    }
    Ok(name.to_owned())
}

/// A URL without a slash at its end. It is shown, so it must hold no password.
pub(in crate::config) fn base_url(text: &str, provider: &Provider) -> Result<String, String> {
    let Provider {
        section,
        url,
        path,
        query,
        ..
    } = provider;
    let text = text.trim().trim_end_matches('/');
    let advice = |reason: &str| Err(format!("{reason}: write it like {url}"));
    if text.contains('@') {
        return Err(format!("must not hold a password: set {section}.api_key"));
    }
    let uri: Option<Uri> = text.parse().ok();
    let Some(uri) = uri.filter(|uri| uri.authority().is_some()) else {
        return advice("not a URL");
    };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return advice("neither http:// nor https://");
    }
    if uri.query().is_some() {
        return Err((*query).to_owned());
    }
    if uri.path().ends_with(path) {
        return advice(&format!("`{path}` is added to it"));
    }
    Ok(text.to_owned())
}

pub(in crate::config) fn api_key(text: &str) -> Result<Option<Secret>, String> {
    let text = text.trim();
    if text == HIDDEN {
        return Err("`config show` does not tell keys: write the key itself".to_owned());
    }
    if text.len() > 16 * 1024 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a key has no spaces and only ASCII characters".to_owned());
    }
    Ok((!text.is_empty()).then(|| Secret::new(text)))
}

/// What is shown of a secret.
pub(in crate::config) fn hidden(is_set: bool) -> String {
    if is_set { HIDDEN } else { "" }.to_owned()
}

/// `name: value`, separated by commas; those in `ours` are dragoman's to write too.
pub(in crate::config) fn headers(text: &str, ours: &[&str]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let pairs = text.split(',').map(str::trim);
    for pair in pairs.filter(|pair| !pair.is_empty()) {
        // The pair is not repeated: it may be a key.
        let wrong = || Err("write each header like `x-team: data`".to_owned());
        let Some((name, value)) = pair.split_once(':') else {
            return wrong();
        };
        let name = HeaderName::from_bytes(name.trim().as_bytes());
        let (Ok(name), Ok(mut value)) = (name, HeaderValue::from_str(value.trim())) else {
            return wrong();
        };
        if OUR_HEADERS.contains(&name.as_str()) || ours.contains(&name.as_str()) {
            return Err(format!("the header {name} is written by dragoman itself"));
        }
        value.set_sensitive(true);
        headers.append(name, value);
        if headers.len() > MOST_HEADERS {
            return Err(format!("at most {MOST_HEADERS} headers"));
        }
    }
    Ok(headers)
}

/// A JSON object; empty for one without fields.
pub(in crate::config) fn body(
    text: &str,
    provider: &Provider,
) -> Result<Map<String, Value>, String> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    if text.len() > BODY_BYTES {
        return Err(format!("longer than {} KiB", BODY_BYTES / 1024));
    }
    let body: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| format!("not a JSON object, such as {{\"temperature\": 0.2}}: {error}"))?;
    let ours = OUR_FIELDS
        .iter()
        .map(|field| (*field, "is written by dragoman itself"));
    let ours = ours.chain(provider.fields.iter().copied());
    if let Some((field, why)) = ours
        .into_iter()
        .find(|(field, _)| body.contains_key(*field))
    {
        return Err(format!("the field `{field}` {why}"));
    }
    if let Some(wrong) = (provider.refuses)(&body) {
        return Err(wrong.to_owned());
    }
    Ok(body)
}

pub(in crate::config) fn body_text(body: &Map<String, Value>) -> String {
    if body.is_empty() {
        String::new()
    } else {
        Value::Object(body.clone()).to_string()
    }
}
