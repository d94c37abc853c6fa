//! A phrase of the lexicon, and when it fits.

use super::super::words::Word;
use super::{Concept, Tongue};
use crate::matching::fold;

/// A phrase of the lexicon. Each word is compared as it is, or as a beginning if it ended in `*`.
pub(super) struct Phrase {
    pub(super) concept: Concept,
    pub(super) tongue: Tongue,
    pub(super) words: Vec<Pattern>,
}

pub(super) struct Pattern {
    pub(super) text: &'static str,
    is_stem: bool,
}

// === impl Phrase ===

impl Phrase {
    pub(super) fn new(concept: Concept, tongue: Tongue, phrase: &'static str) -> Self {
        let words = phrase
            .split_whitespace()
            .map(|word| Pattern {
                text: word.trim_end_matches('*'),
                is_stem: word.ends_with('*'),
            })
            .collect();
        Self {
            concept,
            tongue,
            words,
        }
    }

    pub(super) fn begins(&self, words: &[Word]) -> bool {
        self.words.len() <= words.len()
            && self
                .words
                .iter()
                .zip(words)
                .all(|(pattern, word)| pattern.fits(word))
            && !words
                .iter()
                .take(self.words.len())
                .skip(1)
                .any(|word| word.starts_clause)
    }

    /// Whether what looks like this phrase is a name in capitals: `PO` is no Slovak preposition.
    pub(super) fn is_hidden_name(&self, words: &[Word]) -> bool {
        self.concept == Concept::Filler
            && self.words.len() == 1
            && words.first().is_some_and(|word| word.is_acronym)
    }

    /// More words win, then more letters, then a whole word over a beginning.
    pub(super) fn weight(&self) -> (usize, usize, bool) {
        let letters = self.words.iter().map(|word| word.text.len()).sum();
        let whole = self.words.iter().all(|word| !word.is_stem);
        (self.words.len(), letters, whole)
    }
}

// === impl Pattern ===

impl Pattern {
    pub(super) fn fits(&self, word: &Word) -> bool {
        if word.is_name {
            return false;
        }
        // A pattern with diacritics wants them: `čo` is Slovak, `co` can be either.
        let text = if self.text.is_ascii() {
            &word.folded
        } else {
            &word.lower
        };
        if self.is_stem {
            text.starts_with(self.text)
        } else {
            text == self.text
        }
    }

    /// Whether `word`, which has `length` letters, is this one with one typing error.
    pub(super) fn is_near(&self, word: &str, length: usize) -> bool {
        const SHORTEST: usize = 5;
        let own = self.text.chars().count();
        if own < SHORTEST + usize::from(self.is_stem)
            || length < own.max(SHORTEST) - usize::from(!self.is_stem)
        {
            return false;
        }
        let is_one_off = |word: &str| strsim::osa_distance(word, self.text) == 1;
        if !self.is_stem {
            return length <= own + 1 && is_one_off(word);
        }
        // The error may have made the beginning longer.
        [own, own + 1].iter().any(|letters| {
            let beginning: String = word.chars().take(*letters).collect();
            is_one_off(&beginning)
        })
    }

    pub(super) fn first_letter(&self) -> Option<char> {
        fold(self.text).chars().next()
    }
}
