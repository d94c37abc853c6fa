use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::problem::{Origin, Problem, nearest_variable};
use super::servers;
use super::setting::Setting;
use super::settings::SETTINGS;
use crate::tools::mcp::{Inherited, Server};

/// Names the configuration file.
pub(super) const CONFIG_VARIABLE: &str = "DRAGOMAN_CONFIG";
/// Switches a protection off, for tests. See [`crate::mutant`].
pub(super) const MUTANT_VARIABLE: &str = "DRAGOMAN_MUTANT";
/// Switches traces off, whatever the other standard variables say.
pub(super) const SDK_DISABLED: &str = "OTEL_SDK_DISABLED";
/// What the names of our variables start with.
pub(super) const PREFIX: &str = "DRAGOMAN_";

/// The variables that concern dragoman.
#[derive(Debug, Default)]
pub(super) struct Environment {
    values: BTreeMap<String, String>,
    home: Option<PathBuf>,
    state_home: Option<PathBuf>,
    path: Option<OsString>,
    /// Variables of MCP servers, with the server and the setting each is for.
    servers: Vec<(String, String, &'static Setting<Server>)>,
}

// === impl Environment ===

impl Environment {
    pub(super) fn read(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let known = Known::new();
        let mut environment = Self::default();
        for (name, value) in variables {
            let name = name.to_string_lossy().into_owned();
            match name.as_str() {
                "HOME" => environment.home = Some(value.into()),
                "PATH" => environment.path = Some(value),
                "XDG_STATE_HOME" => environment.state_home = Some(value.into()),
                _ if known.contains(&name) => environment.insert(name, value, problems),
                _ if let Some((server, setting)) = servers::of_variable(&name) => {
                    environment.servers.push((name.clone(), server, setting));
                    environment.insert(name, value, problems);
                }
                _ if name.starts_with(PREFIX) && !is_service_link(&name, &value) => {
                    let ours = known.ours.iter().map(String::as_str);
                    let nearest = nearest_variable(&name, ours);
                    problems.push(Problem::UnknownVariable { name, nearest });
                }
                _ => {}
            }
        }
        environment
    }

    fn insert(&mut self, name: String, value: OsString, problems: &mut Vec<Problem>) {
        match value.into_string() {
            Ok(value) => {
                self.values.insert(name, value);
            }
            Err(_) => problems.push(Problem::NotUnicode {
                origin: Origin::Environment(name),
            }),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Variables of MCP servers: the variable, the name of the server, the setting.
    pub(super) fn servers(&self) -> &[(String, String, &'static Setting<Server>)] {
        &self.servers
    }

    /// What child processes are given of all this.
    pub(super) fn inherited(&self) -> Inherited {
        Inherited {
            path: self.path.clone(),
            home: self.home.clone().map(PathBuf::into_os_string),
        }
    }

    /// A standard OpenTelemetry variable; their specification has an empty one count as unset.
    pub(super) fn standard(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.trim().is_empty())
    }

    /// Where sessions are kept if nothing says otherwise: where the XDG Base Directory
    /// Specification puts what must survive a restart. Without a home, below the working folder.
    pub(super) fn default_store(&self) -> PathBuf {
        // That specification has relative paths ignored.
        let set = |path: &Option<PathBuf>| path.clone().filter(|path| path.is_absolute());
        let state = set(&self.state_home)
            .or_else(|| set(&self.home).map(|home| home.join(".local/state")))
            .unwrap_or_default();
        let file = state.join("dragoman/sessions.db");
        std::path::absolute(&file).unwrap_or(file)
    }
}

/// Names of variables.
struct Known {
    ours: Vec<String>,
    standard: Vec<&'static str>,
}

// === impl Known ===

impl Known {
    fn new() -> Self {
        let ours = SETTINGS.iter().map(Setting::variable);
        let standard = SETTINGS.iter().flat_map(|setting| setting.also).copied();
        let own = [CONFIG_VARIABLE, MUTANT_VARIABLE];
        // A release build does not even know the second one.
        let own = own
            .into_iter()
            .take(if cfg!(debug_assertions) { 2 } else { 1 });
        Self {
            ours: ours.chain(own.map(str::to_owned)).collect(),
            standard: standard.chain([SDK_DISABLED]).collect(),
        }
    }

    fn contains(&self, name: &str) -> bool {
        self.ours.iter().any(|ours| ours == name) || self.standard.contains(&name)
    }
}

/// True for what Kubernetes puts into the environment of every container for a Service called
/// `dragoman` or `dragoman-…`: `DRAGOMAN_SERVICE_HOST`, `DRAGOMAN_GATEWAY_PORT_8000_TCP_ADDR` and
/// the like. Nobody wrote them, and nobody can leave them out without knowing of
/// `enableServiceLinks`.
fn is_service_link(name: &str, value: &OsStr) -> bool {
    let is_url = || {
        let value = value.to_string_lossy();
        ["tcp://", "udp://", "sctp://"]
            .iter()
            .any(|scheme| value.starts_with(scheme))
    };
    // `_PORT` alone could be somebody's wish for a port: only the URL tells that it is not.
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || (name.ends_with("_PORT") && is_url())
        || is_port_link(name)
}

/// True for `…_PORT_<number>_<protocol>`, also with `_PROTO`, `_PORT` or `_ADDR` behind it.
fn is_port_link(name: &str) -> bool {
    let link = ["_PROTO", "_PORT", "_ADDR"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name);
    let port = ["_TCP", "_UDP", "_SCTP"]
        .iter()
        .find_map(|end| link.strip_suffix(end))
        .and_then(|link| link.rsplit_once("_PORT_"));
    port.is_some_and(|(_, number)| number.parse::<u16>().is_ok())
}
