//! MCP servers: sections `[mcp.NAME]` of the file, and variables `DRAGOMAN_MCP_NAME_KEY`. The settings above are one list;
//! of these there is one list for each name somebody gives.

use std::path::Path;

use super::environment::PREFIX;
use super::loading::Loading;
use super::problem::{Origin, Problem};
use super::setting::Setting;
use super::settings::mcp::{MCP_SETTINGS, SECTION};
use super::values;
use crate::tools::mcp::Server;

/// Most servers: each is a connection, and a process or a session somewhere else.
const MOST_SERVERS: usize = 32;

/// A value for one setting of one server.
#[derive(Debug)]
pub(super) struct ServerValue {
    pub(super) name: String,
    pub(super) setting: &'static Setting<Server>,
    pub(super) origin: Origin,
    pub(super) text: String,
}

/// The key with its section: `mcp.docs.url`.
pub(super) fn full_key(name: &str, key: &str) -> String {
    format!("{SECTION}.{name}.{key}")
}

/// The setting called `key`.
pub(super) fn setting(key: &str) -> Option<&'static Setting<Server>> {
    MCP_SETTINGS.iter().find(|setting| setting.key == key)
}

/// The server and the setting that a variable is for. What ends like two settings is for the longer one:
/// `…_CONNECT_TIMEOUT` is no `timeout` of a server `…-connect`.
pub(super) fn of_variable(variable: &str) -> Option<(String, &'static Setting<Server>)> {
    let rest = variable.strip_prefix(PREFIX)?.strip_prefix("MCP_")?;
    let ends = MCP_SETTINGS.iter().filter_map(|setting| {
        let key = setting.key.to_ascii_uppercase();
        let name = rest.strip_suffix(&key)?.strip_suffix('_')?;
        Some((name, setting))
    });
    let (name, setting) = ends.min_by_key(|(name, _)| name.len())?;
    let name = name.to_ascii_lowercase().replace('_', "-");
    values::server_name(&name).ok().map(|name| (name, setting))
}

// === impl Loading ===

impl Loading {
    pub(super) fn set_server(&mut self, value: ServerValue, folder: &Path) {
        let ServerValue {
            name,
            setting,
            origin,
            text,
        } = value;
        let key = full_key(&name, setting.key);
        let server = self.config.mcp.servers.entry(name).or_default();
        match setting.set(server, &text, folder) {
            Ok(()) => {
                self.server_origins.insert(key, origin);
            }
            Err(reason) => self.problems.push(Problem::BadValue {
                origin,
                key: key.into(),
                value: setting.told(&text),
                reason,
            }),
        }
    }

    /// What is wrong with a server as a whole, unless one of its values was refused anyway.
    pub(super) fn check_servers(&mut self) {
        let servers = &self.config.mcp.servers;
        let refused = |name: &str| {
            let section = full_key(name, "");
            self.problems.iter().any(
                |problem| matches!(problem, Problem::BadValue { key, .. } if key.starts_with(&section)),
            )
        };
        let mut problems: Vec<Problem> = servers
            .iter()
            .filter(|(name, _)| !refused(name))
            .filter_map(|(name, server)| {
                Some(Problem::Server {
                    name: name.clone(),
                    reason: wrong(server)?,
                })
            })
            .collect();
        if servers.len() > MOST_SERVERS
            && let Some((name, _)) = servers.iter().nth(MOST_SERVERS)
        {
            problems.push(Problem::Server {
                name: name.clone(),
                reason: "there are more than 32 servers: remove some",
            });
        }
        self.problems.append(&mut problems);
    }
}

fn wrong(server: &Server) -> Option<&'static str> {
    let has_url = !server.url.is_empty();
    let has_command = !server.command.as_os_str().is_empty();
    let for_urls = server.token.is_some() || !server.headers.is_empty();
    let for_commands = !server.args.is_empty() || !server.env.is_empty();
    match (has_url, has_command) {
        (false, false) => Some("set its url, or the command that runs it"),
        (true, true) => Some("it has a url and a command: remove one"),
        (true, false) if for_commands => {
            Some("args and env are for a server with a command, this one has a url")
        }
        (false, true) if for_urls => {
            Some("token and headers are for a server with a url, this one has a command")
        }
        _ if server.tools.is_empty() => {
            Some("no tool of it may be called: set tools to names or patterns, [\"*\"] allows all")
        }
        _ => None,
    }
}
