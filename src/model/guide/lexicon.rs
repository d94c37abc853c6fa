//! What the words of a question say, in the languages the guide understands.

mod entries;
mod phrase;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::words::Word;
use phrase::{Pattern, Phrase};

/// What a word, or a few words, of a question say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Concept {
    /// Nothing by itself.
    Filler,
    /// It, its, this: what the conversation was about.
    Pronoun,
    And,
    With,
    In,
    /// Onto: what a Slavic verb points at.
    Onto,
    By,
    How,
    When,
    Where,
    Which,
    Have,
    About,
    /// "What about", "and for": the question before, of something else.
    WhatAbout,

    Table,
    Fact,
    Dimension,
    View,
    Source,
    Schema,
    Column,
    /// Rows: what a table holds one of, or data that no catalog has.
    Row,

    List,
    Describe,
    HowMany,
    Find,
    Contain,
    Named,

    Owner,
    Refresh,
    Grain,
    Key,

    Relation,
    Reference,

    Lineage,
    Upstream,
    Downstream,
    /// From where, from what.
    WhereFrom,
    /// Is built from, comes from.
    Origin,
    Depend,
    Use,
    Used,
    /// Affects, feeds.
    Effect,
    /// What a change does.
    Impact,
    Change,

    Greeting,
    Farewell,
    Thanks,
    Help,
    Identity,
    Yes,
    /// The first, the second, …, from 1.
    Ordinal(u8),
}

/// Whose word it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tongue {
    En,
    Sk,
    Cz,
    /// Slovak and Czech alike.
    SkCz,
    /// Any language.
    Any,
}

/// A part of a question: words of the lexicon, or one word that is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    /// What it says; `None` for a word that is not in the lexicon, probably a name.
    pub(super) concept: Option<Concept>,
    pub(super) tongue: Tongue,
    /// Position of its first word.
    pub(super) first: usize,
    /// How many words it has.
    pub(super) words: usize,
}

static PHRASES: LazyLock<Vec<Phrase>> = LazyLock::new(|| {
    entries::all()
        .flat_map(|(concept, tongue, phrases)| {
            phrases
                .split(',')
                .map(|phrase| Phrase::new(*concept, *tongue, phrase))
        })
        .collect()
});

/// Positions in [`PHRASES`] by the first letter, after folding, of their first word.
static BY_LETTER: LazyLock<HashMap<char, Vec<usize>>> = LazyLock::new(|| {
    let mut by_letter: HashMap<char, Vec<usize>> = HashMap::new();
    for (at, phrase) in PHRASES.iter().enumerate() {
        if let Some(letter) = phrase.words.first().and_then(Pattern::first_letter) {
            by_letter.entry(letter).or_default().push(at);
        }
    }
    by_letter
});

/// Reads `words` from left to right, the longest phrase first. A word that is not in the lexicon
/// and that `is_content` does not know either is taken for the word of the lexicon it is a
/// misspelling of, if there is one.
pub(super) fn tokens(words: &[Word], is_content: impl Fn(&Word) -> bool) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = words.get(at..).filter(|rest| !rest.is_empty()) {
        let token = match longest(rest) {
            Some((phrase, tongue)) if !phrase.is_hidden_name(rest) => Token {
                concept: Some(phrase.concept),
                tongue,
                first: at,
                words: phrase.words.len(),
            },
            _ => Token {
                concept: rest
                    .first()
                    .filter(|word| !word.is_name && !word.is_acronym && !is_content(word))
                    .and_then(misspelled),
                tongue: Tongue::Any,
                first: at,
                words: 1,
            },
        };
        at += token.words;
        tokens.push(token);
    }
    tokens
}

/// The longest phrase that `words` begin with, and whose it is: several languages may have the same
/// one.
fn longest(words: &[Word]) -> Option<(&'static Phrase, Tongue)> {
    let letter = words.first()?.folded.chars().next()?;
    let fitting = || {
        BY_LETTER
            .get(&letter)
            .into_iter()
            .flatten()
            .filter_map(|at| PHRASES.get(*at))
            .filter(|phrase| phrase.begins(words))
    };
    let best = fitting().max_by_key(|phrase| phrase.weight())?;
    let tongue = fitting()
        .filter(|phrase| phrase.weight() == best.weight())
        .map(|phrase| phrase.tongue)
        .reduce(Tongue::or)?;
    Some((best, tongue))
}

/// The one word of the lexicon that `word` is one typing error away from. Short words are too near
/// to each other.
fn misspelled(word: &Word) -> Option<Concept> {
    let length = word.folded.chars().count();
    let letter = word.folded.chars().next()?;
    BY_LETTER
        .get(&letter)?
        .iter()
        .filter_map(|at| PHRASES.get(*at))
        .filter(|phrase| phrase.concept != Concept::Filler)
        .find_map(|phrase| {
            let [only] = phrase.words.as_slice() else {
                return None;
            };
            only.is_near(&word.folded, length).then_some(phrase.concept)
        })
}

// === impl Tongue ===

impl Tongue {
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, same) if one == same => one,
            (Self::Sk | Self::Cz | Self::SkCz, Self::Sk | Self::Cz | Self::SkCz) => Self::SkCz,
            _ => Self::Any,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::guide::words;

    fn concepts(text: &str) -> Vec<Option<Concept>> {
        tokens(&words::split(text), |_| false)
            .into_iter()
            .map(|token| token.concept)
            .collect()
    }

    #[test]
    fn the_longest_phrase_wins() {
        use Concept::{Filler, Key, Reference, WhatAbout};
        assert_eq!(concepts("primary key"), [Some(Key)]);
        assert_eq!(concepts("foreign keys"), [Some(Reference)]);
        assert_eq!(
            concepts("what about the x"),
            [Some(WhatAbout), Some(Filler), None]
        );
    }

    #[test]
    fn names_and_unknown_words_say_nothing() {
        assert_eq!(concepts("list_tables `list` weather"), [None, None, None]);
    }

    #[test]
    fn words_of_the_lexicon_may_be_misspelled_unless_they_are_content() {
        assert_eq!(concepts("colums"), [Some(Concept::Column)]);
        assert_eq!(concepts("tabels"), [Some(Concept::Table)]);
        assert_eq!(concepts("linaege"), [Some(Concept::Lineage)]);
        let content = tokens(&words::split("colums"), |_| true);
        assert_eq!(content[0].concept, None);
    }

    #[test]
    fn every_entry_is_in_the_form_it_is_compared_in() {
        for phrase in PHRASES.iter() {
            assert!(
                !phrase.words.is_empty(),
                "an empty phrase of {:?}",
                phrase.concept
            );
            for word in &phrase.words {
                assert_eq!(word.text, word.text.to_lowercase(), "{:?}", phrase.concept);
                assert!(!word.text.contains('*'), "{}", word.text);
            }
        }
    }
}
