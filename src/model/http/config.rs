use std::time::Duration;

use http::HeaderMap;
use serde_json::{Map, Value};

use super::{Patience, Peer};
use crate::model::Secret;

/// Shortest word of a header that is taken for a secret: shorter ones would only make messages unreadable.
const SECRET_BYTES: usize = 8;

/// How a model behind HTTP is reached: what all APIs have in common, and what is particular to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config<Dialect> {
    /// URL that the path of the API is added to, without a slash at its end.
    pub base_url: String,
    /// The key, or a token; local servers want none.
    pub api_key: Option<Secret>,
    /// Most tokens of one answer; 0: the server's own limit, where the API allows that.
    pub max_output_tokens: u32,
    /// Sent with every request; each value is marked sensitive.
    pub headers: HeaderMap,
    /// More fields for the body of every request; `null` takes one of ours out.
    pub body: Map<String, Value>,
    /// Longest time until there is a connection.
    pub connect_timeout: Duration,
    /// Longest time until an answer begins.
    pub header_timeout: Duration,
    /// Longest silence in an answer.
    pub idle_timeout: Duration,
    /// Longest time for one request with its retries.
    pub total_timeout: Duration,
    /// How often a request that failed before its answer began is sent again.
    pub retries: usize,
    /// Longest pause before that.
    pub retry_pause: Duration,
    /// What only this API has.
    pub dialect: Dialect,
}

// === impl Config ===

impl<Dialect> Config<Dialect> {
    /// The defaults of all APIs, at `base_url`.
    pub(in crate::model) fn at(base_url: &str, max_output_tokens: u32, dialect: Dialect) -> Self {
        Self {
            base_url: base_url.to_owned(),
            api_key: None,
            max_output_tokens,
            headers: HeaderMap::new(),
            body: Map::new(),
            connect_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_mins(1),
            total_timeout: Duration::from_mins(5),
            retries: 2,
            retry_pause: Duration::from_secs(20),
            dialect,
        }
    }

    pub(in crate::model) fn patience(&self) -> Patience {
        Patience {
            connect: self.connect_timeout,
            header: self.header_timeout,
            idle: self.idle_timeout,
            total: self.total_timeout,
            retries: self.retries,
            retry_pause: self.retry_pause,
        }
    }

    /// Whom messages speak of: `model` at `host`, configured in `section`.
    pub(in crate::model) fn peer(&self, host: &str, model: &str, section: &'static str) -> Peer {
        let values = self
            .headers
            .values()
            .filter_map(|value| value.to_str().ok());
        let words = values.flat_map(str::split_whitespace);
        let words = words.filter(|word| word.len() >= SECRET_BYTES);
        Peer {
            host: host.to_owned(),
            model: model.to_owned(),
            section,
            secrets: self
                .api_key
                .iter()
                .cloned()
                .chain(words.map(Secret::new))
                .collect(),
        }
    }

    /// Puts the fields of [`Self::body`] over those of `body`, and writes it as JSON text.
    pub(in crate::model) fn written(&self, mut body: Map<String, Value>) -> Vec<u8> {
        for (key, value) in &self.body {
            if value.is_null() {
                body.remove(key);
            } else {
                body.insert(key.clone(), value.clone());
            }
        }
        Value::Object(body).to_string().into_bytes()
    }
}
