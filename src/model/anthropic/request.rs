//! The body of a request, <https://docs.anthropic.com/en/api/messages>.

mod messages;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use super::Config;
use crate::model::{Request, ToolSpec};

/// The whole body as JSON text.
///
/// The provider reads a request as tools, system prompt, messages, and keeps what comes before a mark for five minutes after
/// its last use (<https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching>). To write it costs a quarter more
/// than to read it, to read it from there a tenth. There are two marks, of the four that are allowed:
///
/// - After the system prompt, or the tools if there is none: the same for every session, as long as anybody asks.
/// - After the newest message: a turn asks again with the results of each step, and so does the next question; each time
///   with all that was before, so that the mark pays from the second request on. It moves with the conversation, because
///   the provider looks for what it has up to twenty parts before a mark. The first mark still counts when older turns
///   have left the conversation and nothing else is as it was.
///
/// What is shorter than the model's least (512 to 4,096 tokens) is not kept and costs no more: nothing has to be counted.
pub(super) fn body(model: &str, config: &Config, request: &Request) -> Vec<u8> {
    let mark = config.dialect.prompt_cache;
    let mut body = Map::new();
    body.insert("model".to_owned(), model.into());
    body.insert("max_tokens".to_owned(), config.max_output_tokens.into());
    body.insert("stream".to_owned(), true.into());
    let has_system = !request.system.trim().is_empty();
    if has_system {
        let mut system = json!({ "type": "text", "text": request.system.as_ref() });
        if mark {
            keep_until(&mut system);
        }
        body.insert("system".to_owned(), Value::Array(vec![system]));
    }
    if !request.tools.is_empty() {
        let mut tools: Vec<Value> = request.tools.iter().map(tool).collect();
        if let (Some(last), true, false) = (tools.last_mut(), mark, has_system) {
            keep_until(last);
        }
        body.insert("tools".to_owned(), Value::Array(tools));
    }
    let mut messages = messages::of(&request.messages);
    let newest = messages.last_mut().and_then(|last| last.parts.last_mut());
    if let (Some(newest), true) = (newest, mark) {
        keep_until(newest);
    }
    let messages = messages.into_iter().map(Value::from).collect();
    body.insert("messages".to_owned(), messages);
    config.written(body)
}

/// Marks a part: what comes before it, and itself, is kept by the provider.
fn keep_until(part: &mut Value) {
    if let Value::Object(part) = part {
        let kept = json!({ "type": "ephemeral" });
        part.insert("cache_control".to_owned(), kept);
    }
}

fn tool(tool: &ToolSpec) -> Value {
    json!({
        "name": tool.name.as_ref(),
        "description": tool.description.as_ref(),
        "input_schema": tool.parameters,
    })
}
