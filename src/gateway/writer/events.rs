//! Entries of the log as frames, and what goes before and after them.

use std::time::Duration;

use axum::extract::ws::Message;

use super::{End, Writer};
use crate::chat::{Event, EventBody, TextChange, TraceId};
use crate::gateway::frames::{self, Said};

/// An answer up to this length, in bytes, may come without a partial.
const FEW_WORDS: usize = 40;

// === impl Writer ===

impl Writer {
    pub(super) async fn event(&mut self, event: &Event) -> Result<(), End> {
        // The end of a turn that was missed comes first, and is from before the position.
        self.position = self.position.max(event.seq);
        match &event.body {
            EventBody::User { message, .. } => {
                self.running = Some(event.turn);
                self.answer.clear();
                if let Some(message) = message {
                    self.spans.accepted(message.as_str(), event.turn);
                }
            }
            // The text before a tool was used belongs before its frame.
            EventBody::ToolResult { .. } | EventBody::ApprovalRequest { .. } => {
                self.send_partial().await?
            }
            EventBody::Agent { content, .. } => self.last_partial(event, content).await?,
            EventBody::Error { partial, .. } => self.text_before_error(event, partial).await?,
            EventBody::ToolCall { .. } | EventBody::ApprovalDecision { .. } => {}
        }
        if let Some(frame) = frames::event(event) {
            self.send(frame).await?;
        }
        if event.body.is_final() {
            self.answer.clear();
            self.running = None;
            self.spans.ended(event);
            self.ask_delivered(event).await?;
        }
        Ok(())
    }

    /// Asks whether the client has the end of a turn: its pong, which every WebSocket client sends by itself, comes after
    /// it has received all that was written before. Of history only the last one matters.
    async fn ask_delivered(&mut self, event: &Event) -> Result<(), End> {
        if event.seq < self.history_end {
            return Ok(());
        }
        let mark = event.seq.to_string();
        self.write(Message::Ping(mark.into())).await
    }

    /// An answer of more than a few words is never without a partial: old clients show that something is coming.
    async fn last_partial(&mut self, event: &Event, content: &str) -> Result<(), End> {
        // A turn that was over when the connection was opened is history: it is shown as it is.
        let live = event.seq > self.history_end;
        if live && !self.answer.is_shown() && content.len() > FEW_WORDS {
            let whole = Said::Whole(content);
            self.send(frames::partial(whole, event.turn, event.trace))
                .await?;
            self.spans.partial_sent(event.turn);
        }
        Ok(())
    }

    /// What was said before a turn failed is in no frame but a partial.
    pub(super) async fn text_before_error(&mut self, event: &Event, text: &str) -> Result<(), End> {
        if text.is_empty() {
            return Ok(());
        }
        if !self.answer.is_of(event.turn) {
            let whole = Said::Whole(text);
            return self
                .send(frames::partial(whole, event.turn, event.trace))
                .await;
        }
        let change = TextChange::Replace(text.to_owned());
        self.answer
            .apply(event.turn, event.trace, change, Duration::ZERO);
        self.send_partial().await
    }

    /// The log is another one: whoever waits for an answer that was in the old one is told not to.
    pub(super) async fn answers_lost(&mut self) -> Result<(), End> {
        let mut lost = self.spans.lost();
        // One that somebody else asked for.
        if let Some(turn) = self.running.take()
            && lost.iter().all(|(known, _)| *known != turn)
        {
            lost.push((turn, TraceId::default()));
        }
        for (turn, trace) in lost {
            self.send(frames::lost(turn, trace)).await?;
        }
        Ok(())
    }
}
