use std::io;
use std::path::PathBuf;

use super::files;

/// Artefacts of dbt that cannot be used. The message says which file is meant and what to do.
#[derive(Debug, thiserror::Error)]
pub enum DbtError {
    /// There is no such folder.
    #[error("{} is not a folder. Give the one dbt writes into, usually `target`", folder.display())]
    NoFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder has no manifest in it.
    #[error(
        "the folder {} has no manifest.json. Give the one dbt writes into, usually `target`, and run \
         `dbt docs generate`",
        folder.display()
    )]
    NoManifest {
        /// The folder.
        folder: PathBuf,
    },
    /// A file cannot be read.
    #[error("{} cannot be read: {cause}. Check the permissions", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file is too long.
    #[error("{} is longer than {} MiB. Split the project", file.display(), limit / (1024 * 1024))]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Longest accepted file, in bytes.
        limit: u64,
    },
    /// A file is not what dbt writes.
    #[error("{} is not what dbt writes: {cause}. Run `dbt docs generate` again", file.display())]
    Broken {
        /// The file.
        file: PathBuf,
        /// What is wrong, with line and column.
        cause: serde_json::Error,
    },
    /// A file is of a version that is not known here.
    #[error(
        "{} says that it is {found}, and this dragoman reads {}. {}",
        file.display(),
        files::VERSIONS,
        files::VERSIONS_ADVICE
    )]
    Version {
        /// The file.
        file: PathBuf,
        /// What it says.
        found: String,
    },
    /// The project has no table.
    #[error(
        "the dbt project in {} has no model, seed, snapshot or source that is a table. Look whether it is the right one",
        folder.display()
    )]
    NoTables {
        /// The folder.
        folder: PathBuf,
    },
}

// === impl DbtError ===

impl DbtError {
    /// `error.type` of the span.
    pub(in crate::catalog) fn kind(&self) -> &'static str {
        match self {
            Self::NoFolder { .. } => "no_folder",
            Self::NoManifest { .. } => "no_manifest",
            Self::Unreadable { .. } => "unreadable",
            Self::TooLarge { .. } => "too_large",
            Self::Broken { .. } => "syntax",
            Self::Version { .. } => "version",
            Self::NoTables { .. } => "no_tables",
        }
    }
}
