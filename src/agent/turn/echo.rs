//! A model that was asked again repeats itself: what it has said already is not said twice.

use std::borrow::Cow;

/// The text of a cut step, while the model that was asked again repeats it.
#[derive(Debug, Clone, Default)]
pub(super) struct Echo {
    said: String,
    heard: usize,
}

/// What a piece of text is to what was said before.
#[derive(Debug, PartialEq)]
pub(super) struct Heard<'a> {
    /// The part that was said before, at the same place.
    pub(super) repeated: &'a str,
    /// What is to be said.
    pub(super) new: Cow<'a, str>,
    /// True if from here on the model says something else than before; `new` is all it says of this step, then.
    pub(super) differs: bool,
}

// === impl Echo ===

impl Echo {
    /// What was said before the step was cut.
    pub(super) fn of(said: String) -> Self {
        Self { said, heard: 0 }
    }

    /// Takes the next piece of the model's text.
    pub(super) fn hear<'a>(&mut self, piece: &'a str) -> Heard<'a> {
        let expected = self.said.get(self.heard..).unwrap_or_default();
        let common = expected.len().min(piece.len());
        if expected.as_bytes().get(..common) == piece.as_bytes().get(..common) {
            self.heard += common;
            // The shorter of two equal strings ends at a character.
            let (repeated, new) = piece.split_at(common);
            return Heard {
                repeated,
                new: new.into(),
                differs: false,
            };
        }
        let mut new = std::mem::take(&mut self.said);
        new.truncate(std::mem::take(&mut self.heard));
        new.push_str(piece);
        Heard {
            repeated: "",
            new: new.into(),
            differs: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pieces: &[&str], before: &str) -> Vec<(String, bool)> {
        let mut echo = Echo::of(before.to_owned());
        let mut said = Vec::new();
        for piece in pieces {
            let heard = echo.hear(piece);
            if !heard.new.is_empty() {
                said.push((heard.new.into_owned(), heard.differs));
            }
        }
        said
    }

    #[test]
    fn what_was_said_is_swallowed_and_the_rest_is_not() {
        let same = |text: &str| (text.to_owned(), false);
        assert_eq!(said(&["a", "bc", "d"], "ab"), [same("c"), same("d")]);
        assert_eq!(said(&["ab", "cd"], "ab"), [same("cd")]);
        assert_eq!(said(&["a"], "ab"), []);
        assert_eq!(said(&["a", "b"], ""), [same("a"), same("b")]);
        assert_eq!(said(&["č", "š"], "čš"), []);
    }

    #[test]
    fn another_text_is_said_whole() {
        let other = |text: &str| (text.to_owned(), true);
        assert_eq!(said(&["ab", "x"], "abc"), [other("abx")]);
        assert_eq!(
            said(&["x", "y"], "abc"),
            [other("x"), ("y".to_owned(), false)]
        );
        // The first byte of both is the same.
        assert_eq!(said(&["š"], "č"), [other("š")]);
    }
}
