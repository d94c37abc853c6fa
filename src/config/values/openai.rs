use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use serde_json::{Map, Value};

use crate::model::Secret;
use crate::model::openai::{Auth, DEFAULT_MODEL, TokenField};

/// What stands for a secret.
pub(super) const HIDDEN: &str = "(not shown)";
const MOST_HEADERS: usize = 50;
const BODY_BYTES: usize = 16 * 1024;
/// Headers that are ours to write: without them a request is another one.
const OUR_HEADERS: &[&str] = &[
    "accept",
    "api-key",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "traceparent",
    "tracestate",
    "transfer-encoding",
];
/// Fields of the body that are ours to write.
const OUR_FIELDS: &[&str] = &["messages", "model", "n", "stream", "tools"];

/// The name of a model or of a deployment; none is [`DEFAULT_MODEL`].
pub(in crate::config) fn model_name(text: Option<&str>) -> Result<String, String> {
    let name = text.unwrap_or(DEFAULT_MODEL);
    if name.is_empty() || name.len() > 200 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("write the model's name after openai:, such as openai:gpt-5.4".to_owned());
    }
    Ok(name.to_owned())
}

/// A URL without a slash at its end. It is shown, so it must hold no password.
pub(in crate::config) fn base_url(text: &str) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    let advice = |reason: &str| Err(format!("{reason}: write it like https://api.openai.com/v1"));
    if text.contains('@') {
        return Err("must not hold a password: set openai.api_key".to_owned());
    }
    let uri: Option<Uri> = text.parse().ok();
    let Some(uri) = uri.filter(|uri| uri.authority().is_some()) else {
        return advice("not a URL");
    };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return advice("neither http:// nor https://");
    }
    if uri.query().is_some() {
        return Err(
            "has a query: the version of Azure's dated API is openai.api_version".to_owned(),
        );
    }
    if uri.path().ends_with("/chat/completions") {
        return advice("`/chat/completions` is added to it");
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

pub(in crate::config) fn api_version(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if text.len() > 64 || !text.bytes().all(allowed) {
        return Err("write it like 2024-10-21, or leave it empty".to_owned());
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

pub(in crate::config) fn auth(text: &str) -> Result<Auth, String> {
    match text.trim() {
        "auto" => Ok(Auth::Auto),
        "bearer" => Ok(Auth::Bearer),
        "api-key" => Ok(Auth::ApiKey),
        _ => Err("write auto, bearer or api-key".to_owned()),
    }
}

pub(in crate::config) fn auth_text(auth: Auth) -> String {
    match auth {
        Auth::Auto => "auto",
        Auth::Bearer => "bearer",
        Auth::ApiKey => "api-key",
    }
    .to_owned()
}

pub(in crate::config) fn token_field(text: &str) -> Result<TokenField, String> {
    match text.trim() {
        "max_completion_tokens" => Ok(TokenField::MaxCompletionTokens),
        "max_tokens" => Ok(TokenField::MaxTokens),
        _ => Err("write max_completion_tokens or max_tokens".to_owned()),
    }
}

pub(in crate::config) fn token_field_text(field: TokenField) -> String {
    match field {
        TokenField::MaxCompletionTokens => "max_completion_tokens",
        TokenField::MaxTokens => "max_tokens",
    }
    .to_owned()
}

/// `name: value`, separated by commas.
pub(in crate::config) fn headers(text: &str) -> Result<HeaderMap, String> {
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
        if OUR_HEADERS.contains(&name.as_str()) {
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
pub(in crate::config) fn body(text: &str) -> Result<Map<String, Value>, String> {
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    if text.len() > BODY_BYTES {
        return Err(format!("longer than {} KiB", BODY_BYTES / 1024));
    }
    let body: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| format!("not a JSON object, such as {{\"temperature\": 0.2}}: {error}"))?;
    if let Some(field) = OUR_FIELDS.iter().find(|field| body.contains_key(**field)) {
        return Err(format!("the field `{field}` is written by dragoman itself"));
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
