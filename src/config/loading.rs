use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf, absolute};

use super::environment::{CONFIG_VARIABLE, Environment, MUTANT_VARIABLE, SDK_DISABLED};
use super::file::{self, Entry};
use super::problem::{ConfigError, Origin, Problem};
use super::servers::ServerValue;
use super::setting::Setting;
use super::settings::SETTINGS;
use super::{Config, Flags, Loaded, Role};
use crate::model;
use crate::store;

/// What `OTEL_SDK_DISABLED` leaves empty.
const OTLP_ENDPOINTS: [&str; 2] = ["telemetry.otlp_endpoint", "telemetry.otlp_metrics_endpoint"];

/// A configuration in the making. The weakest source comes first, so that each later value replaces
/// an earlier one; every value is checked, also one that is replaced.
#[derive(Debug)]
pub(super) struct Loading {
    pub(super) config: Config,
    origins: BTreeMap<&'static str, Origin>,
    pub(super) server_origins: BTreeMap<String, Origin>,
    pub(super) problems: Vec<Problem>,
}

// === impl Loading ===

impl Loading {
    pub(super) fn run(
        flags: &Flags,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Loaded, ConfigError> {
        let mut loading = Self {
            config: Config::default(),
            origins: BTreeMap::new(),
            server_origins: BTreeMap::new(),
            problems: Vec::new(),
        };
        let environment = Environment::read(variables, &mut loading.problems);
        loading.config.store = store::Config::Sqlite(environment.default_store());
        loading.config.mcp.inherited = environment.inherited();
        let file = loading.read_file(flags, &environment);
        loading.read_standard_variables(flags, &environment);
        loading.read_variables(&environment);
        loading.read_flags(flags);
        loading.choose_model();
        loading.read_mutant(&environment);
        loading.check_pairs();
        loading.check_servers();
        if !loading.problems.is_empty() {
            return Err(ConfigError {
                problems: loading.problems,
            });
        }
        Ok(Loaded {
            config: loading.config,
            file,
            origins: loading.origins,
            server_origins: loading.server_origins,
        })
    }

    /// No file is read that nobody named: what runs must not depend on the folder it was started
    /// in.
    fn read_file(&mut self, flags: &Flags, environment: &Environment) -> Option<PathBuf> {
        let (given, origin) = match (&flags.config, environment.get(CONFIG_VARIABLE)) {
            (Some(path), _) => (path.clone(), Origin::Flag("--config".to_owned())),
            (None, Some(path)) => (
                PathBuf::from(path),
                Origin::Environment(CONFIG_VARIABLE.to_owned()),
            ),
            (None, None) => return None,
        };
        match absolute(&given).and_then(|path| file::read(&path).map(|text| (path, text))) {
            Ok((path, text)) => {
                let folder = path.parent().unwrap_or(&path);
                for entry in file::entries(&path, &text) {
                    match entry {
                        Ok(Entry::Own(entry)) => {
                            self.set(entry.setting, entry.origin, &entry.text, folder);
                        }
                        Ok(Entry::Server(value)) => self.set_server(value, folder),
                        Err(problem) => self.problems.push(problem),
                    }
                }
                Some(path)
            }
            Err(error) => {
                self.problems.push(Problem::Unreadable {
                    origin,
                    path: given,
                    reason: error.to_string(),
                });
                None
            }
        }
    }

    /// The variables every OpenTelemetry program knows. They are often set for a whole cluster, so
    /// they are not even checked where something of ours decides.
    fn read_standard_variables(&mut self, flags: &Flags, environment: &Environment) {
        for setting in SETTINGS.iter().filter(|setting| !setting.also.is_empty()) {
            let by_flag = flags.settings.iter().any(|(key, _)| *key == setting.key);
            if by_flag || environment.get(&setting.variable()).is_some() {
                continue;
            }
            let disabled = OTLP_ENDPOINTS.contains(&setting.key)
                && environment
                    .standard(SDK_DISABLED)
                    .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
            let found = if disabled {
                Some((SDK_DISABLED, ""))
            } else {
                setting
                    .also
                    .iter()
                    .find_map(|name| environment.standard(name).map(|value| (*name, value)))
            };
            if let Some((name, value)) = found {
                let origin = Origin::Environment(name.to_owned());
                self.set(setting, origin, value, Path::new(""));
            }
        }
    }

    fn read_variables(&mut self, environment: &Environment) {
        for setting in SETTINGS {
            let name = setting.variable();
            if let Some(value) = environment.get(&name) {
                self.set(setting, Origin::Environment(name), value, Path::new(""));
            }
        }
        for (variable, name, setting) in environment.servers() {
            let value = ServerValue {
                name: name.clone(),
                setting,
                origin: Origin::Environment(variable.clone()),
                text: environment.get(variable).unwrap_or_default().to_owned(),
            };
            self.set_server(value, Path::new(""));
        }
    }

    fn read_flags(&mut self, flags: &Flags) {
        for (key, value) in &flags.settings {
            if let Some(setting) = SETTINGS.iter().find(|setting| setting.key == *key) {
                let origin = Origin::Flag(format!("--{key}"));
                self.set(setting, origin, value, Path::new(""));
            }
        }
    }

    fn read_mutant(&mut self, environment: &Environment) {
        let Some(name) = environment.get(MUTANT_VARIABLE) else {
            return;
        };
        match name.parse() {
            Ok(mutant) => self.config.mutant = Some(mutant),
            Err(error) => self.problems.push(Problem::BadValue {
                origin: Origin::Environment(MUTANT_VARIABLE.to_owned()),
                key: "mutant".into(),
                value: name.to_owned(),
                reason: error.to_string(),
            }),
        }
    }

    fn set(&mut self, setting: &'static Setting, origin: Origin, text: &str, folder: &Path) {
        match setting.set(&mut self.config, text, folder) {
            Ok(()) => {
                self.origins.insert(setting.key, origin);
            }
            Err(reason) => self.problems.push(Problem::BadValue {
                origin,
                key: setting.key.into(),
                value: setting.told(text),
                reason,
            }),
        }
    }

    /// Who has a key wants the model it is for, unless told otherwise. Of two keys the first in this order counts: there is
    /// no telling which one is meant, so it is told which one was taken.
    fn choose_model(&mut self) {
        if self.origins.contains_key("model") {
            return;
        }
        let model = &self.config.model;
        let (openai, anthropic) = (&model.openai.api_key, &model.anthropic.api_key);
        let default = |name: &str| name.to_owned();
        let keys = [
            (
                "openai.api_key",
                openai.is_some(),
                model::Kind::OpenAi(default(model::openai::DEFAULT_MODEL)),
            ),
            (
                "anthropic.api_key",
                anthropic.is_some(),
                model::Kind::Anthropic(default(model::anthropic::DEFAULT_MODEL)),
            ),
        ];
        let mut set = keys.into_iter().filter_map(|(key, is_set, kind)| {
            let origin = self.origins.get(key).filter(|_| is_set)?;
            Some((format!("{key} is set ({origin})"), key, kind))
        });
        let Some((mut reason, _, kind)) = set.next() else {
            return;
        };
        if let Some((_, other, _)) = set.next() {
            reason = format!("{reason} and counts before {other}");
        }
        drop(set);
        self.config.model.kind = kind;
        self.config.model_because = Some(reason.clone());
        self.origins.insert("model", Origin::Because(reason));
    }

    /// What is wrong only together.
    fn check_pairs(&mut self) {
        let config = &self.config;
        let runs_turns = config.only != Role::Gateway;
        let (openai, anthropic) = (&config.model.openai, &config.model.anthropic);
        let without_openai_key = runs_turns
            && matches!(config.model.kind, model::Kind::OpenAi(_))
            && openai.needs_key()
            && openai.api_key.is_none();
        let without_anthropic_key = runs_turns
            && matches!(config.model.kind, model::Kind::Anthropic(_))
            && anthropic.needs_key()
            && anthropic.api_key.is_none();
        let same_address = config.http == config.grpc && !config.http.ends_with(":0");
        let no_time_to_pong = config.gateway.silence_timeout <= config.gateway.ping_interval;
        let question = config.limits.question_bytes;
        let over_frame = question >= config.gateway.frame_bytes;
        let over_message = question >= config.chat_service.message_bytes;
        let lonely_gateway = config.only == Role::Gateway && config.agents.is_empty();
        let useless_agents = config.only != Role::Gateway && !config.agents.is_empty();
        let heartbeat_too_slow = config.sessions.heartbeat * 2 > config.sessions.lease;
        self.conflict(
            lonely_gateway || useless_agents,
            ["only", "agents"],
            "a gateway needs at least one agent, and only a gateway asks agents",
        );
        self.conflict(
            without_anthropic_key,
            ["model", "anthropic.api_key"],
            "Anthropic answers nobody without a key: set ANTHROPIC_API_KEY, or anthropic.base_url to another server",
        );
        self.conflict(
            without_openai_key,
            ["model", "openai.api_key"],
            "OpenAI answers nobody without a key: set OPENAI_API_KEY, or openai.base_url to another server",
        );
        self.conflict(
            heartbeat_too_slow,
            ["sessions.heartbeat", "sessions.lease"],
            "the second must be at least twice the first, or one late sign of life ends a turn",
        );
        self.conflict(
            same_address,
            ["http", "grpc"],
            "two servers cannot share one address",
        );
        self.conflict(
            no_time_to_pong,
            ["gateway.silence_timeout", "gateway.ping_interval"],
            "the first must be longer, or every quiet client counts as gone",
        );
        self.conflict(
            over_frame,
            ["limits.question_bytes", "gateway.frame_bytes"],
            "the second must be larger, or the longest question does not fit a frame",
        );
        self.conflict(
            over_message,
            ["limits.question_bytes", "grpc_server.message_bytes"],
            "the second must be larger, or the longest question does not fit a message",
        );
    }

    /// Reports two settings, unless one of them was refused anyway.
    fn conflict(&mut self, wrong: bool, keys: [&'static str; 2], reason: &'static str) {
        let refused = self.problems.iter().any(|problem| match problem {
            Problem::BadValue { key, .. } => keys.contains(&&**key),
            _ => false,
        });
        if wrong && !refused {
            let [left, right] = keys.map(|key| self.described(key));
            self.problems.push(Problem::Conflict {
                left,
                right,
                reason,
            });
        }
    }

    /// `gateway.ping_interval = "30s" (default)`.
    fn described(&self, key: &str) -> String {
        let setting = SETTINGS.iter().find(|setting| setting.key == key);
        let value = setting.map(|setting| setting.text(&self.config));
        let origin = self.origins.get(key).unwrap_or(&Origin::Default);
        format!("{key} = {:?} ({origin})", value.unwrap_or_default())
    }
}
