//! A model that plays a file of steps, described in `scripted.md`.

mod file;
mod script;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use tokio::time::sleep;

use super::{End, ErrorKind, Message, ModelError, ModelEvent, ModelInfo, ModelStream, Request};
use script::{Entry, Scenario, Script};

/// Plays a file of steps. Nothing is remembered between requests.
#[derive(Debug, Clone)]
pub struct Scripted {
    script: Arc<Script>,
}

/// A script file that cannot be played. Always the fault of who wrote or named the file.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("cannot read the script {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is too big to be a script.
    #[error("the script {} is larger than {} MiB", path.display(), script::MAX_FILE_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not JSON in the format of `scripted.md`.
    #[error("the script {} is not in the format of a script: {cause}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found, with line and column.
        cause: serde_json::Error,
    },
    /// The file is in the format but says something that cannot be played.
    #[error("the script {}: {place}: {problem}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where in the file, for example `scenarios[1].steps[0][2]`.
        place: String,
        /// What is wrong and what would be right.
        problem: String,
    },
}

/// Where the playing of one step stands.
struct Player {
    scenario: Arc<Scenario>,
    step: usize,
    request: usize,
    entry: usize,
    piece: usize,
    calls: usize,
    ended: bool,
}

// === impl Scripted ===

impl Scripted {
    /// What this model is.
    pub const INFO: ModelInfo = ModelInfo {
        provider: Cow::Borrowed("dragoman"),
        name: Cow::Borrowed("scripted"),
        server: None,
    };

    /// Reads and checks a script.
    pub fn load(path: &Path) -> Result<Self, ScriptError> {
        let script = script::read(path)?;
        Ok(Self {
            script: Arc::new(script),
        })
    }

    /// Plays the step that follows what `request` holds.
    pub fn stream(&self, request: Request) -> ModelStream {
        match self.player(&request) {
            Ok(player) => Box::pin(stream::unfold(player, |mut player| async {
                player.next().await.map(|event| (event, player))
            })),
            Err(error) => Box::pin(stream::iter([Err(error)])),
        }
    }

    fn player(&self, request: &Request) -> Result<Player, ModelError> {
        let Some((question, after)) = last_question(&request.messages) else {
            return Err(protocol_error(
                "the conversation holds no question".to_owned(),
            ));
        };
        let Some(scenario) = self.script.scenario(question) else {
            return Err(protocol_error(
                "the script has no scenario for this question: add one, or one without `when`"
                    .to_owned(),
            ));
        };
        let request = after
            .iter()
            .filter(|message| matches!(message, Message::Assistant { .. }))
            .count();
        let last = scenario.steps.len().saturating_sub(1);
        if request > last && !scenario.repeat_last_step {
            return Err(protocol_error(format!(
                "the script has {} steps for this question, and the turn needs one more",
                scenario.steps.len(),
            )));
        }
        Ok(Player {
            step: request.min(last),
            scenario,
            request,
            entry: 0,
            piece: 0,
            calls: 0,
            ended: false,
        })
    }
}

/// The last question and the messages after it.
fn last_question(messages: &[Message]) -> Option<(&str, &[Message])> {
    messages.iter().enumerate().rev().find_map(|(at, message)| {
        let Message::User(question) = message else {
            return None;
        };
        Some((question.as_ref(), messages.get(at + 1..)?))
    })
}

fn protocol_error(message: String) -> ModelError {
    ModelError {
        kind: ErrorKind::Protocol,
        message,
    }
}

// === impl Player ===

impl Player {
    async fn next(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        let scenario = Arc::clone(&self.scenario);
        let entries = scenario.steps.get(self.step)?;
        while !self.ended {
            let Some(entry) = entries.get(self.entry) else {
                self.ended = true;
                return Some(Ok(ModelEvent::End(if self.calls > 0 {
                    End::ToolCalls
                } else {
                    End::Stop
                })));
            };
            match entry {
                Entry::Say { pieces, pause } => {
                    if let Some(piece) = pieces.get(self.piece) {
                        return Some(Ok(self.say(piece, *pause).await));
                    }
                }
                Entry::Repeat { text, times, pause } => {
                    if self.piece < *times {
                        return Some(Ok(self.say(text, *pause).await));
                    }
                }
                Entry::Delay(delay) => sleep(*delay).await,
                Entry::Call(call) => {
                    let call = call.tool_call(self.request, self.calls);
                    self.calls += 1;
                    self.advance();
                    return Some(Ok(ModelEvent::ToolCall(call)));
                }
                Entry::Event(event) => {
                    self.ended = matches!(event, ModelEvent::End(_));
                    self.advance();
                    return Some(Ok(event.clone()));
                }
                Entry::Fail(error) => {
                    self.ended = true;
                    return Some(Err(error.clone()));
                }
                Entry::Hang => std::future::pending().await,
            }
            self.advance();
        }
        None
    }

    async fn say(&mut self, piece: &str, pause: Duration) -> ModelEvent {
        if self.piece > 0 && !pause.is_zero() {
            sleep(pause).await;
        }
        self.piece += 1;
        ModelEvent::Text(piece.to_owned())
    }

    fn advance(&mut self) {
        self.entry += 1;
        self.piece = 0;
    }
}

#[cfg(test)]
mod tests;
