use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::{ApprovalRequest, Decision, Drawing, MessageId, TraceId, TurnId};

/// An entry of a session's log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Position: 1, 2, 3, … without gaps.
    pub seq: u64,
    /// The turn it belongs to.
    pub turn: TurnId,
    /// The turn's trace.
    pub trace: TraceId,
    /// When it was written, in whole milliseconds.
    pub time: SystemTime,
    /// What it says.
    pub body: EventBody,
}

impl Event {
    /// What tells this event from another one that was once at the same position.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.turn, self.time)
    }

    /// The position after this event.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            seq: self.seq,
            fingerprint: Some(self.fingerprint()),
        }
    }
}

/// What an event says. A turn is one `User`, any number of tool and approval events, then one `Agent` or one `Error`.
#[derive(Debug, Clone, PartialEq)]
pub enum EventBody {
    /// The question.
    User {
        /// The question.
        content: Arc<str>,
        /// The client's id of it, if it gave one.
        message: Option<MessageId>,
    },
    /// The model asked for a tool.
    ToolCall {
        /// The call.
        call: ToolCall,
        /// Bytes of the turn's text that were said before.
        text_offset: usize,
    },
    /// The tool answered.
    ToolResult {
        /// The result.
        result: ToolResult,
        /// Bytes of the turn's text that were said before.
        text_offset: usize,
    },
    /// A call waits until somebody allows it.
    ApprovalRequest {
        /// The call, and until when it waits.
        request: ApprovalRequest,
        /// Bytes of the turn's text that were said before.
        text_offset: usize,
    },
    /// The wait for an approval is over.
    ApprovalDecision {
        /// [`ToolCall::id`].
        call_id: Arc<str>,
        /// What was decided.
        decision: Decision,
        /// Bytes of the turn's text that were said before.
        text_offset: usize,
    },
    /// The whole answer.
    Agent {
        /// The answer, Markdown.
        content: Arc<str>,
        /// Why it ended here.
        finish: Finish,
        /// Figures of the turn.
        usage: Usage,
        /// What can be drawn of it, if tools of ours were used.
        drawing: Option<Arc<Drawing>>,
    },
    /// The turn failed.
    Error {
        /// Whose fault it is.
        reason: TurnErrorReason,
        /// One sentence for people: what happened, what to do.
        message: Arc<str>,
        /// What had been said before it failed.
        partial: Arc<str>,
    },
}

impl EventBody {
    /// True for the last event of a turn.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Agent { .. } | Self::Error { .. })
    }

    /// Bytes of the turn's text that were said before this event, where that is known.
    pub fn text_offset(&self) -> Option<usize> {
        match self {
            Self::ToolCall { text_offset, .. }
            | Self::ToolResult { text_offset, .. }
            | Self::ApprovalRequest { text_offset, .. }
            | Self::ApprovalDecision { text_offset, .. } => Some(*text_offset),
            Self::User { .. } | Self::Agent { .. } | Self::Error { .. } => None,
        }
    }
}

/// The model's wish to have a tool run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// Pairs call and result; unique in the turn.
    pub id: Arc<str>,
    /// The tool.
    pub name: Arc<str>,
    /// The arguments, as the JSON text the model wrote. It may be broken.
    pub arguments: Arc<str>,
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult {
    /// [`ToolCall::id`].
    pub call_id: Arc<str>,
    /// The tool.
    pub name: Arc<str>,
    /// The result as JSON text; a failed call has an object with the key `error`.
    pub content: Arc<str>,
    /// True if the call failed. The model is told, the turn goes on.
    pub failed: bool,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model was done.
    Completed,
    /// Somebody cancelled the turn; the answer is the text so far.
    Cancelled,
    /// The model reached its limit on length; the answer is the text so far.
    Truncated,
}

/// Figures of a turn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Model requests.
    pub steps: u32,
    /// Tool calls.
    pub tool_calls: u32,
    /// Tokens the model read, 0 if it does not count them.
    pub input_tokens: u64,
    /// Those of them that its provider had in its cache.
    pub cached_tokens: u64,
    /// Tokens the model wrote, 0 if it does not count them.
    pub output_tokens: u64,
    /// What they cost, in millionths of the currency the operator's prices are in; 0 if there are no prices.
    pub cost_micros: u64,
}

impl Usage {
    /// All tokens, read and written.
    pub fn tokens(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}

/// Why a turn failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnErrorReason {
    /// The model, or the way to it.
    Model,
    /// The turn used up its time.
    Timeout,
    /// The process that ran the turn ended.
    Interrupted,
    /// The turn broke a limit.
    Limit,
    /// A defect of dragoman.
    Internal,
}

/// A position in a session's log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The last event known, 0 for none.
    pub seq: u64,
    /// That event's fingerprint; `None` if the client did not keep it, then only the position is checked.
    pub fingerprint: Option<Fingerprint>,
}

/// Tells an event from another one at the same position. Opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint(Arc<str>);

impl Fingerprint {
    /// The fingerprint of an event of `turn` that was written at `time`.
    pub fn of(turn: TurnId, time: SystemTime) -> Self {
        let millis = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_millis());
        Self(format!("{turn}@{millis}").into())
    }

    /// Takes one back from a client; `None` if it is empty.
    pub fn from_client(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.into()))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How the running turn's text changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextChange {
    /// This is everything said so far.
    Replace(String),
    /// This follows what came before.
    Append(String),
}
