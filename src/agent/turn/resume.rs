//! The rest of a turn that another process has begun: from what is in the log, without saying anything twice.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::echo::Echo;
use super::{Agent, PARAGRAPH, Stop};
use crate::agent::context::Context;
use crate::chat::{Cursor, Event, EventBody, ToolCall, ToolResult, TurnId, Usage};
use crate::model::Message;
use crate::store::{BeginTurn, Page, Store, StoreError, TurnWriter};

/// Events read at a time.
const PAGE: usize = 100;
/// How many times the time of one turn a turn may take together, however often it is handed over.
const MOST_TIMES: u32 = 3;

/// What was done of a turn before it was handed over.
#[derive(Debug, Clone, PartialEq)]
pub struct Resumed {
    /// When it was asked.
    asked: SystemTime,
    /// The steps that called tools, oldest first; of the last one some results can be missing.
    steps: Vec<Called>,
    /// What was said after them.
    said: String,
}

/// A step that called tools.
#[derive(Debug, Clone, Default, PartialEq)]
struct Called {
    text: String,
    /// Where its calls stand in the turn's text.
    text_offset: usize,
    calls: Vec<ToolCall>,
    results: Vec<ToolResult>,
}

// === impl Resumed ===

impl Resumed {
    /// Reads what the log has of a turn whose `user` event is at `seq` and whose text so far is `text`.
    pub async fn read(
        store: &Store,
        begin: &BeginTurn,
        seq: u64,
        text: &str,
    ) -> Result<Self, StoreError> {
        let mut events = Vec::new();
        let mut after = seq.saturating_sub(1);
        loop {
            let cursor = Cursor {
                seq: after,
                fingerprint: None,
            };
            let Page::Events(page) = store.events(&begin.session, &cursor, PAGE).await? else {
                return Err(StoreError::Fenced);
            };
            let Some(last) = page.last() else {
                return Self::from_events(&events, begin.turn, text).ok_or(StoreError::Fenced);
            };
            after = last.seq;
            events.extend(page);
        }
    }

    /// `None` if the turn is not there.
    fn from_events(events: &[Arc<Event>], turn: TurnId, text: &str) -> Option<Self> {
        let mut of_turn = events.iter().filter(|event| event.turn == turn);
        let asked = of_turn.next()?.time;
        let mut steps: Vec<Called> = Vec::new();
        let mut said_until = 0;
        for event in of_turn {
            match &event.body {
                EventBody::ToolCall { call, text_offset } => {
                    // The calls of a step are one write, and the next step comes after all their results.
                    let same = steps.last_mut().filter(|step| step.results.is_empty());
                    if let Some(step) = same {
                        step.calls.push(call.clone());
                    } else {
                        let piece = text.get(said_until..*text_offset).unwrap_or_default();
                        steps.push(Called {
                            text: piece.to_owned(),
                            text_offset: *text_offset,
                            calls: vec![call.clone()],
                            results: Vec::new(),
                        });
                        said_until = *text_offset;
                    }
                }
                EventBody::ToolResult { result, .. } => {
                    steps.last_mut()?.results.push(result.clone());
                }
                EventBody::User { .. } | EventBody::Agent { .. } | EventBody::Error { .. } => {}
            }
        }
        let said = text.get(said_until..).unwrap_or_default();
        let said = if said_until > 0 {
            said.strip_prefix(PARAGRAPH).unwrap_or(said)
        } else {
            said
        };
        Some(Self {
            asked,
            steps,
            said: said.to_owned(),
        })
    }

    /// The time of a turn anew, but not for ever.
    pub(super) fn time_left(&self, turn_timeout: Duration) -> Duration {
        // A clock that was set back gives it no more than the time of one turn.
        let taken = self.asked.elapsed().unwrap_or_default();
        (turn_timeout * MOST_TIMES)
            .saturating_sub(taken)
            .min(turn_timeout)
    }
}

// === impl Agent ===

impl Agent {
    /// Tells the model's context what was done, and does what is missing of the last step. Tools only read: a call whose
    /// result is not known is run again.
    pub(super) async fn go_on(
        &self,
        resumed: Resumed,
        context: &mut Context,
        log: &mut TurnWriter,
        usage: &mut Usage,
        found: &mut Vec<ToolResult>,
    ) -> Result<Echo, Stop> {
        for step in resumed.steps {
            let results = self
                .answer_calls(&step.calls, step.results, step.text_offset, log)
                .await?;
            usage.steps += 1;
            usage.tool_calls += u32::try_from(results.len()).unwrap_or(u32::MAX);
            context.extend([Message::Assistant {
                text: step.text.into(),
                tool_calls: step.calls,
            }]);
            found.extend_from_slice(&results);
            context.extend(results.into_iter().map(Message::Tool));
        }
        Ok(Echo::of(resumed.said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::TraceId;

    fn event(turn: TurnId, body: EventBody) -> Arc<Event> {
        Arc::new(Event {
            seq: 1,
            turn,
            trace: TraceId::default(),
            time: SystemTime::UNIX_EPOCH,
            body,
        })
    }

    fn call(id: &str) -> ToolCall {
        ToolCall {
            id: id.into(),
            name: "list_tables".into(),
            arguments: "{}".into(),
        }
    }

    fn result(id: &str) -> ToolResult {
        ToolResult {
            call_id: id.into(),
            name: "list_tables".into(),
            content: "[]".into(),
            failed: false,
        }
    }

    #[test]
    fn steps_are_read_from_the_log() {
        let turn = TurnId::random();
        let user = EventBody::User {
            content: "?".into(),
            message: None,
        };
        let called = |id, text_offset| EventBody::ToolCall {
            call: call(id),
            text_offset,
        };
        let answered = |id, text_offset| EventBody::ToolResult {
            result: result(id),
            text_offset,
        };
        let events: Vec<_> = [
            user,
            called("a", 4),
            called("b", 4),
            answered("b", 4),
            answered("a", 4),
            called("c", 11),
        ]
        .into_iter()
        .map(|body| event(turn, body))
        .collect();
        let text = "One.\n\nTwo. \n\nThr";
        let resumed = Resumed::from_events(&events, turn, text).unwrap();
        let first = Called {
            text: "One.".to_owned(),
            text_offset: 4,
            calls: vec![call("a"), call("b")],
            results: vec![result("b"), result("a")],
        };
        let second = Called {
            text: "\n\nTwo. ".to_owned(),
            text_offset: 11,
            calls: vec![call("c")],
            results: Vec::new(),
        };
        assert_eq!(resumed.steps, [first, second]);
        assert_eq!(resumed.said, "Thr");
        let timeout = Duration::from_mins(1);
        assert_eq!(resumed.time_left(timeout), Duration::ZERO, "asked long ago");
        assert_eq!(
            Resumed::from_events(&events, TurnId::random(), text),
            None,
            "another turn"
        );
    }
}
