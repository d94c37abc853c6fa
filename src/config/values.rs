//! The grammar of values: text in, value or a sentence for people out, and back.

mod amounts;
mod http;
mod mcp;
mod openai;
mod places;
mod postgres;
mod roles;
mod tools;

use tracing_subscriber::EnvFilter;

use crate::telemetry::LogFormat;

pub(super) use amounts::{
    count, duration, duration_text, micros, micros_text, permille, permille_text, size, size_text,
    switch,
};
pub(super) use http::{
    ANTHROPIC, OPENAI, api_key, base_url, body, body_text, headers, hidden, model_name,
};
pub(super) use mcp::{
    mcp_headers, mcp_url, program, server_name, server_tools, texts, texts_text, variables,
};
pub(super) use openai::{api_version, auth, auth_text, token_field, token_field_text};
pub(super) use places::{
    address, catalog, catalog_text, endpoint, model, origins, store, without_passwords,
};
pub(super) use postgres::{ca_file, password, schemas};
pub(super) use roles::{agents, retention, role, role_text, when_busy, when_busy_text};
pub(super) use tools::tool_patterns;

const LOG_LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Directives of `EnvFilter`. It would take a misspelt level for a target and log all of it: not
/// here.
pub(super) fn log(text: &str) -> Result<String, String> {
    let text = text.trim();
    let bare = |directive: &&str| {
        !directive.contains(['=', '[']) && !LOG_LEVELS.contains(&directive.to_lowercase().as_str())
    };
    if let Some(directive) = text.split(',').map(str::trim).find(bare) {
        return Err(format!(
            "`{}` is no level: write off, error, warn, info, debug or trace, or target=level",
            directive.escape_debug().take(80).collect::<String>()
        ));
    }
    EnvFilter::builder()
        .parse(text)
        .map(|_| text.to_owned())
        .map_err(|error| format!("not a log filter: {error}"))
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text.trim() {
        "auto" => Ok(LogFormat::Auto),
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("write auto, text or json".to_owned()),
    }
}

pub(super) fn log_format_text(format: LogFormat) -> String {
    match format {
        LogFormat::Auto => "auto",
        LogFormat::Text => "text",
        LogFormat::Json => "json",
    }
    .to_owned()
}

/// A name for people and machines.
pub(super) fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 128 || text.chars().any(char::is_control) {
        return Err("write 1 to 128 characters without control characters".to_owned());
    }
    Ok(text.to_owned())
}
