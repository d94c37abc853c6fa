use std::borrow::Cow;

use serde::Serialize;

use crate::catalog::{Key, Table};

/// A call that was not answered, and what to do about it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refusal {
    error: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    candidates: Vec<String>,
}

/// A foreign key between two tables.
#[derive(Debug, Serialize)]
pub(super) struct Join<'a> {
    from_table: &'a str,
    from_columns: &'a [String],
    to_table: &'a str,
    to_columns: &'a [String],
}

/// What part of a list is shown.
#[derive(Debug)]
pub(super) struct Part<T> {
    pub(super) items: Vec<T>,
    pub(super) omitted: Option<usize>,
}

/// The answer as text.
pub(super) fn json(answer: &impl Serialize) -> Result<String, Refusal> {
    serde_json::to_string(answer)
        .map_err(|error| Refusal::new(format!("the answer could not be written: {error}")))
}

/// As many of the items as there is room for, in number and in bytes of JSON.
pub(super) fn part<T: Serialize>(
    items: impl ExactSizeIterator<Item = T>,
    most: usize,
    bytes: usize,
) -> Part<T> {
    let total = items.len();
    let mut room = bytes;
    let mut kept = Vec::new();
    for item in items.take(most) {
        let length = serde_json::to_string(&item).map_or(usize::MAX, |text| text.len() + 1);
        let Some(left) = room.checked_sub(length) else {
            break;
        };
        room = left;
        kept.push(item);
    }
    let omitted = total - kept.len();
    Part {
        items: kept,
        omitted: (omitted > 0).then_some(omitted),
    }
}

/// The text, or its beginning with a mark that it goes on.
pub(super) fn shorten(text: &str, characters: usize) -> Cow<'_, str> {
    match text.char_indices().nth(characters) {
        None => Cow::Borrowed(text),
        Some((end, _)) => {
            let start = text.get(..end).unwrap_or_default().trim_end();
            Cow::Owned(format!("{start}…"))
        }
    }
}

/// What was asked for, if the table is called otherwise.
pub(super) fn asked_otherwise<'a>(asked: &'a str, table: &Table) -> Option<&'a str> {
    (asked != table.name && asked != table.qualified_name()).then_some(asked)
}

// === impl Refusal ===

impl Refusal {
    pub(super) fn new(error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            candidates: Vec::new(),
        }
    }

    pub(super) fn with_candidates<'a>(
        error: impl Into<String>,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self {
            error: error.into(),
            candidates: candidates.into_iter().map(ToOwned::to_owned).collect(),
        }
    }

    pub(super) fn into_json(self) -> String {
        serde_json::to_string(&self)
            .unwrap_or_else(|_| r#"{"error":"the error could not be written"}"#.to_owned())
    }
}

// === impl Join ===

impl<'a> From<Key<'a>> for Join<'a> {
    fn from(key: Key<'a>) -> Self {
        Self {
            from_table: key.from.label(),
            from_columns: key.from_columns,
            to_table: key.to.label(),
            to_columns: key.to_columns,
        }
    }
}
