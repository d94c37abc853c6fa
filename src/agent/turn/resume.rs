//! The rest of a turn that another process has begun: from what is in the log, without saying anything twice.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::clock::TurnClock;
use super::echo::Echo;
use super::tool_calls::{Known, failed};
use super::{Agent, PARAGRAPH, Progress, Stop};
use crate::agent::context::Context;
use crate::chat::{Cursor, Event, EventBody, ToolCall, TurnId};
use crate::model::Message;
use crate::store::{BeginTurn, Page, Store, StoreError, TurnWriter};
use crate::tools::Tools;

/// Events read at a time.
const PAGE: usize = 100;
/// How many times the time of one turn a turn may take together, however often it is handed over.
const MOST_TIMES: u32 = 3;

/// What was done of a turn before it was handed over.
#[derive(Debug, Clone, PartialEq)]
pub struct Resumed {
    /// When it was asked.
    asked: SystemTime,
    waits: Waits,
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
    known: Known,
}

/// How long a turn has waited for people.
#[derive(Debug, Clone, Default, PartialEq)]
struct Waits {
    over: Duration,
    /// How many calls wait, and since when there is one.
    calls: usize,
    since: Option<SystemTime>,
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
        let mut waits = Waits::default();
        for event in of_turn {
            match &event.body {
                EventBody::ToolCall { call, text_offset } => {
                    // The calls of a step are one write, and the next step comes after all their results.
                    let same = steps.last_mut().filter(|step| step.known.is_empty());
                    if let Some(step) = same {
                        step.calls.push(call.clone());
                    } else {
                        let piece = text.get(said_until..*text_offset).unwrap_or_default();
                        steps.push(Called {
                            text: piece.to_owned(),
                            text_offset: *text_offset,
                            calls: vec![call.clone()],
                            known: Known::default(),
                        });
                        said_until = *text_offset;
                    }
                }
                EventBody::ToolResult { result, .. } => {
                    steps.last_mut()?.known.results.push(result.clone());
                }
                EventBody::ApprovalRequest { request, .. } => {
                    steps.last_mut()?.known.requests.push(request.clone());
                    waits.begin(event.time);
                }
                EventBody::ApprovalDecision {
                    call_id, decision, ..
                } => {
                    let decided = (Arc::clone(call_id), *decision);
                    steps.last_mut()?.known.decisions.push(decided);
                    waits.end(event.time);
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
            waits,
            steps,
            said: said.to_owned(),
        })
    }

    /// The time of a turn anew, but not for ever. What it has waited for people does not count.
    pub(super) fn time_left(&self, turn_timeout: Duration) -> Duration {
        // A clock that was set back gives it no more than the time of one turn.
        let taken = self.asked.elapsed().unwrap_or_default();
        let taken = taken.saturating_sub(self.waits.so_far());
        (turn_timeout * MOST_TIMES)
            .saturating_sub(taken)
            .min(turn_timeout)
    }
}

// === impl Waits ===

impl Waits {
    fn begin(&mut self, time: SystemTime) {
        self.calls += 1;
        self.since.get_or_insert(time);
    }

    fn end(&mut self, time: SystemTime) {
        self.calls = self.calls.saturating_sub(1);
        if self.calls == 0
            && let Some(since) = self.since.take()
        {
            self.over += time.duration_since(since).unwrap_or_default();
        }
    }

    fn so_far(&self) -> Duration {
        let running = self.since.and_then(|since| since.elapsed().ok());
        self.over + running.unwrap_or_default()
    }
}

// === impl Agent ===

impl Agent {
    /// Tells the model's context what was done, and does what is missing of the last step. Our tools only read: a call
    /// whose result is not known is run again. One of a server's tools, or one that somebody had to allow, is not: it may
    /// do more.
    pub(super) async fn go_on(
        &self,
        resumed: Resumed,
        context: &mut Context,
        clock: &TurnClock,
        log: &mut TurnWriter,
        progress: &mut Progress,
    ) -> Result<Echo, Stop> {
        for mut step in resumed.steps {
            self.give_up(&mut step, log).await?;
            let results = self
                .answer_calls(&step.calls, step.known, step.text_offset, clock, log)
                .await?;
            progress.usage.steps += 1;
            progress.add(&results);
            context.extend([Message::Assistant {
                text: step.text.into(),
                tool_calls: step.calls,
            }]);
            context.extend(results.into_iter().map(Message::Tool));
        }
        Ok(Echo::of(resumed.said))
    }

    /// Answers those of the calls without a result that may not be run twice.
    async fn give_up(&self, step: &mut Called, log: &mut TurnWriter) -> Result<(), Stop> {
        for call in &step.calls {
            // Before somebody has allowed it, a call was not run; afterwards it is not run again.
            if step.known.has(&call.id) || Tools::only_reads(&call.name) {
                continue;
            }
            let message = "the service was interrupted during the call, and it is not known whether it was done. Do not \
                           assume that it was, and call again only if that can do no harm";
            let result = failed(call, message.to_owned());
            let event = EventBody::ToolResult {
                result: result.clone(),
                text_offset: step.text_offset,
            };
            log.append(vec![event]).await.map_err(Stop::Store)?;
            step.known.results.push(result);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{ToolResult, TraceId};

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
            known: Known {
                results: vec![result("b"), result("a")],
                ..Known::default()
            },
        };
        let second = Called {
            text: "\n\nTwo. ".to_owned(),
            text_offset: 11,
            calls: vec![call("c")],
            known: Known::default(),
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
