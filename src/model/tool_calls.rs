use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use super::Message;
use crate::chat::ToolCall;

/// Most calls of one answer.
const CALLS: usize = 128;
/// Longest arguments of all calls of one answer, in bytes.
const ARGUMENT_BYTES: usize = 1024 * 1024;
/// Longest name and id, in bytes. OpenAI takes back no longer id than 40.
const NAME_BYTES: usize = 256;
const ID_BYTES: usize = 40;

/// Tool calls in the making: their pieces come interleaved, and not every server tells well to which call one belongs.
#[derive(Debug, Clone, Default)]
pub(super) struct ToolCalls {
    calls: Vec<Call>,
    bytes: usize,
}

/// A piece of a call. What is empty was not said.
#[derive(Debug, Clone, Default)]
pub(super) struct Piece {
    /// The place of the call among the parts of the answer.
    pub(super) index: Option<u32>,
    pub(super) id: String,
    pub(super) name: String,
    /// More of its arguments.
    pub(super) arguments: String,
}

#[derive(Debug, Clone, Default)]
struct Call {
    index: Option<u32>,
    id: String,
    name: String,
    arguments: String,
}

// === impl ToolCalls ===

impl ToolCalls {
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// True if a call at this place has begun.
    pub(super) fn has(&self, index: Option<u32>) -> bool {
        self.calls.iter().any(|call| call.index == index)
    }

    /// Takes a piece; an error says what is wrong with it.
    pub(super) fn add(&mut self, piece: Piece) -> Result<(), &'static str> {
        let Piece {
            index,
            id,
            name,
            arguments,
        } = piece;
        self.bytes += arguments.len();
        if self.bytes > ARGUMENT_BYTES {
            return Err("the arguments of its tool calls are too long");
        }
        if name.len() > NAME_BYTES {
            return Err("the name of a tool is too long");
        }
        let at = match self.position(index, &id, &name) {
            Some(at) => at,
            None if self.calls.len() < CALLS => {
                self.calls.push(Call {
                    index,
                    id,
                    ..Call::default()
                });
                self.calls.len() - 1
            }
            None => return Err("it calls too many tools"),
        };
        if let Some(call) = self.calls.get_mut(at) {
            if call.name.is_empty() {
                call.name = name;
            }
            call.arguments.push_str(&arguments);
        }
        Ok(())
    }

    /// The call a piece belongs to; `None` if it begins one. An id is worth more than an index: some servers give every
    /// call the index 0, some give none. Continuations often have neither id nor name.
    fn position(&self, index: Option<u32>, id: &str, name: &str) -> Option<usize> {
        let same_index = |call: &Call| index.is_none() || call.index == index;
        if !id.is_empty() {
            return self
                .calls
                .iter()
                .rposition(|call| call.id == id && same_index(call));
        }
        let at = self.calls.iter().rposition(same_index)?;
        let begun = self.calls.get(at)?;
        let another = match index {
            Some(_) => !name.is_empty() && !begun.name.is_empty() && begun.name != name,
            None => !name.is_empty(),
        };
        (!another).then_some(at)
    }

    /// The calls as they are run, in the order they began. `used` are the ids the conversation has already: an id pairs a
    /// call with its result, so a second one of the same name is replaced, as is one that is missing.
    pub(super) fn finish(self, mut used: HashSet<Arc<str>>) -> Result<Vec<ToolCall>, &'static str> {
        let mut calls = Vec::with_capacity(self.calls.len());
        for call in self.calls {
            if call.name.is_empty() {
                return Err("a tool call names no tool");
            }
            let mut id: Arc<str> = call.id.into();
            if id.is_empty() || id.len() > ID_BYTES || used.contains(&id) {
                id = format!("call_{}", Uuid::new_v4().simple()).into();
            }
            used.insert(Arc::clone(&id));
            // No arguments at all is how some models write an empty object.
            let arguments = match call.arguments.trim() {
                "" => "{}".into(),
                _ => call.arguments.into(),
            };
            calls.push(ToolCall {
                id,
                name: call.name.into(),
                arguments,
            });
        }
        Ok(calls)
    }
}

/// The ids of calls that a conversation has already.
pub(super) fn used_ids(messages: &[Message]) -> HashSet<Arc<str>> {
    let calls = messages.iter().filter_map(|message| match message {
        Message::Assistant { tool_calls, .. } => Some(tool_calls),
        Message::User(_) | Message::Tool(_) => None,
    });
    let ids = calls.flatten().map(|call| Arc::clone(&call.id));
    ids.collect()
}
