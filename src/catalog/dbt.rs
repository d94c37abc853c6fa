//! A catalog read from what `dbt docs generate` leaves behind: `manifest.json` (the project: descriptions, tests,
//! lineage) and `catalog.json` (the database: columns and types).
//!
//! The artefacts are documented at <https://docs.getdbt.com/reference/artifacts/manifest-json> and
//! <https://docs.getdbt.com/reference/artifacts/catalog-json>.

mod artefacts;
mod error;
mod files;
mod keys;
mod lineage;
mod tables;

use std::path::Path;

use super::format;
use artefacts::{Catalog, Manifest};
use files::Artefact;

pub use error::DbtError;

/// The files, in the folder they are in.
pub(super) const FILES: [&str; 2] = [Artefact::Manifest.file(), Artefact::Catalog.file()];

/// What dbt knows of the tables of a project.
pub(super) fn read(folder: &Path) -> Result<format::File, DbtError> {
    let manifest: Manifest = files::read(folder, Artefact::Manifest)?.ok_or_else(|| {
        let folder = folder.to_owned();
        if folder.is_dir() {
            DbtError::NoManifest { folder }
        } else {
            DbtError::NoFolder { folder }
        }
    })?;
    let catalog: Option<Catalog> = files::read(folder, Artefact::Catalog)?;
    if catalog.is_none() {
        tracing::warn!(
            folder = %folder.display(),
            "dbt has left no catalog.json: columns are those somebody documented, and most have no type. \
             Run `dbt docs generate`"
        );
    }
    let as_of = catalog
        .as_ref()
        .map_or(&manifest.metadata, |catalog| &catalog.metadata);
    let as_of = as_of
        .generated_at
        .clone()
        .filter(|text| text.parse::<jiff::Timestamp>().is_ok());
    let name = manifest.metadata.project_name.clone();
    let tables = tables::all(&manifest, &catalog.unwrap_or_default());
    if tables.is_empty() {
        return Err(DbtError::NoTables {
            folder: folder.to_owned(),
        });
    }
    let mut file = format::File::new(name.unwrap_or_else(|| "dbt".to_owned()), tables);
    file.as_of = as_of;
    Ok(file)
}

#[cfg(test)]
mod tests;
