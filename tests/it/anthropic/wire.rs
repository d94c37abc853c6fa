//! What the API sends, <https://docs.anthropic.com/en/docs/build-with-claude/streaming>.

use serde_json::{Value, json};

use crate::support::model_server::{Step, answer, stream_head};

/// An event, with its type said twice, as the API does.
pub(super) fn event(data: &Value) -> Step {
    let kind = data["type"].as_str().unwrap();
    Step::Send(format!("event: {kind}\ndata: {data}\n\n").into_bytes())
}

/// The head of the stream and of the message, and a sign of life.
pub(super) fn start() -> Vec<Step> {
    let usage = json!({
        "input_tokens": 11, "cache_creation_input_tokens": 300, "cache_read_input_tokens": 2_000, "output_tokens": 1,
    });
    let message = json!({
        "id": "msg_01", "type": "message", "role": "assistant", "content": [], "model": "small-2026",
        "stop_reason": null, "stop_sequence": null, "usage": usage,
    });
    vec![
        stream_head(),
        event(&json!({ "type": "message_start", "message": message })),
        event(&json!({ "type": "ping" })),
    ]
}

/// A piece of the text that is the first block.
pub(super) fn says(text: &str) -> Step {
    let delta = json!({ "type": "text_delta", "text": text });
    event(&json!({ "type": "content_block_delta", "index": 0, "delta": delta }))
}

/// Why it ends, and the end.
pub(super) fn end(reason: &str) -> Vec<Step> {
    let delta = json!({ "stop_reason": reason, "stop_sequence": null });
    let usage = json!({ "output_tokens": 7 });
    vec![
        event(&json!({ "type": "message_delta", "delta": delta, "usage": usage })),
        event(&json!({ "type": "message_stop" })),
    ]
}

/// A whole answer in two pieces.
pub(super) fn text(first: &str, second: &str) -> Vec<Step> {
    let mut steps = start();
    let block = json!({ "type": "text", "text": "" });
    steps.push(event(
        &json!({ "type": "content_block_start", "index": 0, "content_block": block }),
    ));
    steps.extend([says(first), says(second)]);
    steps.push(event(&json!({ "type": "content_block_stop", "index": 0 })));
    steps.extend(end("end_turn"));
    steps
}

/// An answer that thinks, says something and calls a tool, in pieces.
pub(super) fn calls(id: &str, name: &str, arguments: &str) -> Vec<Step> {
    let (left, right) = arguments.split_at(arguments.len() / 2);
    let begin = |index: u32, block: Value| {
        event(&json!({ "type": "content_block_start", "index": index, "content_block": block }))
    };
    let delta = |index: u32, delta: Value| {
        event(&json!({ "type": "content_block_delta", "index": index, "delta": delta }))
    };
    let stop = |index: u32| event(&json!({ "type": "content_block_stop", "index": index }));
    let mut steps = start();
    steps.extend([
        begin(
            0,
            json!({ "type": "thinking", "thinking": "", "signature": "" }),
        ),
        delta(
            0,
            json!({ "type": "thinking_delta", "thinking": "A secret thought." }),
        ),
        delta(0, json!({ "type": "signature_delta", "signature": "EqQ=" })),
        stop(0),
        begin(1, json!({ "type": "text", "text": "" })),
        delta(
            1,
            json!({ "type": "text_delta", "text": "Let me look that up." }),
        ),
        stop(1),
        begin(
            2,
            json!({ "type": "tool_use", "id": id, "name": name, "input": {} }),
        ),
        delta(2, json!({ "type": "input_json_delta", "partial_json": "" })),
        delta(
            2,
            json!({ "type": "input_json_delta", "partial_json": left }),
        ),
        delta(
            2,
            json!({ "type": "input_json_delta", "partial_json": right }),
        ),
        stop(2),
    ]);
    steps.extend(end("tool_use"));
    steps
}

/// An error instead of an answer.
pub(super) fn error(status: u16, kind: &str, message: &str, headers: &str) -> Vec<Step> {
    let body = json!({ "type": "error", "error": { "type": kind, "message": message }, "request_id": "req_1" });
    answer(status, "application/json", headers, &body.to_string())
}
