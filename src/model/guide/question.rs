//! What a question asks for, as far as its own words tell. Which tables it means needs their names:
//! `reading.rs`.

mod direction;
mod intent;
mod mention;

use super::language::{self, Language};
use super::lexicon::{self, Concept, Token};
use super::words::{self, Word};

pub(super) use mention::Mention;

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

/// A question, read.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) intent: Option<Intent>,
    pub(super) mentions: Vec<Mention>,
    pub(super) language: Language,
    signs: Vec<Sign>,
    /// "The second one", "yes": one of the choices that were offered.
    pub(super) choice: Option<usize>,
}

/// Something that a question says besides what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// "It", "its", …
    RefersBack,
    /// "What about …", "and …": more of what was asked before.
    GoesOn,
    /// Asks for tables by what they are about, not for one table.
    WantsMany,
    NamesSchema,
    NamesColumn,
    /// Speaks of tables in plural.
    NamesTables,
    /// Asks what something has.
    AsksWhatItHas,
}

/// The tokens of a question, with what rules ask of them.
struct Tokens<'a> {
    all: &'a [Token],
    mentions: &'a [Mention],
    english: bool,
}

// === impl Question ===

impl Question {
    /// Reads `text`. `is_content` knows the words that names are made of: they are not misspelled
    /// words of the language.
    pub(super) fn read(
        text: &str,
        before: Option<Language>,
        is_content: impl Fn(&Word) -> bool,
    ) -> Self {
        let words = words::split(text);
        let tokens = lexicon::tokens(&words, is_content);
        let language = language::detect(&words, &tokens, before);
        let mentions = mention::mentions(&words, &tokens);
        let view = Tokens {
            all: &tokens,
            mentions: &mentions,
            english: language == Language::English,
        };
        let signs = [
            (Sign::RefersBack, view.has(Concept::Pronoun)),
            (Sign::GoesOn, view.goes_on()),
            (Sign::WantsMany, view.wants_many(&words)),
            (Sign::NamesTables, view.names_tables(&words)),
            (Sign::NamesSchema, view.has(Concept::Schema)),
            (Sign::NamesColumn, view.has(Concept::Column)),
            (Sign::AsksWhatItHas, view.has(Concept::Have)),
        ];
        Self {
            intent: view.intent(),
            language,
            signs: signs
                .into_iter()
                .filter_map(|(sign, is_there)| is_there.then_some(sign))
                .collect(),
            choice: view.choice(),
            mentions,
        }
    }

    pub(super) fn says(&self, sign: Sign) -> bool {
        self.signs.contains(&sign)
    }

    /// What a search looks for. What stands in something is where to look.
    pub(super) fn sought(&self) -> Option<&Mention> {
        mention::sought(&self.mentions)
    }

    /// "Which dimensions does X have": not tables called X, but those that belong to it.
    pub(super) fn asks_for_parts(&self, mention: &Mention) -> bool {
        matches!(self.intent, Some(Intent::List(Some(_))))
            && (self.says(Sign::AsksWhatItHas) || mention.after == Some(Concept::In))
            && !matches!(
                mention.after,
                Some(Concept::About | Concept::Named | Concept::With)
            )
    }

    /// "Which tables have no owner": a comparison of all tables, which no tool makes.
    pub(super) fn is_about_all_tables(&self) -> bool {
        matches!(self.intent, Some(Intent::Describe(_)))
            && self.says(Sign::WantsMany)
            && self.mentions.is_empty()
            && !self.says(Sign::RefersBack)
    }

    /// "In supplier": where to look, and not for what.
    pub(super) fn points_in(&self) -> bool {
        matches!(self.mentions.as_slice(), [only] if only.after == Some(Concept::In))
    }

    /// "With supplier", "to supplier": the other end of something already named.
    pub(super) fn points_with(&self) -> bool {
        matches!(self.mentions.as_slice(), [only] if only.after == Some(Concept::With))
    }

    /// Whether the question can be answered without knowing what was said before or what tables are
    /// called.
    pub(super) fn stands_alone(&self) -> bool {
        if self.says(Sign::RefersBack) || self.says(Sign::GoesOn) || self.choice.is_some() {
            return false;
        }
        match self.intent {
            Some(Intent::Greet | Intent::TakeLeave | Intent::AcceptThanks | Intent::Introduce) => {
                true
            }
            Some(Intent::List(_) | Intent::Schemas | Intent::Count(Counted::Tables(_))) => {
                self.mentions.is_empty()
            }
            Some(Intent::Search) => {
                let is_one_word = |mention: &Mention| !mention.text.contains(' ');
                matches!(self.mentions.as_slice(), [only] if is_one_word(only))
                    && !self.says(Sign::NamesSchema)
            }
            _ => false,
        }
    }
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
        self.all
            .iter()
            .position(|token| token.concept == Some(concept))
    }

    /// Tokens that say something, in order.
    fn said(&self) -> impl Iterator<Item = Option<Concept>> {
        self.all
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

    /// "Which tables are about …", "list tables named …": several tables are wanted, found by
    /// words.
    fn wants_many(&self, words: &[Word]) -> bool {
        self.names_tables(words)
            && self.has_any(&[
                Concept::List,
                Concept::Which,
                Concept::HowMany,
                Concept::Find,
                Concept::Named,
                Concept::About,
            ])
    }

    fn names_tables(&self, words: &[Word]) -> bool {
        self.all.iter().any(|token| {
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
        })
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

/// Whether a noun for tables is in plural: English `-s` and `-ies`, Slovak and Czech `-y`, `-ie`,
/// `-e`, `-í` and the genitive.
fn is_plural(noun: &str) -> bool {
    const OTHERS: [&str; 9] = [
        "tabuliek", "tabulek", "dimenze", "dimenzii", "dimenzi", "pohladov", "pohledu", "faktov",
        "zdroje",
    ];
    noun.ends_with(['s', 'y']) || noun.ends_with("ie") || OTHERS.contains(&noun)
}

#[cfg(test)]
mod tests;
