//! Events of messages in, events of the model out.

#[cfg(test)]
mod tests;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use serde::Deserialize as _;
use serde_json::Value;

use super::event::{Block, BlockKind, Data, Delta, Kind, Usage};
use super::thoughts::Thinking;
use crate::model::decoder::Response;
use crate::model::http::{Event, Failure, Peer, in_band};
use crate::model::tool_calls::{Piece, ToolCalls};
use crate::model::{End, ModelEvent};

/// Reads one answer.
#[derive(Debug, Clone)]
pub(in crate::model) struct Decoder {
    peer: Peer,
    calls: ToolCalls,
    used_ids: HashSet<Arc<str>>,
    thinking: Thinking,
    usage: Usage,
    response: Response,
    is_done: bool,
}

// === impl Decoder ===

impl Decoder {
    /// Reads an answer of `peer` in a conversation that has the call ids `used_ids` already.
    pub(in crate::model) fn new(
        peer: Peer,
        used_ids: HashSet<Arc<str>>,
        thinking: Thinking,
    ) -> Self {
        Self {
            peer,
            calls: ToolCalls::default(),
            used_ids,
            thinking,
            usage: Usage::default(),
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
        if data.is_empty() {
            return Ok(());
        }
        if event.name == "error" {
            return Err(self.peer.told(data));
        }
        let data: Data = serde_json::from_str(data)
            .map_err(|error| self.peer.protocol(&format!("an event is wrong: {error}")))?;
        if data.error.is_some() || data.kind == Kind::Error {
            return Err(in_band(&self.peer, &data.error.unwrap_or_default()));
        }
        match data.kind {
            Kind::MessageStart => {
                if let Some(message) = data.message {
                    Response::keep(&mut self.response.id, message.id);
                    Response::keep(&mut self.response.model, message.model);
                    self.count(message.usage);
                }
            }
            Kind::ContentBlockStart => {
                if let Some(block) = data.content_block {
                    self.begin(data.index, block, out)?;
                }
            }
            Kind::ContentBlockDelta => {
                if let Some(delta) = data.delta {
                    self.go_on(data.index, delta, out)?;
                }
            }
            Kind::MessageDelta => {
                self.count(data.usage);
                let reason = data.delta.and_then(|delta| delta.stop_reason);
                Response::keep(&mut self.response.finish, reason);
            }
            Kind::MessageStop => return self.eof(out),
            Kind::Error | Kind::Other => {}
        }
        Ok(())
    }

    fn begin(
        &mut self,
        index: Option<u32>,
        part: Value,
        out: &mut VecDeque<ModelEvent>,
    ) -> Result<(), Failure> {
        let block = Block::deserialize(&part)
            .map_err(|error| self.peer.protocol(&format!("a part is wrong: {error}")))?;
        match block.kind {
            BlockKind::Text => say(block.text, out),
            BlockKind::ToolUse => {
                let whole = block.input.filter(|input| match input {
                    Value::Object(fields) => !fields.is_empty(),
                    _ => false,
                });
                self.add(Piece {
                    index,
                    id: block.id.unwrap_or_default(),
                    name: block.name.unwrap_or_default(),
                    arguments: whole.map(|input| input.to_string()).unwrap_or_default(),
                })?;
            }
            BlockKind::Thinking | BlockKind::RedactedThinking => self.thinking.begin(index, part),
            BlockKind::Other => {}
        }
        Ok(())
    }

    fn go_on(
        &mut self,
        index: Option<u32>,
        delta: Delta,
        out: &mut VecDeque<ModelEvent>,
    ) -> Result<(), Failure> {
        say(delta.text, out);
        for (field, more) in [("thinking", delta.thinking), ("signature", delta.signature)] {
            if let Some(more) = more {
                self.thinking.go_on(index, field, &more);
            }
        }
        match delta.partial_json {
            // The provider's own tools have arguments too.
            Some(arguments) if self.calls.has(index) => self.add(Piece {
                index,
                arguments,
                ..Piece::default()
            }),
            Some(_) | None => Ok(()),
        }
    }

    fn add(&mut self, piece: Piece) -> Result<(), Failure> {
        let added = self.calls.add(piece);
        added.map_err(|wrong| self.peer.protocol(wrong))
    }

    fn count(&mut self, usage: Option<Usage>) {
        let Some(usage) = usage else {
            return;
        };
        let known = &mut self.usage;
        known.input = usage.input.or(known.input);
        known.cache_write = usage.cache_write.or(known.cache_write);
        known.cache_read = usage.cache_read.or(known.cache_read);
        known.output = usage.output.or(known.output);
        self.response.cache_write = known.cache_write;
        self.response.cache_read = known.cache_read;
    }

    /// The stream is over: by its mark, or because the connection ended. Without a reason for the end it was cut.
    /// <https://docs.anthropic.com/en/api/handling-stop-reasons>
    pub(in crate::model) fn eof(&mut self, out: &mut VecDeque<ModelEvent>) -> Result<(), Failure> {
        self.is_done = true;
        let calls = std::mem::take(&mut self.calls);
        let end = match self.response.finish.as_str() {
            "" => return Err(self.peer.truncated()),
            "refusal" => return Err(self.peer.filtered()),
            // Arguments may be cut in the middle, and still look whole: such calls are never run. A pause is for the
            // provider's own tools, which nobody here asks for: what has come of that answer is not all of it.
            "max_tokens" | "model_context_window_exceeded" | "pause_turn" => End::Length,
            "tool_use" if calls.is_empty() => {
                return Err(self.peer.protocol("it calls a tool and does not say which"));
            }
            _ if calls.is_empty() => End::Stop,
            _ => End::ToolCalls,
        };
        if end == End::ToolCalls {
            let used = std::mem::take(&mut self.used_ids);
            let calls = calls
                .finish(used)
                .map_err(|wrong| self.peer.protocol(wrong))?;
            if let Some(first) = calls.first() {
                self.thinking.keep(&first.id);
            }
            out.extend(calls.into_iter().map(ModelEvent::ToolCall));
        }
        if self.usage != Usage::default() {
            out.push_back(self.usage.event());
        }
        out.push_back(ModelEvent::End(end));
        Ok(())
    }
}

fn say(text: Option<String>, out: &mut VecDeque<ModelEvent>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        out.push_back(ModelEvent::Text(text));
    }
}

// === impl Usage ===

impl Usage {
    /// What is read from the cache, and written to it, is read by the model like everything else: the conventions for
    /// telemetry count it as input.
    fn event(self) -> ModelEvent {
        let input = [self.input, self.cache_write, self.cache_read];
        ModelEvent::Usage {
            input_tokens: input.into_iter().flatten().fold(0, u64::saturating_add),
            cached_tokens: self.cache_read.unwrap_or_default(),
            output_tokens: self.output.unwrap_or_default(),
        }
    }
}
