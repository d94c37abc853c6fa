//! How many tokens a text has, guessed: every model has a dictionary of its own, and only its server knows it.
//!
//! English prose has about four bytes a token, JSON with names of tables about three, and letters beyond ASCII about one
//! token each. The guess is meant to be a little too high.

use crate::model::{Message, ToolSpec};

/// What a message has beside its text: its role, ids, marks of its beginning and end.
const MESSAGE: usize = 8;

pub(super) fn of(text: &str) -> usize {
    let ascii = text.bytes().filter(u8::is_ascii).count();
    let others = text.len() - ascii;
    (ascii * 2).div_ceil(7) + others.div_ceil(2)
}

pub(super) fn of_message(message: &Message) -> usize {
    MESSAGE
        + match message {
            Message::User(text) => of(text),
            Message::Assistant { text, tool_calls } => {
                let calls = tool_calls
                    .iter()
                    .map(|call| MESSAGE + of(&call.name) + of(&call.arguments));
                of(text) + calls.sum::<usize>()
            }
            Message::Tool(result) => of(&result.content),
        }
}

pub(super) fn of_tool(tool: &ToolSpec) -> usize {
    MESSAGE + of(&tool.name) + of(&tool.description) + of(&tool.parameters.to_string())
}
