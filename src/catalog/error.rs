use std::io;
use std::time::Duration;

use super::Source;
use super::build::Flaw;
use super::collibra::CollibraError;
use super::dbt::DbtError;
use super::postgres::PostgresError;

/// A catalog that cannot be used. The message says where it is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file cannot be read.
    #[error(
        "the catalog {catalog} cannot be read: {cause}. \
         Check the path and the permissions, or leave the catalog out to use the demo"
    )]
    Unreadable {
        /// The catalog.
        catalog: Source,
        /// Why.
        cause: io::Error,
    },
    /// The path is a folder, a pipe or a device.
    #[error("the catalog {catalog} is not a file. Give the path of a JSON file")]
    NotAFile {
        /// The catalog.
        catalog: Source,
    },
    /// The file is too long.
    #[error(
        "the catalog {catalog} is longer than {} MiB. Leave out schemas nobody asks about",
        limit / (1024 * 1024)
    )]
    TooLarge {
        /// The catalog.
        catalog: Source,
        /// Longest accepted file, in bytes.
        limit: u64,
    },
    /// The file is not JSON.
    #[error("the catalog {catalog} is not JSON: {cause}. Correct the file there")]
    Syntax {
        /// The catalog.
        catalog: Source,
        /// What is wrong, with line and column.
        cause: serde_json::Error,
    },
    /// The file is JSON, but not a catalog.
    #[error(
        "the catalog {catalog} does not follow the format of src/catalog/format.md: {cause}. \
         Correct the file there"
    )]
    Format {
        /// The catalog.
        catalog: Source,
        /// What is wrong, with line and column.
        cause: serde_json::Error,
    },
    /// The file is a catalog that contradicts itself or breaks a limit.
    #[error("the catalog {catalog} is wrong at {at}: {problem}")]
    Content {
        /// The catalog.
        catalog: Source,
        /// JSON path, for example `tables[3].foreign_keys[0].references`.
        at: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Reading takes too long.
    #[error(
        "the catalog {catalog} could not be read within {limit:?}. \
         Look whether its server or its disk answers, or set a longer catalog_timeout"
    )]
    TooSlow {
        /// The catalog.
        catalog: Source,
        /// How long it may take.
        limit: Duration,
    },
    /// A defect of dragoman.
    #[error("dragoman failed to read the catalog: please report this, with the lines before it")]
    Panicked,
    /// Artefacts of dbt could not be read.
    #[error(transparent)]
    Dbt(#[from] DbtError),
    /// A PostgreSQL database could not be read.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// A Collibra server could not be read.
    #[error(transparent)]
    Collibra(#[from] CollibraError),
}

// === impl CatalogError ===

impl CatalogError {
    pub(super) fn of_flaw(source: &Source, flaw: Flaw) -> Self {
        Self::Content {
            catalog: source.clone(),
            at: flaw.at,
            problem: flaw.problem,
        }
    }

    /// `error.type` of the span.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::NotAFile { .. } => "not_a_file",
            Self::TooLarge { .. } => "too_large",
            Self::Syntax { .. } => "syntax",
            Self::Format { .. } => "format",
            Self::Content { .. } => "content",
            Self::TooSlow { .. } => "timeout",
            Self::Panicked => "panic",
            Self::Dbt(error) => error.kind(),
            Self::Postgres(error) => error.kind(),
            Self::Collibra(error) => error.kind(),
        }
    }
}
