use std::fs;
use std::io::Read;
use std::path::Path;

use jiff::Timestamp;
use serde_json::error::Category;

use super::part::Part;
use super::{CatalogError, Source, build, format};

const DEMO: &str = include_str!("demo.json");
/// Longest accepted file. A warehouse of 100,000 tables with 20 described columns each has about 250 MiB.
pub(super) const MAX_BYTES: u64 = 512 * 1024 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) fn demo() -> Result<Part, CatalogError> {
    parse(&Source::Demo, DEMO.as_bytes(), Timestamp::UNIX_EPOCH)
}

pub(super) fn load(path: &Path) -> Result<Part, CatalogError> {
    let source = Source::File(path.to_owned());
    let (text, modified) = read(&source, path)?;
    parse(&source, &text, modified)
}

pub(super) fn parse(
    source: &Source,
    text: &[u8],
    modified: Timestamp,
) -> Result<Part, CatalogError> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let catalog = || source.clone();
    let file: format::File =
        serde_json::from_slice(text).map_err(|cause| match cause.classify() {
            Category::Data => CatalogError::Format {
                catalog: catalog(),
                cause,
            },
            Category::Io | Category::Syntax | Category::Eof => CatalogError::Syntax {
                catalog: catalog(),
                cause,
            },
        })?;
    build::build(file, modified).map_err(|flaw| CatalogError::of_flaw(source, flaw))
}

fn read(source: &Source, path: &Path) -> Result<(Vec<u8>, Timestamp), CatalogError> {
    let unreadable = |cause| CatalogError::Unreadable {
        catalog: source.clone(),
        cause,
    };
    // Asked before it is opened: opening a pipe waits for somebody to write to it.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(CatalogError::NotAFile {
            catalog: source.clone(),
        });
    }
    let too_large = || CatalogError::TooLarge {
        catalog: source.clone(),
        limit: MAX_BYTES,
    };
    let file = fs::File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    // Asked before it is read: that would take the memory first.
    if metadata.len() > MAX_BYTES {
        return Err(too_large());
    }
    let modified = metadata.modified().map_err(unreadable)?;
    let mut text = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(unreadable)?;
    // It may have grown meanwhile.
    if u64::try_from(text.len()).is_ok_and(|length| length > MAX_BYTES) {
        return Err(too_large());
    }
    let modified = Timestamp::try_from(modified).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok((text, modified))
}
