use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use super::environment::PREFIX;
use super::servers::full_key;
use super::settings::SETTINGS;
use super::settings::mcp::MCP_SETTINGS;

/// Longest value an error repeats, in characters.
const SHOWN_VALUE: usize = 60;

/// Everything that is wrong with a configuration. The operator's doing; the text says what to
/// change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The configuration file cannot be read.
    #[error("{origin}: cannot read the configuration file {}: {reason}", path.display())]
    Unreadable {
        /// What named the file.
        origin: Origin,
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The configuration file is not TOML.
    #[error("{origin}: not TOML: {reason}")]
    Syntax {
        /// Where.
        origin: Origin,
        /// What the parser said.
        reason: String,
    },
    /// The configuration file has a key that is none.
    #[error("{origin}: unknown key `{key}`: {}", advice(nearest.as_deref(), "key"))]
    UnknownKey {
        /// Where.
        origin: Origin,
        /// The key, with its section.
        key: String,
        /// The key that was probably meant.
        nearest: Option<String>,
    },
    /// A variable that starts with `DRAGOMAN_` and is none of ours.
    #[error("environment {name}: unknown variable: {}", advice(nearest.as_deref(), "variable"))]
    UnknownVariable {
        /// The variable.
        name: String,
        /// The variable that was probably meant.
        nearest: Option<String>,
    },
    /// A variable that is not UTF-8.
    #[error("{origin}: the value is not UTF-8 text")]
    NotUnicode {
        /// The variable.
        origin: Origin,
    },
    /// A value that its setting does not take.
    #[error("{origin}: {key} = {}: {reason}", shown(value))]
    BadValue {
        /// Where.
        origin: Origin,
        /// The setting.
        key: Cow<'static, str>,
        /// The value as it was written.
        value: String,
        /// Why not, and what is accepted.
        reason: String,
    },
    /// An MCP server that cannot be used as it is.
    #[error("mcp.{name}: {reason}")]
    Server {
        /// Its name.
        name: String,
        /// Why, and what to do.
        reason: &'static str,
    },
    /// Two values that do not go together.
    #[error("{left} and {right}: {reason}")]
    Conflict {
        /// The one, with its origin.
        left: String,
        /// The other, with its origin.
        right: String,
        /// Why, and what to do.
        reason: &'static str,
    },
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the configuration file, counted from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// A variable.
    Environment(String),
    /// A flag, with its dashes.
    Flag(String),
    /// It follows from another setting: which, in words.
    Because(String),
}

/// The key or section that `written` probably means.
pub(super) fn nearest_key(written: &str) -> Option<String> {
    let last = |key: &str| key.rsplit('.').next().unwrap_or(key).to_owned();
    // A right name in the wrong section is as near as one wrong letter.
    let distance = |key: &str| {
        let whole = strsim::damerau_levenshtein(written, key);
        let name = strsim::damerau_levenshtein(&last(written), &last(key));
        whole.min(name + 1)
    };
    let keys = SETTINGS.iter().map(|setting| setting.key);
    let sections = keys.clone().filter_map(|key| key.split_once('.'));
    let known = keys.chain(sections.map(|(section, _)| section));
    nearest(written, known.map(|key| (distance(key), key.to_owned())))
}

/// The key of an MCP server that `written` probably means.
pub(super) fn nearest_server_key(name: &str, written: &str) -> Option<String> {
    let keys = MCP_SETTINGS.iter().map(|setting| {
        let distance = strsim::damerau_levenshtein(written, setting.key);
        (distance, setting.key.to_owned())
    });
    nearest(written, keys).map(|key| full_key(name, &key))
}

/// The variable that `written` probably means. Their common start says nothing.
pub(super) fn nearest_variable<'a>(
    written: &str,
    known: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let own = |name: &'a str| name.strip_prefix(PREFIX).unwrap_or(name);
    let written = written.strip_prefix(PREFIX).unwrap_or(written);
    nearest(
        written,
        known.map(|name| {
            let distance = strsim::damerau_levenshtein(written, own(name));
            (distance, name.to_owned())
        }),
    )
}

/// The nearest candidate, unless even that one is another word: more than a quarter of the letters
/// differ.
fn nearest(written: &str, candidates: impl Iterator<Item = (usize, String)>) -> Option<String> {
    candidates
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= (written.len() / 4).max(1))
        .map(|(_, name)| name)
}

fn advice(nearest: Option<&str>, what: &str) -> String {
    match nearest {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("`dragoman config show` lists every setting, remove this {what}"),
    }
}

/// A value as errors repeat it: short, without control characters, and not at all if it looks like
/// a URL with a password, whatever key it was written to by mistake.
fn shown(value: &str) -> String {
    if value.contains('@') {
        return "(not repeated, it has an `@`)".to_owned();
    }
    let short: String = value.chars().take(SHOWN_VALUE).collect();
    if short.len() < value.len() {
        format!("{short:?}…")
    } else {
        format!("{short:?}")
    }
}

// === impl ConfigError ===

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => formatter.write_str("1 problem in the configuration:")?,
            count => write!(formatter, "{count} problems in the configuration:")?,
        }
        for problem in &self.problems {
            write!(formatter, "\n  {problem}")?;
        }
        Ok(())
    }
}

// === impl Origin ===

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File { path, line } => write!(formatter, "{}:{line}", path.display()),
            Self::Environment(name) => write!(formatter, "environment {name}"),
            Self::Because(reason) => write!(formatter, "because {reason}"),
            Self::Flag(name) => write!(formatter, "flag {name}"),
        }
    }
}
