//! Models that speak OpenAI's chat completions, <https://platform.openai.com/docs/api-reference/chat>: OpenAI, Azure
//! OpenAI, and the many servers that are compatible with them.

mod address;
mod answer;
mod chunk;
mod decoder;
mod request;
mod tool_calls;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Map, Value};

use super::http::{Client, Peer, Setup, Timeouts};
use super::{BuildError, Message, ModelInfo, ModelStream, Request, Secret};
use address::Address;
use answer::Answer;
use decoder::Decoder;

/// The model that is asked if none is named: small, quick, and good at calling tools.
pub const DEFAULT_MODEL: &str = "gpt-5.4-mini";
/// Where OpenAI's own models are.
pub const OPENAI_URL: &str = "https://api.openai.com/v1";

/// How such a model is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// URL that `/chat/completions` is added to, without a slash at its end; with [`Self::api_version`] that of the Azure
    /// resource.
    pub base_url: String,
    /// The key, or a token; local servers want none.
    pub api_key: Option<Secret>,
    /// `api-version` of Azure's dated API. `None`: the API has no such thing.
    pub api_version: Option<String>,
    /// How the key is sent.
    pub auth: Auth,
    /// What the limit on tokens is called.
    pub token_field: TokenField,
    /// Most tokens of one answer; 0: the server's own limit.
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
}

/// How a key is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// [`Self::ApiKey`] for Azure, [`Self::Bearer`] for everybody else.
    Auto,
    /// `Authorization: Bearer`: OpenAI, Azure with Entra ID, most others.
    Bearer,
    /// `api-key`: Azure.
    ApiKey,
}

/// What the limit on tokens is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenField {
    /// `max_completion_tokens`: OpenAI, the only one its reasoning models know.
    MaxCompletionTokens,
    /// `max_tokens`: older models and most compatible servers.
    MaxTokens,
}

/// A model over chat completions.
#[derive(Debug, Clone)]
pub struct OpenAi {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    config: Config,
    model: String,
    info: ModelInfo,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_url: OPENAI_URL.to_owned(),
            api_key: None,
            api_version: None,
            auth: Auth::Auto,
            token_field: TokenField::MaxCompletionTokens,
            max_output_tokens: 0,
            headers: HeaderMap::new(),
            body: Map::new(),
            connect_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_mins(1),
            idle_timeout: Duration::from_mins(1),
            total_timeout: Duration::from_mins(5),
            retries: 2,
            retry_pause: Duration::from_secs(20),
        }
    }
}

// === impl Config ===

impl Config {
    /// True if the server is OpenAI's own, which answers nobody without a key.
    pub fn needs_key(&self) -> bool {
        self.base_url.starts_with("https://api.openai.com")
    }
}

// === impl OpenAi ===

impl OpenAi {
    /// The model `name` at the address `config` has. Opens no connection yet.
    pub fn new(name: &str, config: &Config) -> Result<Self, BuildError> {
        let address = Address::new(name, config)?;
        let mut headers = config.headers.clone();
        if let Some(key) = &config.api_key {
            let (name, value) = auth_header(key, config.auth, address.is_azure)?;
            headers.insert(name, value);
        }
        let client = Client::new(Setup {
            url: address.url,
            headers,
            timeouts: Timeouts {
                connect: config.connect_timeout,
                header: config.header_timeout,
                idle: config.idle_timeout,
                total: config.total_timeout,
            },
            peer: Peer {
                host: address.server.address.clone(),
                model: name.to_owned(),
                section: "openai",
                secrets: config.api_key.iter().cloned().collect(),
            },
        })?;
        let info = ModelInfo {
            provider: if address.is_azure {
                "azure.ai.openai".into()
            } else {
                "openai".into()
            },
            name: name.to_owned().into(),
            server: Some(address.server),
        };
        Ok(Self {
            shared: Arc::new(Shared {
                client,
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
        let used = call_ids(&request.messages);
        let body = request::body(&self.shared.model, &self.shared.config, &request);
        Answer::stream(Arc::clone(&self.shared), body, used)
    }
}

fn auth_header(
    key: &Secret,
    auth: Auth,
    is_azure: bool,
) -> Result<(HeaderName, HeaderValue), BuildError> {
    let (name, value) = match (auth, is_azure) {
        (Auth::ApiKey, _) | (Auth::Auto, true) => {
            (HeaderName::from_static("api-key"), key.expose().to_owned())
        }
        (Auth::Bearer, _) | (Auth::Auto, false) => {
            (header::AUTHORIZATION, format!("Bearer {}", key.expose()))
        }
    };
    let mut value = HeaderValue::from_str(&value).map_err(|_| BuildError::Key)?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// The ids of calls that the conversation has already.
fn call_ids(messages: &[Message]) -> HashSet<Arc<str>> {
    let calls = messages.iter().filter_map(|message| match message {
        Message::Assistant { tool_calls, .. } => Some(tool_calls),
        Message::User(_) | Message::Tool(_) => None,
    });
    let ids = calls.flatten().map(|call| Arc::clone(&call.id));
    ids.collect()
}
