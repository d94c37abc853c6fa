mod answers;
mod hostile;
mod schemas;

use serde_json::Value;

use super::*;

fn tools() -> Tools {
    Tools::new(Arc::new(Catalog::demo().unwrap()))
}

fn call(tools: &Tools, name: &str, arguments: &str) -> ToolResult {
    tools.run(&ToolCall {
        id: "call-1".into(),
        name: name.into(),
        arguments: arguments.into(),
    })
}

/// The answer of a call that must work.
fn answer(tools: &Tools, name: &str, arguments: Value) -> Value {
    let result = call(tools, name, &arguments.to_string());
    assert!(!result.failed, "{name} {arguments}: {}", result.content);
    serde_json::from_str(&result.content).unwrap()
}

/// The answer of a call that must not work.
fn refusal(tools: &Tools, name: &str, arguments: &str) -> Value {
    let result = call(tools, name, arguments);
    assert!(result.failed, "{name} {arguments}: {}", result.content);
    let refusal: Value = serde_json::from_str(&result.content).unwrap();
    assert!(refusal["error"].is_string(), "{refusal}");
    refusal
}

fn names(list: &Value, field: &str) -> Vec<String> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|item| item[field].as_str().unwrap().to_owned())
        .collect()
}
