//! What the model is told in one turn, fitted to a budget of tokens.
//!
//! Earlier turns give way first: results of their tools are shortened, the oldest first, then whole turns are forgotten.
//! What the running turn itself has found is shortened only when nothing else is left. What was shortened stays so for the
//! rest of the turn: a beginning that does not change is what providers can cache.

mod tokens;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::chat::ToolResult;
use crate::model::{Message, ToolSpec};

/// Bytes of a tool result that are left when it is shortened.
const SHORT: usize = 400;
/// How often a request the model finds too long is made shorter.
const SHRINKS: u32 = 3;

/// How long the conversation may be, in tokens as [`tokens`] guesses them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    /// The whole request.
    pub(super) request: usize,
    /// The earlier turns in it.
    pub(super) history: usize,
}

/// The conversation as the model is told it.
#[derive(Debug)]
pub(super) struct Context {
    /// Earlier turns, oldest first.
    turns: VecDeque<Vec<Message>>,
    /// The question, and what was asked of tools and answered.
    current: Vec<Message>,
    /// Tokens of what comes with every request: the prompt and the tools.
    fixed: usize,
    budget: Budget,
    shrinks: u32,
}

/// Nothing is left that could be shortened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

// === impl Context ===

impl Context {
    /// The conversation in which `question` is asked after `turns`.
    pub(super) fn new(
        turns: Vec<Vec<Message>>,
        question: Arc<str>,
        prompt: &str,
        tools: &[ToolSpec],
        budget: Budget,
    ) -> Self {
        let mut context = Self {
            turns: turns.into(),
            current: vec![Message::User(question)],
            fixed: tokens::of(prompt) + tools.iter().map(tokens::of_tool).sum::<usize>(),
            budget,
            shrinks: 0,
        };
        context.fit_history(budget.history);
        context
    }

    /// What was said or found since.
    pub(super) fn extend(&mut self, messages: impl IntoIterator<Item = Message>) {
        self.current.extend(messages);
    }

    /// The messages of the next request, oldest first.
    pub(super) fn messages(&mut self) -> Result<Vec<Message>, TooLong> {
        self.fit()?;
        let turns = self.turns.iter().flatten();
        Ok(turns.chain(&self.current).cloned().collect())
    }

    /// The model has found the last request too long: the next one is shorter.
    pub(super) fn shrink(&mut self) -> Result<(), TooLong> {
        if self.shrinks == SHRINKS {
            return Err(TooLong);
        }
        self.shrinks += 1;
        let (before, said) = (self.length(), self.fixed + of_all(&self.current));
        // Half of what can give way, for a model whose tokens are shorter than thought.
        self.budget.request = if before > said {
            said + (before - said) / 2
        } else {
            before * 3 / 4
        };
        self.fit()?;
        if self.length() < before {
            Ok(())
        } else {
            Err(TooLong)
        }
    }

    fn fit(&mut self) -> Result<(), TooLong> {
        let said = self.fixed + of_all(&self.current);
        let room = self.budget.request.saturating_sub(said);
        self.fit_history(room.min(self.budget.history));
        let mut length = self.length();
        for result in self.current.iter_mut().filter_map(long_result) {
            if length <= self.budget.request {
                break;
            }
            length -= shorten(result);
        }
        if length > self.budget.request {
            return Err(TooLong);
        }
        Ok(())
    }

    fn fit_history(&mut self, room: usize) {
        let mut length = self.history();
        let results = self.turns.iter_mut().flatten().filter_map(long_result);
        for result in results {
            if length <= room {
                return;
            }
            length -= shorten(result);
        }
        while length > room
            && let Some(oldest) = self.turns.pop_front()
        {
            length -= of_all(&oldest);
        }
    }

    fn length(&self) -> usize {
        self.fixed + self.history() + of_all(&self.current)
    }

    fn history(&self) -> usize {
        self.turns.iter().map(|turn| of_all(turn)).sum()
    }
}

fn of_all(messages: &[Message]) -> usize {
    messages.iter().map(tokens::of_message).sum()
}

/// The result in a message, if it can be shortened.
fn long_result(message: &mut Message) -> Option<&mut ToolResult> {
    match message {
        // Twice, so that what says that it was shortened does not make it longer.
        Message::Tool(result) => (result.content.len() > 2 * SHORT).then_some(result),
        Message::User(_) | Message::Assistant { .. } => None,
    }
}

/// Leaves the beginning of a result; how many tokens that saves.
fn shorten(result: &mut ToolResult) -> usize {
    let before = tokens::of(&result.content);
    let kept = result.content.floor_char_boundary(SHORT);
    let kept = result.content.get(..kept).unwrap_or_default();
    let shortened = serde_json::json!({
        "shortened": kept,
        "bytes": result.content.len(),
        "note": "only the beginning is left: call the tool again if you need the rest",
    });
    result.content = shortened.to_string().into();
    before.saturating_sub(tokens::of(&result.content))
}

#[cfg(test)]
mod tests;
