//! What runs here, in sentences for people. Tests read the addresses from them.

use std::net::SocketAddr;

use crate::catalog::Catalog;
use crate::config::Config;
use crate::model::Model;
use crate::store;

/// Where browsers connect.
pub(super) fn web(http: SocketAddr) -> String {
    format!("WebSocket and page on http://{http}, chats at ws://{http}/ws/{{session_id}}")
}

/// What an agent serves there.
pub(super) fn probes(http: SocketAddr) -> String {
    format!("probes on http://{http}, /healthz and /readyz and nothing else")
}

/// Where gRPC clients connect.
pub(super) fn grpc(grpc: SocketAddr) -> String {
    format!("gRPC on {grpc}, service dragoman.chat.v1.Chat, reflection and health on")
}

/// Whom a gateway asks.
pub(super) fn agents(config: &Config) -> String {
    format!(
        "gateway only: questions go to the agents at {}",
        config.agents.join(", ")
    )
}

/// Who else has tools.
pub(super) fn servers(servers: &str) -> String {
    format!("MCP servers: {servers}")
}

/// What answers, from what.
pub(super) fn engine(config: &Config, catalog: &Catalog, model: &Model) -> Vec<String> {
    let store = match &config.store {
        store::Config::Sqlite(path) => format!("sqlite:{}", path.display()),
        store::Config::Redis(address) => address.to_string(),
    };
    let mut lines = vec![answerer(config, model)];
    match catalog.sources() {
        [only] => lines.push(format!("catalog: {}", only.info())),
        several => lines.extend(
            several
                .iter()
                .map(|source| format!("catalog {}: {}", source.name(), source.info())),
        ),
    }
    lines.push(format!("sessions: {store}"));
    lines
}

/// What answers, where it is, and why it was chosen if nobody did.
fn answerer(config: &Config, model: &Model) -> String {
    let info = model.info();
    let place = info.server.as_ref().map_or_else(String::new, |server| {
        format!(", {} at {}:{}", info.provider, server.address, server.port)
    });
    let reason = config.model_because.as_ref();
    let reason = reason.map_or_else(String::new, |reason| {
        format!(", because {reason}; --model guide answers without it")
    });
    format!("model: {}{place}{reason}", info.name)
}
