use std::time::Duration;

/// What a session accepts. Told to clients when they open a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest question, in bytes of UTF-8.
    pub question_bytes: usize,
    /// How many questions may wait while a turn runs.
    pub waiting_questions: usize,
    /// Questions a session may ask in any [`Limits::rate_window`].
    pub rate_questions: usize,
    /// The sliding window questions are counted in.
    pub rate_window: Duration,
    /// Tokens after which a subject gets no new turn that day; 0: any number. Clients are not told before.
    pub daily_tokens: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            question_bytes: 16 * 1024,
            waiting_questions: 20,
            rate_questions: 20,
            rate_window: Duration::from_mins(1),
            daily_tokens: 0,
        }
    }
}
