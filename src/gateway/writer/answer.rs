//! The text of the running turn, and how much of it the client has: what conflates partials.

use std::time::Duration;

use tokio::time::Instant;

use crate::chat::{TextChange, TraceId, TurnId};
use crate::gateway::frames;

/// One turn's text as it grows.
#[derive(Debug, Default)]
pub(super) struct Answer {
    turn: Option<TurnId>,
    trace: TraceId,
    text: String,
    /// Length of the text in the last partial; `None` before the first.
    sent: Option<usize>,
    /// When the next partial may go out; `None` if nothing is new.
    due: Option<Instant>,
    last_sent: Option<Instant>,
}

impl Answer {
    /// The text changed. A partial is due at once, or `interval` after the last one.
    pub(super) fn apply(
        &mut self,
        turn: TurnId,
        trace: TraceId,
        change: TextChange,
        interval: Duration,
    ) {
        if self.turn != Some(turn) {
            *self = Self::default();
            self.turn = Some(turn);
            self.trace = trace;
        }
        match change {
            TextChange::Replace(text) => self.text = text,
            TextChange::Append(text) => self.text.push_str(&text),
        }
        if self.due.is_none() && self.sent != Some(self.text.len()) {
            let now = Instant::now();
            let due = self.last_sent.map_or(now, |last| last + interval);
            self.due = Some(due.max(now));
        }
    }

    /// When the next partial is to be taken.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The newest state as a frame, if it is news.
    pub(super) fn take_partial(&mut self) -> Option<(TurnId, String)> {
        self.due.take()?;
        self.sent = Some(self.text.len());
        Some((
            self.turn?,
            frames::partial(&self.text, self.turn?, self.trace),
        ))
    }

    /// The partial was written. The interval counts from here: a slow socket sets the pace.
    pub(super) fn partial_sent(&mut self) {
        self.last_sent = Some(Instant::now());
    }

    /// Length of the text in the last partial of that turn.
    pub(super) fn sent_of(&self, turn: TurnId) -> Option<usize> {
        self.sent.filter(|_| self.turn == Some(turn))
    }
}
