//! What a question names.

use super::super::lexicon::{Concept, Token};
use super::super::words::Word;

/// Most names that are looked at: each is compared with all names of the catalog.
const MAX_MENTIONS: usize = 12;

/// Words that stand together and are no words of the lexicon: probably a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model::guide) struct Mention {
    /// The words as they were written, with one space between them.
    pub(in crate::model::guide) text: String,
    /// What stands before it, articles left out.
    pub(in crate::model::guide) after: Option<Concept>,
    /// Position among the tokens of the question.
    pub(in crate::model::guide) at: usize,
}

/// Unknown words next to each other, each group a mention. A name by itself is one, whatever stands
/// beside it.
pub(super) fn mentions(words: &[Word], tokens: &[Token]) -> Vec<Mention> {
    let mut mentions: Vec<Mention> = Vec::new();
    let mut may_continue = false;
    let mut after = None;
    for (at, token) in tokens.iter().enumerate() {
        let Some(word) = words.get(token.first) else {
            continue;
        };
        match token.concept {
            None if may_continue && !word.is_name && !word.starts_clause => {
                if let Some(mention) = mentions.last_mut() {
                    mention.text.push(' ');
                    mention.text.push_str(&word.text);
                }
            }
            None if mentions.len() == MAX_MENTIONS => break,
            None => {
                mentions.push(Mention {
                    text: word.text.clone(),
                    after: after.take(),
                    at,
                });
                may_continue = !word.is_name;
            }
            Some(concept) => {
                may_continue = false;
                if !is_apposition(concept) {
                    after = Some(concept);
                }
            }
        }
    }
    mentions
}

/// Words that may stand between a preposition and the name it points at: "in the table …", "na
/// dimenzii …".
fn is_apposition(concept: Concept) -> bool {
    matches!(
        concept,
        Concept::Filler | Concept::Table | Concept::Fact | Concept::Dimension | Concept::View
    )
}

/// What a search looks for: a pattern, what something contains, or what is not the place to look
/// in.
pub(super) fn sought(mentions: &[Mention]) -> Option<&Mention> {
    use Concept::{Contain, In, Named, With};
    let is = |wanted: fn(Concept) -> bool| {
        mentions
            .iter()
            .find(move |mention| mention.after.is_some_and(wanted))
    };
    mentions
        .iter()
        .find(|mention| mention.text.contains('*'))
        .or_else(|| is(|after| matches!(after, Contain | Named | With)))
        .or_else(|| mentions.iter().find(|mention| mention.after != Some(In)))
        .or(mentions.first())
}
