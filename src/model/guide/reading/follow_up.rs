//! What a question takes from those before it.

use super::super::question::{Counted, Intent, Question, Sign};
use super::super::subject::Subject;
use super::Reading;

impl Reading {
    /// What the next question may refer to: this reading, with the subjects of `before` if it has
    /// none, and `before` itself if this is only talk.
    pub(in crate::model::guide) fn or_context(mut self, before: Option<Self>) -> Self {
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

    /// The reading before with its open choice made, if that is what `question` does.
    pub(super) fn choose(&self, question: &Question) -> Option<Self> {
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

    /// Tables that were offered because a name was not clear.
    fn choices(&self) -> Option<&[String]> {
        self.subjects.iter().find_map(Subject::choices)
    }

    /// Fills in what the question leaves out from the one before.
    pub(super) fn take_from(&mut self, before: &Self, question: &Question) {
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
        if self.intent.is_none() && before.intent == Some(Intent::Search) && question.points_in() {
            // "Only in material": the same search there.
            self.intent = Some(Intent::Search);
            self.phrase.clone_from(&before.phrase);
            return;
        }
        let has_what_to_ask = self.is_explicit || question.says(Sign::RefersBack);
        if self.intent.is_none() && question.says(Sign::GoesOn) && has_what_to_ask {
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
        if self.subjects.is_empty() && (!self.is_explicit || question.says(Sign::RefersBack)) {
            self.subjects.clone_from(&before.subjects);
        } else if let (Some(Intent::Relate), [_], Some(earlier)) =
            (&self.intent, self.subjects.as_slice(), earlier)
            && (question.says(Sign::RefersBack)
                || question.says(Sign::GoesOn)
                || question.points_with())
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
