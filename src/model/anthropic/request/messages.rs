//! The conversation as the API has it: two speakers in turn, each message made of parts. Results of tools are said by the
//! user.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::chat::{ToolCall, ToolResult};
use crate::model;

/// What one speaker says before the other does.
#[derive(Debug)]
pub(super) struct Message {
    role: &'static str,
    pub(super) parts: Vec<Value>,
}

/// Ids of calls in letters that the API takes, `[a-zA-Z0-9_-]`: a conversation may have been begun by another model, whose
/// ids have other ones.
#[derive(Debug, Default)]
struct Ids<'a> {
    written: HashMap<&'a str, String>,
    used: HashSet<String>,
}

/// The messages of a conversation. What one speaker says in several messages is one here, and what says nothing is none:
/// the API refuses both.
pub(super) fn of(conversation: &[model::Message]) -> Vec<Message> {
    let (mut messages, mut ids) = (Vec::new(), Ids::default());
    for message in conversation {
        match message {
            model::Message::User(question) => add(&mut messages, "user", text(question)),
            model::Message::Assistant {
                text: said,
                tool_calls,
            } => {
                add(&mut messages, "assistant", text(said));
                for call in tool_calls {
                    let part = tool_use(call, ids.begin(&call.id));
                    add(&mut messages, "assistant", Some(part));
                }
            }
            model::Message::Tool(result) => {
                let part = tool_result(result, ids.of(&result.call_id));
                add(&mut messages, "user", Some(part));
            }
        }
    }
    messages
}

fn add(messages: &mut Vec<Message>, role: &'static str, part: Option<Value>) {
    let Some(part) = part else {
        return;
    };
    match messages.last_mut() {
        Some(last) if last.role == role => last.parts.push(part),
        Some(_) | None => messages.push(Message {
            role,
            parts: vec![part],
        }),
    }
}

fn text(text: &str) -> Option<Value> {
    (!text.trim().is_empty()).then(|| json!({ "type": "text", "text": text }))
}

fn tool_use(call: &ToolCall, id: &str) -> Value {
    // The API takes objects only. What was wrong with arguments that are none stands in their result.
    let input = serde_json::from_str::<Value>(&call.arguments).ok();
    let input = input.filter(Value::is_object);
    json!({
        "type": "tool_use",
        "id": id,
        "name": call.name.as_ref(),
        "input": input.unwrap_or_else(|| json!({})),
    })
}

fn tool_result(result: &ToolResult, id: &str) -> Value {
    let mut part = json!({
        "type": "tool_result",
        "tool_use_id": id,
        "content": result.content.as_ref(),
    });
    if let (Value::Object(part), true) = (&mut part, result.failed) {
        part.insert("is_error".to_owned(), true.into());
    }
    part
}

// === impl Message ===

impl From<Message> for Value {
    fn from(message: Message) -> Self {
        json!({ "role": message.role, "content": message.parts })
    }
}

// === impl Ids ===

impl<'a> Ids<'a> {
    /// The id of a call that begins here. Two calls never have the same.
    fn begin(&mut self, id: &'a str) -> &str {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
        let mut written: String = id
            .chars()
            .map(|letter| if allowed(letter) { letter } else { '_' })
            .collect();
        while written.is_empty() || self.used.contains(&written) {
            written.push('_');
        }
        self.used.insert(written.clone());
        self.written.insert(id, written);
        self.of(id)
    }

    /// The id of the call a result belongs to.
    fn of<'b>(&'b self, id: &'b str) -> &'b str {
        self.written.get(id).map_or(id, String::as_str)
    }
}
