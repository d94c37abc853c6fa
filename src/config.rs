//! Settings: flags over environment over a TOML file over defaults.
//!
//! [`SETTINGS`] is the one list of them. Every key, variable, bound and default that is documented,
//! read or shown comes from there; the values land in the `Config` of the module they belong to.
//! All problems are found before anything is opened, and told at once.

mod environment;
mod file;
mod loading;
mod problem;
mod servers;
mod setting;
mod settings;
mod show;
mod values;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::agent;
use crate::catalog;
use crate::chat::Limits;
use crate::chat_service;
use crate::gateway;
use crate::lifecycle;
use crate::model;
use crate::mutant::Mutant;
use crate::store;
use crate::telemetry;
use crate::tools::mcp;

pub use problem::{ConfigError, Origin, Problem};
pub use setting::Setting;
pub use settings::SETTINGS;
pub use settings::mcp::MCP_SETTINGS;

use loading::Loading;

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What this process does.
    pub only: Role,
    /// The agents a gateway asks, as URLs. Empty unless this is [`Role::Gateway`].
    pub agents: Vec<String>,
    /// Where browsers connect, as `host:port`. Port 0 takes a free one.
    pub http: String,
    /// Where gRPC clients connect, as `host:port`. Port 0 takes a free one.
    pub grpc: String,
    /// Where sessions are kept.
    pub store: store::Config,
    /// How long sessions are kept, and how their turns are held.
    pub sessions: store::Sessions,
    /// What questions are answered from.
    pub catalog: catalog::Config,
    /// What answers.
    pub model: model::Config,
    /// Why that model, if nobody chose it and it is not the default.
    pub model_because: Option<String>,
    /// What a session accepts.
    pub limits: Limits,
    /// What a turn may use up.
    pub agent: agent::Config,
    /// Servers of more tools.
    pub mcp: mcp::Config,
    /// How browsers are served.
    pub gateway: gateway::Config,
    /// How gRPC clients are served.
    pub chat_service: chat_service::Config,
    /// Traces and logs.
    pub telemetry: telemetry::Config,
    /// How the process stops.
    pub lifecycle: lifecycle::Config,
    /// A protection that tests switch off. Only builds with debug assertions can set it.
    pub mutant: Option<Mutant>,
}

/// What a process does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    /// All of it.
    #[default]
    Everything,
    /// Runs turns and keeps sessions; spoken to over gRPC.
    Agent,
    /// Serves browsers, and asks agents.
    Gateway,
}

/// What the command line says about settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--config`: the TOML file.
    pub config: Option<PathBuf>,
    /// Key and value of every setting given by its flag, which is the key with two dashes before
    /// it.
    pub settings: Vec<(&'static str, String)>,
}

/// A configuration without problems, and where each of its values came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The values.
    pub config: Config,
    /// The TOML file that was read.
    pub file: Option<PathBuf>,
    /// Origins by key; a setting that is not here has its default.
    origins: BTreeMap<&'static str, Origin>,
    /// The same for MCP servers, whose keys somebody made up.
    server_origins: BTreeMap<String, Origin>,
}

/// Reads the settings: `flags`, then `environment` (see [`read_environment`]), then the TOML file
/// these two name.
pub fn load(
    flags: &Flags,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded, ConfigError> {
    Loading::run(flags, environment)
}

/// The environment of this process. Nothing else in dragoman looks at it.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub fn read_environment() -> impl Iterator<Item = (OsString, OsString)> {
    // `vars` would panic on a variable that is not Unicode, be it none of ours.
    std::env::vars_os()
}

/// What the setting `key` is, and its default: the help text of its flag.
pub fn help(key: &str) -> String {
    SETTINGS
        .iter()
        .find(|setting| setting.key == key)
        .map(|setting| format!("{} [default: {}]", setting.help, setting.default_text()))
        .unwrap_or_default()
}

// === impl Config ===

impl Default for Config {
    /// What holds when nothing is set and the environment names no home.
    fn default() -> Self {
        Self {
            only: Role::Everything,
            agents: Vec::new(),
            http: "127.0.0.1:8000".to_owned(),
            grpc: "127.0.0.1:50051".to_owned(),
            store: store::Config::Sqlite(PathBuf::from("dragoman/sessions.db")),
            sessions: store::Sessions::default(),
            catalog: catalog::Config::default(),
            model: model::Config::default(),
            model_because: None,
            limits: Limits::default(),
            agent: agent::Config::default(),
            mcp: mcp::Config::default(),
            gateway: gateway::Config::default(),
            chat_service: chat_service::Config::default(),
            telemetry: telemetry::Config::default(),
            lifecycle: lifecycle::Config::default(),
            mutant: None,
        }
    }
}

// === impl Loaded ===

impl Loaded {
    /// Where the value of the setting `key` came from.
    pub fn origin(&self, key: &str) -> &Origin {
        let of_server = || self.server_origins.get(key);
        let origin = self.origins.get(key).or_else(of_server);
        origin.unwrap_or(&Origin::Default)
    }

    /// The effective values as a TOML file, each with its origin as a comment.
    pub fn show(&self) -> String {
        show::document(self)
    }

    /// What was read, in one line.
    pub fn summary(&self) -> String {
        show::summary(self)
    }
}
