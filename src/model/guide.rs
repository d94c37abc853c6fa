//! The embedded default model: answers questions about the catalog by rules, with the same tools
//! and by the same events as a language model. `guide.md` says what it understands.
//!
//! It remembers nothing. Each request is read as a whole, from the first question to the latest
//! tool result, and an answer is written from it as if all results were at hand; those that are
//! missing are the tool calls of this step.

mod answer;
mod glossary;
mod language;
mod lexicon;
mod markdown;
mod names;
mod phrases;
mod pieces;
mod question;
mod reading;
mod results;
mod subject;
mod turn;
mod words;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use futures_util::stream;
use tokio::time::sleep;

use super::{End, ErrorKind, ModelError, ModelEvent, ModelInfo, ModelStream, Request};
use turn::Turn;

/// Answers questions about the catalog by rules. Deterministic, without a network.
#[derive(Debug, Clone)]
pub struct Guide {
    pace: Duration,
}

/// What is left to be said in one step.
enum Step {
    /// The request has not been looked at.
    Unread(Request),
    Saying(VecDeque<Result<ModelEvent, ModelError>>),
}

// === impl Guide ===

impl Guide {
    /// What this model is.
    pub const INFO: ModelInfo = ModelInfo {
        provider: Cow::Borrowed("dragoman"),
        name: Cow::Borrowed("guide"),
        server: None,
    };

    /// A guide that waits `pace` between two pieces of text; zero: not at all.
    pub fn new(pace: Duration) -> Self {
        Self { pace }
    }

    /// Answers, or asks for the tools it takes to answer.
    pub fn stream(&self, request: Request) -> ModelStream {
        let pace = self.pace;
        let start = (Step::Unread(request), false);
        Box::pin(stream::unfold(
            start,
            move |(step, has_spoken)| async move {
                let mut events = match step {
                    Step::Unread(request) => events(&request),
                    Step::Saying(events) => events,
                };
                let event = events.pop_front()?;
                let speaks = matches!(event, Ok(ModelEvent::Text(_)));
                if speaks && has_spoken && !pace.is_zero() {
                    sleep(pace).await;
                }
                Some((event, (Step::Saying(events), has_spoken || speaks)))
            },
        ))
    }
}

/// All events of one step. Text comes only when nothing more is to be looked up, so that what was
/// said never has to be taken back.
fn events(request: &Request) -> VecDeque<Result<ModelEvent, ModelError>> {
    let Some(turn) = Turn::read(&request.messages, &request.tools) else {
        return VecDeque::from([Err(ModelError {
            kind: ErrorKind::Protocol,
            message: "the conversation holds no question".to_owned(),
        })]);
    };
    let (mut events, end): (Vec<_>, _) = if let Ok(answer) = answer::write(&turn) {
        let pieces = pieces::cut(&answer).into_iter();
        (pieces.map(ModelEvent::Text).collect(), End::Stop)
    } else {
        let calls = turn.into_calls().into_iter();
        (calls.map(ModelEvent::ToolCall).collect(), End::ToolCalls)
    };
    events.push(ModelEvent::End(end));
    events.into_iter().map(Ok).collect()
}
