//! A request read as a turn: the question, what tools have answered so far, and what was said
//! before.

use std::cell::RefCell;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::results::{Failure, Outcome};
use crate::chat::ToolCall;
use crate::model::{Message, ToolSpec};

/// The turn a request belongs to. Answers ask it for results with [`Turn::call`]; what is not there
/// yet is noted and becomes the tool calls of this step, so that an answer is written as if all
/// results were at hand.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) question: &'a str,
    /// Earlier turns, oldest first.
    pub(super) earlier: Vec<Exchange<'a>>,
    used: Vec<Used<'a>>,
    steps: usize,
    tools: &'a [ToolSpec],
    wanted: RefCell<Vec<(Tool, Value)>>,
}

/// A turn that is over.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    pub(super) question: &'a str,
    used: Vec<Used<'a>>,
}

/// A tool call and, if it is known, what it came to.
#[derive(Debug)]
struct Used<'a> {
    call: &'a ToolCall,
    arguments: Value,
    result: Option<(&'a str, bool)>,
}

/// A tool the guide knows to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    ListTables,
    TableDetails,
    FindRelationships,
    SearchColumns,
    Lineage,
}

/// An answer cannot be written yet: a result is missing, and its call is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pending(());

// === impl Turn ===

impl<'a> Turn<'a> {
    /// Reads a request; `None` if it holds no question.
    pub(super) fn read(messages: &'a [Message], tools: &'a [ToolSpec]) -> Option<Self> {
        let mut turns: Vec<Exchange<'a>> = Vec::new();
        let mut steps = 0;
        for message in messages {
            match message {
                Message::User(question) => {
                    steps = 0;
                    turns.push(Exchange {
                        question,
                        used: Vec::new(),
                    });
                }
                Message::Assistant {
                    tool_calls,
                    text: _,
                } => {
                    steps += 1;
                    if let Some(turn) = turns.last_mut() {
                        turn.used.extend(tool_calls.iter().map(Used::new));
                    }
                }
                Message::Tool(result) => {
                    let used = turns.last_mut().and_then(|turn| {
                        turn.used
                            .iter_mut()
                            .find(|used| used.call.id == result.call_id)
                    });
                    if let Some(used) = used {
                        used.result = Some((&result.content, result.failed));
                    }
                }
            }
        }
        let current = turns.pop()?;
        Some(Self {
            question: current.question,
            earlier: turns,
            used: current.used,
            steps,
            tools,
            wanted: RefCell::default(),
        })
    }

    /// What `tool` answers to `arguments`. If it was not asked in this turn it is asked in this
    /// step.
    pub(super) fn call<T: DeserializeOwned>(
        &self,
        tool: Tool,
        arguments: Value,
    ) -> Result<Outcome<T>, Pending> {
        if let Some(used) = find(&self.used, tool, &arguments) {
            return Ok(used.outcome());
        }
        if !self.tools.iter().any(|spec| &*spec.name == tool.name()) {
            return Ok(Outcome::Failed(Failure {
                error: format!("the tool {} is not available", tool.name()),
                candidates: Vec::new(),
            }));
        }
        let mut wanted = self.wanted.borrow_mut();
        let call = (tool, arguments);
        if !wanted.contains(&call) {
            wanted.push(call);
        }
        Err(Pending(()))
    }

    /// What `tool` has come to with `arguments` in this turn or, most recently, in an earlier one.
    pub(super) fn known<T: DeserializeOwned>(
        &self,
        tool: Tool,
        arguments: &Value,
    ) -> Option<Outcome<T>> {
        let earlier = self.earlier.iter().rev().map(|turn| &turn.used);
        std::iter::once(&self.used)
            .chain(earlier)
            .find_map(|used| find(used, tool, arguments))
            .map(Used::outcome)
    }

    /// All that `tool` has answered in this turn.
    pub(super) fn had<T: DeserializeOwned>(&self, tool: Tool) -> Vec<T> {
        results(&self.used, tool).collect()
    }

    /// All that `tool` has answered in this turn and the earlier ones, the newest first.
    pub(super) fn all_known<T: DeserializeOwned>(&self, tool: Tool) -> Vec<T> {
        let earlier = self.earlier.iter().rev().map(|turn| &turn.used);
        std::iter::once(&self.used)
            .chain(earlier)
            .flat_map(|used| results(used, tool))
            .collect()
    }

    /// The age of what a tool has answered in this turn, if it said that it may be out of date.
    pub(super) fn stale_since(&self) -> Option<String> {
        let contents = self.used.iter().filter_map(|used| used.result);
        let stale = contents.filter_map(|(content, _)| {
            // Asked first, as a list may be long.
            if !content.contains(r#""is_stale":true"#) {
                return None;
            }
            let result: Value = serde_json::from_str(content).ok()?;
            let objects = match result {
                Value::Array(elements) => elements,
                object => vec![object],
            };
            let said = |object: &Value| {
                let is_stale = object.get("is_stale").and_then(Value::as_bool)?;
                let as_of = object.get("as_of").and_then(Value::as_str)?;
                is_stale.then(|| as_of.to_owned())
            };
            objects.iter().filter_map(said).min()
        });
        stale.min()
    }

    /// The calls this step ends with.
    pub(super) fn into_calls(self) -> Vec<ToolCall> {
        let step = self.steps + 1;
        self.wanted
            .into_inner()
            .into_iter()
            .enumerate()
            .map(|(at, (tool, arguments))| ToolCall {
                id: format!("guide-{step}-{}", at + 1).into(),
                name: tool.name().into(),
                arguments: Arc::from(arguments.to_string()),
            })
            .collect()
    }
}

fn find<'u, 'a>(used: &'u [Used<'a>], tool: Tool, arguments: &Value) -> Option<&'u Used<'a>> {
    used.iter()
        .find(|used| &*used.call.name == tool.name() && used.arguments == *arguments)
}

fn results<T: DeserializeOwned>(used: &[Used<'_>], tool: Tool) -> impl Iterator<Item = T> {
    used.iter()
        .filter(move |used| &*used.call.name == tool.name())
        .filter_map(|used| match used.outcome() {
            Outcome::Done(result) => Some(result),
            Outcome::Failed(_) => None,
        })
}

// === impl Used ===

impl<'a> Used<'a> {
    fn new(call: &'a ToolCall) -> Self {
        Self {
            call,
            arguments: serde_json::from_str(&call.arguments).unwrap_or_default(),
            result: None,
        }
    }

    /// A call without a result, or with one that cannot be read, has failed: asking again would not
    /// end.
    fn outcome<T: DeserializeOwned>(&self) -> Outcome<T> {
        let Some((content, failed)) = self.result else {
            return Outcome::Failed(Failure::from_result("the tool gave no result"));
        };
        if failed {
            return Outcome::Failed(Failure::from_result(content));
        }
        serde_json::from_str(content).map_or_else(
            |_| Outcome::Failed(Failure::from_result("the result could not be read")),
            Outcome::Done,
        )
    }
}

// === impl Tool ===

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::ListTables => "list_tables",
            Self::TableDetails => "get_table_details",
            Self::FindRelationships => "find_relationships",
            Self::SearchColumns => "search_columns",
            Self::Lineage => "get_lineage",
        }
    }
}
