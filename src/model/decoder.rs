//! Events of a stream in, events of the model out: one decoder for each API. No I/O: tests feed it what servers have sent.

use std::collections::VecDeque;

use super::http::{Event, Failure};
use super::{ModelEvent, anthropic, openai};

/// Reads one answer. A clone of a fresh one reads another attempt.
#[derive(Debug, Clone)]
pub(super) enum Decoder {
    /// Of Anthropic's messages.
    Anthropic(anthropic::Decoder),
    /// Of chat completions.
    OpenAi(openai::Decoder),
}

/// What an answer says of itself, for its span. Empty is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Response {
    /// The answer's id.
    pub(super) id: String,
    /// The model that answers, by its exact name.
    pub(super) model: String,
    /// Why it ended.
    pub(super) finish: String,
    /// Tokens of the request that came from the provider's cache, and were written to it. Both are part of its input.
    pub(super) cache_read: Option<u64>,
    pub(super) cache_write: Option<u64>,
}

// === impl Decoder ===

impl Decoder {
    /// Takes an event; what it means is put at the end of `out`. Nothing is after the end.
    pub(super) fn feed(
        &mut self,
        event: &Event,
        out: &mut VecDeque<ModelEvent>,
    ) -> Result<(), Failure> {
        match self {
            _ if self.is_done() => Ok(()),
            Self::Anthropic(decoder) => decoder.feed(event, out),
            Self::OpenAi(decoder) => decoder.feed(event, out),
        }
    }

    /// The stream is over: by its mark, or because the connection ended. Without a reason for the end it was cut.
    pub(super) fn eof(&mut self, out: &mut VecDeque<ModelEvent>) -> Result<(), Failure> {
        match self {
            _ if self.is_done() => Ok(()),
            Self::Anthropic(decoder) => decoder.eof(out),
            Self::OpenAi(decoder) => decoder.eof(out),
        }
    }

    /// What the answer has said of itself so far.
    pub(super) fn response(&self) -> &Response {
        match self {
            Self::Anthropic(decoder) => decoder.response(),
            Self::OpenAi(decoder) => decoder.response(),
        }
    }

    /// True as soon as the model has said why it ended. What may follow is the usage, and the mark of the end.
    pub(super) fn has_finished(&self) -> bool {
        !self.response().finish.is_empty()
    }

    /// True when nothing follows.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Anthropic(decoder) => decoder.is_done(),
            Self::OpenAi(decoder) => decoder.is_done(),
        }
    }
}

// === impl Response ===

impl Response {
    /// Replaces what is known by what was said, if that is something: some servers send empty ids and names.
    pub(super) fn keep(known: &mut String, said: Option<String>) {
        if let Some(said) = said.filter(|said| !said.is_empty()) {
            *known = said;
        }
    }
}
