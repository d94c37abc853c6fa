//! A question that was sent again: its turn's frames instead of a second turn.

use std::time::Duration;

use tokio::time::timeout;

use super::{End, Writer};
use crate::chat::{Cursor, Event, EventBody, TurnId};
use crate::gateway::close::Close;
use crate::gateway::frames;
use crate::rpc::client::Update;
use crate::rpc::status::Refusal;

/// How long the frames of an earlier turn may take to be read from the service.
const REPLAY_TIMEOUT: Duration = Duration::from_secs(10);
// === impl Writer ===

impl Writer {
    /// Gives a client that sent its question again the frames of its turn: all of them if its end was sent before,
    /// otherwise those from before the connection, for the rest comes live.
    pub(super) async fn replay(&mut self, turn: TurnId, seq: u64) -> Result<(), End> {
        let events = timeout(REPLAY_TIMEOUT, self.events_of(turn, seq)).await;
        let events = match events {
            Ok(Ok(events)) => events,
            Ok(Err(refusal)) => return Err(End::Close(self.close_for(&refusal))),
            Err(_) => return Err(End::Close(Close::Internal)),
        };
        // The log may be ahead of what has come live.
        let over = events
            .iter()
            .any(|event| event.body.is_final() && event.seq <= self.position);
        for event in &events {
            if over || event.seq < self.first_seq {
                if let EventBody::Error { partial, .. } = &event.body {
                    self.text_before_error(event, partial).await?;
                }
                if let Some(frame) = frames::event(event) {
                    self.send(frame).await?;
                }
                if event.body.is_final() {
                    self.spans.ended(event);
                }
            }
        }
        Ok(())
    }

    /// The log of one turn, as far as it is written.
    async fn events_of(&self, turn: TurnId, seq: u64) -> Result<Vec<Event>, Refusal> {
        let before = Cursor {
            seq: seq.saturating_sub(1),
            fingerprint: None,
        };
        let chat = &self.gateway.0.chat;
        let mut conversation = chat.converse(&self.session, Some(before), false).await?;
        // A conversation whose client side is closed ends where the log ended when it was opened.
        drop(conversation.requests);
        let mut events = Vec::new();
        while let Some(update) = conversation.updates.next().await {
            match update? {
                Update::Event(event) if event.turn == turn => {
                    let ended = event.body.is_final();
                    events.push(event);
                    if ended {
                        break;
                    }
                }
                Update::Event(_) if !events.is_empty() => break,
                _ => {}
            }
        }
        Ok(events)
    }
}
