//! What a question asks for, as far as its own words tell. Which tables it means needs their names: `reading.rs`.

mod direction;
mod intent;

use super::language::{self, Language};
use super::lexicon::{self, Concept, Token};
use super::words::{self, Word};

/// What a question asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Intent {
    Greet,
    TakeLeave,
    AcceptThanks,
    Help,
    Introduce,
    /// The tables, all or of one kind.
    List(Option<Kind>),
    Schemas,
    /// How many.
    Count(Counted),
    /// What is known of a table; all of it if no aspect is asked for.
    Describe(Vec<Aspect>),
    /// How tables join.
    Relate,
    /// Foreign keys from and to a table.
    Reference(Direction),
    /// Columns by words or a pattern.
    Search,
    Lineage(Direction),
    /// Rows, which no catalog holds.
    Rows,
}

/// A kind of table, with the name that tools have for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Fact,
    Dimension,
    View,
    Source,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    Tables(Option<Kind>),
    Columns,
    /// What the question before was about.
    Unsaid,
}

/// One thing that is known of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aspect {
    Columns,
    Owner,
    Refresh,
    Grain,
    Key,
}

/// Which side of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Towards where data comes from; for foreign keys what the table refers to.
    Up,
    /// Towards where data goes to; for foreign keys what refers to the table.
    Down,
    Both,
}

/// Words that stand together and are no words of the lexicon: probably a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    /// The words as they were written, with one space between them.
    pub(super) text: String,
    /// What stands before it, articles left out.
    pub(super) after: Option<Concept>,
    /// Position among the tokens of the question.
    pub(super) at: usize,
}

/// A question, read.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) intent: Option<Intent>,
    pub(super) mentions: Vec<Mention>,
    pub(super) language: Language,
    /// "It", "its", …
    pub(super) has_pronoun: bool,
    /// "What about …", "and …": more of what was asked before.
    pub(super) goes_on: bool,
    /// Asks for tables by what they are about, not for one table.
    pub(super) wants_many: bool,
    pub(super) names_schema: bool,
    pub(super) names_column: bool,
    /// Asks what something has.
    pub(super) asks_what_it_has: bool,
    /// "The second one", "yes": one of the choices that were offered.
    pub(super) choice: Option<usize>,
}

/// The tokens of a question, with what rules ask of them.
struct Tokens<'a> {
    tokens: &'a [Token],
    mentions: &'a [Mention],
    english: bool,
}

// === impl Question ===

impl Question {
    /// Reads `text`. `is_content` knows the words that names are made of: they are not misspelled words of the language.
    pub(super) fn read(
        text: &str,
        before: Option<Language>,
        is_content: impl Fn(&Word) -> bool,
    ) -> Self {
        let words = words::split(text);
        let tokens = lexicon::tokens(&words, is_content);
        let language = language::detect(&words, &tokens, before);
        let mentions = mentions(&words, &tokens);
        let view = Tokens {
            tokens: &tokens,
            mentions: &mentions,
            english: language == Language::English,
        };
        Self {
            intent: view.intent(),
            language,
            has_pronoun: view.has(Concept::Pronoun),
            goes_on: view.goes_on(),
            wants_many: view.wants_many(&words),
            names_schema: view.has(Concept::Schema),
            names_column: view.has(Concept::Column),
            asks_what_it_has: view.has(Concept::Have),
            choice: view.choice(),
            mentions,
        }
    }

    /// What a search looks for. What stands in something is where to look.
    pub(super) fn sought(&self) -> Option<&Mention> {
        sought(&self.mentions)
    }

    /// "Which dimensions does X have": not tables called X, but those that belong to it.
    pub(super) fn asks_for_parts(&self, intent: &Option<Intent>, mention: &Mention) -> bool {
        matches!(intent, Some(Intent::List(Some(_))))
            && (self.asks_what_it_has || mention.after == Some(Concept::In))
            && !matches!(
                mention.after,
                Some(Concept::About | Concept::Named | Concept::With)
            )
    }

    /// "Which tables have no owner": a comparison of all tables, which no tool makes.
    pub(super) fn is_about_all_tables(&self) -> bool {
        matches!(self.intent, Some(Intent::Describe(_)))
            && self.wants_many
            && self.mentions.is_empty()
            && !self.has_pronoun
    }

    /// "With supplier", "to supplier": the other end of something already named.
    pub(super) fn points_with(&self) -> bool {
        matches!(self.mentions.as_slice(), [only] if only.after == Some(Concept::With))
    }

    /// Whether the question can be answered without knowing what was said before or what tables are called.
    pub(super) fn stands_alone(&self) -> bool {
        if self.has_pronoun || self.goes_on || self.choice.is_some() {
            return false;
        }
        match self.intent {
            Some(Intent::Greet | Intent::TakeLeave | Intent::AcceptThanks | Intent::Introduce) => {
                true
            }
            Some(Intent::List(_) | Intent::Schemas | Intent::Count(Counted::Tables(_))) => {
                self.mentions.is_empty()
            }
            Some(Intent::Search) => self.mentions.len() == 1 && !self.names_schema,
            _ => false,
        }
    }
}

/// Unknown words next to each other, each group a mention. A name by itself is one, whatever stands beside it.
fn mentions(words: &[Word], tokens: &[Token]) -> Vec<Mention> {
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
                if !matches!(concept, Concept::Filler | Concept::Table) {
                    after = Some(concept);
                }
            }
        }
    }
    mentions
}

fn sought(mentions: &[Mention]) -> Option<&Mention> {
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

// === impl Tokens ===

impl Tokens<'_> {
    fn has(&self, concept: Concept) -> bool {
        self.at(concept).is_some()
    }

    fn has_any(&self, concepts: &[Concept]) -> bool {
        concepts.iter().any(|concept| self.has(*concept))
    }

    /// The position of the first token that says `concept`.
    fn at(&self, concept: Concept) -> Option<usize> {
        self.tokens
            .iter()
            .position(|token| token.concept == Some(concept))
    }

    /// Tokens that say something, in order.
    fn said(&self) -> impl Iterator<Item = Option<Concept>> {
        self.tokens
            .iter()
            .map(|token| token.concept)
            .filter(|concept| *concept != Some(Concept::Filler))
    }

    /// Whether it names something, or refers to what was named before.
    fn has_subject(&self) -> bool {
        !self.mentions.is_empty() || self.has(Concept::Pronoun)
    }

    /// The position of the first thing named or referred to.
    fn subject_at(&self) -> Option<usize> {
        let mention = self.mentions.first().map(|mention| mention.at);
        mention.into_iter().chain(self.at(Concept::Pronoun)).min()
    }

    fn subject_follows(&self, at: usize) -> bool {
        self.subject_at().is_some_and(|subject| subject > at)
    }

    fn goes_on(&self) -> bool {
        self.has(Concept::WhatAbout) || self.said().next() == Some(Some(Concept::And))
    }

    /// "Which tables are about …", "list tables named …": several tables are wanted, found by words.
    fn wants_many(&self, words: &[Word]) -> bool {
        let plural = self.tokens.iter().any(|token| {
            let is_noun = matches!(
                token.concept,
                Some(
                    Concept::Table
                        | Concept::Fact
                        | Concept::Dimension
                        | Concept::View
                        | Concept::Source
                )
            );
            let last = words.get(token.first + token.words - 1);
            is_noun && last.is_some_and(|word| is_plural(&word.folded))
        });
        plural
            && self.has_any(&[
                Concept::List,
                Concept::Which,
                Concept::HowMany,
                Concept::Find,
                Concept::Named,
                Concept::About,
            ])
    }

    fn choice(&self) -> Option<usize> {
        let mut said = self.said().flatten();
        let first = said.next()?;
        match first {
            Concept::Ordinal(number) if self.mentions.is_empty() => {
                usize::from(number).checked_sub(1)
            }
            Concept::Yes => Some(0),
            _ => None,
        }
    }
}

/// Whether a noun for tables is in plural: English `-s` and `-ies`, Slovak and Czech `-y`, `-ie`, `-e`, `-í` and the genitive.
fn is_plural(noun: &str) -> bool {
    const OTHERS: [&str; 9] = [
        "tabuliek", "tabulek", "dimenze", "dimenzii", "dimenzi", "pohladov", "pohledu", "faktov",
        "zdroje",
    ];
    noun.ends_with(['s', 'y']) || noun.ends_with("ie") || OTHERS.contains(&noun)
}

#[cfg(test)]
mod tests;
