//! Writes the answer to a turn, or asks the tools for what it still takes.

mod age;
mod columns;
mod describe;
mod lineage;
mod relate;
mod search;
mod tables;
mod talk;
mod target;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::language::Language;
use super::names::Names;
use super::question::{Counted, Intent, Question};
use super::reading::Reading;
use super::results::{Outcome, TableDetails, TableList};
use super::subject::Subject;
use super::turn::{Pending, Tool, Turn};

/// Most tables one answer is about.
const MAX_SUBJECTS: usize = 4;

/// What all answers are written from.
#[derive(Clone, Copy)]
struct Task<'a> {
    turn: &'a Turn<'a>,
    reading: &'a Reading,
    names: &'a Names,
    language: Language,
}

/// An answer, unless something comes in between.
type Written = Result<String, Interruption>;

/// Why an answer is not written to its end.
enum Interruption {
    /// Results of tools are missing.
    Pending(Pending),
    /// Something else must be said: which table is meant, what failed.
    Instead(String),
}

/// The answer to the turn; [`Pending`] if tools have to be asked first.
pub(super) fn write(turn: &Turn<'_>) -> Result<String, Pending> {
    let language = language(turn);
    match written(turn, language) {
        Ok(answer) | Err(Interruption::Instead(answer)) => {
            let language = Question::read(turn.question, language, |_| false).language;
            Ok(age::noted(turn, language, answer))
        }
        Err(Interruption::Pending(pending)) => Err(pending),
    }
}

/// The language of the conversation so far.
fn language(turn: &Turn<'_>) -> Option<Language> {
    turn.earlier.iter().fold(None, |before, exchange| {
        Some(Question::read(exchange.question, before, |_| false).language)
    })
}

fn written(turn: &Turn<'_>, before: Option<Language>) -> Written {
    let question = Question::read(turn.question, before, |_| false);
    if question.stands_alone() {
        let names = Names::default();
        let reading = Reading::new(&question, None, &names);
        return Task::new(turn, &reading, &names).answer();
    }
    let mut lists = Lists::of(turn);
    lists.need(json!({}), question.language)?;
    let (mut names, mut reading) = lists.read();
    let sought = reading.sought_names();
    if !sought.is_empty() {
        // Tools know more names than the list has: sources, synonyms, the rest of a large catalog.
        lists.look_up(&sought)?;
        (names, reading) = lists.read();
    }
    Task::new(turn, &reading, &names).answer()
}

/// The lists of tables that are known, from which names are learned.
struct Lists<'a> {
    turn: &'a Turn<'a>,
    known: Vec<TableList>,
}

// === impl Lists ===

impl<'a> Lists<'a> {
    /// What this turn and those before it have listed.
    fn of(turn: &'a Turn<'a>) -> Self {
        Self {
            turn,
            known: turn.all_known(Tool::ListTables),
        }
    }

    /// Makes sure that the list for `arguments` is known.
    fn need(&mut self, arguments: Value, language: Language) -> Result<(), Interruption> {
        let known: Option<Outcome<TableList>> = self.turn.known(Tool::ListTables, &arguments);
        if !matches!(known, Some(Outcome::Done(_))) {
            let outcome = self.turn.call(Tool::ListTables, arguments)?;
            self.known.push(done(language, outcome)?);
        }
        Ok(())
    }

    /// Makes sure that a tool was asked for the tables called so.
    fn look_up(&self, names: &[String]) -> Result<(), Pending> {
        let asked: Vec<Result<_, Pending>> = names
            .iter()
            .take(MAX_SUBJECTS)
            .map(|name| {
                let arguments = json!({"table": name});
                self.turn
                    .call::<TableDetails>(Tool::TableDetails, arguments)
            })
            .collect();
        asked.into_iter().try_for_each(|asked| asked.map(|_| ()))
    }

    /// Reads the question after those before it.
    fn read(&self) -> (Names, Reading) {
        let names = Names::new(self.known.iter().cloned());
        let mut before: Option<Reading> = None;
        for exchange in &self.turn.earlier {
            let reading = self.read_one(exchange.question, before.as_ref(), &names);
            before = Some(reading.or_context(before));
        }
        let reading = self.read_one(self.turn.question, before.as_ref(), &names);
        (names, reading)
    }

    fn read_one(&self, question: &str, before: Option<&Reading>, names: &Names) -> Reading {
        let language = before.map(|before| before.language);
        let question = Question::read(question, language, |word| names.has_word(word));
        let mut reading = Reading::new(&question, before, names);
        reading.resolve(|phrase| self.looked_up(phrase, names));
        reading
    }

    /// The table that a tool has found for `phrase`, or the ones it offered.
    fn looked_up(&self, phrase: &str, names: &Names) -> Option<Subject> {
        let arguments = json!({"table": phrase});
        match self
            .turn
            .known::<TableDetails>(Tool::TableDetails, &arguments)?
        {
            Outcome::Done(details) => {
                let schema = details.schema.unwrap_or_default();
                Some(Subject::Table(names.label(
                    details.source.as_deref(),
                    &schema,
                    &details.name,
                )))
            }
            Outcome::Failed(failure) => Some(Subject::Unknown {
                phrase: phrase.to_owned(),
                nearest: failure.candidates,
            }),
        }
    }
}

/// The result of a call; a failed one is said.
fn done<T>(language: Language, outcome: Outcome<T>) -> Result<T, Interruption> {
    match outcome {
        Outcome::Done(result) => Ok(result),
        Outcome::Failed(failure) => Err(Interruption::Instead(talk::failed(language, &failure))),
    }
}

// === impl Task ===

impl<'a> Task<'a> {
    fn new(turn: &'a Turn<'a>, reading: &'a Reading, names: &'a Names) -> Self {
        Self {
            turn,
            reading,
            names,
            language: reading.language,
        }
    }

    fn answer(&self) -> Written {
        let language = self.language;
        match &self.reading.intent {
            Some(Intent::Greet) => Ok(talk::greeting(language)),
            Some(Intent::TakeLeave) => Ok(talk::farewell(language)),
            Some(Intent::AcceptThanks) => Ok(talk::thanks(language)),
            Some(Intent::Introduce) => Ok(talk::introduction(language)),
            Some(Intent::Help) => Ok(talk::help(language, self.names)),
            Some(Intent::List(kind)) => self.list(*kind),
            Some(Intent::Schemas) => self.schemas(),
            Some(Intent::Count(Counted::Tables(kind))) => self.count_tables(*kind),
            Some(Intent::Count(Counted::Columns)) => self.count_columns(),
            Some(Intent::Describe(aspects)) => self.describe(aspects),
            Some(Intent::Relate) => self.relate(),
            Some(Intent::Reference(direction)) => self.references(*direction),
            Some(Intent::Search) => self.search(),
            Some(Intent::Lineage(direction)) => self.lineage(*direction),
            Some(Intent::Rows) => Ok(talk::no_rows(language, self.names)),
            Some(Intent::Count(Counted::Unsaid)) => self.count_tables(None),
            None => Ok(talk::unknown(language, self.names)),
        }
    }

    /// The details of a table. Looking up its name may have brought them already.
    fn details(&self, table: &str) -> Result<TableDetails, Interruption> {
        let is_wanted = |details: &TableDetails| {
            let schema = details.schema.as_deref().unwrap_or_default();
            self.names
                .label(details.source.as_deref(), schema, &details.name)
                == table
        };
        let had: Vec<TableDetails> = self.turn.had(Tool::TableDetails);
        match had.into_iter().find(is_wanted) {
            Some(details) => Ok(details),
            None => self.call(Tool::TableDetails, json!({"table": table})),
        }
    }

    fn call<T: DeserializeOwned>(&self, tool: Tool, arguments: Value) -> Result<T, Interruption> {
        let outcome = self.turn.call(tool, arguments)?;
        done(self.language, outcome)
    }
}

// === impl Interruption ===

impl From<Pending> for Interruption {
    fn from(pending: Pending) -> Self {
        Self::Pending(pending)
    }
}
