use std::fmt;

use crate::matching::{InvalidWildcard, Wildcard};

/// The name of a schema, or what several names have in common: `*` for any text, `?` for one character.
#[derive(Debug, Clone)]
pub struct SchemaPattern {
    text: String,
    wildcard: Wildcard,
}

// === impl SchemaPattern ===

impl SchemaPattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, InvalidWildcard> {
        Ok(Self {
            text: text.to_owned(),
            wildcard: Wildcard::new(text)?,
        })
    }

    pub(super) fn fits(&self, schema: &str) -> bool {
        self.wildcard.fits(schema)
    }
}

impl PartialEq for SchemaPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for SchemaPattern {}

impl fmt::Display for SchemaPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
