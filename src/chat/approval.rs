use std::sync::Arc;
use std::time::SystemTime;

/// A tool call that waits until somebody allows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRequest {
    /// [`ToolCall::id`](super::ToolCall::id).
    pub call_id: Arc<str>,
    /// The tool.
    pub name: Arc<str>,
    /// The arguments, as the JSON text the model wrote.
    pub arguments: Arc<str>,
    /// When it counts as denied if nobody has decided, in whole milliseconds.
    pub expires: SystemTime,
}

/// What became of a call that waited to be allowed. The first decision is the one that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Somebody allowed it.
    Approved,
    /// Somebody did not.
    Denied,
    /// Nobody said anything in time, which counts as a no.
    TimedOut,
}

// === impl Decision ===

impl Decision {
    /// What somebody has said.
    pub fn of(approved: bool) -> Self {
        if approved {
            Self::Approved
        } else {
            Self::Denied
        }
    }

    /// Its word, as stores and frames write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::TimedOut => "timed_out",
        }
    }

    /// Reads its word back.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Approved, Self::Denied, Self::TimedOut]
            .into_iter()
            .find(|decision| decision.as_str() == word)
    }
}
