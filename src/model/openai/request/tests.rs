use std::sync::Arc;

use super::*;
use crate::chat::ToolResult;

fn request() -> Request {
    let call = |id: &str, arguments: &str| ToolCall {
        id: id.into(),
        name: "list_tables".into(),
        arguments: arguments.into(),
    };
    Request {
        system: "You are a guide.".into(),
        messages: vec![
            Message::User("Which tables?".into()),
            Message::Assistant {
                text: "".into(),
                tool_calls: vec![call("a", r#"{"type":"FACT"}"#), call("b", r#"{"type":"#)],
            },
            Message::Tool(ToolResult {
                call_id: "a".into(),
                name: "list_tables".into(),
                content: "[]".into(),
                failed: false,
            }),
            Message::Assistant {
                text: "None.".into(),
                tool_calls: Vec::new(),
            },
        ],
        tools: Arc::new([ToolSpec {
            name: "list_tables".into(),
            description: "Lists.".into(),
            parameters: json!({ "type": "object" }),
        }]),
    }
}

fn sent(config: &Config, request: &Request) -> Value {
    serde_json::from_slice(&body("small", config, request)).unwrap()
}

#[test]
fn a_conversation_is_written_as_the_api_has_it() {
    let call = |id: &str, arguments: &str| {
        json!({
            "id": id, "type": "function", "function": { "name": "list_tables", "arguments": arguments },
        })
    };
    let expected = json!({
        "model": "small",
        "stream": true,
        "stream_options": { "include_usage": true },
        "messages": [
            { "role": "system", "content": "You are a guide." },
            { "role": "user", "content": "Which tables?" },
            {
                "role": "assistant",
                "content": null,
                // Arguments that are no JSON are not sent back.
                "tool_calls": [call("a", r#"{"type":"FACT"}"#), call("b", "{}")],
            },
            { "role": "tool", "tool_call_id": "a", "content": "[]" },
            { "role": "assistant", "content": "None." },
        ],
        "tools": [{
            "type": "function",
            "function": { "name": "list_tables", "description": "Lists.", "parameters": { "type": "object" } },
        }],
    });
    assert_eq!(sent(&Config::default(), &request()), expected);
}

#[test]
fn settings_change_the_body() {
    let mut config = Config {
        max_output_tokens: 100,
        ..Config::default()
    };
    let plain = Request {
        tools: Arc::new([]),
        ..request()
    };
    let body = sent(&config, &plain);
    assert_eq!(body["max_completion_tokens"], 100);
    assert!(body.get("tools").is_none() && body.get("max_tokens").is_none());

    config.dialect.token_field = TokenField::MaxTokens;
    config.body.insert("temperature".to_owned(), json!(0.2));
    config.body.insert("stream_options".to_owned(), Value::Null);
    let body = sent(&config, &plain);
    assert_eq!(
        (&body["max_tokens"], &body["temperature"]),
        (&json!(100), &json!(0.2))
    );
    assert!(body.get("stream_options").is_none());
}
