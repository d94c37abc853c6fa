//! An event of a streamed answer, as much of it as matters. The types are in one structure, not in one each: an event is read
//! in one pass, and one of a type or with a part that is not known yet does no harm, as the API asks of its clients.
//! <https://docs.anthropic.com/en/docs/build-with-claude/streaming>

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(super) struct Data {
    #[serde(rename = "type", default)]
    pub(super) kind: Kind,
    /// Of `message_start`.
    pub(super) message: Option<Message>,
    /// Of the events of a block: its place in the answer.
    pub(super) index: Option<u32>,
    /// Of `content_block_start`.
    pub(super) content_block: Option<Block>,
    /// Of `content_block_delta` and `message_delta`.
    pub(super) delta: Option<Delta>,
    /// Of `message_delta`.
    pub(super) usage: Option<Usage>,
    /// Of `error`, at any time.
    pub(super) error: Option<Value>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    MessageStart,
    ContentBlockStart,
    ContentBlockDelta,
    MessageDelta,
    MessageStop,
    Error,
    /// `ping`, `content_block_stop`, and what may come one day.
    #[default]
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) usage: Option<Usage>,
}

/// A part of an answer. Others than text and calls of our tools, such as thoughts, are left out.
#[derive(Debug, Deserialize)]
pub(super) struct Block {
    #[serde(rename = "type", default)]
    pub(super) kind: BlockKind,
    /// What a text begins with, usually nothing.
    pub(super) text: Option<String>,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    /// The arguments of a call: usually `{}`, as they come in pieces.
    pub(super) input: Option<Value>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum BlockKind {
    Text,
    ToolUse,
    /// `thinking`, `redacted_thinking`, `server_tool_use` and its results.
    #[default]
    #[serde(other)]
    Other,
}

/// What is new; each type of delta has a field of its own.
#[derive(Debug, Deserialize)]
pub(super) struct Delta {
    /// Of `text_delta`.
    pub(super) text: Option<String>,
    /// Of `input_json_delta`: a piece of JSON text.
    pub(super) partial_json: Option<String>,
    /// Of `message_delta`.
    pub(super) stop_reason: Option<String>,
}

/// Counts of the whole request so far. What is missing has not changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Usage {
    /// Without those of the cache.
    #[serde(rename = "input_tokens")]
    pub(super) input: Option<u64>,
    #[serde(rename = "cache_creation_input_tokens")]
    pub(super) cache_write: Option<u64>,
    #[serde(rename = "cache_read_input_tokens")]
    pub(super) cache_read: Option<u64>,
    /// With those of thoughts.
    #[serde(rename = "output_tokens")]
    pub(super) output: Option<u64>,
}
