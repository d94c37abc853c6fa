//! The body of a request, <https://platform.openai.com/docs/api-reference/chat/create>.

#[cfg(test)]
mod tests;

use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::{Config, TokenField};
use crate::chat::ToolCall;
use crate::model::{Message, Request, ToolSpec};

/// The whole body as JSON text.
pub(super) fn body(model: &str, config: &Config, request: &Request) -> Vec<u8> {
    let mut body = Map::new();
    body.insert("model".to_owned(), model.into());
    body.insert("messages".to_owned(), messages(request));
    body.insert("stream".to_owned(), true.into());
    // Without it a stream has no usage.
    let options = json!({ "include_usage": true });
    body.insert("stream_options".to_owned(), options);
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(tool).collect();
        body.insert("tools".to_owned(), tools);
    }
    if config.max_output_tokens > 0 {
        let field = match config.dialect.token_field {
            TokenField::MaxCompletionTokens => "max_completion_tokens",
            TokenField::MaxTokens => "max_tokens",
        };
        body.insert(field.to_owned(), config.max_output_tokens.into());
    }
    config.written(body)
}

fn messages(request: &Request) -> Value {
    let system = (!request.system.is_empty())
        .then(|| json!({ "role": "system", "content": request.system.as_ref() }));
    let messages = request.messages.iter().map(message);
    system.into_iter().chain(messages).collect()
}

fn message(message: &Message) -> Value {
    match message {
        Message::User(question) => json!({ "role": "user", "content": question.as_ref() }),
        Message::Assistant { text, tool_calls } if tool_calls.is_empty() => {
            json!({ "role": "assistant", "content": text.as_ref() })
        }
        Message::Assistant { text, tool_calls } => json!({
            "role": "assistant",
            "content": (!text.is_empty()).then_some(text.as_ref()),
            "tool_calls": tool_calls.iter().map(tool_call).collect::<Value>(),
        }),
        Message::Tool(result) => json!({
            "role": "tool",
            "tool_call_id": result.call_id.as_ref(),
            "content": result.content.as_ref(),
        }),
    }
}

fn tool_call(call: &ToolCall) -> Value {
    // Some servers parse the arguments of earlier calls and refuse the whole conversation if one cannot be; what was wrong
    // with it stands in its result.
    let is_json = serde_json::from_str::<IgnoredAny>(&call.arguments).is_ok();
    let arguments = if is_json { &*call.arguments } else { "{}" };
    json!({
        "id": call.id.as_ref(),
        "type": "function",
        "function": { "name": call.name.as_ref(), "arguments": arguments },
    })
}

fn tool(tool: &ToolSpec) -> Value {
    json!({
        "type": "function",
        "function": {
            "name": tool.name.as_ref(),
            "description": tool.description.as_ref(),
            "parameters": tool.parameters,
        },
    })
}
