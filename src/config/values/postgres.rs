use std::path::{Path, PathBuf};

use super::http::HIDDEN;
use super::places::path;
use crate::catalog::postgres::SchemaPattern;
use crate::secret::Secret;

/// Most patterns: each is tried on every schema.
const MOST_SCHEMAS: usize = 100;

/// A password as it is: spaces may belong to it.
pub(in crate::config) fn password(text: &str) -> Result<Option<Secret>, String> {
    if text == HIDDEN {
        return Err("`config show` does not tell passwords: write the password itself".to_owned());
    }
    if text.len() > 1024 || text.contains('\0') {
        return Err("a password has at most 1,024 bytes and no NUL".to_owned());
    }
    Ok((!text.is_empty()).then(|| Secret::new(text)))
}

/// Patterns of names of schemas, separated by commas.
pub(in crate::config) fn schemas(text: &str) -> Result<Vec<SchemaPattern>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let schemas: Vec<SchemaPattern> = text
        .split(',')
        .map(|part| SchemaPattern::parse(part.trim()).map_err(|error| error.to_string()))
        .collect::<Result<_, _>>()?;
    if schemas.len() > MOST_SCHEMAS {
        return Err(format!(
            "at most {MOST_SCHEMAS} names: use `*` for what they have in common"
        ));
    }
    Ok(schemas)
}

/// A file; empty for none.
pub(in crate::config) fn ca_file(text: &str, folder: &Path) -> Result<Option<PathBuf>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    path(text, folder).map(Some)
}
