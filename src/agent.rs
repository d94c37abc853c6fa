//! The Explorer: runs turns. It knows no transport.
//!
//! [`Turns`] decides who runs: one turn a session, questions that wait, cancel. [`Agent::run_turn`] is one turn: the
//! model is asked, its tool calls are run, it is asked again, until it has said everything. A turn that another process
//! had to leave goes on where it was.

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
    /// How much of the conversation the model is given, in bytes; whole turns, newest first.
    pub history_bytes: usize,
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
            history_bytes: 64 * 1024,
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
