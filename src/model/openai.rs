//! Models that speak OpenAI's chat completions, <https://platform.openai.com/docs/api-reference/chat>: OpenAI, Azure
//! OpenAI, and the many servers that are compatible with them.

mod address;
mod chunk;
mod decoder;
mod request;

use std::sync::Arc;

use http::{HeaderName, HeaderValue, header};

use super::answer::Answer;
use super::http::{Client, Setup, key_header};
use super::tool_calls::used_ids;
use super::{BuildError, ModelInfo, ModelStream, Request, Secret};
use address::Address;

pub(super) use self::decoder::Decoder;

/// The section of the settings.
const SECTION: &str = "openai";
/// The model that is asked if none is named: small, quick, and good at calling tools.
pub const DEFAULT_MODEL: &str = "gpt-5.4-mini";
/// Where OpenAI's own models are.
pub const OPENAI_URL: &str = "https://api.openai.com/v1";

/// How such a model is reached. `/chat/completions` is added to its URL; with [`Dialect::api_version`] that is the URL of the
/// Azure resource.
pub type Config = super::HttpConfig<Dialect>;

/// What only chat completions have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// `api-version` of Azure's dated API. `None`: the API has no such thing.
    pub api_version: Option<String>,
    /// How the key is sent.
    pub auth: Auth,
    /// What the limit on tokens is called.
    pub token_field: TokenField,
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
    client: Arc<Client>,
    config: Config,
    model: String,
    info: ModelInfo,
}

impl Default for Config {
    fn default() -> Self {
        let dialect = Dialect {
            api_version: None,
            auth: Auth::Auto,
            token_field: TokenField::MaxCompletionTokens,
        };
        Self::at(OPENAI_URL, 0, dialect)
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
            let (name, value) = auth_header(key, config.dialect.auth, address.is_azure)?;
            headers.insert(name, value);
        }
        let client = Client::new(Setup {
            url: address.url,
            headers,
            patience: config.patience(),
            peer: config.peer(&address.server.address, name, SECTION),
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
        Answer::stream(
            Arc::clone(client),
            body,
            super::decoder::Decoder::OpenAi(decoder),
        )
    }
}

fn auth_header(
    key: &Secret,
    auth: Auth,
    is_azure: bool,
) -> Result<(HeaderName, HeaderValue), BuildError> {
    let (name, scheme) = match (auth, is_azure) {
        (Auth::ApiKey, _) | (Auth::Auto, true) => (HeaderName::from_static("api-key"), ""),
        (Auth::Bearer, _) | (Auth::Auto, false) => (header::AUTHORIZATION, "Bearer "),
    };
    Ok((name, key_header(scheme, key, SECTION)?))
}
