use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::oneshot;

use crate::chat::{EventBody, SessionId, Subject, TraceId, TurnId};

use super::feeds::FeedHold;
use super::keeper::Keeper;
use super::request::{Append, NewEvent, Seal, interrupted};
use super::{Approvals, Day, Outbox, Store, StoreError};

/// The one writer of a running turn.
///
/// Every write is refused with [`StoreError::Fenced`] once the turn is not the running one. After
/// [`StoreError::Unavailable`], or when the future was dropped, it is not known whether the write
/// was done: to repeat the same call is safe, and so is to go on with another one.
///
/// A turn must be ended with [`TurnWriter::finish`]. If the writer is dropped before, because its
/// task was aborted or panicked, the turn is ended as interrupted, with the text so far.
pub struct TurnWriter {
    store: Store,
    session: SessionId,
    turn: TurnId,
    trace: TraceId,
    feed: FeedHold,
    outbox: Outbox,
    text_length: usize,
    /// Events of the turn that are known to be in the log; `None` until the store was asked.
    written: Option<u64>,
    /// An append of which it is not known whether it was done.
    in_doubt: Vec<EventBody>,
    finished: bool,
    resumed: bool,
}

// === impl TurnWriter ===

impl TurnWriter {
    pub(super) fn new(store: Store, session: SessionId, turn: TurnId, trace: TraceId) -> Self {
        let feed = store.feed(&session);
        let text_length = feed.text(turn).map_or(0, |text| text.len());
        let outbox = store.outbox(&session, turn, trace);
        Self {
            outbox,
            store,
            session,
            turn,
            trace,
            feed,
            text_length,
            written: None,
            in_doubt: Vec::new(),
            finished: false,
            resumed: false,
        }
    }

    /// Says more of the answer; it becomes durable with the final event. Followers see it at once, or, in a store that
    /// several processes share, once the store has it: that is the keeper's work, or the next event's.
    pub fn text(&mut self, delta: &str) -> Result<(), StoreError> {
        match &self.outbox {
            Outbox::Feed => self.feed.say(self.turn, delta)?,
            Outbox::Redis(outbox) => outbox.say(delta)?,
        }
        self.text_length += delta.len();
        Ok(())
    }

    /// Counts tokens as used up by `subject` today. An answer is worth more than its count: a failure is only logged.
    pub async fn spend(&self, subject: &Subject, tokens: u64) {
        if tokens == 0 {
            return;
        }
        let today = Day::of(SystemTime::now());
        if let Err(error) = self.store.spend(subject, today, tokens).await {
            tracing::warn!(%error, tokens, "tokens could not be counted");
        }
    }

    /// True if another process began the turn, so that there may be events and text already.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Bytes of text said so far: the `text_offset` of the next tool event.
    pub fn text_len(&self) -> usize {
        self.text_length
    }

    /// The text said so far; empty once the turn is not the running one.
    pub fn text_so_far(&self) -> String {
        match &self.outbox {
            Outbox::Feed => self.feed.text(self.turn).unwrap_or_default(),
            Outbox::Redis(outbox) => outbox.text(),
        }
    }

    /// What keeps the turn; there is one. Must be polled as long as the turn runs.
    pub fn keeper(&mut self) -> Keeper {
        let (tell, told) = oneshot::channel();
        self.feed.set_keeper(self.turn, tell);
        Keeper::new(told, self.outbox.clone())
    }

    /// Where decisions about calls of this turn that wait to be allowed are heard.
    pub fn approvals(&self) -> Approvals {
        Approvals::new(
            self.store.clone(),
            self.session.clone(),
            self.turn,
            self.feed.decided(),
        )
    }

    /// A writer of a turn that another process began.
    pub(super) fn resumed(mut self, written: u64, text: String) -> Self {
        self.text_length = text.len();
        self.resumed = true;
        self.written = Some(written);
        if let Outbox::Redis(outbox) = &self.outbox {
            outbox.resume(text);
        }
        self
    }

    /// Lets another process take the turn over, where there can be one: nothing of it is written here any more. `Err` is
    /// the writer back, for who has to end the turn then.
    pub async fn release(mut self) -> Result<(), Self> {
        if let Outbox::Redis(outbox) = &self.outbox
            && outbox.release().await
        {
            self.finished = true;
            return Ok(());
        }
        Err(self)
    }

    /// Appends tool and approval events, all or none.
    pub async fn append(&mut self, bodies: Vec<EventBody>) -> Result<(), StoreError> {
        debug_assert!(
            bodies.iter().all(|body| body.text_offset().is_some()),
            "a turn's question and its final event have their own ways into the log"
        );
        self.write(bodies).await
    }

    /// Appends the final event, which ends the turn.
    pub async fn finish(&mut self, body: EventBody) -> Result<(), StoreError> {
        debug_assert!(body.is_final(), "only a final event ends a turn");
        self.write(vec![body]).await?;
        self.finished = true;
        Ok(())
    }

    async fn write(&mut self, bodies: Vec<EventBody>) -> Result<(), StoreError> {
        let events: Vec<_> = bodies
            .iter()
            .map(|body| NewEvent::new(body.clone()))
            .collect::<Result<_, _>>()?;
        let index = match self.written {
            Some(written) if self.in_doubt.is_empty() || self.in_doubt == bodies => written,
            // What is in doubt is before this question in the store's queue, if it ever got there,
            // so the answer counts it.
            _ => {
                let length = self.store.turn_length(&self.session, self.turn).await?;
                self.in_doubt.clear();
                self.written = Some(length);
                length
            }
        };
        let count = events.len() as u64;
        self.in_doubt = bodies;
        let append = Append {
            session: self.session.clone(),
            turn: self.turn,
            trace: self.trace,
            index,
            events,
        };
        let outcome = self.store.append(append, &self.outbox).await;
        if !matches!(outcome, Err(StoreError::Unavailable(_))) {
            self.in_doubt.clear();
        }
        if outcome.is_ok() {
            self.written = Some(index + count);
        }
        outcome
    }
}

impl Drop for TurnWriter {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        // A turn that is not the running one has no text, and needs no end.
        let partial = match &self.outbox {
            Outbox::Feed => self.feed.text(self.turn),
            Outbox::Redis(outbox) => Some(outbox.text()),
        };
        let Some(partial) = partial else {
            return;
        };
        // A text of nothing but escapes can be too large as JSON. Better no text than no end.
        let event = NewEvent::new(interrupted(Arc::from(partial)))
            .or_else(|_| NewEvent::new(interrupted(Arc::from(""))));
        if let Ok(event) = event {
            tracing::warn!(turn = %self.turn, "a turn was left by its writer and is ended");
            self.store.seal(Seal {
                session: self.session.clone(),
                turn: self.turn,
                trace: self.trace,
                event,
            });
        }
    }
}

impl fmt::Debug for TurnWriter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TurnWriter")
            .field("session", &self.session)
            .field("turn", &self.turn)
            .field("text_length", &self.text_length)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}
