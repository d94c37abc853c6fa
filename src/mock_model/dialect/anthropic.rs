//! <https://docs.anthropic.com/en/api/messages-streaming>

use serde_json::{Value, json};

use super::{
    Conversation, Event, Fault, NamedCall, Said, Shape, Whole, at, free_tool, put, text_of,
};
use crate::mock_model::asked::Asked;
use crate::mock_model::case::Reason;

/// Says things in blocks.
#[derive(Debug)]
pub(in crate::mock_model) struct Speaker {
    id: String,
    model: String,
    input_tokens: Option<u64>,
    has_begun: bool,
    /// How many blocks were opened.
    blocks: usize,
    /// The type of the block that is open, which is the last one.
    open: Option<&'static str>,
}

// === impl Speaker ===

impl Speaker {
    pub(super) fn new(asked: &Asked, id: usize) -> Self {
        Self {
            id: name(id),
            model: asked.model.clone(),
            input_tokens: Some(asked.tokens()),
            has_begun: false,
            blocks: 0,
            open: None,
        }
    }

    pub(super) fn set_input_tokens(&mut self, tokens: Option<u64>) {
        self.input_tokens = tokens;
    }

    pub(super) fn say(&mut self, said: Said<'_>) -> Vec<Event> {
        let mut events = self.begin(said);
        match said {
            Said::Text(text) => {
                events.extend(self.block("text", &json!({ "type": "text", "text": "" })));
                events.push(self.delta(&json!({ "type": "text_delta", "text": text })));
            }
            Said::Thinking(text) => {
                let begin = json!({ "type": "thinking", "thinking": "", "signature": "" });
                events.extend(self.block("thinking", &begin));
                events.push(self.delta(&json!({ "type": "thinking_delta", "thinking": text })));
            }
            Said::Calls(calls, shape) => {
                events.extend(self.close());
                events.extend(self.calls(calls, shape));
            }
            Said::Fault(fault) => events.push(event("error", &error(&fault))),
            Said::End(reason, usage) => {
                events.extend(self.close());
                let mut last = json!({
                    "type": "message_delta",
                    "delta": { "stop_reason": stop(reason), "stop_sequence": null },
                });
                if usage.is_known {
                    let mut tokens = json!({ "output_tokens": usage.output });
                    if usage.with_choices {
                        put(&mut tokens, "input_tokens", usage.input.into());
                    }
                    put(&mut last, "usage", tokens);
                }
                events.push(event("message_delta", &last));
            }
        }
        events
    }

    fn begin(&mut self, said: Said<'_>) -> Vec<Event> {
        if std::mem::replace(&mut self.has_begun, true) || matches!(said, Said::Fault(_)) {
            return vec![];
        }
        let mut message = json!({
            "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": [],
            "stop_reason": null, "stop_sequence": null,
        });
        if let Some(tokens) = self.input_tokens {
            put(
                &mut message,
                "usage",
                json!({ "input_tokens": tokens, "output_tokens": 1 }),
            );
        }
        vec![
            event(
                "message_start",
                &json!({ "type": "message_start", "message": message }),
            ),
            event("ping", &json!({ "type": "ping" })),
        ]
    }

    /// Opens a block of this type if another is open, or none.
    fn block(&mut self, kind: &'static str, begin: &Value) -> Vec<Event> {
        if self.open == Some(kind) {
            return vec![];
        }
        let mut events = self.close();
        events.push(start(Some(self.blocks), begin));
        self.blocks += 1;
        self.open = Some(kind);
        events
    }

    fn delta(&self, delta: &Value) -> Event {
        part(Some(self.blocks.saturating_sub(1)), delta)
    }

    fn close(&mut self) -> Vec<Event> {
        let index = Some(self.blocks.saturating_sub(1));
        match self.open.take() {
            None => vec![],
            Some("thinking") => {
                let signed = json!({ "type": "signature_delta", "signature": "bW9jaw==" });
                vec![part(index, &signed), end(index)]
            }
            Some(_) => vec![end(index)],
        }
    }

    fn calls(&mut self, calls: &[NamedCall], shape: Shape) -> Vec<Event> {
        let first = self.blocks;
        self.blocks += calls.len();
        let index = |at: usize| match shape {
            Shape::Plain | Shape::Interleaved => Some(first + at),
            Shape::SameIndex => Some(first),
            Shape::NoIndex => None,
        };
        let calls = calls.iter().enumerate();
        let heads = calls.clone().map(|(at, call)| {
            let block =
                json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": {} });
            start(index(at), &block)
        });
        let piece = |at, json: &str| {
            part(
                index(at),
                &json!({ "type": "input_json_delta", "partial_json": json }),
            )
        };
        let left = calls.clone().map(|(at, call)| piece(at, call.halves().0));
        let right = calls.clone().map(|(at, call)| piece(at, call.halves().1));
        let ends = calls.map(|(at, _)| end(index(at)));
        if shape == Shape::Interleaved {
            return heads.chain(left).chain(right).chain(ends).collect();
        }
        let rows = heads.zip(left).zip(right.zip(ends));
        rows.flat_map(|((head, left), (right, end))| [head, left, right, end])
            .collect()
    }
}

pub(super) fn end_mark() -> Event {
    event("message_stop", &json!({ "type": "message_stop" }))
}

/// <https://docs.anthropic.com/en/api/errors>
pub(super) fn error(fault: &Fault<'_>) -> Value {
    let kind = fault.kind.unwrap_or(match fault.status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    });
    json!({
        "type": "error", "error": { "type": kind, "message": fault.message }, "request_id": "req_mock",
    })
}

pub(super) fn whole(asked: &Asked, id: usize, answer: &Whole) -> Value {
    let text = (!answer.text.is_empty()).then(|| json!({ "type": "text", "text": answer.text }));
    let calls = answer.calls.iter().map(|call| {
        // Arguments that are no JSON cannot be said in one piece.
        let input: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
        json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": input })
    });
    let content: Value = text.into_iter().chain(calls).collect();
    json!({
        "id": name(id), "type": "message", "role": "assistant", "model": asked.model, "content": content,
        "stop_reason": stop(answer.reason), "stop_sequence": null,
        "usage": { "input_tokens": answer.usage.input, "output_tokens": answer.usage.output },
    })
}

pub(super) fn conversation(body: &Value) -> Conversation {
    let messages = at(body, "/messages")
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let results = |message: &Value| -> Vec<String> {
        let parts = at(message, "/content").as_array().into_iter().flatten();
        let results = parts.filter(|part| *at(part, "/type") == "tool_result");
        results.map(|part| text_of(at(part, "/content"))).collect()
    };
    let is_question =
        |message: &Value| *at(message, "/role") == "user" && results(message).is_empty();
    let question = messages.iter().rposition(is_question).unwrap_or_default();
    let after = messages.get(question + 1..).unwrap_or_default();
    let tools = at(body, "/tools").as_array().into_iter().flatten();
    Conversation {
        question: messages
            .get(question)
            .map(|message| text_of(at(message, "/content")))
            .unwrap_or_default(),
        results: after.iter().flat_map(results).collect(),
        tool: free_tool(tools.map(|tool| (at(tool, "/name"), at(tool, "/input_schema")))),
    }
}

fn name(id: usize) -> String {
    format!("msg_mock_{id}")
}

fn stop(reason: Reason) -> &'static str {
    match reason {
        Reason::Stop => "end_turn",
        Reason::ToolCalls => "tool_use",
        Reason::Length => "max_tokens",
        Reason::ContentFilter => "refusal",
    }
}

fn start(index: Option<usize>, block: &Value) -> Event {
    let data = json!({ "type": "content_block_start", "content_block": block });
    event("content_block_start", &indexed(data, index))
}

fn part(index: Option<usize>, delta: &Value) -> Event {
    let data = json!({ "type": "content_block_delta", "delta": delta });
    event("content_block_delta", &indexed(data, index))
}

fn end(index: Option<usize>) -> Event {
    let data = json!({ "type": "content_block_stop" });
    event("content_block_stop", &indexed(data, index))
}

fn indexed(mut data: Value, index: Option<usize>) -> Value {
    if let Some(index) = index {
        put(&mut data, "index", index.into());
    }
    data
}

fn event(name: &'static str, data: &Value) -> Event {
    Event {
        name: Some(name),
        data: data.to_string(),
    }
}
