use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::ops::RangeInclusive;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::DbtError;
use super::artefacts::Metadata;

/// What is read, for people.
pub(super) const VERSIONS: &str = "manifest v10 to v12 and catalog v1";
/// What to do about another version.
pub(super) const VERSIONS_ADVICE: &str = "dbt 1.6 to 1.12 write these";
/// Longest accepted file. Of a manifest most is code and macros, which are passed over as they are read: the largest ones
/// people report have about 200 MiB.
const MAX_BYTES: u64 = 1024 * 1024 * 1024;
/// How much is read at a time.
const BUFFER: usize = 256 * 1024;

/// A file that dbt writes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Artefact {
    Manifest,
    Catalog,
}

/// What is looked at before the rest is read.
#[derive(Debug, Deserialize)]
struct Head {
    metadata: Option<Metadata>,
}

// === impl Artefact ===

impl Artefact {
    pub(super) const fn file(self) -> &'static str {
        match self {
            Self::Manifest => "manifest.json",
            Self::Catalog => "catalog.json",
        }
    }

    /// The word in the URL of the schema, and the versions that are read.
    fn schema(self) -> (&'static str, RangeInclusive<u32>) {
        match self {
            Self::Manifest => ("/manifest/v", 10..=12),
            Self::Catalog => ("/catalog/v", 1..=1),
        }
    }

    fn accepts(self, version: &str) -> bool {
        let (word, versions) = self.schema();
        version
            .rsplit_once(word)
            .and_then(|(_, rest)| rest.trim_end_matches(".json").parse().ok())
            .is_some_and(|number| versions.contains(&number))
    }
}

/// A file of the folder, if it is there.
pub(super) fn read<T: DeserializeOwned>(
    folder: &Path,
    artefact: Artefact,
) -> Result<Option<T>, DbtError> {
    let path = folder.join(artefact.file());
    let unreadable = |cause| DbtError::Unreadable {
        file: path.clone(),
        cause,
    };
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if metadata.len() > MAX_BYTES {
        return Err(DbtError::TooLarge {
            file: path,
            limit: MAX_BYTES,
        });
    }
    if !metadata.is_file() {
        return Err(unreadable(io::Error::other("it is not a file")));
    }
    // Read twice, as nothing else of a file of another version can be relied on. What is not needed is never held.
    let open = || -> Result<_, DbtError> {
        let file = File::open(&path).map_err(unreadable)?;
        Ok(BufReader::with_capacity(BUFFER, file.take(MAX_BYTES)))
    };
    let broken = |cause: serde_json::Error| {
        if cause.is_io() {
            unreadable(cause.into())
        } else {
            DbtError::Broken {
                file: path.clone(),
                cause,
            }
        }
    };
    let head: Head = serde_json::from_reader(open()?).map_err(broken)?;
    let version = head
        .metadata
        .and_then(|metadata| metadata.dbt_schema_version);
    let version = version.unwrap_or_else(|| "of no version".to_owned());
    if !artefact.accepts(&version) {
        return Err(DbtError::Version {
            file: path,
            found: version
                .chars()
                .filter(|letter| !letter.is_control())
                .take(120)
                .collect(),
        });
    }
    serde_json::from_reader(open()?).map(Some).map_err(broken)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
