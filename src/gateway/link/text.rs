//! The running turn's text across two conversations: it never shrinks.

use crate::chat::{TextChange, TurnId};

/// How much of the running turn's text was passed on.
#[derive(Debug, Default)]
pub(super) struct Said {
    turn: Option<TurnId>,
    length: usize,
    /// Text of a conversation that is behind what was passed on.
    held: Option<String>,
}

// === impl Said ===

impl Said {
    /// From now on a conversation speaks that has said nothing yet.
    pub(super) fn reopened(&mut self) {
        self.held = self.turn.map(|_| String::new());
    }

    /// Takes a change; `None` if it says nothing new.
    pub(super) fn take(&mut self, turn: TurnId, change: TextChange) -> Option<TextChange> {
        if self.turn != Some(turn) {
            *self = Self {
                turn: Some(turn),
                ..Self::default()
            };
        }
        let text = match (change, self.held.take()) {
            (TextChange::Append(more), None) => {
                self.length += more.len();
                return Some(TextChange::Append(more));
            }
            (TextChange::Append(more), Some(held)) => held + &more,
            (TextChange::Replace(text), _) => text,
        };
        if text.len() < self.length || (text.len() == self.length && self.length > 0) {
            self.held = Some(text);
            return None;
        }
        self.length = text.len();
        Some(TextChange::Replace(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_behind_is_held_until_it_is_ahead() {
        let (mut said, turn) = (Said::default(), TurnId::random());
        let replace = |text: &str| TextChange::Replace(text.to_owned());
        let append = |text: &str| TextChange::Append(text.to_owned());
        assert_eq!(said.take(turn, append("abc")), Some(append("abc")));
        assert_eq!(said.take(turn, append("de")), Some(append("de")));
        said.reopened();
        assert_eq!(said.take(turn, replace("ab")), None);
        assert_eq!(said.take(turn, append("cde")), None);
        assert_eq!(said.take(turn, append("f")), Some(replace("abcdef")));
        assert_eq!(said.take(turn, append("g")), Some(append("g")));
        // Nothing was said on the new conversation before.
        said.reopened();
        assert_eq!(said.take(turn, append("abcdefg")), None);
        assert_eq!(said.take(turn, append("h")), Some(replace("abcdefgh")));
        // Another turn begins anew.
        said.reopened();
        let next = TurnId::random();
        assert_eq!(said.take(next, append("x")), Some(append("x")));
    }
}
