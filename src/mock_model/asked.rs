use std::fmt;

use serde_json::Value;

use super::dialect::{Dialect, at};
use super::http::Request;

/// Longest name of a model, in bytes.
const MODEL_BYTES: usize = 256;

/// A request for an answer.
#[derive(Clone)]
pub struct Asked {
    /// Its body.
    pub body: Value,
    /// The model it names, which names the case.
    pub model: String,
    /// The answer comes in pieces.
    pub(super) streams: bool,
    pub(super) dialect: Dialect,
    request: Request,
}

// === impl Asked ===

impl Asked {
    /// Understands a request to `dialect`. The error says what is wrong with it.
    pub(super) fn new(
        dialect: Dialect,
        deployment: Option<&str>,
        request: Request,
    ) -> Result<Self, &'static str> {
        let body: Value =
            serde_json::from_slice(&request.body).map_err(|_| "the body is no JSON")?;
        if at(&body, "/messages").as_array().is_none_or(Vec::is_empty) {
            return Err("`messages` is a list of at least one message");
        }
        let model = deployment
            .or(at(&body, "/model").as_str())
            .unwrap_or_default();
        if model.is_empty() || model.len() > MODEL_BYTES {
            return Err("`model` names the case to play");
        }
        Ok(Self {
            model: model.to_owned(),
            streams: *at(&body, "/stream") == true,
            dialect,
            body,
            request,
        })
    }

    /// The first line of the request.
    pub fn line(&self) -> &str {
        self.request.line()
    }

    /// The value of a header, empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.request.header(name)
    }

    /// Tokens of it, by a rule of thumb: four bytes each.
    pub(super) fn tokens(&self) -> u64 {
        self.request.body.len() as u64 / 4
    }
}

/// Headers hold the key, and are not shown.
impl fmt::Debug for Asked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Asked")
            .field("line", &self.line())
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
