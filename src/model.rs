//! The seam to language models: a request goes in, a stream of [`ModelEvent`]s comes out.
//!
//! Rules every variant keeps: nothing happens before the first poll; a stream ends in exactly one
//! [`ModelEvent::End`] or one error, never neither; dropping the stream cancels the request.

mod answer;
pub mod anthropic;
mod decoder;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod guide;
mod http;
pub mod openai;
mod scripted;
mod tool_calls;

use std::borrow::Cow;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;

use crate::chat::ToolCall;

pub use crate::secret::Secret;
pub use anthropic::Anthropic;
pub use error::{ErrorKind, ModelError};
pub use guide::Guide;
pub use http::Config as HttpConfig;
pub use openai::OpenAi;
pub use scripted::{ScriptError, Scripted};

/// The model that answers. A closed set: one file a variant.
#[derive(Debug, Clone)]
pub enum Model {
    /// The embedded default: deterministic, no network, understands questions about the catalog by rules.
    Guide(Guide),
    /// A language model over Anthropic's messages.
    Anthropic(Anthropic),
    /// A language model over chat completions.
    OpenAi(OpenAi),
    /// Plays a file of steps, for tests and rehearsals.
    Scripted(Scripted),
}

/// Which model to use, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The model.
    pub kind: Kind,
    /// How long the guide waits between two pieces of text, so that its answers can be read as they come. Zero: none.
    pub guide_pace: Duration,
    /// How a model over chat completions is reached.
    pub openai: openai::Config,
    /// How a model over Anthropic's messages is reached.
    pub anthropic: anthropic::Config,
}

/// Which model to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// [`Guide`].
    Guide,
    /// [`Anthropic`], with the name of the model.
    Anthropic(String),
    /// [`OpenAi`], with the name of the model; on Azure that of its deployment.
    OpenAi(String),
    /// [`Scripted`], with its file.
    Scripted(PathBuf),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            kind: Kind::Guide,
            guide_pace: Duration::from_millis(15),
            openai: openai::Config::default(),
            anthropic: anthropic::Config::default(),
        }
    }
}

/// A model that cannot be made. The operator's business.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The script cannot be played.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The key cannot be sent.
    #[error(
        "{section}.api_key has characters that no HTTP header can hold: check how it was copied"
    )]
    Key {
        /// The section of the settings.
        section: &'static str,
    },
    /// There is no address to ask.
    #[error("{section}.base_url is no URL: write it like https://models.example.com/v1")]
    Url {
        /// The section of the settings.
        section: &'static str,
    },
    /// There are no connections to be had.
    #[error("cannot make connections to a model: {0}; are there CA certificates on this system?")]
    Client(String),
}

/// What a model is, for spans and start-up messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// `gen_ai.provider.name`.
    pub provider: Cow<'static, str>,
    /// `gen_ai.request.model`.
    pub name: Cow<'static, str>,
    /// Where it is asked, if that is another process.
    pub server: Option<ServerAddress>,
}

/// Where a model is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    /// `server.address`: a name or an IP address.
    pub address: String,
    /// `server.port`.
    pub port: u16,
}

/// One request: the conversation so far and the tools the model may ask for.
#[derive(Debug, Clone)]
pub struct Request {
    /// What the model is told of its task, by who runs it and not by who asks. Models that know their task ignore it.
    pub system: Arc<str>,
    /// Oldest first; the last one is the question, or the results of the tools just run.
    pub messages: Vec<Message>,
    /// What the model may call.
    pub tools: Arc<[ToolSpec]>,
}

/// A message of the conversation, as models know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A question.
    User(Arc<str>),
    /// What the model said, and the tools it asked for.
    Assistant {
        /// What it said, may be empty.
        text: Arc<str>,
        /// The calls it ended with, in order.
        tool_calls: Vec<ToolCall>,
    },
    /// What a tool answered.
    Tool(crate::chat::ToolResult),
}

/// A tool as the model is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// Its name, unique.
    pub name: Arc<str>,
    /// What it does and when to use it, for the model.
    pub description: Arc<str>,
    /// JSON Schema of its arguments.
    pub parameters: serde_json::Value,
}

/// A piece of a model's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelEvent {
    /// More text.
    Text(String),
    /// A complete tool call.
    ToolCall(ToolCall),
    /// Tokens of this request; the last one counts.
    Usage {
        /// Tokens read, those included that the provider had in its cache.
        input_tokens: u64,
        /// Those of them that it had there.
        cached_tokens: u64,
        /// Tokens written.
        output_tokens: u64,
    },
    /// The end. Nothing follows.
    End(End),
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It has said everything.
    Stop,
    /// It waits for the results of its tool calls.
    ToolCalls,
    /// It reached its limit on length.
    Length,
}

/// The answer of a model, piece by piece.
pub type ModelStream = Pin<Box<dyn Stream<Item = Result<ModelEvent, ModelError>> + Send>>;

// === impl Model ===

impl Model {
    /// Makes the model `config` names.
    pub fn build(config: &Config) -> Result<Self, BuildError> {
        Ok(match &config.kind {
            Kind::Guide => Self::Guide(Guide::new(config.guide_pace)),
            Kind::Anthropic(name) => Self::Anthropic(Anthropic::new(name, &config.anthropic)?),
            Kind::OpenAi(name) => Self::OpenAi(OpenAi::new(name, &config.openai)?),
            Kind::Scripted(file) => Self::Scripted(Scripted::load(file)?),
        })
    }

    /// What this model is.
    pub fn info(&self) -> ModelInfo {
        match self {
            Self::Guide(_) => Guide::INFO,
            Self::Anthropic(anthropic) => anthropic.info(),
            Self::OpenAi(openai) => openai.info(),
            Self::Scripted(_) => Scripted::INFO,
        }
    }

    /// Asks the model.
    pub fn stream(&self, request: Request) -> ModelStream {
        match self {
            Self::Guide(guide) => guide.stream(request),
            Self::Anthropic(anthropic) => anthropic.stream(request),
            Self::OpenAi(openai) => openai.stream(request),
            Self::Scripted(scripted) => scripted.stream(request),
        }
    }
}
