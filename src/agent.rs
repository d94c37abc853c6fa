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

use crate::chat::Usage;
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

/// What tokens cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prices {
    /// A million tokens the model reads, in millionths of the currency the operator counts in; 0: nothing, or not known.
    pub input: u64,
    /// What those that its provider has in its cache cost of that, in thousandths.
    pub cached_permille: u16,
    /// A million tokens it writes.
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
    /// What was used up costs, in millionths of the currency.
    fn cost(self, spent: Usage) -> u64 {
        let cached = u128::from(spent.cached_tokens.min(spent.input_tokens));
        let fresh = u128::from(spent.input_tokens) - cached;
        let read = fresh * 1_000 + cached * u128::from(self.cached_permille);
        let written = u128::from(spent.output_tokens) * 1_000;
        let cost = read * u128::from(self.input) + written * u128::from(self.output);
        u64::try_from(cost.div_ceil(1_000_000_000)).unwrap_or(u64::MAX)
    }
}

impl Default for Prices {
    fn default() -> Self {
        Self {
            input: 0,
            cached_permille: 1_000,
            output: 0,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cached_tokens_cost_their_share_and_parts_are_rounded_up() {
        let prices = Prices {
            input: 3_000_000,
            cached_permille: 100,
            output: 15_000_000,
        };
        let spent = |input_tokens, cached_tokens, output_tokens| Usage {
            input_tokens,
            cached_tokens,
            output_tokens,
            ..Usage::default()
        };
        assert_eq!(prices.cost(spent(1_000, 0, 100)), 4_500);
        assert_eq!(prices.cost(spent(1_000, 900, 100)), 2_070);
        assert_eq!(prices.cost(spent(0, 0, 0)), 0);
        assert_eq!(prices.cost(spent(1, 1, 0)), 1);
        // A server that counts more in its cache than it read.
        assert_eq!(prices.cost(spent(10, 20, 0)), 3);
        assert_eq!(Prices::default().cost(spent(u64::MAX, 0, u64::MAX)), 0);
    }
}
