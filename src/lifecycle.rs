//! Start and stop: signals, two stop tokens, one tracker of tasks.

use std::time::Duration;

/// How the process stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How long running turns may take to end after the first signal. Then, or at a second signal, they are sealed.
    pub drain_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            drain_timeout: Duration::from_secs(20),
        }
    }
}
