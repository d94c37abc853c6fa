//! What a question is about.

use super::glossary;

/// Something a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    Table(String),
    Column {
        table: String,
        column: String,
    },
    /// A name that fits several tables.
    Several {
        phrase: String,
        tables: Vec<String>,
        /// A tool has said so, or the names themselves do.
        is_sure: bool,
    },
    /// No table; perhaps a column.
    Unknown {
        phrase: String,
        nearest: Vec<String>,
    },
}

// === impl Subject ===

impl Subject {
    /// The tables that were offered for it, if it is not clear.
    pub(super) fn choices(&self) -> Option<&[String]> {
        match self {
            Self::Several { tables, .. } => Some(tables),
            Self::Unknown { nearest, .. } if !nearest.is_empty() => Some(nearest),
            Self::Unknown { .. } | Self::Table(_) | Self::Column { .. } => None,
        }
    }
}

/// What to search columns for: a word of the glossary in English first, then as it was written,
/// then in singular.
pub(super) fn search_patterns(phrase: &str) -> Vec<String> {
    let mut patterns: Vec<String> = glossary::translate(phrase).into_iter().collect();
    patterns.push(phrase.to_owned());
    if let Some(stem) = phrase.strip_suffix("ies") {
        patterns.push(format!("{stem}y"));
    } else if let Some(stem) = phrase.strip_suffix('s').filter(|stem| !stem.ends_with('s')) {
        patterns.push(stem.to_owned());
    }
    patterns.dedup();
    patterns
}
