//! What a case is made of, as it stands in a file. `format.md` describes it for people.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// What is played for the requests that name it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// One line for people.
    pub about: String,
    /// What is played, one reply a request.
    pub replies: Vec<Vec<Entry>>,
    /// Which requests are replied to so.
    #[serde(default)]
    pub to: To,
    /// What follows the last reply.
    #[serde(default)]
    pub then: Then,
}

/// Which requests the replies of a case are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// Questions; a request with the results of tools gets the honest answer.
    #[default]
    Questions,
    /// Every request.
    Requests,
}

/// What follows the last reply of a case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// The first one again.
    #[default]
    First,
    /// The last one again.
    Last,
}

/// A part of a reply.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// What a small honest model answers.
    Honest,
    /// Text in one piece.
    Text(String),
    /// Text in these pieces.
    Pieces(Vec<String>),
    /// The same text again and again.
    Repeat {
        /// The text.
        text: String,
        /// How often; for ever if it is left out.
        times: Option<u32>,
        /// Pause between two of them, in milliseconds.
        #[serde(default)]
        pause_ms: u64,
    },
    /// Text of so many letters in one piece.
    Letters(usize),
    /// What a model thinks before it speaks.
    Thinking(String),
    /// A pause, in milliseconds.
    DelayMs(u64),
    /// A call of a tool.
    Call(Call),
    /// Calls that are written in an unusual way.
    Calls {
        /// The calls.
        calls: Vec<Call>,
        /// The way.
        shape: Shape,
    },
    /// The tokens that are reported; without it they are estimated.
    Usage {
        /// Tokens read.
        input_tokens: u64,
        /// Tokens written.
        output_tokens: u64,
        /// Chat completions: in the chunk that has the reason for the end, as LiteLLM does.
        #[serde(default)]
        with_choices: bool,
    },
    /// No tokens are reported.
    NoUsage,
    /// The end, with its reason; without it an answer ends with `stop`, or `tool_calls` if it called tools.
    End(Reason),
    /// An error in place of an answer, in the words of the API.
    Refuse {
        /// HTTP status.
        status: u16,
        /// More headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// `code` of chat completions; a number where some servers write one.
        #[serde(default)]
        code: Value,
        /// `type`; by the status if it is left out.
        #[serde(rename = "type")]
        kind: Option<String>,
        /// What it says.
        message: String,
    },
    /// Any other answer that is no stream.
    Body {
        /// HTTP status.
        status: u16,
        /// `content-type`.
        content_type: String,
        /// More headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// A text as it is, anything else as JSON.
        body: Value,
    },
    /// An error in the middle of an answer.
    Fail {
        /// `code` of chat completions.
        #[serde(default)]
        code: Value,
        /// `type`.
        #[serde(rename = "type")]
        kind: String,
        /// What it says.
        message: String,
        /// Chat completions: as an event of the type `error`; messages always do so.
        #[serde(default)]
        named: bool,
    },
    /// An event that has no end.
    EndlessEvent,
    /// Any event: a text as it is, anything else as JSON.
    Data(Value),
    /// A comment, which is a sign of life and nothing more.
    Comment {
        /// Its text.
        text: String,
        /// How often; for ever if it is left out.
        times: Option<u32>,
        /// Pause after each, in milliseconds.
        #[serde(default)]
        pause_ms: u64,
    },
    /// Bytes as they are; at the begin of a reply with the head of the answer, which is not written then.
    Raw(String),
    /// How what follows is written.
    Wire {
        /// Lines end with CR and LF.
        #[serde(default)]
        crlf: bool,
        /// The stream begins with a byte order mark.
        #[serde(default)]
        byte_order_mark: bool,
        /// Bytes of a piece on the wire; 0: as they come.
        #[serde(default)]
        piece_bytes: usize,
        /// The mark of the end is left out: `[DONE]`, or `message_stop`.
        #[serde(default)]
        no_end_mark: bool,
    },
    /// Nothing more, until the client leaves.
    Hang,
    /// The answer is over, without a reason.
    Close,
    /// The connection is over, in the middle of the answer.
    Drop,
    /// The connection is reset.
    Reset,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The tool.
    pub name: String,
    /// Its arguments, a JSON object.
    #[serde(default)]
    pub arguments: BTreeMap<String, Value>,
    /// Its arguments as they are sent, also when they are no JSON.
    pub raw_arguments: Option<String>,
    /// Its id; made up if it is left out.
    pub id: Option<String>,
    /// How often it is called, each time with an id of its own.
    #[serde(default = "once")]
    pub times: u32,
}

/// How calls are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// One after the other, as usual.
    Plain,
    /// All begin, then their arguments come in turn.
    Interleaved,
    /// All have the index of the first, as some proxies write them.
    SameIndex,
    /// None has an index.
    NoIndex,
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// All is said.
    Stop,
    /// Tools are to be called.
    ToolCalls,
    /// The limit on length is reached.
    Length,
    /// A filter stopped it.
    ContentFilter,
}

fn once() -> u32 {
    1
}

// === impl Call ===

impl Call {
    /// Its arguments as text.
    pub(super) fn text(&self) -> String {
        self.raw_arguments
            .clone()
            .unwrap_or_else(|| serde_json::json!(self.arguments).to_string())
    }
}
