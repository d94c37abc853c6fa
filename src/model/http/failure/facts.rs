//! What the many shapes of error bodies have in common.
//!
//! OpenAI, Azure and Anthropic: `{"error": {"message", "type", "code", "param"}}`
//! (<https://platform.openai.com/docs/guides/error-codes>); llama.cpp and Gemini: `code` is a number; Gemini: all of it in
//! an array; vLLM once: without `error`; Ollama: `error` is the message; FastAPI servers: `detail`.

use serde_json::Value;

use crate::model::{ErrorKind, Secret};

/// Longest part of a server's message that is repeated, in characters.
const SHOWN: usize = 160;

/// What is known of an error.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// A status given as a number inside the body.
    number: Option<u16>,
    /// `code` and `type`, in lower case.
    words: Vec<String>,
    /// What the server said, of any length.
    pub(super) message: String,
}

// === impl Facts ===

impl Facts {
    /// Reads a body; `None` if it is no JSON that speaks of an error.
    pub(super) fn of_body(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let body = body.get(0).unwrap_or(&body);
        let inner = body.get("error").filter(|error| !error.is_null());
        let plain = || body.get("message").or(body.get("detail")).map(|_| body);
        inner.or_else(plain).map(Self::of_error)
    }

    /// Reads the error itself.
    pub(super) fn of_error(error: &Value) -> Self {
        let text = |key: &str| error.get(key).and_then(Value::as_str);
        let message = error.as_str().or(text("message")).or(text("detail"));
        let mut facts = Self {
            message: message.unwrap_or_default().to_owned(),
            ..Self::default()
        };
        // Azure has the reason for a refusal one level deeper.
        let inner = error.get("innererror").and_then(|inner| inner.get("code"));
        let words = [
            error.get("code"),
            error.get("type"),
            error.get("status"),
            inner,
        ];
        for word in words.into_iter().flatten() {
            let number = match word {
                Value::Number(number) => number.as_u64(),
                // LiteLLM and Azure write numbers as text.
                Value::String(text) => text.parse().ok(),
                _ => None,
            };
            if let Some(number) = number {
                facts.number = u16::try_from(number).ok().or(facts.number);
            } else if let Some(text) = word.as_str() {
                facts.words.push(text.to_ascii_lowercase());
            }
        }
        facts
    }

    /// What kind of error this is, sent with this HTTP status.
    pub(super) fn kind(&self, status: Option<u16>) -> ErrorKind {
        let status = status.or(self.number.filter(|number| (400..600).contains(number)));
        let message = self.message.to_ascii_lowercase();
        let says = |parts: &[&str]| {
            parts.iter().any(|part| {
                message.contains(part) || self.words.iter().any(|word| word.contains(part))
            })
        };
        let named = |names: &[&str]| self.words.iter().any(|word| names.contains(&word.as_str()));
        if named(QUOTA_NAMES) || says(QUOTA) {
            ErrorKind::QuotaExhausted
        } else if status != Some(429) && says(CONTEXT_LENGTH) {
            ErrorKind::ContextLength
        } else if says(CONTENT_FILTER) {
            ErrorKind::ContentFilter
        } else if let Some(status) = status {
            kind_of_status(status)
        } else if says(&["rate_limit", "rate limit", "resource_exhausted"]) {
            ErrorKind::RateLimited
        } else if says(&["overloaded", "unavailable"]) {
            ErrorKind::Overloaded
        } else if named(&["timeout_error"]) {
            ErrorKind::Timeout
        } else if says(&["invalid_api_key", "authentication", "permission"]) {
            ErrorKind::Auth
        } else if named(&["model_not_found", "not_found_error"]) {
            ErrorKind::NotFound
        } else if says(&["invalid_request"]) {
            ErrorKind::BadRequest
        } else {
            ErrorKind::Server
        }
    }
}

/// How servers say that there is nothing left to spend: OpenAI, Anthropic.
const QUOTA_NAMES: &[&str] = &[
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_error",
];
/// The same where it is said only in words: Anthropic, as an invalid request.
const QUOTA: &[&str] = &["credit balance is too low", "specified api usage limits"];

/// How servers say that a conversation is too long: OpenAI and vLLM, Anthropic, llama.cpp, LiteLLM, Gemini.
const CONTEXT_LENGTH: &[&str] = &[
    "context_length_exceeded",
    "maximum context length",
    "context window",
    "contextwindowexceeded",
    "exceed_context_size",
    "exceeds the available context size",
    "prompt is too long",
    "exceed context limit",
    "request_too_large",
    "input token count",
];

/// How servers say that a filter refused: OpenAI, Azure, Anthropic.
const CONTENT_FILTER: &[&str] = &[
    "content_filter",
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "content management policy",
    "content filtering policy",
];

/// What an HTTP status alone means.
pub(super) fn kind_of_status(status: u16) -> ErrorKind {
    match status {
        401 | 403 => ErrorKind::Auth,
        402 => ErrorKind::QuotaExhausted,
        404 => ErrorKind::NotFound,
        408 | 504 => ErrorKind::Timeout,
        429 => ErrorKind::RateLimited,
        // 529 is Anthropic's, and that of proxies in front of it.
        503 | 529 => ErrorKind::Overloaded,
        400..=499 => ErrorKind::BadRequest,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Protocol,
    }
}

/// A text that stays on its line, shows no key and is short enough to be repeated.
pub(super) fn short(text: &str, secrets: &[Secret]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().map(Secret::expose) {
        if !secret.is_empty() {
            text = text.replace(secret, "…");
        }
    }
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words = words.filter(|word| !word.is_empty()).map(|word| {
        // Keys of OpenAI and those who follow it, also where the server itself has shortened them.
        if word.contains("sk-") { "…" } else { word }
    });
    let line = words.collect::<Vec<_>>().join(" ");
    let line = line.trim_end_matches('.');
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}
