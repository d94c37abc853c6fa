//! Events of the stream in, events of the model out. No I/O: tests feed it what servers have sent.

#[cfg(test)]
mod tests;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use super::chunk::{Choice, Chunk, Usage};
use super::tool_calls::ToolCalls;
use crate::model::http::{Event, Failure, Peer, in_band};
use crate::model::{End, ModelEvent};

/// The data of the last event.
const DONE: &str = "[DONE]";

/// Reads one answer.
#[derive(Debug)]
pub(super) struct Decoder {
    peer: Peer,
    calls: ToolCalls,
    used_ids: HashSet<Arc<str>>,
    usage: Option<Usage>,
    response: Response,
    is_done: bool,
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
}

// === impl Decoder ===

impl Decoder {
    /// Reads an answer of `peer` in a conversation that has the call ids `used_ids` already.
    pub(super) fn new(peer: Peer, used_ids: HashSet<Arc<str>>) -> Self {
        Self {
            peer,
            calls: ToolCalls::default(),
            used_ids,
            usage: None,
            response: Response::default(),
            is_done: false,
        }
    }

    /// What the answer has said of itself so far.
    pub(super) fn response(&self) -> &Response {
        &self.response
    }

    /// True as soon as the model has said why it ended. What may follow is the usage, and the mark of the end.
    pub(super) fn has_finished(&self) -> bool {
        !self.response.finish.is_empty()
    }

    /// True when nothing follows.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Takes an event; what it means is put at the end of `out`.
    pub(super) fn feed(
        &mut self,
        event: &Event,
        out: &mut VecDeque<ModelEvent>,
    ) -> Result<(), Failure> {
        let data = event.data.trim();
        if data == DONE {
            return self.eof(out);
        }
        if data.is_empty() {
            return Ok(());
        }
        if event.name == "error" {
            let error: Value = serde_json::from_str(data).unwrap_or_else(|_| data.into());
            let inner = error.get("error").filter(|inner| !inner.is_null());
            return Err(in_band(&self.peer, inner.unwrap_or(&error)));
        }
        let chunk: Chunk = serde_json::from_str(data)
            .map_err(|error| self.peer.protocol(&format!("a chunk is wrong: {error}")))?;
        if let Some(error) = &chunk.error {
            return Err(in_band(&self.peer, error));
        }
        keep(&mut self.response.id, chunk.id);
        keep(&mut self.response.model, chunk.model);
        // Whatever else a chunk has: some servers send usage with the last choice, some with every chunk.
        self.usage = chunk.usage.or(self.usage);
        for choice in chunk.choices.into_iter().flatten() {
            self.choice(choice, out)?;
        }
        Ok(())
    }

    fn choice(&mut self, choice: Choice, out: &mut VecDeque<ModelEvent>) -> Result<(), Failure> {
        if let Some(delta) = choice.delta {
            let texts = [delta.content, delta.refusal];
            for text in texts.into_iter().flatten().filter(|text| !text.is_empty()) {
                out.push_back(ModelEvent::Text(text));
            }
            for call in delta.tool_calls.into_iter().flatten() {
                self.calls
                    .add(call)
                    .map_err(|wrong| self.peer.protocol(wrong))?;
            }
        }
        keep(&mut self.response.finish, choice.finish_reason);
        Ok(())
    }

    /// The stream is over: by its mark, or because the connection ended. Without a reason for the end it was cut.
    pub(super) fn eof(&mut self, out: &mut VecDeque<ModelEvent>) -> Result<(), Failure> {
        if std::mem::replace(&mut self.is_done, true) {
            return Ok(());
        }
        let calls = std::mem::take(&mut self.calls);
        let end = match self.response.finish.as_str() {
            "" => return Err(self.peer.truncated()),
            "content_filter" => return Err(self.peer.filtered()),
            // Arguments may be cut in the middle, and still look whole: such calls are never run.
            "length" | "max_tokens" => End::Length,
            // Not every server says `tool_calls` where it calls tools.
            _ if calls.is_empty() => End::Stop,
            _ => End::ToolCalls,
        };
        if end == End::ToolCalls {
            let used = std::mem::take(&mut self.used_ids);
            let calls = calls
                .finish(used)
                .map_err(|wrong| self.peer.protocol(wrong))?;
            out.extend(calls.into_iter().map(ModelEvent::ToolCall));
        }
        if let Some(usage) = self.usage {
            out.push_back(ModelEvent::Usage {
                input_tokens: usage.prompt_tokens.unwrap_or_default(),
                output_tokens: usage.completion_tokens.unwrap_or_default(),
            });
        }
        out.push_back(ModelEvent::End(end));
        Ok(())
    }
}

/// Azure's first chunk has empty ids and names.
fn keep(known: &mut String, said: Option<String>) {
    if let Some(said) = said.filter(|said| !said.is_empty()) {
        *known = said;
    }
}
