//! Models that speak Anthropic's messages, <https://docs.anthropic.com/en/api/messages>: Anthropic's own, and the gateways and
//! servers that are compatible with them.

mod decoder;
mod event;
mod request;

use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use super::answer::Answer;
use super::http::{Client, Setup, key_header, server_of};
use super::tool_calls::used_ids;
use super::{BuildError, ModelInfo, ModelStream, Request};

pub(super) use self::decoder::Decoder;

/// The model that is asked if none is named: small, quick, and good at calling tools.
pub const DEFAULT_MODEL: &str = "claude-haiku-5-5";
/// Where Anthropic's own models are.
pub const ANTHROPIC_URL: &str = "https://api.anthropic.com";
/// The version of the API that this speaks, <https://docs.anthropic.com/en/api/versioning>.
const VERSION: &str = "2023-06-01";
/// The API wants to be told; thoughts count too, in models that think.
const MAX_OUTPUT_TOKENS: u32 = 16_000;
/// The section of the settings.
const SECTION: &str = "anthropic";

/// How such a model is reached. `/v1/messages` is added to its URL.
pub type Config = super::HttpConfig<Dialect>;

/// What only messages have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Whether the provider is asked to keep what requests have in common, and to read it from there.
    pub prompt_cache: bool,
}

/// A model over Anthropic's messages.
#[derive(Debug, Clone)]
pub struct Anthropic {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Arc<Client>,
    config: Config,
    model: String,
    info: ModelInfo,
}

impl Default for Config {
    fn default() -> Self {
        Self::at(
            ANTHROPIC_URL,
            MAX_OUTPUT_TOKENS,
            Dialect { prompt_cache: true },
        )
    }
}

// === impl Config ===

impl Config {
    /// True if the server is Anthropic's own, which answers nobody without a key.
    pub fn needs_key(&self) -> bool {
        self.base_url.starts_with(ANTHROPIC_URL)
    }
}

// === impl Anthropic ===

impl Anthropic {
    /// The model `name` at the address `config` has. Opens no connection yet.
    pub fn new(name: &str, config: &Config) -> Result<Self, BuildError> {
        let server = server_of(&config.base_url, SECTION)?;
        let mut headers = config.headers.clone();
        let version = HeaderName::from_static("anthropic-version");
        headers.insert(version, HeaderValue::from_static(VERSION));
        if let Some(key) = &config.api_key {
            let name = HeaderName::from_static("x-api-key");
            headers.insert(name, key_header("", key, SECTION)?);
        }
        let client = Client::new(Setup {
            url: url(&config.base_url),
            headers,
            patience: config.patience(),
            peer: config.peer(&server.address, name, SECTION),
        })?;
        let info = ModelInfo {
            provider: "anthropic".into(),
            name: name.to_owned().into(),
            server: Some(server),
        };
        Ok(Self {
            shared: Arc::new(Shared {
                client: Arc::new(client),
                config: config.clone(),
                model: name.to_owned(),
                info,
            }),
        })
    }

    /// What this model is.
    pub fn info(&self) -> ModelInfo {
        self.shared.info.clone()
    }

    /// Asks the model.
    pub fn stream(&self, request: Request) -> ModelStream {
        let Shared {
            client,
            config,
            model,
            info: _,
        } = &*self.shared;
        let decoder = Decoder::new(client.peer().clone(), used_ids(&request.messages));
        let body = request::body(model, config, &request);
        let decoder = super::decoder::Decoder::Anthropic(decoder);
        Answer::stream(Arc::clone(client), body, decoder)
    }
}

/// Others write the base with the version that Anthropic has in the path: both are understood.
fn url(base_url: &str) -> String {
    let base = base_url.trim_end_matches('/');
    format!("{}/v1/messages", base.strip_suffix("/v1").unwrap_or(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_is_asked_where_it_listens() {
        assert_eq!(url(ANTHROPIC_URL), "https://api.anthropic.com/v1/messages");
        for base in [
            "http://localhost:4000/anthropic",
            "http://localhost:4000/anthropic/v1/",
        ] {
            assert_eq!(url(base), "http://localhost:4000/anthropic/v1/messages");
        }
    }
}
