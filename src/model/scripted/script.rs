//! The script as it stands in the file, and as it is played.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::ScriptError;
use super::file::{File, FileCall, FileEntry, When};
use crate::chat::ToolCall;
use crate::model::{ModelError, ModelEvent};

pub(super) const MAX_FILE_BYTES: u64 = 4 << 20;
const MAX_SAID_BYTES: usize = 64 << 20;
const MAX_DELAY_MS: u64 = 3_600_000;

/// What is played.
#[derive(Debug)]
pub(super) struct Script {
    scenarios: Vec<(Option<When>, Arc<Scenario>)>,
}

/// What is played for one question.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) steps: Vec<Vec<Entry>>,
    pub(super) repeat_last_step: bool,
}

/// One entry of a step.
#[derive(Debug)]
pub(super) enum Entry {
    Say {
        pieces: Vec<String>,
        pause: Duration,
    },
    Repeat {
        text: String,
        times: usize,
        pause: Duration,
    },
    Delay(Duration),
    Call(Call),
    Event(ModelEvent),
    Fail(ModelError),
    Hang,
}

/// A tool call whose id may still have to be made up.
#[derive(Debug)]
pub(super) struct Call {
    id: Option<Arc<str>>,
    name: Arc<str>,
    arguments: Arc<str>,
}

/// Reads and checks the file at `path`.
pub(super) fn read(path: &Path) -> Result<Script, ScriptError> {
    let read_error = |cause| ScriptError::Read {
        path: path.to_owned(),
        cause,
    };
    let file = std::fs::File::open(path).map_err(read_error)?;
    let mut text = Vec::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(read_error)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(ScriptError::TooLarge {
            path: path.to_owned(),
        });
    }
    let file: File = serde_json::from_slice(&text).map_err(|cause| ScriptError::Format {
        path: path.to_owned(),
        cause,
    })?;
    Script::new(file).map_err(|Fault { place, problem }| ScriptError::Invalid {
        path: path.to_owned(),
        place,
        problem,
    })
}

/// What is wrong, and where in the file.
#[derive(Debug)]
struct Fault {
    place: String,
    problem: String,
}

fn fault(place: &str, problem: impl Into<String>) -> Fault {
    Fault {
        place: place.to_owned(),
        problem: problem.into(),
    }
}

// === impl Script ===

impl Script {
    /// The scenario for `question`, if there is one.
    pub(super) fn scenario(&self, question: &str) -> Option<Arc<Scenario>> {
        let fits = |when: &Option<When>| match when {
            Some(When::Exact(text)) => question == text,
            Some(When::Contains(part)) => question.contains(part),
            None => false,
        };
        self.scenarios
            .iter()
            .find(|(when, _)| fits(when))
            .or_else(|| self.scenarios.iter().find(|(when, _)| when.is_none()))
            .map(|(_, scenario)| Arc::clone(scenario))
    }

    fn new(file: File) -> Result<Self, Fault> {
        if file.scenarios.is_empty() {
            return Err(fault("scenarios", "is empty: give at least one scenario"));
        }
        let mut scenarios = Vec::new();
        let mut defaults = 0;
        for (at, scenario) in file.scenarios.into_iter().enumerate() {
            let place = format!("scenarios[{at}]");
            match &scenario.when {
                Some(When::Exact(text) | When::Contains(text)) if text.is_empty() => {
                    return Err(fault(
                        &format!("{place}.when"),
                        "is empty: leave `when` out to fit every question",
                    ));
                }
                Some(_) => {}
                None => defaults += 1,
            }
            if defaults > 1 {
                return Err(fault(
                    &place,
                    "is the second one without `when`: give it one",
                ));
            }
            if scenario.steps.is_empty() {
                return Err(fault(
                    &format!("{place}.steps"),
                    "is empty: give at least one step",
                ));
            }
            let steps = scenario
                .steps
                .into_iter()
                .enumerate()
                .map(|(step, entries)| step_entries(&format!("{place}.steps[{step}]"), entries))
                .collect::<Result<_, _>>()?;
            scenarios.push((
                scenario.when,
                Arc::new(Scenario {
                    steps,
                    repeat_last_step: scenario.repeat_last_step,
                }),
            ));
        }
        Ok(Self { scenarios })
    }
}

fn step_entries(place: &str, entries: Vec<FileEntry>) -> Result<Vec<Entry>, Fault> {
    let last = entries.len().saturating_sub(1);
    entries
        .into_iter()
        .enumerate()
        .map(|(at, entry)| {
            let place = format!("{place}[{at}]");
            let entry = entry.check(&place)?;
            if at < last && entry.is_final() {
                return Err(fault(&place, "ends the step: nothing may follow it"));
            }
            Ok(entry)
        })
        .collect()
}

// === impl Entry ===

impl Entry {
    fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Event(ModelEvent::End(_)) | Self::Fail(_) | Self::Hang
        )
    }
}

// === impl FileEntry ===

impl FileEntry {
    fn check(self, place: &str) -> Result<Entry, Fault> {
        Ok(match self {
            Self::Text(text) => Entry::Say {
                pieces: vec![text],
                pause: Duration::ZERO,
            },
            Self::Pieces(pieces) => Entry::Say {
                pieces,
                pause: Duration::ZERO,
            },
            Self::Cut(cut) => {
                if cut.characters == 0 {
                    return Err(fault(place, "`characters` must be at least 1"));
                }
                Entry::Say {
                    pieces: pieces_of(&cut.text, cut.characters),
                    pause: delay(place, cut.pause_ms)?,
                }
            }
            Self::Repeat(repeat) => {
                let said = repeat.text.len().checked_mul(repeat.times);
                if said.is_none_or(|said| said > MAX_SAID_BYTES) {
                    let limit = MAX_SAID_BYTES >> 20;
                    return Err(fault(place, format!("says more than {limit} MiB")));
                }
                Entry::Repeat {
                    text: repeat.text,
                    times: repeat.times,
                    pause: delay(place, repeat.pause_ms)?,
                }
            }
            Self::DelayMs(millis) => Entry::Delay(delay(place, millis)?),
            Self::Call(call) => Entry::Call(call.check(place)?),
            Self::Usage(usage) => Entry::Event(ModelEvent::Usage {
                input_tokens: usage.input_tokens,
                cached_tokens: 0,
                output_tokens: usage.output_tokens,
            }),
            Self::Error(error) => {
                if error.message.is_empty() {
                    return Err(fault(place, "`message` is empty: say what happened"));
                }
                Entry::Fail(ModelError {
                    kind: error.kind,
                    message: error.message,
                })
            }
            Self::End(end) => Entry::Event(ModelEvent::End(end.into())),
            Self::Hang => Entry::Hang,
        })
    }
}

fn delay(place: &str, millis: u64) -> Result<Duration, Fault> {
    if millis > MAX_DELAY_MS {
        return Err(fault(
            place,
            format!("waits {millis} ms: at most {MAX_DELAY_MS}; use \"hang\" to wait for ever"),
        ));
    }
    Ok(Duration::from_millis(millis))
}

fn pieces_of(text: &str, characters: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest
            .char_indices()
            .nth(characters)
            .map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(end);
        pieces.push(piece.to_owned());
        rest = after;
    }
    pieces
}

// === impl FileCall ===

impl FileCall {
    fn check(self, place: &str) -> Result<Call, Fault> {
        let arguments = match (self.arguments, self.raw_arguments) {
            (Some(arguments), None) => arguments.to_string(),
            (None, Some(raw)) => raw,
            (None, None) => "{}".to_owned(),
            (Some(_), Some(_)) => {
                return Err(fault(
                    place,
                    "has `arguments` and `raw_arguments`: give one",
                ));
            }
        };
        Ok(Call {
            id: self.id.map(Into::into),
            name: self.name.into(),
            arguments: arguments.into(),
        })
    }
}

// === impl Call ===

impl Call {
    /// The call as it is made in request `request` of a turn, after `before` other calls of that
    /// request.
    pub(super) fn tool_call(&self, request: usize, before: usize) -> ToolCall {
        ToolCall {
            id: self
                .id
                .clone()
                .unwrap_or_else(|| format!("scripted-{}-{}", request + 1, before + 1).into()),
            name: Arc::clone(&self.name),
            arguments: Arc::clone(&self.arguments),
        }
    }
}
