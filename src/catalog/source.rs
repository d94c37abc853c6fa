use std::fmt;
use std::path::{Path, PathBuf};

use super::config::name_of;
use super::{collibra, dbt, postgres};

/// What a catalog is read from. A closed set: a module a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The embedded demo: a procurement mart.
    Demo,
    /// A JSON file in the format of `src/catalog/format.md`.
    File(PathBuf),
    /// The folder into which dbt writes `manifest.json` and `catalog.json`, usually `target`.
    Dbt(PathBuf),
    /// A PostgreSQL database.
    Postgres(postgres::Address),
    /// A Collibra server.
    Collibra(collibra::Address),
}

// === impl Source ===

impl Source {
    /// What kind of source it is, for logs and traces.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::File(_) => "file",
            Self::Dbt(_) => "dbt",
            Self::Postgres(_) => "postgres",
            Self::Collibra(_) => "collibra",
        }
    }

    /// What it is called if nobody gives it a name.
    pub fn default_name(&self) -> String {
        match self {
            Self::Demo => "demo".to_owned(),
            Self::File(path) => name_of(&lossy(path.file_stem())),
            Self::Dbt(folder) => name_of(&lossy(project(folder).file_name())),
            Self::Postgres(address) => name_of(&address.default_name()),
            Self::Collibra(address) => name_of(&address.default_name()),
        }
    }

    /// Whether it is behind a network: read again by the clock, not when a file changes.
    pub fn is_remote(&self) -> bool {
        matches!(self, Self::Postgres(_) | Self::Collibra(_))
    }

    /// The files it is read from.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::File(path) => vec![path.clone()],
            Self::Dbt(folder) => dbt::FILES.map(|file| folder.join(file)).into(),
            Self::Demo | Self::Postgres(_) | Self::Collibra(_) => Vec::new(),
        }
    }
}

/// As the setting has it, without passwords.
impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Demo => formatter.write_str("demo"),
            Self::File(path) => write!(formatter, "{}", path.display()),
            Self::Dbt(folder) => write!(formatter, "dbt:{}", folder.display()),
            Self::Postgres(address) => write!(formatter, "{address}"),
            Self::Collibra(address) => write!(formatter, "{address}"),
        }
    }
}

/// The folder that tells one dbt project from another: all of them write into one called `target`.
fn project(folder: &Path) -> &Path {
    if folder.ends_with("target") {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    }
}

fn lossy(name: Option<&std::ffi::OsStr>) -> String {
    name.unwrap_or_default().to_string_lossy().into_owned()
}
