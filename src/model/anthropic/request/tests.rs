use std::sync::Arc;

use super::*;
use crate::chat::{ToolCall, ToolResult};
use crate::model::Message;

fn call(id: &str, arguments: &str) -> ToolCall {
    ToolCall {
        id: id.into(),
        name: "list_tables".into(),
        arguments: arguments.into(),
    }
}

fn result(id: &str, content: &str, failed: bool) -> Message {
    Message::Tool(ToolResult {
        call_id: id.into(),
        name: "list_tables".into(),
        content: content.into(),
        failed,
    })
}

fn said(text: &str, tool_calls: Vec<ToolCall>) -> Message {
    Message::Assistant {
        text: text.into(),
        tool_calls,
    }
}

fn request(messages: Vec<Message>) -> Request {
    Request {
        system: "You are a guide.".into(),
        messages,
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

fn messages(conversation: Vec<Message>) -> Value {
    let mut config = Config::default();
    config.dialect.prompt_cache = false;
    sent(&config, &request(conversation))["messages"].take()
}

#[test]
fn a_conversation_is_written_as_the_api_has_it() {
    let conversation = vec![
        Message::User("Which tables?".into()),
        said(
            "Let me see.",
            vec![call("a", r#"{"type":"FACT"}"#), call("b", "[1")],
        ),
        result("a", "[]", false),
        result("b", "not JSON", true),
        said("None.", Vec::new()),
        Message::User("Sure?".into()),
    ];
    let kept = json!({ "type": "ephemeral" });
    let expected = json!({
        "model": "small",
        "max_tokens": 16_000,
        "stream": true,
        "system": [{ "type": "text", "text": "You are a guide.", "cache_control": kept }],
        "tools": [{ "name": "list_tables", "description": "Lists.", "input_schema": { "type": "object" } }],
        "messages": [
            { "role": "user", "content": [{ "type": "text", "text": "Which tables?" }] },
            { "role": "assistant", "content": [
                { "type": "text", "text": "Let me see." },
                { "type": "tool_use", "id": "a", "name": "list_tables", "input": { "type": "FACT" } },
                { "type": "tool_use", "id": "b", "name": "list_tables", "input": {} },
            ] },
            { "role": "user", "content": [
                { "type": "tool_result", "tool_use_id": "a", "content": "[]" },
                { "type": "tool_result", "tool_use_id": "b", "content": "not JSON", "is_error": true },
            ] },
            { "role": "assistant", "content": [{ "type": "text", "text": "None." }] },
            { "role": "user", "content": [{ "type": "text", "text": "Sure?", "cache_control": kept }] },
        ],
    });
    assert_eq!(sent(&Config::default(), &request(conversation)), expected);
}

#[test]
fn speakers_take_turns_and_nobody_says_nothing() {
    let conversation = vec![
        Message::User("One.".into()),
        said(" \n", Vec::new()),
        Message::User("Two.".into()),
        said("", vec![call("a", "{}")]),
        result("a", "", false),
        said("", Vec::new()),
        Message::User("Three.".into()),
    ];
    let written = messages(conversation);
    let roles: Vec<_> = written
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    assert_eq!(written[0]["content"][1]["text"], "Two.");
    assert_eq!(written[1]["content"].as_array().unwrap().len(), 1);
    // Results come before anything else the user says.
    assert_eq!(written[2]["content"][0]["type"], "tool_result");
    assert_eq!(written[2]["content"][1]["text"], "Three.");
}

#[test]
fn ids_of_other_models_are_written_in_letters_that_are_allowed() {
    let turn = |id: &str| {
        let results = result(id, "[]", false);
        [said("", vec![call(id, "{}")]), results]
    };
    let conversation = std::iter::once(Message::User("One.".into()));
    let turns = ["f.list:0", "f_list_0", "", "f.list:0"]
        .into_iter()
        .flat_map(turn);
    let written = messages(conversation.chain(turns).collect());
    let ids: Vec<_> = written.as_array().unwrap()[1..]
        .iter()
        .map(|message| {
            let part = &message["content"][0];
            let id = part.get("id").or(part.get("tool_use_id"));
            id.unwrap().as_str().unwrap()
        })
        .collect();
    let expected = ["f_list_0", "f_list_0_", "_", "f_list_0__"];
    let expected: Vec<_> = expected.into_iter().flat_map(|id| [id, id]).collect();
    assert_eq!(ids, expected);
}

#[test]
fn settings_change_the_body() {
    let mut config = Config {
        max_output_tokens: 100,
        ..Config::default()
    };
    config
        .body
        .insert("output_config".to_owned(), json!({ "effort": "low" }));
    let plain = Request {
        system: "".into(),
        ..request(vec![Message::User("One.".into())])
    };
    let body = sent(&config, &plain);
    assert_eq!(body["max_tokens"], 100);
    assert_eq!(body["output_config"]["effort"], "low");
    assert!(body.get("system").is_none());
    // Without a system prompt the tools are what all sessions have in common.
    assert_eq!(body["tools"][0]["cache_control"]["type"], "ephemeral");
    config.dialect.prompt_cache = false;
    let text = sent(&config, &plain).to_string();
    assert!(!text.contains("cache_control"), "{text}");
}
