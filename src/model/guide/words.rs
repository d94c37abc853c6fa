//! A question cut into words.

use crate::matching;

/// Words of a question that are looked at; nobody asks a longer one of a catalog.
const MAX_WORDS: usize = 200;
const MAX_WORD_BYTES: usize = 200;

/// A word as it was written, and in the forms rules compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) lower: String,
    pub(super) folded: String,
    /// Quoted, or with a character no plain word has: a name or a pattern, never a word of the
    /// language.
    pub(super) is_name: bool,
    /// In capitals, where not everything is.
    pub(super) is_acronym: bool,
    /// Something other than a space stands before it: it does not continue the word before.
    pub(super) starts_clause: bool,
}

/// Cuts `text` into words. What stands in backticks or double quotes is one word.
pub(super) fn split(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = text;
    let mut starts_clause = true;
    let has_small_letters = text.chars().any(char::is_lowercase);
    while words.len() < MAX_WORDS {
        let Some(first) = rest.chars().next() else {
            break;
        };
        let after_first = rest.get(first.len_utf8()..).unwrap_or_default();
        if let Some((quoted, after)) =
            closing_quote(first).and_then(|quote| after_first.split_once(quote))
        {
            let quoted = quoted.trim();
            if !quoted.is_empty() && quoted.len() <= MAX_WORD_BYTES {
                words.push(Word::new(quoted, true, starts_clause));
                starts_clause = false;
            }
            rest = after;
        } else if is_word_char(first) {
            let end = word_end(rest);
            let (word, after) = rest.split_at(end);
            let word_text = word.trim_end_matches('.');
            if word_text.len() <= MAX_WORD_BYTES {
                let is_name = word_text.contains(['_', '*', '.']);
                let mut word = Word::new(word_text, is_name, starts_clause);
                word.is_acronym = has_small_letters && is_in_capitals(word_text);
                words.push(word);
            }
            starts_clause = word_text.len() < word.len();
            rest = without_possessive(after);
        } else {
            starts_clause |= !first.is_whitespace() && first != '-';
            rest = after_first;
        }
    }
    words
}

fn is_in_capitals(word: &str) -> bool {
    word.chars().count() > 1 && word.chars().all(char::is_uppercase)
}

fn closing_quote(opening: char) -> Option<char> {
    match opening {
        '`' | '"' => Some(opening),
        '„' | '“' => Some('”').filter(|_| opening == '“').or(Some('“')),
        '«' => Some('»'),
        '»' => Some('«'),
        _ => None,
    }
}

fn is_word_char(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '*') || is_mark(character)
}

/// Combining diacritics: some keyboards write letter and mark as two characters.
fn is_mark(character: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&character)
}

/// Where the word that begins `text` ends; a dot inside belongs to it, as in `schema.table`.
fn word_end(text: &str) -> usize {
    text.char_indices()
        .find(|&(at, character)| {
            let inner_dot = character == '.'
                && text
                    .get(at + 1..)
                    .and_then(|after| after.chars().next())
                    .is_some_and(is_word_char);
            !is_word_char(character) && !inner_dot
        })
        .map_or(text.len(), |(at, _)| at)
}

/// Drops an English `'s`, which is grammar and no word.
fn without_possessive(text: &str) -> &str {
    ["'s", "’s"]
        .iter()
        .find_map(|suffix| {
            let after = text.strip_prefix(suffix)?;
            let goes_on = after.chars().next().is_some_and(is_word_char);
            (!goes_on).then_some(after)
        })
        .unwrap_or(text)
}

// === impl Word ===

impl Word {
    fn new(text: &str, is_name: bool, starts_clause: bool) -> Self {
        let lower = text.to_lowercase();
        Self {
            is_acronym: false,
            text: text.to_owned(),
            folded: matching::fold(&lower),
            lower,
            is_name,
            starts_clause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> Vec<String> {
        split(text).into_iter().map(|word| word.folded).collect()
    }

    #[test]
    fn words_names_and_quotes() {
        let cases: [(&str, &[&str]); 8] = [
            ("List all tables!", &["list", "all", "tables"]),
            (
                "Aké STĹPCE má dodávateľ?",
                &["ake", "stlpce", "ma", "dodavatel"],
            ),
            ("What's supplier's owner?", &["what", "supplier", "owner"]),
            ("*_eur, please", &["*_eur", "please"]),
            (
                "dm_ba_purchase.factv_ba_open_orders.",
                &["dm_ba_purchase.factv_ba_open_orders"],
            ),
            ("describe `my odd | table`", &["describe", "my odd | table"]),
            ("three-way match", &["three", "way", "match"]),
            ("", &[]),
        ];
        for (text, words) in cases {
            assert_eq!(folded(text), words, "{text:?}");
        }
    }

    #[test]
    fn a_clause_starts_after_punctuation_and_names_are_told_from_words() {
        let words = split("supplier, fact_bs_x");
        assert!(words[1].starts_clause && words[1].is_name && !words[0].is_name);
        let unfinished = split("what is `never closed");
        assert_eq!(unfinished.len(), 4);
    }

    #[test]
    fn letters_written_with_combining_marks_are_one_word() {
        assert_eq!(split("sto\u{302}l")[0].text, "sto\u{302}l");
        assert_eq!(split("sto\u{302}l").len(), 1);
    }

    #[test]
    fn a_huge_question_is_cut() {
        assert_eq!(split(&"word ".repeat(10_000)).len(), MAX_WORDS);
        assert!(split(&"x".repeat(10_000)).is_empty());
    }
}
