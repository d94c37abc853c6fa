//! Finds the one table a question is about, and says what stands in the way.

use serde_json::json;

use super::super::markdown::code;
use super::super::results::FoundColumns;
use super::super::subject::{Subject, search_patterns};
use super::super::turn::Tool;
use super::{Interruption, MAX_SUBJECTS, Task, Written, talk};
use crate::matching::tokens;

/// A table, perhaps because of one of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) table: String,
    pub(super) column: Option<String>,
}

impl Task<'_> {
    /// Writes about each table the question is about. All are begun before one waits, so that their
    /// tools run at once.
    pub(super) fn each(&self, write: impl Fn(&Target) -> Written) -> Written {
        if self.reading.subjects.is_empty() {
            return Err(Interruption::Instead(talk::which_table(
                self.language,
                self.names,
            )));
        }
        let written: Vec<Written> = self
            .reading
            .subjects
            .iter()
            .take(MAX_SUBJECTS)
            .map(|subject| write(&self.target_of(subject)?))
            .collect();
        let parts: Result<Vec<String>, _> = written.into_iter().collect();
        Ok(parts?.join("\n\n"))
    }

    /// The table `subject` means.
    pub(super) fn target_of(&self, subject: &Subject) -> Result<Target, Interruption> {
        match subject {
            Subject::Table(table) => Ok(Target {
                table: table.clone(),
                column: None,
            }),
            Subject::Column { table, column } => Ok(Target {
                table: table.clone(),
                column: Some(column.clone()),
            }),
            Subject::Several { phrase, tables, .. } => Err(Interruption::Instead(talk::which_of(
                self.language,
                phrase,
                tables,
            ))),
            Subject::Unknown { phrase, nearest } => self.column_called(phrase, nearest),
        }
    }

    /// What is called like no table may be called like a column.
    fn column_called(&self, phrase: &str, nearest: &[String]) -> Result<Target, Interruption> {
        let language = self.language;
        for pattern in search_patterns(phrase) {
            let wanted = tokens(&pattern);
            let found: FoundColumns =
                self.call(Tool::SearchColumns, json!({"pattern": pattern}))?;
            let called_so: Vec<_> = found
                .columns
                .iter()
                .filter(|column| tokens(&column.column) == wanted)
                .collect();
            match called_so.as_slice() {
                [] => {}
                [only] => {
                    return Ok(Target {
                        table: only.table.clone(),
                        column: Some(only.column.clone()),
                    });
                }
                [first, ..] => {
                    let tables: Vec<String> =
                        called_so.iter().map(|column| code(&column.table)).collect();
                    return Err(Interruption::Instead(talk::column_of_many(
                        language,
                        &first.column,
                        &tables,
                    )));
                }
            }
        }
        Err(Interruption::Instead(if self.reading.intent.is_none() {
            talk::unknown(language, self.names)
        } else {
            talk::no_such_table(language, phrase, nearest, self.names)
        }))
    }
}
