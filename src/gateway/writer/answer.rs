//! The conflation of partials: the text as it grows, and when its newest state goes out, whole or as what is new.
//!
//! A text that a client has never shrinks. After a fail-over the service may say the text of a turn anew: as far as it is
//! what the client has, nothing is sent; where it goes on, the rest is; where it differs, the whole. To tell, a hash of
//! what was sent is kept, not the text.

mod sent;

use std::time::Duration;

use tokio::time::Instant;

use self::sent::Sent;
use crate::chat::{TextChange, TraceId, TurnId};
use crate::gateway::frames::{self, Said};

/// How a connection is told what an answer says so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::gateway) enum Partials {
    /// Each partial has the whole text: version 1.
    #[default]
    Cumulative,
    /// The first has the whole text, the others what is new.
    Delta,
}

/// The text of the running turn, and how much of it the client has.
#[derive(Debug, Default)]
pub(super) struct Answer {
    partials: Partials,
    turn: Option<TurnId>,
    trace: TraceId,
    /// The text from byte `start` on.
    text: String,
    /// Where `text` begins: at 0, or, where deltas are sent, where the last one ended.
    start: usize,
    /// What the client has; `None` before the first partial.
    sent: Option<Sent>,
    /// True while `text` was said anew and is still shorter than what the client has.
    behind: bool,
    /// When the next partial may go out; `None` if nothing is new.
    pub(super) due: Option<Instant>,
    last_sent: Option<Instant>,
}

// === impl Answer ===

impl Answer {
    pub(super) fn new(partials: Partials) -> Self {
        Self {
            partials,
            ..Self::default()
        }
    }

    /// Forgets the text: another turn, or none, follows.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.partials);
    }

    /// True if it is of `turn`.
    pub(super) fn is_of(&self, turn: TurnId) -> bool {
        self.turn == Some(turn)
    }

    /// True once the client has some of it.
    pub(super) fn is_shown(&self) -> bool {
        self.sent.is_some()
    }

    /// Takes a change, and notes when it may be shown.
    pub(super) fn apply(
        &mut self,
        turn: TurnId,
        trace: TraceId,
        change: TextChange,
        interval: Duration,
    ) {
        if self.turn != Some(turn) {
            self.clear();
            self.turn = Some(turn);
            self.trace = trace;
        }
        match change {
            TextChange::Replace(text) => {
                self.text = text;
                self.start = 0;
                self.behind = self.sent.is_some();
            }
            TextChange::Append(text) => self.text.push_str(&text),
        }
        self.catch_up();
        if !self.is_new() {
            self.due = None;
        } else if self.due.is_none() {
            let now = Instant::now();
            let due = self.last_sent.map_or(now, |last| last + interval);
            self.due = Some(due.max(now));
        }
    }

    /// The frame that brings the client up to date, which then counts as sent; `None` if nothing is new.
    pub(super) fn next_frame(&mut self) -> Option<(TurnId, String)> {
        self.due = None;
        let turn = self.turn.filter(|_| self.is_new())?;
        let known = self.sent.as_ref().map_or(0, Sent::length) - self.start;
        let new = self.text.get(known..)?;
        let said = match (self.partials, &self.sent) {
            (Partials::Delta, Some(_)) => Said::More(new),
            _ => Said::Whole(&self.text),
        };
        let frame = frames::partial(said, turn, self.trace);
        self.sent.get_or_insert_default().add(new);
        self.last_sent = Some(Instant::now());
        if self.partials == Partials::Delta {
            self.start += self.text.len();
            // Given back: between two partials there is nothing to keep.
            self.text = String::new();
        }
        Some((turn, frame))
    }

    /// Compares a text that was said anew with what the client has, once it is as long.
    fn catch_up(&mut self) {
        let Some(sent) = self.sent.as_ref().filter(|_| self.behind) else {
            return;
        };
        let length = sent.length();
        let Some(same) = self.text.as_bytes().get(..length) else {
            return;
        };
        self.behind = false;
        if !sent.is(same) {
            self.sent = None;
        } else if self.partials == Partials::Delta {
            self.text = self.text.split_off(length);
            self.start = length;
        }
    }

    fn is_new(&self) -> bool {
        let sent = self.sent.as_ref().map_or(0, Sent::length);
        !self.behind && self.start + self.text.len() > sent
    }
}

#[cfg(test)]
mod tests;
