//! What a question means in its conversation: which tables, and what is meant where words were left out.

use super::glossary;
use super::language::Language;
use super::lexicon::Concept;
use super::names::{Meaning, Names};
use super::question::{Counted, Intent, Mention, Question};

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
    /// The question names something, and not only refers back.
    pub(super) is_explicit: bool,
}

/// Something a question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    Table(String),
    Column {
        table: String,
        column: String,
    },
    /// A name that fits several tables.
    Several {
        phrase: String,
        tables: Vec<String>,
    },
    /// No table; perhaps a column.
    Unknown {
        phrase: String,
        nearest: Vec<String>,
    },
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
            is_explicit: !question.mentions.is_empty(),
        };
        if let Some(chosen) = before.and_then(|before| before.choose(question)) {
            return chosen;
        }
        reading.take_mentions(question, names);
        if let Some(before) = before {
            reading.take_from(before, question);
        }
        if reading.intent.is_none() && reading.names_a_table() {
            reading.intent = Some(Intent::Describe(Vec::new()));
        }
        reading
    }

    /// Tables that were offered because a name was not clear.
    fn choices(&self) -> Option<&[String]> {
        self.subjects.iter().find_map(Subject::choices)
    }

    /// The name that no list has so far.
    pub(super) fn unknown_name(&self) -> Option<&str> {
        self.subjects.iter().find_map(|subject| match subject {
            Subject::Unknown { phrase, .. } => Some(phrase.as_str()),
            _ => None,
        })
    }

    /// Puts what `find` knows in the place of names that no list has.
    pub(super) fn resolve(&mut self, find: impl Fn(&str) -> Option<Subject>) {
        for subject in &mut self.subjects {
            if let Subject::Unknown { phrase, .. } = subject
                && let Some(found) = find(phrase)
            {
                *subject = found;
            }
        }
    }

    /// Whether a name that is not known is what the question hangs on.
    pub(super) fn seeks_unknown_name(&self) -> bool {
        let only_names = self.intent.is_none() && self.subjects.len() == 1;
        (self.intent.is_some() || only_names) && self.unknown_name().is_some()
    }

    /// What the next question may refer to: this reading, with the subjects of `before` if it has none, and `before`
    /// itself if this is only talk.
    pub(super) fn or_context(mut self, before: Option<Self>) -> Self {
        let Some(before) = before else {
            return self;
        };
        let is_talk = matches!(
            self.intent,
            None | Some(
                Intent::Greet
                    | Intent::TakeLeave
                    | Intent::AcceptThanks
                    | Intent::Help
                    | Intent::Introduce
                    | Intent::Rows
            )
        );
        if is_talk {
            return Self {
                language: self.language,
                ..before
            };
        }
        if self.subjects.is_empty() {
            self.subjects = before.subjects;
        }
        self
    }

    fn names_a_table(&self) -> bool {
        self.subjects
            .iter()
            .any(|subject| !matches!(subject, Subject::Unknown { .. }))
    }

    /// The reading before with its open choice made, if that is what `question` does.
    fn choose(&self, question: &Question) -> Option<Self> {
        let chosen = self.choices()?.get(question.choice?)?.clone();
        let mut reading = self.clone();
        reading.language = question.language;
        reading.settle(chosen);
        Some(reading)
    }

    /// Puts `table` in the place of the open choice.
    fn settle(&mut self, table: String) {
        let open = self
            .subjects
            .iter_mut()
            .find(|subject| subject.choices().is_some());
        if let Some(open) = open {
            *open = Subject::Table(table);
        }
    }

    fn take_mentions(&mut self, question: &Question, names: &Names) {
        let searches = matches!(self.intent, Some(Intent::Search));
        for (at, mention) in question.mentions.iter().enumerate() {
            if searches && at == 0 {
                self.phrase = Some(mention.text.clone());
                continue;
            }
            for meaning in names.meanings(&mention.text) {
                self.take(mention, meaning, question);
            }
        }
        // A word that is no name beside one that is: probably not part of what is asked.
        let names_enough = self.names_a_table() && !matches!(self.intent, Some(Intent::Relate));
        if names_enough || searches {
            self.subjects
                .retain(|subject| !matches!(subject, Subject::Unknown { .. }));
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
            _ if in_a_list && question.names_schema => {
                self.schema = Some(phrase);
                return;
            }
            _ if in_a_list && question.wants_many => {
                self.phrase = Some(phrase);
                return;
            }
            Meaning::Table(table) => Subject::Table(table),
            Meaning::Column { table, column } => Subject::Column { table, column },
            Meaning::Several(tables) => Subject::Several { phrase, tables },
            Meaning::Nothing { nearest } => {
                // A word between two others says less than one a preposition points at.
                let relates = matches!(self.intent, Some(Intent::Relate));
                let pointed_at = matches!(
                    mention.after,
                    Some(Concept::And | Concept::With | Concept::In | Concept::Relation)
                );
                if relates && !pointed_at && question.mentions.len() > 1 {
                    return;
                }
                Subject::Unknown { phrase, nearest }
            }
        };
        if !self.subjects.contains(&subject) {
            self.subjects.push(subject);
        }
    }

    /// Fills in what the question leaves out from the one before.
    fn take_from(&mut self, before: &Self, question: &Question) {
        let answers_choice = before.choices().is_some_and(|tables| {
            matches!(self.subjects.as_slice(), [Subject::Table(table)] if tables.contains(table))
        });
        if self.intent.is_none() && answers_choice {
            if let Some(Subject::Table(table)) = self.subjects.pop() {
                self.subjects.clone_from(&before.subjects);
                self.settle(table);
            }
            self.intent.clone_from(&before.intent);
            self.phrase.clone_from(&before.phrase);
            return;
        }
        let has_what_to_ask = self.is_explicit || question.has_pronoun;
        if self.intent.is_none() && question.goes_on && has_what_to_ask {
            self.intent.clone_from(&before.intent);
            if matches!(self.intent, Some(Intent::Search)) {
                self.phrase = question
                    .mentions
                    .first()
                    .map(|mention| mention.text.clone());
                self.subjects.clear();
            }
        }
        if let Some(Intent::Count(Counted::Unsaid)) = self.intent {
            self.intent = Some(Intent::Count(match before.intent {
                Some(Intent::List(kind) | Intent::Count(Counted::Tables(kind))) => {
                    self.schema.clone_from(&before.schema);
                    Counted::Tables(kind)
                }
                Some(Intent::Describe(_) | Intent::Count(Counted::Columns)) => Counted::Columns,
                _ => Counted::Tables(None),
            }));
        }
        if !self.needs_subject() {
            return;
        }
        let earlier = before.subjects.first().filter(|_| before.names_a_table());
        if self.subjects.is_empty() && (!self.is_explicit || question.has_pronoun) {
            self.subjects.clone_from(&before.subjects);
        } else if let (Some(Intent::Relate), [_], Some(earlier)) =
            (&self.intent, self.subjects.as_slice(), earlier)
            && (question.has_pronoun || question.goes_on || question.points_with())
            && !self.subjects.contains(earlier)
        {
            self.subjects.insert(0, earlier.clone());
        }
    }

    fn needs_subject(&self) -> bool {
        match self.intent {
            Some(
                Intent::Describe(_)
                | Intent::Relate
                | Intent::Reference(_)
                | Intent::Lineage(_)
                | Intent::Count(Counted::Columns),
            ) => true,
            Some(_) | None => false,
        }
    }
}

// === impl Subject ===

impl Subject {
    /// The tables that were offered for it, if it is not clear.
    fn choices(&self) -> Option<&[String]> {
        match self {
            Self::Several { tables, .. } => Some(tables),
            Self::Unknown { nearest, .. } if !nearest.is_empty() => Some(nearest),
            Self::Unknown { .. } | Self::Table(_) | Self::Column { .. } => None,
        }
    }
}

/// What to search columns for: a word of the glossary in English first, then as it was written, then in singular.
pub(super) fn search_patterns(phrase: &str) -> Vec<String> {
    let mut patterns: Vec<String> = glossary::translate(phrase).into_iter().collect();
    patterns.push(phrase.to_owned());
    if let Some(stem) = phrase.strip_suffix("ies") {
        patterns.push(format!("{stem}y"));
    } else if let Some(stem) = phrase.strip_suffix('s').filter(|stem| !stem.ends_with('s')) {
        patterns.push(stem.to_owned());
    }
    patterns.dedup();
    patterns
}
