//! A catalog read from what dbt writes into its `target` folder.
use super::format;
use std::path::Path;
/// What is read.
pub(super) const FILES: [&str; 2] = ["manifest.json", "catalog.json"];
/// Bad.
#[derive(Debug, thiserror::Error)]
pub enum DbtError {
    /// Bad.
    #[error("x")]
    X,
}
impl DbtError {
    pub(super) fn kind(&self) -> &'static str {
        "x"
    }
}
pub(super) fn read(_folder: &Path) -> Result<format::File, DbtError> {
    Err(DbtError::X)
}
