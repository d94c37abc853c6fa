//! What the model is told of earlier turns.

use std::sync::Arc;

use crate::chat::{Event, EventBody};
use crate::model::Message;

/// Most events looked at; older turns are forgotten.
pub(super) const EVENTS: usize = 400;

/// The whole turns, oldest first. Turns that failed are left out: a question without an answer only confuses a model.
pub(super) fn turns(events: &[Arc<Event>]) -> Vec<Vec<Message>> {
    let turns = events.chunk_by(|a, b| a.turn == b.turn);
    turns.filter_map(turn_messages).collect()
}

/// One turn as messages, `None` if it is not whole or did not end in an answer.
fn turn_messages(events: &[Arc<Event>]) -> Option<Vec<Message>> {
    let (first, last) = (events.first()?, events.last()?);
    let EventBody::User { content, .. } = &first.body else {
        return None;
    };
    let EventBody::Agent {
        content: answer, ..
    } = &last.body
    else {
        return None;
    };
    let mut messages = vec![Message::User(Arc::clone(content))];
    let mut calls = Vec::new();
    for event in events {
        match &event.body {
            EventBody::ToolCall { call, .. } => calls.push(call.clone()),
            EventBody::ToolResult { result, .. } => {
                if !calls.is_empty() {
                    messages.push(Message::Assistant {
                        text: "".into(),
                        tool_calls: std::mem::take(&mut calls),
                    });
                }
                messages.push(Message::Tool(result.clone()));
            }
            // Of an approval the model is told what came of it: the result.
            EventBody::ApprovalRequest { .. }
            | EventBody::ApprovalDecision { .. }
            | EventBody::User { .. }
            | EventBody::Agent { .. }
            | EventBody::Error { .. } => {}
        }
    }
    // Calls that were cancelled before they had results are not part of the conversation.
    messages.push(Message::Assistant {
        text: Arc::clone(answer),
        tool_calls: Vec::new(),
    });
    drop_unanswered_calls(&mut messages);
    Some(messages)
}

/// Models refuse a conversation in which a call has no result.
fn drop_unanswered_calls(messages: &mut [Message]) {
    let answered: Vec<Arc<str>> = messages
        .iter()
        .filter_map(|message| match message {
            Message::Tool(result) => Some(Arc::clone(&result.call_id)),
            Message::User(_) | Message::Assistant { .. } => None,
        })
        .collect();
    for message in messages {
        if let Message::Assistant { tool_calls, .. } = message {
            tool_calls.retain(|call| answered.contains(&call.id));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::chat::{Finish, ToolCall, ToolResult, TraceId, TurnErrorReason, TurnId, Usage};

    fn turn(bodies: Vec<EventBody>) -> Vec<Arc<Event>> {
        let turn = TurnId::random();
        let event = |body| {
            Arc::new(Event {
                seq: 1,
                turn,
                trace: TraceId::default(),
                time: SystemTime::UNIX_EPOCH,
                body,
            })
        };
        bodies.into_iter().map(event).collect()
    }

    fn text(message: &Message) -> &str {
        match message {
            Message::User(text) | Message::Assistant { text, .. } => text,
            Message::Tool(_) => "tool",
        }
    }

    fn user(text: &str) -> EventBody {
        EventBody::User {
            content: text.into(),
            message: None,
        }
    }

    fn answer(text: &str) -> EventBody {
        EventBody::Agent {
            content: text.into(),
            finish: Finish::Completed,
            usage: Usage::default(),
            drawing: None,
        }
    }

    fn call(id: &str) -> EventBody {
        EventBody::ToolCall {
            call: ToolCall {
                id: id.into(),
                name: "list_tables".into(),
                arguments: "{}".into(),
            },
            text_offset: 0,
        }
    }

    fn result(id: &str) -> EventBody {
        EventBody::ToolResult {
            result: ToolResult {
                call_id: id.into(),
                name: "list_tables".into(),
                content: "[]".into(),
                failed: false,
            },
            text_offset: 0,
        }
    }

    #[test]
    fn whole_turns_are_kept_in_order() {
        let mut events = turn(vec![user("first"), answer("1")]);
        events.extend(turn(vec![user("second"), answer("2")]));
        let kept = turns(&events);
        let texts: Vec<Vec<&str>> = kept
            .iter()
            .map(|turn| turn.iter().map(text).collect())
            .collect();
        assert_eq!(texts, [["first", "1"], ["second", "2"]]);
    }

    #[test]
    fn a_failed_turn_and_a_cut_turn_are_left_out() {
        let failed = EventBody::Error {
            reason: TurnErrorReason::Model,
            message: "no".into(),
            partial: "".into(),
        };
        let mut events = turn(vec![result("0"), answer("cut at the front")]);
        events.extend(turn(vec![user("q"), failed]));
        assert_eq!(turns(&events), Vec::<Vec<Message>>::new());
    }

    #[test]
    fn every_call_that_is_told_has_its_result() {
        let events = turn(vec![
            user("q"),
            call("1"),
            call("2"),
            result("2"),
            answer("cancelled"),
        ]);
        let calls: Vec<String> = turns(&events)
            .iter()
            .flatten()
            .filter_map(|message| match message {
                Message::Assistant { tool_calls, .. } => Some(tool_calls),
                Message::User(_) | Message::Tool(_) => None,
            })
            .flatten()
            .map(|call| call.id.to_string())
            .collect();
        assert_eq!(calls, ["2"]);
    }
}
