//! The conflation of partials: the text as it grows, and when its newest state goes out.

use std::time::Duration;

use tokio::time::Instant;

use crate::chat::{TextChange, TraceId, TurnId};

/// The text of the running turn, and how much of it the client has.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) turn: Option<TurnId>,
    pub(super) trace: TraceId,
    pub(super) text: String,
    /// Length of the text in the last partial; `None` before the first.
    pub(super) sent: Option<usize>,
    /// When the next partial may go out; `None` if nothing is new.
    pub(super) due: Option<Instant>,
    pub(super) last_sent: Option<Instant>,
}

// === impl Answer ===

impl Answer {
    /// Takes a change, and notes when it may be shown.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(answer: &mut Answer, turn: TurnId, change: TextChange) {
        answer.apply(turn, TraceId(1), change, Duration::from_millis(40));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_text_is_due_at_once_and_the_next_after_the_interval() {
        let (mut answer, turn) = (Answer::default(), TurnId::random());
        say(&mut answer, turn, TextChange::Replace("a".to_owned()));
        assert_eq!(answer.due, Some(Instant::now()));
        (answer.due, answer.sent, answer.last_sent) = (None, Some(1), Some(Instant::now()));
        say(&mut answer, turn, TextChange::Append("b".to_owned()));
        let due = Instant::now() + Duration::from_millis(40);
        assert_eq!(answer.due, Some(due));
        tokio::time::advance(Duration::from_millis(10)).await;
        say(&mut answer, turn, TextChange::Append("c".to_owned()));
        assert_eq!((answer.due, answer.text.as_str()), (Some(due), "abc"));
    }

    #[tokio::test(start_paused = true)]
    async fn another_turn_begins_anew_and_nothing_new_is_not_due() {
        let (mut answer, turn) = (Answer::default(), TurnId::random());
        say(&mut answer, turn, TextChange::Replace("a".to_owned()));
        (answer.due, answer.sent) = (None, Some(1));
        say(&mut answer, turn, TextChange::Append(String::new()));
        assert_eq!(answer.due, None);
        say(
            &mut answer,
            TurnId::random(),
            TextChange::Replace("z".to_owned()),
        );
        assert_eq!((answer.text.as_str(), answer.sent), ("z", None));
    }
}
