//! Going on with a turn that another process began.
//!
//! Tools are read-only, so the log holds all that is needed: the calls, their results, and the text so far. The step that
//! was cut is asked again. While the model repeats what it had said, that is not said twice; if it says something else,
//! that begins as a new paragraph. So the text only ever grows.

use std::sync::Arc;

use crate::chat::{Event, EventBody, ToolCall};
use crate::model::Message;

/// What was done of a turn before. Empty for one that has just begun.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// What the model said and was told after the question.
    pub(super) messages: Vec<Message>,
    /// Calls that have no result yet.
    pub(super) pending: Vec<ToolCall>,
    /// What the step that was cut had said.
    pub(super) repeat: Option<String>,
    /// Steps that were finished, and their calls.
    pub(super) steps: u32,
    pub(super) tool_calls: u32,
}

/// Text that a step may say again.
#[derive(Debug)]
pub(super) enum Heard<'a> {
    /// It was said before.
    Again,
    /// This much of it is new, and follows what was said.
    New(&'a str),
    /// It is not what was said before: the step begins anew.
    Other,
}

// === impl Progress ===

impl Progress {
    /// What the events of a turn, after its question, and its text so far come to.
    pub fn of(events: &[Arc<Event>], said: &str) -> Self {
        let mut progress = Self::default();
        let mut from = 0;
        for event in events {
            match &event.body {
                EventBody::ToolCall { call, text_offset } => {
                    if progress.pending.is_empty() {
                        let step = piece(said, from, *text_offset);
                        from = *text_offset;
                        progress.steps += 1;
                        progress.messages.push(Message::Assistant {
                            text: step.into(),
                            tool_calls: Vec::new(),
                        });
                    }
                    progress.add_call(call);
                }
                EventBody::ToolResult { result, .. } => {
                    progress.tool_calls += 1;
                    progress.pending.retain(|call| call.id != result.call_id);
                    progress.messages.push(Message::Tool(result.clone()));
                }
                EventBody::User { .. } | EventBody::Agent { .. } | EventBody::Error { .. } => {}
            }
        }
        let cut = piece(said, from, said.len());
        progress.repeat = (!cut.is_empty()).then(|| cut.to_owned());
        progress
    }

    fn add_call(&mut self, call: &ToolCall) {
        self.pending.push(call.clone());
        let asked = self
            .messages
            .iter_mut()
            .rev()
            .find_map(|message| match message {
                Message::Assistant { tool_calls, .. } => Some(tool_calls),
                Message::User(_) | Message::Tool(_) => None,
            });
        if let Some(tool_calls) = asked {
            tool_calls.push(call.clone());
        }
    }
}

/// What one step said: a later one was given a paragraph of its own.
fn piece(said: &str, from: usize, to: usize) -> &str {
    let step = said.get(from..to).unwrap_or_default();
    if from > 0 {
        step.strip_prefix("\n\n").unwrap_or(step)
    } else {
        step
    }
}

/// Compares `text` with what is left of what the step had said before, and takes what is the same off it.
pub(super) fn hear<'a>(repeat: &mut Option<String>, text: &'a str) -> Heard<'a> {
    let Some(left) = repeat.take() else {
        return Heard::New(text);
    };
    if let Some(left) = left.strip_prefix(text) {
        *repeat = (!left.is_empty()).then(|| left.to_owned());
        return Heard::Again;
    }
    match text.strip_prefix(left.as_str()) {
        Some(new) => Heard::New(new),
        None => Heard::Other,
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::chat::{ToolResult, TraceId, TurnId};

    fn event(body: EventBody) -> Arc<Event> {
        Arc::new(Event {
            seq: 1,
            turn: TurnId::random(),
            trace: TraceId(1),
            time: SystemTime::UNIX_EPOCH,
            body,
        })
    }

    fn call(id: &str, text_offset: usize) -> Arc<Event> {
        let call = ToolCall {
            id: id.into(),
            name: "list_tables".into(),
            arguments: "{}".into(),
        };
        event(EventBody::ToolCall { call, text_offset })
    }

    fn result(id: &str, text_offset: usize) -> Arc<Event> {
        let result = ToolResult {
            call_id: id.into(),
            name: "list_tables".into(),
            content: "[]".into(),
            failed: false,
        };
        event(EventBody::ToolResult {
            result,
            text_offset,
        })
    }

    #[test]
    fn finished_steps_and_the_cut_one_are_told_apart() {
        let events = [
            call("a", 3),
            call("b", 3),
            result("b", 3),
            result("a", 3),
            call("c", 8),
        ];
        let progress = Progress::of(&events, "one\n\ntwo and");
        assert_eq!((progress.steps, progress.tool_calls), (2, 2));
        assert_eq!(progress.pending.len(), 1);
        assert_eq!(progress.repeat.as_deref(), Some(" and"));
        let said: Vec<_> = progress
            .messages
            .iter()
            .filter_map(|message| match message {
                Message::Assistant { text, tool_calls } => Some((&**text, tool_calls.len())),
                Message::User(_) | Message::Tool(_) => None,
            })
            .collect();
        assert_eq!(said, [("one", 2), ("two", 1)]);
    }

    #[test]
    fn what_is_repeated_is_not_said_again() {
        let mut repeat = Some("abcdef".to_owned());
        assert!(matches!(hear(&mut repeat, "abc"), Heard::Again));
        assert!(matches!(hear(&mut repeat, "defgh"), Heard::New("gh")));
        assert!(matches!(hear(&mut repeat, "i"), Heard::New("i")));
        let mut repeat = Some("abcdef".to_owned());
        assert!(matches!(hear(&mut repeat, "abX"), Heard::Other));
        assert_eq!(repeat, None);
    }
}
