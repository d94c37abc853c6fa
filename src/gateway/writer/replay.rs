//! An earlier turn's events, read again from the service.

use crate::chat::{Cursor, Event, SessionId, TurnId};
use crate::rpc::client::{Chat, Update};
use crate::rpc::status::Refusal;

/// The log of one turn, whose first event is at `seq`, as far as it is written.
pub(super) async fn events_of(
    chat: &Chat,
    session: &SessionId,
    turn: TurnId,
    seq: u64,
) -> Result<Vec<Event>, Refusal> {
    let before = Cursor {
        seq: seq.saturating_sub(1),
        fingerprint: None,
    };
    let mut conversation = chat.converse(session, Some(before)).await?;
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
