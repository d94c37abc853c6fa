//! The data catalog the agent answers from: tables, columns, keys and lineage in one indexed graph.

use std::path::PathBuf;

/// Where the catalog comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Config {
    /// The embedded demo: a procurement mart.
    Demo,
    /// A JSON file in the format of `src/catalog/format.md`.
    File(PathBuf),
}
