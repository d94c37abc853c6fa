use std::collections::HashSet;
use std::time::Duration;

use super::{Source, collibra, postgres};

/// Where the catalog comes from, and how it is kept up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What is read, at least one. Names are unique.
    pub sources: Vec<NamedSource>,
    /// How often a source on the network is read again.
    pub refresh: Duration,
    /// How long reading a source may take.
    pub timeout: Duration,
    /// How PostgreSQL sources are read.
    pub postgres: postgres::Config,
    /// How Collibra sources are read.
    pub collibra: collibra::Config,
}

/// A source and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedSource {
    /// Letters, digits, `_` and `-`.
    pub name: String,
    /// What is read.
    pub source: Source,
}

/// Most sources of a catalog.
pub const MOST_SOURCES: usize = 20;
/// Longest name of a source, in characters.
const LONGEST_NAME: usize = 64;

// === impl Config ===

impl Config {
    /// These sources, read as by default.
    pub fn of(sources: Vec<NamedSource>) -> Self {
        Self {
            sources,
            refresh: Duration::from_mins(5),
            timeout: Duration::from_secs(30),
            postgres: postgres::Config::default(),
            collibra: collibra::Config::default(),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::of(vec![NamedSource::new(Source::Demo)])
    }
}

// === impl NamedSource ===

impl NamedSource {
    /// A source under the name it has by default.
    pub fn new(source: Source) -> Self {
        Self {
            name: source.default_name(),
            source,
        }
    }

    /// Splits `[NAME=]SOURCE`. What stands before the first `=` is a name only if it looks like one:
    /// addresses and paths may have that sign in them.
    pub fn split(text: &str) -> (Option<&str>, &str) {
        match text.split_once('=') {
            Some((name, rest)) if is_name(name) => (Some(name), rest),
            _ => (None, text),
        }
    }

    /// The first name that two of the sources have.
    pub fn twice(sources: &[Self]) -> Option<&str> {
        let mut seen = HashSet::new();
        let mut names = sources.iter().map(|source| source.name.as_str());
        names.find(|name| !seen.insert(*name))
    }

    /// `[NAME=]SOURCE`, without passwords.
    pub fn text(&self) -> String {
        if self.name == self.source.default_name() {
            self.source.to_string()
        } else {
            format!("{}={}", self.name, self.source)
        }
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(allowed)
}

/// A name made of any text: what is not allowed becomes `_`.
pub(super) fn name_of(text: &str) -> String {
    let name: String = text
        .chars()
        .map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' => letter,
            _ => '_',
        })
        .take(LONGEST_NAME)
        .collect();
    if name.is_empty() {
        "catalog".to_owned()
    } else {
        name
    }
}
