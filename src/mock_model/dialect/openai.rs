//! <https://platform.openai.com/docs/api-reference/chat>

use serde_json::{Value, json};

use super::{
    Conversation, Event, Fault, NamedCall, Said, Shape, Usage, Whole, at, free_tool, put, text_of,
};
use crate::mock_model::asked::Asked;
use crate::mock_model::case::Reason;

/// Any moment will do, and one that stands still can be compared.
const CREATED: u64 = 1_760_000_000;

/// Says things in chunks.
#[derive(Debug)]
pub(in crate::mock_model) struct Speaker {
    id: String,
    model: String,
    wants_usage: bool,
    has_begun: bool,
    calls: usize,
}

// === impl Speaker ===

impl Speaker {
    pub(super) fn new(asked: &Asked, id: usize) -> Self {
        Self {
            id: name(id),
            model: asked.model.clone(),
            wants_usage: *at(&asked.body, "/stream_options/include_usage") == true,
            has_begun: false,
            calls: 0,
        }
    }

    pub(super) fn say(&mut self, said: Said<'_>) -> Vec<Event> {
        match said {
            Said::Text(text) => vec![self.delta(json!({ "content": text }))],
            // Not OpenAI's, who keeps it to itself: vLLM, DeepSeek, llama.cpp.
            Said::Thinking(text) => vec![self.delta(json!({ "reasoning_content": text }))],
            Said::Calls(calls, shape) => self.calls(calls, shape),
            Said::Fault(fault) => vec![Event {
                name: fault.named.then_some("error"),
                data: error(&fault).to_string(),
            }],
            Said::End(reason, usage) => self.end(reason, usage),
        }
    }

    fn calls(&mut self, calls: &[NamedCall], shape: Shape) -> Vec<Event> {
        let first = self.calls;
        self.calls += calls.len();
        let piece = |at: usize, mut call: Value| {
            let index = if shape == Shape::SameIndex {
                first
            } else {
                first + at
            };
            if shape != Shape::NoIndex {
                put(&mut call, "index", index.into());
            }
            json!({ "tool_calls": [call] })
        };
        let calls = calls.iter().enumerate();
        let heads = calls.clone().map(|(at, call)| {
            let function = json!({ "name": call.name, "arguments": "" });
            piece(
                at,
                json!({ "id": call.id, "type": "function", "function": function }),
            )
        });
        let part = |at: usize, part: &str| piece(at, json!({ "function": { "arguments": part } }));
        let left = calls.clone().map(|(at, call)| part(at, call.halves().0));
        let right = calls.map(|(at, call)| part(at, call.halves().1));
        let deltas: Vec<Value> = if shape == Shape::Interleaved {
            heads.chain(left).chain(right).collect()
        } else {
            let rows = heads.zip(left).zip(right);
            rows.flat_map(|((head, left), right)| [head, left, right])
                .collect()
        };
        deltas.into_iter().map(|delta| self.delta(delta)).collect()
    }

    fn end(&mut self, reason: Reason, usage: Usage) -> Vec<Event> {
        let mut last = self.chunk(json!({}), Some(finish(reason)));
        if usage.is_known && usage.with_choices {
            put(&mut last, "usage", tokens(usage));
            return vec![event(&last)];
        }
        let mut events = vec![event(&last)];
        if usage.is_known && self.wants_usage {
            let mut chunk = self.chunk(json!({}), None);
            put(&mut chunk, "choices", json!([]));
            put(&mut chunk, "usage", tokens(usage));
            events.push(event(&chunk));
        }
        events
    }

    fn delta(&mut self, mut delta: Value) -> Event {
        if !std::mem::replace(&mut self.has_begun, true) {
            put(&mut delta, "role", "assistant".into());
        }
        event(&self.chunk(delta, None))
    }

    fn chunk(&self, delta: Value, finish: Option<&str>) -> Value {
        json!({
            "id": self.id, "object": "chat.completion.chunk", "created": CREATED, "model": self.model,
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }],
        })
    }
}

pub(super) fn end_mark() -> Event {
    Event {
        name: None,
        data: "[DONE]".to_owned(),
    }
}

/// <https://platform.openai.com/docs/guides/error-codes>
pub(super) fn error(fault: &Fault<'_>) -> Value {
    let kind = fault.kind.unwrap_or(match fault.status {
        429 => "requests",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    });
    json!({ "error": { "message": fault.message, "type": kind, "param": null, "code": fault.code } })
}

pub(super) fn whole(asked: &Asked, id: usize, answer: &Whole) -> Value {
    let mut message = json!({ "role": "assistant", "content": answer.text });
    if !answer.calls.is_empty() {
        let calls = answer.calls.iter().map(|call| {
            let function = json!({ "name": call.name, "arguments": call.arguments });
            json!({ "id": call.id, "type": "function", "function": function })
        });
        put(&mut message, "tool_calls", calls.collect());
    }
    let mut whole = json!({
        "id": name(id), "object": "chat.completion", "created": CREATED, "model": asked.model,
        "choices": [{ "index": 0, "message": message, "finish_reason": finish(answer.reason) }],
    });
    if answer.usage.is_known {
        put(&mut whole, "usage", tokens(answer.usage));
    }
    whole
}

pub(super) fn conversation(body: &Value) -> Conversation {
    let messages = at(body, "/messages")
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let question = messages
        .iter()
        .rposition(|message| *at(message, "/role") == "user");
    let question = question.unwrap_or_default();
    let after = messages.get(question + 1..).unwrap_or_default();
    let results = after
        .iter()
        .filter(|message| *at(message, "/role") == "tool");
    let tools = at(body, "/tools").as_array().into_iter().flatten();
    Conversation {
        question: messages
            .get(question)
            .map(|message| text_of(at(message, "/content")))
            .unwrap_or_default(),
        results: results
            .map(|message| text_of(at(message, "/content")))
            .collect(),
        tool: free_tool(
            tools.map(|tool| (at(tool, "/function/name"), at(tool, "/function/parameters"))),
        ),
    }
}

fn name(id: usize) -> String {
    format!("chatcmpl-mock-{id}")
}

fn finish(reason: Reason) -> &'static str {
    match reason {
        Reason::Stop => "stop",
        Reason::ToolCalls => "tool_calls",
        Reason::Length => "length",
        Reason::ContentFilter => "content_filter",
    }
}

fn tokens(usage: Usage) -> Value {
    let Usage { input, output, .. } = usage;
    json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output })
}

fn event(data: &Value) -> Event {
    Event {
        name: None,
        data: data.to_string(),
    }
}
