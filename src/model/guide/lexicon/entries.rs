//! The lexicon itself. Words are lower case and without diacritics, which fit a question written
//! either way; a word with diacritics fits only itself. A star is any ending. Phrases are separated
//! by commas.

mod catalog;
mod grammar;
mod talk;

use super::{Concept, Tongue};

pub(super) type Entry = (Concept, Tongue, &'static str);

/// All entries.
pub(super) fn all() -> impl Iterator<Item = &'static Entry> {
    [grammar::ENTRIES, catalog::ENTRIES, talk::ENTRIES]
        .into_iter()
        .flatten()
}
