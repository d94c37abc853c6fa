/// What to do with a question that comes while a turn of its session runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenBusy {
    /// It waits for the turn to end, behind the questions that wait already.
    #[default]
    Queue,
    /// It is refused.
    Reject,
    /// The running turn is cancelled, and the question is the next one.
    Interrupt,
}
