use std::path::{Path, PathBuf};

use http::{HeaderMap, Uri};

use super::headers;
use crate::secret::Secret;
use crate::tools::mcp;

/// Most strings in a list.
const MOST_TEXTS: usize = 100;
/// Longest of them, in bytes.
const TEXT_BYTES: usize = 16 * 1024;
/// Longest name of a server: the names of its tools must fit behind it.
const NAME_BYTES: usize = 24;
/// What the protocol writes itself, and where the token goes.
const OUR_HEADERS: &[&str] = &[
    "authorization",
    "last-event-id",
    "mcp-protocol-version",
    "mcp-session-id",
];

/// The name of a server. No `_`: it parts the name of the server from that of the tool, and words in variables.
pub(in crate::config) fn server_name(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let begins_well = text.starts_with(|first: char| first.is_ascii_lowercase());
    if !begins_well || text.len() > NAME_BYTES || !text.bytes().all(allowed) || text.ends_with('-')
    {
        return Err(format!(
            "a server's name has up to {NAME_BYTES} lower-case letters, digits and -, and begins with a letter"
        ));
    }
    Ok(text.to_owned())
}

/// A URL. It is shown, so it must hold no password.
pub(in crate::config) fn mcp_url(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    if text.contains('@') {
        return Err("must not hold a password: set its token or headers".to_owned());
    }
    let uri: Option<Uri> = text.parse().ok();
    match uri.as_ref().and_then(Uri::scheme_str) {
        Some("http" | "https") if text.len() <= 2_000 => Ok(text.to_owned()),
        _ => Err("write it like http://localhost:3001/mcp".to_owned()),
    }
}

pub(in crate::config) fn mcp_headers(text: &str) -> Result<HeaderMap, String> {
    headers(text, OUR_HEADERS)
}

/// A program: a bare name is looked for in `PATH`, anything else is a file.
pub(in crate::config) fn program(text: &str, folder: &Path) -> Result<PathBuf, String> {
    let text = text.trim();
    if text.contains(char::is_control) {
        return Err("has control characters".to_owned());
    }
    if text.contains('/') {
        std::path::absolute(folder.join(text)).map_err(|error| error.to_string())
    } else {
        Ok(PathBuf::from(text))
    }
}

/// Strings as a JSON array.
pub(in crate::config) fn texts(text: &str) -> Result<Vec<String>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let texts: Vec<String> = serde_json::from_str(text)
        .map_err(|_| "not a JSON array of strings, such as [\"--verbose\"]".to_owned())?;
    if texts.len() > MOST_TEXTS || texts.iter().any(|text| text.len() > TEXT_BYTES) {
        return Err(format!(
            "at most {MOST_TEXTS} strings of {} KiB",
            TEXT_BYTES / 1024
        ));
    }
    if texts.iter().any(|text| text.contains('\0')) {
        return Err("a program cannot be given a NUL character".to_owned());
    }
    Ok(texts)
}

pub(in crate::config) fn texts_text(texts: &[String]) -> String {
    if texts.is_empty() {
        String::new()
    } else {
        serde_json::json!(texts).to_string()
    }
}

/// `NAME=value`, as a JSON array of strings. They are not repeated: they may be keys.
pub(in crate::config) fn variables(text: &str) -> Result<Vec<(String, Secret)>, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let variable = |text: &String| match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && name.bytes().all(allowed) => {
            Ok((name.to_owned(), Secret::new(value)))
        }
        _ => Err("write each variable like NAME=value".to_owned()),
    };
    texts(text)?.iter().map(variable).collect()
}

/// Patterns for the names of tools, separated by commas.
pub(in crate::config) fn server_tools(text: &str) -> Result<Vec<String>, String> {
    let patterns = text.split(',').map(str::trim);
    let patterns: Vec<String> = patterns
        .filter(|pattern| !pattern.is_empty())
        .map(str::to_owned)
        .collect();
    if patterns.len() > MOST_TEXTS {
        return Err(format!("at most {MOST_TEXTS} patterns"));
    }
    for pattern in &patterns {
        mcp::check_pattern(pattern)?;
    }
    Ok(patterns)
}
