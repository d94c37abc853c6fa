//! The Explorer: runs turns. It knows no transport.

use std::time::Duration;

/// What a turn may use up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Most model requests of one turn.
    pub max_steps: u32,
    /// Most tool calls of one step.
    pub max_parallel_tools: usize,
    /// Longest time a turn may take.
    pub turn_timeout: Duration,
    /// Longest silence of the model within a step.
    pub model_idle_timeout: Duration,
    /// Longest time one tool call may take.
    pub tool_timeout: Duration,
    /// Longest answer, in bytes.
    pub answer_bytes: usize,
    /// Longest tool result the model is given, in bytes.
    pub tool_result_bytes: usize,
    /// How much of the conversation the model is given, in bytes; whole turns, newest first.
    pub history_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_steps: 12,
            max_parallel_tools: 16,
            turn_timeout: Duration::from_secs(300),
            model_idle_timeout: Duration::from_secs(60),
            tool_timeout: Duration::from_secs(30),
            answer_bytes: 128 * 1024,
            tool_result_bytes: 64 * 1024,
            history_bytes: 64 * 1024,
        }
    }
}
