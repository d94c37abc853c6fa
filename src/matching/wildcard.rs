use globset::{GlobBuilder, GlobMatcher};

use super::{contains_folded, fold};

/// A pattern in which `*` stands for any text and `?` for any one character. Case and diacritics do
/// not matter.
#[derive(Debug, Clone)]
pub struct Wildcard {
    matcher: GlobMatcher,
    /// What stands between the wildcards, folded: a text without one of these need not be looked at more closely.
    pieces: Vec<String>,
}

/// A pattern that cannot be used. The message says what can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a pattern has 1 to {} characters, in which * stands for any text and ? for one character",
    Wildcard::MAX_LENGTH
)]
pub struct InvalidWildcard;

impl Wildcard {
    /// Longest accepted pattern, in characters.
    pub const MAX_LENGTH: usize = 128;

    /// True if the text is meant as a pattern: it has a `*` or a `?`.
    pub fn is_pattern(text: &str) -> bool {
        text.contains(['*', '?'])
    }

    /// Reads a pattern.
    pub fn new(pattern: &str) -> Result<Self, InvalidWildcard> {
        if pattern.is_empty() || pattern.chars().count() > Self::MAX_LENGTH {
            return Err(InvalidWildcard);
        }
        let folded = fold(pattern);
        let pieces = folded.split(['*', '?']).filter(|piece| !piece.is_empty());
        let pieces = pieces.map(ToOwned::to_owned).collect();
        GlobBuilder::new(&escape(&folded))
            .literal_separator(false)
            .case_insensitive(true)
            .backslash_escape(true)
            .build()
            .map(|glob| Self {
                matcher: glob.compile_matcher(),
                pieces,
            })
            .map_err(|_| InvalidWildcard)
    }

    /// True if the pattern fits the whole text.
    pub fn fits(&self, text: &str) -> bool {
        let mut pieces = self.pieces.iter();
        pieces.all(|piece| contains_folded(text, piece)) && self.fits_folded(&fold(text))
    }

    /// [`Wildcard::fits`] for a text that [`fold()`] has already seen.
    pub fn fits_folded(&self, folded: &str) -> bool {
        self.matcher.is_match(folded)
    }
}

/// Takes their meaning from the characters that only a shell gives one. A run of stars is one star,
/// because two mean something else to globset.
fn escape(pattern: &str) -> String {
    let mut escaped = String::with_capacity(pattern.len());
    for letter in pattern.chars() {
        match letter {
            '*' if escaped.ends_with('*') && !escaped.ends_with("\\*") => {}
            '[' | ']' | '{' | '}' | '\\' | '!' | ',' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn star_and_question_mark_are_all_there_is() {
        for (pattern, fits, does_not) in [
            ("*email*", "contact_email", "e_mail"),
            ("*_KEY", "supplier_key", "key_supplier"),
            ("valid_????", "valid_from", "valid_to"),
            ("dodáv*", "DODAVATEL", "odberatel"),
            ("a**b", "a/x/b", "ab_"),
            ("[ab]*", "[ab]c", "a"),
            ("{a,b}", "{a,b}", "a"),
            ("a\\*", "a\\b", "a*"),
            ("*!?", "a!b", "a!"),
        ] {
            let wildcard = Wildcard::new(pattern).unwrap();
            assert!(wildcard.fits(fits), "{pattern} must fit {fits}");
            assert!(
                !wildcard.fits(does_not),
                "{pattern} must not fit {does_not}"
            );
        }
    }

    #[test]
    fn a_pattern_is_bounded() {
        let longest = "*a".repeat(Wildcard::MAX_LENGTH / 2);
        assert!(!Wildcard::new(&longest).unwrap().fits(&"a".repeat(40)));
        assert_eq!(
            Wildcard::new(&"*".repeat(Wildcard::MAX_LENGTH + 1)).unwrap_err(),
            InvalidWildcard
        );
        assert_eq!(Wildcard::new("").unwrap_err(), InvalidWildcard);
    }

    #[test]
    fn patterns_are_told_from_words() {
        assert!(Wildcard::is_pattern("*email"));
        assert!(Wildcard::is_pattern("valid_??"));
        assert!(!Wildcard::is_pattern("email"));
    }
}
