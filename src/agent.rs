//! The Explorer: runs turns. It knows no transport.
//!
//! [`Turns`] decides who runs: one turn a session, questions that wait, cancel. [`Agent::run_turn`] is one turn: the
//! model is asked, its tool calls are run, it is asked again, until it has said everything. A turn that another process
//! had to leave goes on where it was.

mod context;
mod history;
mod turn;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use crate::model::Model;
use crate::tools::{ToolPatterns, Tools};

pub use turn::{Outcome, Resumed, Turn};
pub use turns::{Accepted, AskError, Asked, DecideError, Question, Turns};

/// What models are told of their task.
const PROMPT: &str = include_str!("agent/prompt.md");

/// What a turn may use up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Most model requests of one turn.
    pub max_steps: u32,
    /// Most tool calls of one step.
    pub max_parallel_tools: usize,
    /// Longest time a turn may take, without the time it waits for people.
    pub turn_timeout: Duration,
    /// Longest silence of the model within a step.
    pub model_idle_timeout: Duration,
    /// Longest time one tool call may take.
    pub tool_timeout: Duration,
    /// The tools whose calls wait until somebody allows them.
    pub ask: ToolPatterns,
    /// Longest time such a call waits; it is not part of `turn_timeout`.
    pub approval_timeout: Duration,
    /// Longest answer, in bytes.
    pub answer_bytes: usize,
    /// Longest tool result the model is given, in bytes.
    pub tool_result_bytes: usize,
    /// Longest request to the model, in tokens as they are guessed; what is too much is shortened or left out.
    pub context_tokens: usize,
    /// How much of it may be earlier turns.
    pub history_tokens: usize,
    /// Most tokens a turn may use up, those of all its requests and answers together; 0: any number.
    pub turn_tokens: usize,
    /// What tokens cost.
    pub prices: Prices,
}

/// What a million tokens cost, in millionths of the currency the operator counts in; 0: nothing, or not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prices {
    /// Tokens the model reads.
    pub input: u64,
    /// Tokens the model writes.
    pub output: u64,
}

/// The engine: a model, its tools, and the limits of a turn.
#[derive(Debug, Clone)]
pub struct Agent {
    config: Config,
    model: Model,
    tools: Tools,
    /// What models are told of their task.
    prompt: Arc<str>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_steps: 12,
            max_parallel_tools: 16,
            turn_timeout: Duration::from_mins(5),
            model_idle_timeout: Duration::from_mins(1),
            tool_timeout: Duration::from_secs(30),
            ask: ToolPatterns::default(),
            approval_timeout: Duration::from_mins(5),
            answer_bytes: 128 * 1024,
            tool_result_bytes: 64 * 1024,
            context_tokens: 100_000,
            history_tokens: 16_000,
            turn_tokens: 0,
            prices: Prices::default(),
        }
    }
}

// === impl Prices ===

impl Prices {
    /// What a request cost, in millionths of the currency.
    fn cost(self, input_tokens: u64, output_tokens: u64) -> u64 {
        let cost = u128::from(input_tokens) * u128::from(self.input)
            + u128::from(output_tokens) * u128::from(self.output);
        u64::try_from(cost.div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

// === impl Agent ===

impl Agent {
    /// An agent.
    pub fn new(config: Config, model: Model, tools: Tools) -> Self {
        Self {
            config,
            model,
            tools,
            prompt: PROMPT.trim().into(),
        }
    }
}
