//! What a question means in its conversation: which tables, and what is meant where words were left out.

use super::glossary;
use super::language::Language;
use super::lexicon::Concept;
use super::names::{Meaning, Names};
use super::question::{Aspect, Counted, Intent, Mention, Question};

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
        /// A tool has said so, or the names themselves do.
        is_sure: bool,
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
            is_about_a_column: question.names_column,
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
        let is_columns = matches!(&self.intent, Some(Intent::Describe(aspects)) if aspects == &[Aspect::Columns]);
        if is_columns && self.subjects.is_empty() && self.schema.is_some() {
            self.intent = Some(Intent::Search);
            self.phrase = Some("*".to_owned());
        }
    }

    /// Tables that were offered because a name was not clear.
    fn choices(&self) -> Option<&[String]> {
        self.subjects.iter().find_map(Subject::choices)
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
            None => true,
            Some(Intent::Describe(aspects)) => aspects.is_empty() || question.names_column,
            Some(Intent::Lineage(_)) => true,
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
            && question.asks_what_it_has
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
            _ if in_a_list && question.names_schema => {
                self.schema = Some(phrase);
                return;
            }
            Meaning::Table(table)
                if in_a_list && question.asks_for_parts(&self.intent, mention) =>
            {
                Subject::Table(table)
            }
            _ if in_a_list && question.wants_many => {
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
            Meaning::Nothing { nearest } => Subject::Unknown { phrase, nearest },
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
                self.phrase = question.sought().map(|mention| mention.text.clone());
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
