//! What a model thought before it called tools. The API wants that back with the results of these calls, signed and as it came
//! (<https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking#preserving-thinking-blocks>). It is shown to
//! nobody and written to no log: it lives as long as the turn may go on here. A turn that goes on in another process goes on
//! without.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, DefaultHasher, Hash as _, Hasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use crate::model::Message;

/// Most of all thoughts that are kept, in bytes; the oldest are forgotten.
const KEPT_BYTES: usize = 16 * 1024 * 1024;
/// Most of one answer's, in bytes and in parts.
const ANSWER_BYTES: usize = 512 * 1024;
const ANSWER_PARTS: usize = 128;

/// The thoughts of all turns.
#[derive(Debug, Clone, Default)]
pub(in crate::model) struct Thoughts {
    random: RandomState,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    answers: VecDeque<(Place, Vec<Value>, usize)>,
    bytes: usize,
}

/// Where an answer stands: after all of this conversation, with this call. An id alone would not do, as not every server
/// finds new ones for each conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    after: u64,
    call_id: Arc<str>,
}

/// The thoughts of one answer, as they come.
#[derive(Debug, Clone)]
pub(in crate::model) struct Thinking {
    thoughts: Thoughts,
    after: u64,
    parts: Vec<(Option<u32>, Map<String, Value>)>,
    bytes: usize,
}

// === impl Thoughts ===

impl Thoughts {
    /// For the answer to a conversation.
    pub(in crate::model) fn after(&self, conversation: &[Message]) -> Thinking {
        let mut hasher = self.random.build_hasher();
        for message in conversation {
            add(message, &mut hasher);
        }
        Thinking {
            thoughts: self.clone(),
            after: hasher.finish(),
            parts: Vec::new(),
            bytes: 0,
        }
    }

    /// What was thought before each message of a conversation: only in its newest turn, as earlier ones are told in short and
    /// no thought fits there.
    pub(super) fn before_each(&self, conversation: &[Message]) -> Vec<Vec<Value>> {
        let question = |message: &Message| matches!(message, Message::User(_));
        let newest = conversation.iter().rposition(question).unwrap_or_default();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hasher = self.random.build_hasher();
        let mut thoughts = Vec::with_capacity(conversation.len());
        for (at, message) in conversation.iter().enumerate() {
            let found = match message {
                Message::Assistant { tool_calls, .. } if at > newest => {
                    tool_calls.first().and_then(|call| {
                        let place = Place {
                            after: hasher.finish(),
                            call_id: Arc::clone(&call.id),
                        };
                        kept.answers.iter().rfind(|(known, ..)| *known == place)
                    })
                }
                Message::Assistant { .. } | Message::User(_) | Message::Tool(_) => None,
            };
            thoughts.push(found.map(|(_, parts, _)| parts.clone()).unwrap_or_default());
            add(message, &mut hasher);
        }
        thoughts
    }
}

fn add(message: &Message, hasher: &mut DefaultHasher) {
    match message {
        Message::User(question) => (0, question).hash(hasher),
        Message::Assistant { text, tool_calls } => {
            (1, text, tool_calls.len()).hash(hasher);
            for call in tool_calls {
                (&call.id, &call.name, &call.arguments).hash(hasher);
            }
        }
        Message::Tool(result) => (2, &result.call_id, &result.content).hash(hasher),
    }
}

// === impl Thinking ===

impl Thinking {
    /// A part begins, in the place `index` of the answer.
    pub(super) fn begin(&mut self, index: Option<u32>, part: Value) {
        let length = part.to_string().len();
        self.bytes = self.bytes.saturating_add(length);
        if self.parts.len() == ANSWER_PARTS {
            self.bytes = usize::MAX;
        }
        if let (Value::Object(part), false) = (part, self.is_too_long()) {
            self.parts.push((index, part));
        }
    }

    fn is_too_long(&self) -> bool {
        self.bytes > ANSWER_BYTES
    }

    /// More of one of its texts.
    pub(super) fn go_on(&mut self, index: Option<u32>, field: &str, more: &str) {
        self.bytes = self.bytes.saturating_add(more.len());
        if self.is_too_long() {
            return;
        }
        let parts = self.parts.iter_mut();
        let Some((_, part)) = parts.rev().find(|(known, _)| *known == index) else {
            return;
        };
        match part.get_mut(field) {
            Some(Value::String(text)) => text.push_str(more),
            Some(_) | None => {
                part.insert(field.to_owned(), more.into());
            }
        }
    }

    /// The answer ends in calls, of which `call_id` is the first. Thoughts that are too long are not kept: half of them would
    /// be refused.
    pub(super) fn keep(&mut self, call_id: &Arc<str>) {
        let (parts, bytes) = (std::mem::take(&mut self.parts), self.bytes);
        if parts.is_empty() || self.is_too_long() {
            return;
        }
        let place = Place {
            after: self.after,
            call_id: Arc::clone(call_id),
        };
        let parts = parts.into_iter().map(|(_, part)| Value::Object(part));
        let kept = &self.thoughts.kept;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += bytes;
        kept.answers.push_back((place, parts.collect(), bytes));
        while kept.bytes > KEPT_BYTES
            && let Some((_, _, forgotten)) = kept.answers.pop_front()
        {
            kept.bytes -= forgotten;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::ToolCall;

    fn calls(id: &str) -> Message {
        Message::Assistant {
            text: "".into(),
            tool_calls: vec![ToolCall {
                id: id.into(),
                name: "list_tables".into(),
                arguments: "{}".into(),
            }],
        }
    }

    fn think(thoughts: &Thoughts, conversation: &[Message], id: &str, text: &str) {
        let mut thinking = thoughts.after(conversation);
        thinking.begin(Some(0), json!({ "type": "thinking", "thinking": "" }));
        thinking.go_on(Some(0), "thinking", text);
        thinking.go_on(Some(0), "signature", "EqQ=");
        thinking.keep(&id.into());
    }

    #[test]
    fn a_thought_comes_back_in_its_turn_and_nowhere_else() {
        let thoughts = Thoughts::default();
        let question = |text: &str| Message::User(text.into());
        think(&thoughts, &[question("One?")], "a", "Hm.");
        let turn = [question("One?"), calls("a")];
        let thought = json!({ "type": "thinking", "thinking": "Hm.", "signature": "EqQ=" });
        assert_eq!(thoughts.before_each(&turn), [vec![], vec![thought]]);
        // The same id in another conversation, another call in this one, and a later turn.
        for other in [
            vec![question("Two?"), calls("a")],
            vec![question("One?"), calls("b")],
            vec![question("One?"), calls("a"), question("Two?")],
        ] {
            let found = thoughts.before_each(&other);
            assert!(found.iter().all(Vec::is_empty), "{found:?}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let thoughts = Thoughts::default();
        let conversation = |number: usize| [Message::User(number.to_string().into())];
        let long = "x".repeat(400_000);
        for number in 0..60 {
            think(&thoughts, &conversation(number), "a", &long);
        }
        think(&thoughts, &conversation(60), "a", &"x".repeat(600_000));
        let has = |number: usize| {
            let [question] = conversation(number);
            !thoughts.before_each(&[question, calls("a")])[1].is_empty()
        };
        assert!(has(59) && has(30) && !has(0), "the oldest are forgotten");
        assert!(!has(60), "a thought that is too long");
        assert!(thoughts.kept.lock().unwrap().bytes <= KEPT_BYTES);
    }
}
