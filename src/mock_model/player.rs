use std::time::Duration;

use super::asked::Asked;
use super::case::{Entry, Reason, Shape};
use super::dialect::{Fault, NamedCall, Said, Speaker, Usage, Whole};
use super::honest;
use super::wire::{Manner, Stopped, Wire};

/// How a reply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// As it stands in its case.
    Played,
    /// Before that.
    Stopped(Stopped),
}

/// Plays one reply.
#[derive(Debug)]
pub(super) struct Player<'a> {
    asked: &'a Asked,
    /// The number of the answer.
    id: usize,
    wire: Wire,
    speaker: Speaker,
    said: Whole,
    entries: usize,
    has_ended: bool,
    no_end_mark: bool,
}

// === impl Player ===

impl<'a> Player<'a> {
    pub(super) fn new(asked: &'a Asked, id: usize, wire: Wire) -> Self {
        Self {
            asked,
            id,
            wire,
            speaker: Speaker::new(asked, id),
            said: Whole {
                text: String::new(),
                calls: vec![],
                reason: Reason::Stop,
                usage: Usage {
                    input: asked.tokens(),
                    output: 0,
                    is_known: true,
                    with_choices: false,
                },
            },
            entries: 0,
            has_ended: false,
            no_end_mark: false,
        }
    }

    /// Plays `entries` to their end.
    pub(super) async fn play(mut self, entries: &[Entry]) -> Ended {
        let honest;
        let entries = match entries {
            [before @ .., Entry::Honest] => {
                let answer = honest::answer(self.asked);
                honest = [before, &answer].concat();
                &honest
            }
            entries => entries,
        };
        for entry in entries {
            self.entries += 1;
            let played = match entry {
                Entry::Close => {
                    let begun = self.wire.begin().await;
                    return ended(match begun {
                        Ok(()) => self.wire.close().await,
                        Err(stopped) => Err(stopped),
                    });
                }
                Entry::Drop => return ended(self.wire.begin().await),
                Entry::Reset => {
                    self.wire.reset();
                    return Ended::Played;
                }
                entry => self.entry(entry).await,
            };
            if let Err(stopped) = played {
                return Ended::Stopped(stopped);
            }
        }
        ended(self.finish().await)
    }

    async fn entry(&mut self, entry: &Entry) -> Result<(), Stopped> {
        match entry {
            Entry::Text(text) => self.text(text).await,
            Entry::Pieces(pieces) => {
                for piece in pieces {
                    self.text(piece).await?;
                }
                Ok(())
            }
            Entry::Repeat {
                text,
                times,
                pause_ms,
            } => {
                for _ in 0..times.unwrap_or(u32::MAX) {
                    self.text(text).await?;
                    self.wire.pause(Duration::from_millis(*pause_ms)).await?;
                }
                Ok(())
            }
            Entry::Letters(count) => {
                if self.asked.streams {
                    // So many letters take their time to be made.
                    self.wire.begin().await?;
                }
                self.text(&"x".repeat(*count)).await
            }
            Entry::Thinking(text) => self.say(Said::Thinking(text)).await,
            Entry::DelayMs(pause) => self.wire.pause(Duration::from_millis(*pause)).await,
            Entry::Call(call) => self.calls(std::slice::from_ref(call), Shape::Plain).await,
            Entry::Calls { calls, shape } => self.calls(calls, *shape).await,
            Entry::Usage {
                input_tokens,
                output_tokens,
                with_choices,
            } => {
                self.said.usage = Usage {
                    input: *input_tokens,
                    output: *output_tokens,
                    is_known: true,
                    with_choices: *with_choices,
                };
                self.speaker.set_input_tokens(Some(*input_tokens));
                Ok(())
            }
            Entry::NoUsage => {
                self.said.usage.is_known = false;
                self.speaker.set_input_tokens(None);
                Ok(())
            }
            Entry::End(reason) => {
                self.said.reason = *reason;
                self.end().await
            }
            Entry::Refuse {
                status,
                headers,
                code,
                kind,
                message,
            } => {
                let error = self.asked.dialect.error(&Fault {
                    status: *status,
                    code,
                    kind: kind.as_deref(),
                    message,
                    named: false,
                });
                let error = error.to_string();
                self.wire
                    .answer(*status, "application/json", headers, &error)
                    .await
            }
            Entry::Body {
                status,
                content_type,
                headers,
                body,
            } => {
                let text = body
                    .as_str()
                    .map_or_else(|| body.to_string(), str::to_owned);
                self.wire
                    .answer(*status, content_type, headers, &text)
                    .await
            }
            Entry::Fail {
                code,
                kind,
                message,
                named,
            } => {
                self.has_ended = true;
                let fault = Fault {
                    status: 500,
                    code,
                    kind: Some(kind),
                    message,
                    named: *named,
                };
                self.say(Said::Fault(fault)).await
            }
            Entry::Data(data) => {
                let data = data
                    .as_str()
                    .map_or_else(|| data.to_string(), str::to_owned);
                self.wire
                    .event(&super::dialect::Event { name: None, data })
                    .await
            }
            Entry::EndlessEvent => self.wire.endless_event().await,
            Entry::Comment {
                text,
                times,
                pause_ms,
            } => {
                for _ in 0..times.unwrap_or(u32::MAX) {
                    self.wire.comment(text).await?;
                    self.wire.pause(Duration::from_millis(*pause_ms)).await?;
                }
                Ok(())
            }
            Entry::Raw(text) => self.wire.raw(text).await,
            Entry::Wire {
                crlf,
                byte_order_mark,
                piece_bytes,
                no_end_mark,
            } => {
                self.no_end_mark = *no_end_mark;
                self.wire.set_manner(Manner {
                    crlf: *crlf,
                    byte_order_mark: *byte_order_mark,
                    piece_bytes: *piece_bytes,
                });
                Ok(())
            }
            Entry::Hang => Err(self.wire.left().await),
            // Played by `play`, which has the connection to end.
            Entry::Honest | Entry::Close | Entry::Drop | Entry::Reset => Ok(()),
        }
    }

    async fn text(&mut self, text: &str) -> Result<(), Stopped> {
        self.said.usage.output += (text.len() as u64).div_ceil(4);
        if !self.asked.streams {
            self.said.text.push_str(text);
        }
        self.say(Said::Text(text)).await
    }

    async fn calls(&mut self, calls: &[super::Call], shape: Shape) -> Result<(), Stopped> {
        let named: Vec<NamedCall> = calls
            .iter()
            .enumerate()
            .flat_map(|(at, call)| {
                NamedCall::all(call, &format!("call_{}_{}_{at}_", self.id, self.entries))
            })
            .collect();
        let written = named
            .iter()
            .map(|call| call.name.len() + call.arguments.len());
        self.said.usage.output += (written.sum::<usize>() as u64).div_ceil(4);
        self.said.reason = Reason::ToolCalls;
        self.say(Said::Calls(&named, shape)).await?;
        self.said.calls.extend(named);
        Ok(())
    }

    /// In pieces, if it is to come in pieces; the rest is said at the end.
    async fn say(&mut self, said: Said<'_>) -> Result<(), Stopped> {
        if let (false, Said::Fault(fault)) = (self.asked.streams, said) {
            let error = self.asked.dialect.error(&fault).to_string();
            let headers = std::collections::BTreeMap::new();
            return self
                .wire
                .answer(fault.status, "application/json", &headers, &error)
                .await;
        }
        if self.asked.streams {
            for event in self.speaker.say(said) {
                self.wire.event(&event).await?;
            }
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<(), Stopped> {
        self.has_ended = true;
        if self.asked.streams {
            self.say(Said::End(self.said.reason, self.said.usage))
                .await?;
            if self.no_end_mark {
                return Ok(());
            }
            return self.wire.event(&self.speaker.end_mark()).await;
        }
        let whole = self.asked.dialect.whole(self.asked, self.id, &self.said);
        let headers = std::collections::BTreeMap::new();
        self.wire
            .answer(200, "application/json", &headers, &whole.to_string())
            .await
    }

    async fn finish(mut self) -> Result<(), Stopped> {
        if !self.has_ended && self.entries > 0 && !self.wire.is_bare() {
            self.end().await?;
        }
        self.wire.close().await
    }
}

fn ended(result: Result<(), Stopped>) -> Ended {
    match result {
        Ok(()) => Ended::Played,
        Err(stopped) => Ended::Stopped(stopped),
    }
}
