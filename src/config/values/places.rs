use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf, absolute};

use http::Uri;

use super::{ANTHROPIC, OPENAI};
use crate::catalog::{MOST_SOURCES, NamedSource, Source, collibra, postgres};
use crate::model;
use crate::store;

/// Most origins in the list: it is searched for every browser that connects.
const MOST_ORIGINS: usize = 100;

/// `host:port`.
pub(in crate::config) fn address(text: &str) -> Result<String, String> {
    let text = text.trim();
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address.to_string());
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err("write host and port, such as 127.0.0.1:8000".to_owned());
    };
    if port.parse::<u16>().is_err() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("the port is a number from 0 to 65535, such as 127.0.0.1:8000".to_owned());
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let like_ipv4 = host
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    match host {
        "" => Err(format!(
            "the host is missing: write 0.0.0.0:{port} for every IPv4 address"
        )),
        _ if matches!(host.parse(), Ok(IpAddr::V6(_))) => Err(format!(
            "an IPv6 address stands in brackets: [{host}]:{port}"
        )),
        _ if like_ipv4 || host.len() > 253 || !host.bytes().all(is_name) => {
            Err("the host is no IP address and no name: write it like 127.0.0.1:8000".to_owned())
        }
        _ => Ok(text.to_owned()),
    }
}

/// `sqlite:PATH`, or the URL of a Redis server.
pub(in crate::config) fn store(text: &str, folder: &Path) -> Result<store::Config, String> {
    if text.contains("redis") && !text.starts_with("sqlite:") {
        let address = store::RedisAddress::parse(text).map_err(|error| error.to_string())?;
        return Ok(store::Config::Redis(address));
    }
    match text.strip_prefix("sqlite:") {
        None => Err("write sqlite:PATH or redis://HOST:PORT".to_owned()),
        Some(file) if file.starts_with("//") => {
            Err("this is not a URL: write sqlite:PATH, without //".to_owned())
        }
        Some(":memory:") => {
            Err("sessions must survive a restart: write sqlite:PATH with a file".to_owned())
        }
        Some(file) => path(file, folder).map(store::Config::Sqlite),
    }
}

/// Sources, separated by commas, each with or without a name.
pub(in crate::config) fn catalog(text: &str, folder: &Path) -> Result<Vec<NamedSource>, String> {
    let mut sources = Vec::new();
    for entry in text.split(',') {
        let (name, source) = NamedSource::split(entry.trim());
        let mut source = NamedSource::new(catalog_source(source, folder)?);
        if let Some(name) = name {
            name.clone_into(&mut source.name);
        }
        sources.push(source);
    }
    if sources.len() > MOST_SOURCES {
        return Err(format!("at most {MOST_SOURCES} sources"));
    }
    if let Some(name) = NamedSource::twice(&sources) {
        return Err(format!(
            "two sources are called `{name}`: put a name and `=` before one of them, such as `{name}2=…`"
        ));
    }
    Ok(sources)
}

/// The same as text, without passwords.
pub(in crate::config) fn catalog_text(sources: &[NamedSource]) -> String {
    let texts: Vec<String> = sources.iter().map(NamedSource::text).collect();
    texts.join(",")
}

/// `demo`, a file, or what the scheme before the colon says.
fn catalog_source(text: &str, folder: &Path) -> Result<Source, String> {
    match text.split_once(':') {
        None if text == "demo" => Ok(Source::Demo),
        Some(("dbt", dbt)) => path(dbt.trim_end_matches('/'), folder).map(Source::Dbt),
        Some(("postgres" | "postgresql", _)) => {
            postgres::Address::parse(text).map(Source::Postgres)
        }
        Some(("collibra", _)) => collibra::Address::parse(text).map(Source::Collibra),
        Some((_, rest)) if rest.starts_with("//") => Err(
            "write demo, a JSON FILE, dbt:FOLDER, postgres://USER@HOST/DATABASE, or collibra:https://HOST"
                .to_owned(),
        ),
        _ => path(text, folder).map(Source::File),
    }
}

/// `guide`, `openai`, `openai:NAME`, `anthropic`, `anthropic:NAME` or `scripted:FILE`.
pub(in crate::config) fn model(text: &str, folder: &Path) -> Result<model::Kind, String> {
    match text.split_once(':') {
        None if text == "guide" => Ok(model::Kind::Guide),
        None if text == "openai" => Ok(model::Kind::OpenAi(OPENAI.model.to_owned())),
        Some(("openai", name)) => super::model_name(name, &OPENAI).map(model::Kind::OpenAi),
        None if text == "anthropic" => Ok(model::Kind::Anthropic(ANTHROPIC.model.to_owned())),
        Some(("anthropic", name)) => {
            super::model_name(name, &ANTHROPIC).map(model::Kind::Anthropic)
        }
        Some(("scripted", file)) => path(file, folder).map(model::Kind::Scripted),
        _ => Err(
            "write guide, openai, openai:NAME, anthropic, anthropic:NAME, or scripted:FILE"
                .to_owned(),
        ),
    }
}

/// A file, made absolute: what is shown then means the same wherever it is read again.
pub(super) fn path(text: &str, folder: &Path) -> Result<PathBuf, String> {
    if text.is_empty() {
        return Err("the file is missing".to_owned());
    }
    if text == "~" || text.starts_with("~/") {
        return Err("`~` is not expanded here: write the whole path".to_owned());
    }
    if text.ends_with('/') {
        return Err("this is a folder: name a file".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("a path has no control characters".to_owned());
    }
    absolute(folder.join(text)).map_err(|error| format!("the working folder is gone: {error}"))
}

/// A text without what stands between the scheme and the host of its addresses.
pub(in crate::config) fn without_passwords(text: &str) -> String {
    let entries = text.split(',').map(|entry| {
        let (Some(start), Some(end)) = (entry.find("://"), entry.rfind('@')) else {
            return entry.to_owned();
        };
        match (entry.get(..start + 3), entry.get(end..)) {
            (Some(scheme), Some(host)) if start + 3 <= end => format!("{scheme}…{host}"),
            _ => entry.to_owned(),
        }
    });
    entries.collect::<Vec<_>>().join(",")
}

/// Origins, separated by commas.
pub(in crate::config) fn origins(text: &str) -> Result<Vec<String>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let origins: Vec<String> = text.split(',').map(origin).collect::<Result<_, _>>()?;
    if origins.len() > MOST_ORIGINS {
        return Err(format!(
            "at most {MOST_ORIGINS} origins: use `*` for what they have in common"
        ));
    }
    Ok(origins)
}

/// One origin as browsers send it, in lower case and without the usual port; `*` for any
/// characters.
fn origin(text: &str) -> Result<String, String> {
    let origin = text.trim().to_ascii_lowercase();
    if origin == "*" {
        return Ok(origin);
    }
    let advice = |reason: &str| {
        Err(format!(
            "the origin `{}` {reason}",
            origin.escape_debug().take(80).collect::<String>()
        ))
    };
    let Some((scheme, authority)) = origin.split_once("://") else {
        return advice("has no scheme: write it like https://app.example.com");
    };
    if !matches!(scheme, "http" | "https" | "*") {
        return advice("is neither http:// nor https://");
    }
    if authority.contains('/') {
        return advice("has a path: an origin ends after host and port");
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:*[]".contains(&byte);
    if authority.is_empty() || authority.len() > 255 || !authority.bytes().all(allowed) {
        return advice("has no usable host: write it like https://app.example.com");
    }
    let usual_port = match scheme {
        "http" => authority.strip_suffix(":80"),
        "https" => authority.strip_suffix(":443"),
        _ => None,
    };
    if let Some(host) = usual_port {
        return advice(&format!(
            "never matches, as browsers leave out that port: write {scheme}://{host}"
        ));
    }
    Ok(origin)
}

/// An OTLP endpoint; empty for none. It is logged and shown, so it must hold no password.
pub(in crate::config) fn endpoint(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.contains('@') {
        return Err(
            "must not hold a password: send it as a header, by OTEL_EXPORTER_OTLP_HEADERS"
                .to_owned(),
        );
    }
    let uri: Option<Uri> = text.parse().ok();
    let uri = uri.filter(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some()
    });
    match uri {
        None => Err("write it like http://localhost:4317".to_owned()),
        Some(uri) if uri.path() != "/" || uri.query().is_some() => {
            Err("OTLP over gRPC has no path: write it like http://localhost:4317".to_owned())
        }
        Some(_) => Ok(Some(text.to_owned())),
    }
}
