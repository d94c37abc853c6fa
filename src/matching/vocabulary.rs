use std::collections::HashMap;

use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::fold::singular;

/// The words names are made of, in singular, and how to find the one a person meant.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    ids: HashMap<Box<str>, u32>,
    words: Vec<Word>,
}

/// A word that was probably meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meant {
    pub(super) word: u32,
    /// [`SAME`] for the word itself, less for what it resembles.
    pub(super) quality: u32,
}

#[derive(Debug)]
struct Word {
    text: Box<str>,
    letters: usize,
}

/// The quality of the word itself.
pub(super) const SAME: u32 = 1_000;
/// Most words one word may stand for.
const MOST_MEANT: usize = 8;
/// Part of [`SAME`] that the best abbreviation reaches.
const ABBREVIATION: u32 = 900;
/// What each typing error costs of [`SAME`].
const TYPING_ERROR: u32 = 150;
/// Longer words are compared by equality only.
const LONGEST: usize = 48;

impl Vocabulary {
    /// The number of a word, which is added if it is new.
    pub(super) fn add(&mut self, token: &str) -> u32 {
        let word = singular(token);
        if let Some(id) = self.ids.get(word) {
            return *id;
        }
        let id = u32::try_from(self.words.len()).unwrap_or(u32::MAX);
        self.ids.insert(word.into(), id);
        self.words.push(Word {
            text: word.into(),
            letters: word.chars().count(),
        });
        id
    }

    /// The word itself, if it is one.
    pub(super) fn get(&self, token: &str) -> Option<Meant> {
        let word = *self.ids.get(singular(token))?;
        Some(Meant {
            word,
            quality: SAME,
        })
    }

    /// How many letters the word has.
    pub(super) fn letters(&self, word: u32) -> usize {
        self.word(word).map_or(0, |word| word.letters)
    }

    /// The text of a word.
    pub(super) fn text(&self, word: u32) -> &str {
        self.word(word).map_or("", |word| &word.text)
    }

    /// Other words a token may stand for, best first: those it abbreviates, and only if there are
    /// none those it is a misspelling of. The two fail on different inputs, and misspellings are
    /// the costlier search.
    pub(super) fn meant(&self, token: &str) -> Vec<Meant> {
        let token = singular(token);
        let letters = token.chars().count();
        if !(3..=LONGEST).contains(&letters) {
            return Vec::new();
        }
        let mut meant = self.abbreviated(token, letters);
        if meant.is_empty() {
            meant = self.misspelled(token, letters);
        }
        meant.sort_by_key(|meant| {
            (
                std::cmp::Reverse(meant.quality),
                self.letters(meant.word),
                meant.word,
            )
        });
        meant.truncate(MOST_MEANT);
        meant
    }

    fn word(&self, id: u32) -> Option<&Word> {
        self.words.get(usize::try_from(id).ok()?)
    }

    fn all(&self) -> impl Iterator<Item = (u32, &Word)> {
        (0..).zip(&self.words)
    }

    fn abbreviated(&self, token: &str, letters: usize) -> Vec<Meant> {
        let mut matcher = Matcher::new(Config::DEFAULT);
        let (mut needle_buffer, mut buffer) = (Vec::new(), Vec::new());
        let needle = Utf32Str::new(token, &mut needle_buffer);
        let Some(full) = matcher.fuzzy_match(needle, needle) else {
            return Vec::new();
        };
        self.all()
            .filter(|(_, word)| may_abbreviate(token, letters, word))
            .filter_map(|(id, word)| {
                let haystack = Utf32Str::new(&word.text, &mut buffer);
                let score = u32::from(matcher.fuzzy_match(haystack, needle)?);
                let share = u32::try_from(letters * 1_000 / word.letters).unwrap_or(0);
                Some(Meant {
                    word: id,
                    quality: ABBREVIATION * score / u32::from(full).max(1) * share / 1_000,
                })
            })
            .collect()
    }

    fn misspelled(&self, token: &str, letters: usize) -> Vec<Meant> {
        let limit = typing_errors_allowed(letters);
        let mut least = limit;
        let mut meant: Vec<(usize, u32)> = Vec::new();
        for (id, word) in self.all() {
            if limit == 0 || word.letters < 4 || word.letters.abs_diff(letters) > least {
                continue;
            }
            let errors = strsim::osa_distance(token, &word.text);
            if (1..=least).contains(&errors) {
                least = errors;
                meant.push((errors, id));
            }
        }
        meant.retain(|(errors, _)| *errors == least);
        let cost = u32::try_from(least).unwrap_or(0) * TYPING_ERROR;
        meant
            .into_iter()
            .map(|(_, word)| Meant {
                word,
                quality: SAME.saturating_sub(cost),
            })
            .collect()
    }
}

/// How many letters may be wrong in a text of this length. Short words are too near to each other:
/// `data` is no `date`.
pub(super) fn typing_errors_allowed(letters: usize) -> usize {
    match letters {
        0..5 => 0,
        5..8 => 1,
        _ => 2,
    }
}

/// Whether the token could be written for the word: its beginning, the word without its vowels, or
/// the word with few letters left out. Without this gate any short token would be found scattered
/// in some long word.
fn may_abbreviate(token: &str, letters: usize, word: &Word) -> bool {
    if word.letters <= letters || token.chars().next() != word.text.chars().next() {
        return false;
    }
    word.text.starts_with(token)
        || word.letters - letters <= (letters / 4).max(1) && letters > 3
        || !token.contains(['a', 'e', 'i', 'o', 'u', 'y']) && word.letters <= letters * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(words: &[&str], token: &str) -> Vec<String> {
        let mut vocabulary = Vocabulary::default();
        for word in words {
            vocabulary.add(word);
        }
        vocabulary
            .meant(token)
            .into_iter()
            .map(|meant| vocabulary.text(meant.word).to_owned())
            .collect()
    }

    #[test]
    fn words_are_found_by_what_people_type_for_them() {
        let words = [
            "supplier", "receipt", "material", "order", "match", "date", "item",
        ];
        for (token, word) in [
            ("suplier", "supplier"),
            ("supplierr", "supplier"),
            ("reciept", "receipt"),
            ("recepit", "receipt"),
            ("mtrl", "material"),
            ("ordre", "order"),
            ("oder", "order"),
            ("suppl", "supplier"),
        ] {
            assert_eq!(meant(&words, token), [word], "{token}");
        }
        assert_eq!(meant(&words, "mat"), ["match", "material"]);
    }

    #[test]
    fn unlike_words_are_not_taken_for_one() {
        for (word, token) in [
            ("date", "data"),
            ("rate", "date"),
            ("sample", "sale"),
            ("supplier", "customer"),
            ("order", "or"),
            ("order", ""),
        ] {
            assert!(meant(&[word], token).is_empty(), "{token} is no {word}");
        }
    }
}
