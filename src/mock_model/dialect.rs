//! The two APIs: what each is asked like, and how each says the same thing.

mod anthropic;
mod openai;

use serde_json::Value;

use super::asked::Asked;
use super::case::{Call, Reason, Shape};

/// Which API is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Chat completions of OpenAI, Azure and those who follow them.
    OpenAi,
    /// Messages of Anthropic.
    Anthropic,
}

/// An event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) name: Option<&'static str>,
    pub(super) data: String,
}

/// An error in words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault<'a> {
    pub(super) status: u16,
    pub(super) code: &'a Value,
    pub(super) kind: Option<&'a str>,
    pub(super) message: &'a str,
    /// Chat completions, in a stream: as an event of the type `error`.
    pub(super) named: bool,
}

/// Something that is said.
#[derive(Debug, Clone, Copy)]
pub(super) enum Said<'a> {
    Text(&'a str),
    Thinking(&'a str),
    Calls(&'a [NamedCall], Shape),
    Fault(Fault<'a>),
    End(Reason, Usage),
}

/// Tokens of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) input: u64,
    pub(super) output: u64,
    /// They are reported at all.
    pub(super) is_known: bool,
    pub(super) with_choices: bool,
}

/// A call with its id.
#[derive(Debug, Clone)]
pub(super) struct NamedCall {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: String,
}

/// Says things in the events of a dialect.
#[derive(Debug)]
pub(super) enum Speaker {
    OpenAi(openai::Speaker),
    Anthropic(anthropic::Speaker),
}

/// What a conversation is about, for the honest answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Conversation {
    /// The last question.
    pub(super) question: String,
    /// What tools have answered to it, with their names where they are known.
    pub(super) results: Vec<String>,
    /// A tool that can be called without arguments.
    pub(super) tool: Option<String>,
}

// === impl Dialect ===

impl Dialect {
    /// The API and the deployment that a path names.
    pub(super) fn of_path(path: &str) -> Option<(Self, Option<String>)> {
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        match parts.as_slice() {
            ["v1" | "openai", "chat", "completions"] | ["openai", "v1", "chat", "completions"] => {
                Some((Self::OpenAi, None))
            }
            ["openai", "deployments", name, "chat", "completions"] => {
                Some((Self::OpenAi, Some(decoded(name))))
            }
            // The second is Azure's.
            ["v1", "messages"] | ["anthropic", "v1", "messages"] => Some((Self::Anthropic, None)),
            _ => None,
        }
    }

    /// The body of an error.
    pub(super) fn error(self, fault: &Fault<'_>) -> Value {
        match self {
            Self::OpenAi => openai::error(fault),
            Self::Anthropic => anthropic::error(fault),
        }
    }

    /// An answer in one piece.
    pub(super) fn whole(self, asked: &Asked, id: usize, answer: &Whole) -> Value {
        match self {
            Self::OpenAi => openai::whole(asked, id, answer),
            Self::Anthropic => anthropic::whole(asked, id, answer),
        }
    }

    /// Reads what is asked.
    pub(super) fn conversation(self, body: &Value) -> Conversation {
        match self {
            Self::OpenAi => openai::conversation(body),
            Self::Anthropic => anthropic::conversation(body),
        }
    }
}

/// An answer in one piece.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) text: String,
    pub(super) calls: Vec<NamedCall>,
    pub(super) reason: Reason,
    pub(super) usage: Usage,
}

// === impl Speaker ===

impl Speaker {
    /// For the answer number `id`.
    pub(super) fn new(asked: &Asked, id: usize) -> Self {
        match asked.dialect {
            Dialect::OpenAi => Self::OpenAi(openai::Speaker::new(asked, id)),
            Dialect::Anthropic => Self::Anthropic(anthropic::Speaker::new(asked, id)),
        }
    }

    /// Tokens that were read, if they are known, for who tells them before the answer.
    pub(super) fn set_input_tokens(&mut self, tokens: Option<u64>) {
        match self {
            Self::OpenAi(_) => {}
            Self::Anthropic(speaker) => speaker.set_input_tokens(tokens),
        }
    }

    /// The events that say this. The first of an answer open it.
    pub(super) fn say(&mut self, said: Said<'_>) -> Vec<Event> {
        match self {
            Self::OpenAi(speaker) => speaker.say(said),
            Self::Anthropic(speaker) => speaker.say(said),
        }
    }

    /// The mark of the end.
    pub(super) fn end_mark(&self) -> Event {
        match self {
            Self::OpenAi(_) => openai::end_mark(),
            Self::Anthropic(_) => anthropic::end_mark(),
        }
    }
}

// === impl NamedCall ===

impl NamedCall {
    /// `call` as often as it is made, with ids that start with `prefix`.
    pub(super) fn all(call: &Call, prefix: &str) -> Vec<Self> {
        let made = (0..call.times).map(|number| Self {
            id: match (&call.id, number) {
                (Some(id), 0) => id.clone(),
                (Some(id), _) => format!("{id}-{number}"),
                (None, _) => format!("{prefix}{number}"),
            },
            name: call.name.clone(),
            arguments: call.text(),
        });
        made.collect()
    }

    /// The arguments in two pieces.
    fn halves(&self) -> (&str, &str) {
        let middle = self.arguments.floor_char_boundary(self.arguments.len() / 2);
        self.arguments.split_at(middle)
    }
}

/// A part of a path without its escapes (RFC 3986, section 2.1).
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(first));
        rest = after
            .get(if escaped.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What stands at `path` (RFC 6901), `null` if nothing does.
pub(super) fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    value.pointer(path).unwrap_or(&Value::Null)
}

/// Sets a field of an object.
fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
}

/// The text of a message, which is a text or a list of parts.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| at(part, "/text").as_str())
            .collect::<Vec<_>>()
            .join("\n"),
        _ => String::new(),
    }
}

/// The first tool whose schema asks for nothing.
fn free_tool<'a>(mut tools: impl Iterator<Item = (&'a Value, &'a Value)>) -> Option<String> {
    let (name, _) =
        tools.find(|(_, schema)| at(schema, "/required").as_array().is_none_or(Vec::is_empty))?;
    name.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_ask_is_known() {
        let of = Dialect::of_path;
        for path in ["/v1/chat/completions", "/openai/v1/chat/completions"] {
            assert_eq!(of(path), Some((Dialect::OpenAi, None)));
        }
        let dated = of("/openai/deployments/429%2Dthen-ok/chat/completions");
        assert_eq!(
            dated,
            Some((Dialect::OpenAi, Some("429-then-ok".to_owned())))
        );
        assert_eq!(of("/v1/messages"), Some((Dialect::Anthropic, None)));
        assert_eq!(of("/v1/completions"), None);
        assert_eq!(decoded("a%zz%4"), "a%zz%4");
    }
}
