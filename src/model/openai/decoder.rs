//! Chunks in, events of the model out.

#[cfg(test)]
mod tests;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use super::chunk::{CallDelta, Choice, Chunk, Usage};
use crate::model::decoder::Response;
use crate::model::http::{Event, Failure, Peer, in_band};
use crate::model::tool_calls::{Piece, ToolCalls};
use crate::model::{End, ModelEvent};

/// The data of the last event.
const DONE: &str = "[DONE]";

/// Reads one answer.
#[derive(Debug, Clone)]
pub(in crate::model) struct Decoder {
    peer: Peer,
    calls: ToolCalls,
    used_ids: HashSet<Arc<str>>,
    usage: Option<Usage>,
    response: Response,
    is_done: bool,
}

// === impl Decoder ===

impl Decoder {
    /// Reads an answer of `peer` in a conversation that has the call ids `used_ids` already.
    pub(in crate::model) fn new(peer: Peer, used_ids: HashSet<Arc<str>>) -> Self {
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
    pub(in crate::model) fn response(&self) -> &Response {
        &self.response
    }

    /// True when nothing follows.
    pub(in crate::model) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Takes an event; what it means is put at the end of `out`.
    pub(in crate::model) fn feed(
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
            return Err(self.peer.told(data));
        }
        let chunk: Chunk = serde_json::from_str(data)
            .map_err(|error| self.peer.protocol(&format!("a chunk is wrong: {error}")))?;
        if let Some(error) = &chunk.error {
            return Err(in_band(&self.peer, error));
        }
        Response::keep(&mut self.response.id, chunk.id);
        Response::keep(&mut self.response.model, chunk.model);
        // Whatever else a chunk has: some servers send usage with the last choice, some with every chunk.
        if let Some(usage) = chunk.usage {
            self.usage = Some(usage);
            self.response.cache_read = usage.prompt_tokens_details.and_then(|of| of.cached_tokens);
        }
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
                    .add(call.into())
                    .map_err(|wrong| self.peer.protocol(wrong))?;
            }
        }
        Response::keep(&mut self.response.finish, choice.finish_reason);
        Ok(())
    }

    /// The stream is over: by its mark, or because the connection ended. Without a reason for the end it was cut.
    pub(in crate::model) fn eof(&mut self, out: &mut VecDeque<ModelEvent>) -> Result<(), Failure> {
        self.is_done = true;
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
                cached_tokens: self.response.cache_read.unwrap_or_default(),
                output_tokens: usage.completion_tokens.unwrap_or_default(),
            });
        }
        out.push_back(ModelEvent::End(end));
        Ok(())
    }
}

// === impl Piece ===

impl From<CallDelta> for Piece {
    fn from(delta: CallDelta) -> Self {
        let function = delta.function.unwrap_or_default();
        Self {
            index: delta.index,
            id: delta.id.unwrap_or_default(),
            name: function.name.unwrap_or_default(),
            arguments: match function.arguments {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => text,
                Some(whole) => whole.to_string(),
            },
        }
    }
}
