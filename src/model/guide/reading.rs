//! What a question means in its conversation: which tables, and what is meant where words were left
//! out.

mod follow_up;

use super::language::Language;
use super::lexicon::Concept;
use super::names::{Meaning, Names};
use super::question::{Aspect, Counted, Intent, Mention, Question, Sign};
use super::subject::Subject;

/// A question understood as well as can be without asking tools about single tables.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// `None` if the question is none the guide can answer.
    pub(super) intent: Option<Intent>,
    pub(super) language: Language,
    /// What it is about, in the order it was named.
    pub(super) subjects: Vec<Subject>,
    pub(super) schema: Option<String>,
    /// What to look for: words or a pattern.
    pub(super) phrase: Option<String>,
    /// It says "column" beside the name of one.
    is_about_a_column: bool,
    /// The question names something, and not only refers back.
    pub(super) is_explicit: bool,
}

// === impl Reading ===

impl Reading {
    /// Reads `question` after the readings of the questions before it.
    pub(super) fn new(question: &Question, before: Option<&Self>, names: &Names) -> Self {
        let mut reading = Self {
            intent: question.intent.clone(),
            language: question.language,
            subjects: Vec::new(),
            schema: None,
            phrase: None,
            is_about_a_column: question.says(Sign::NamesColumn),
            is_explicit: !question.mentions.is_empty(),
        };
        if let Some(chosen) = before.and_then(|before| before.choose(question)) {
            return chosen;
        }
        reading.take_mentions(question, names);
        if question.is_about_all_tables() {
            reading.intent = None;
        } else if let Some(before) = before {
            reading.take_from(before, question);
        }
        reading.say_unsaid();
        reading
    }

    /// A table and nothing else: what is it? Two of them: what have they to do with each other?
    fn say_unsaid(&mut self) {
        if self.intent.is_none() && self.names_a_table() {
            self.intent = Some(if self.subjects.len() == 2 {
                Intent::Relate
            } else {
                Intent::Describe(Vec::new())
            });
        }
        let is_columns = self.intent == Some(Intent::Describe(vec![Aspect::Columns]));
        if is_columns && self.subjects.is_empty() && self.schema.is_some() {
            self.intent = Some(Intent::Search);
            self.phrase = Some("*".to_owned());
        }
    }

    /// Names that no list has so far.
    fn unknown_names(&self) -> impl Iterator<Item = &str> {
        self.subjects.iter().filter_map(|subject| match subject {
            Subject::Unknown { phrase, .. }
            | Subject::Several {
                phrase,
                is_sure: false,
                ..
            } => Some(phrase.as_str()),
            _ => None,
        })
    }

    /// Puts what `find` knows in the place of names that no list has.
    pub(super) fn resolve(&mut self, find: impl Fn(&str) -> Option<Subject>) {
        for subject in &mut self.subjects {
            match subject {
                Subject::Unknown { phrase, .. } => {
                    if let Some(found) = find(phrase) {
                        *subject = found;
                    }
                }
                Subject::Several {
                    phrase, is_sure, ..
                } if !*is_sure => match find(phrase) {
                    Some(found @ Subject::Table(_)) => *subject = found,
                    Some(_) => *is_sure = true,
                    None => {}
                },
                _ => {}
            }
        }
        // Words between two names that are known are not part of what is asked.
        let known = |subject: &Subject| !matches!(subject, Subject::Unknown { .. });
        if self
            .subjects
            .iter()
            .filter(|subject| known(subject))
            .count()
            > 1
        {
            self.subjects.retain(known);
        }
        self.say_unsaid();
    }

    /// The names that are not known and that the question hangs on.
    pub(super) fn sought_names(&self) -> Vec<String> {
        let is_all = self.intent.is_none() && self.subjects.len() == 1;
        if self.is_about_a_column || self.intent.is_none() && !is_all {
            return Vec::new();
        }
        self.unknown_names().map(ToOwned::to_owned).collect()
    }

    fn names_a_table(&self) -> bool {
        self.subjects
            .iter()
            .any(|subject| !matches!(subject, Subject::Unknown { .. }))
    }

    fn take_mentions(&mut self, question: &Question, names: &Names) {
        let searches = matches!(self.intent, Some(Intent::Search));
        let sought = question.sought().filter(|_| searches);
        self.phrase = sought.map(|mention| mention.text.clone());
        for mention in &question.mentions {
            if Some(mention) == sought {
                continue;
            }
            for meaning in names.meanings(&mention.text) {
                self.take(mention, meaning, question);
            }
        }
        self.take_column(question);
        self.take_what_it_has(question);
        // A word that is no name beside one that is: probably not part of what is asked.
        let names_enough = self.names_a_table() && !matches!(self.intent, Some(Intent::Relate));
        if names_enough || searches {
            self.subjects
                .retain(|subject| !matches!(subject, Subject::Unknown { .. }));
        }
    }

    /// "Region in supplier": a name that is none of a table, in one that is.
    fn take_column(&mut self, question: &Question) {
        let describes = match &self.intent {
            None | Some(Intent::Lineage(_)) => true,
            Some(Intent::Describe(aspects)) => {
                aspects.is_empty() || question.says(Sign::NamesColumn)
            }
            Some(_) => false,
        };
        let is_in = question
            .mentions
            .last()
            .is_some_and(|mention| mention.after == Some(Concept::In));
        if let [.., Subject::Unknown { phrase, .. }, Subject::Table(table)] =
            self.subjects.as_slice()
            && describes
            && is_in
        {
            self.subjects = vec![Subject::Column {
                table: table.clone(),
                column: phrase.clone(),
            }];
        }
    }

    /// "Does supplier have an email": a search in that table.
    fn take_what_it_has(&mut self, question: &Question) {
        if let [Subject::Table(_), Subject::Unknown { phrase, .. }] = self.subjects.as_slice()
            && question.says(Sign::AsksWhatItHas)
            && self.intent.is_none()
        {
            self.intent = Some(Intent::Search);
            self.phrase = Some(phrase.clone());
        }
    }

    fn take(&mut self, mention: &Mention, meaning: Meaning, question: &Question) {
        let phrase = mention.text.clone();
        let in_a_list = matches!(
            self.intent,
            Some(Intent::List(_) | Intent::Count(Counted::Tables(_)))
        );
        let subject = match meaning {
            Meaning::Schema(schema) => {
                self.schema = Some(schema);
                return;
            }
            _ if in_a_list && question.says(Sign::NamesSchema) => {
                self.schema = Some(phrase);
                return;
            }
            Meaning::Table(table) if in_a_list && question.asks_for_parts(mention) => {
                Subject::Table(table)
            }
            _ if in_a_list && question.says(Sign::WantsMany) => {
                self.phrase = Some(phrase);
                return;
            }
            Meaning::Table(table) => Subject::Table(table),
            Meaning::Column { table, column } => Subject::Column { table, column },
            Meaning::Several(tables) => Subject::Several {
                phrase,
                tables,
                is_sure: true,
            },
            Meaning::Perhaps(tables) => Subject::Several {
                phrase,
                tables,
                is_sure: false,
            },
            // "I would love to see the tables": words around the noun, and no name.
            Meaning::Nothing { .. } if in_a_list && question.says(Sign::NamesTables) => return,
            Meaning::Nothing { nearest } => Subject::Unknown { phrase, nearest },
        };
        if !self.subjects.contains(&subject) {
            self.subjects.push(subject);
        }
    }
}
