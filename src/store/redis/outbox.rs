//! A running turn's way to the server: its text in pieces, its events, its lease.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use crate::chat::{SessionId, TraceId, TurnId};
use crate::mutant::{self, Mutant};
use crate::store::request::NewEvent;
use crate::store::{Lost, StoreError, TEXT_BYTES};

use super::commands::{Commands, Piece, Write, Written};

/// The shortest time between two pieces of text, unless there is much of it.
const PACE: Duration = Duration::from_millis(50);
/// Much.
const MUCH: usize = 256;
/// How long to wait after a failed write.
const RETRY: Duration = Duration::from_millis(250);
/// How often a write is repeated because the store has lost text.
const REFILLS: usize = 3;

/// Shared by the writer and the keeper of one turn.
#[derive(Clone)]
pub(in crate::store) struct RedisOutbox(Arc<Inner>);

struct Inner {
    commands: Commands,
    heartbeat: Duration,
    session: SessionId,
    turn: TurnId,
    trace: TraceId,
    state: Mutex<State>,
    grown: Notify,
}

struct State {
    /// Everything that was said.
    text: String,
    /// How much of it the server has.
    stored: usize,
    /// The last sign of life the server took.
    alive: Instant,
    sent: Option<Instant>,
}

// === impl RedisOutbox ===

impl RedisOutbox {
    pub(super) fn new(
        commands: Commands,
        heartbeat: Duration,
        session: SessionId,
        turn: TurnId,
        trace: TraceId,
    ) -> Self {
        Self(Arc::new(Inner {
            commands,
            heartbeat,
            session,
            turn,
            trace,
            state: Mutex::new(State {
                text: String::new(),
                stored: 0,
                alive: Instant::now(),
                sent: None,
            }),
            grown: Notify::new(),
        }))
    }

    /// Takes text; it is sent by [`RedisOutbox::send_all`], or with the next event.
    pub(in crate::store) fn say(&self, delta: &str) -> Result<(), StoreError> {
        let mut state = self.0.lock();
        if state.text.len() + delta.len() > TEXT_BYTES {
            return Err(StoreError::TooLarge {
                what: "the turn's text",
                limit: TEXT_BYTES,
            });
        }
        state.text.push_str(delta);
        drop(state);
        self.0.grown.notify_one();
        Ok(())
    }

    /// What was said so far.
    pub(in crate::store) fn text(&self) -> String {
        self.0.lock().text.clone()
    }

    /// Goes on with a turn whose text the server has.
    pub(in crate::store) fn resume(&self, text: String) {
        let mut state = self.0.lock();
        state.stored = text.len();
        state.text = text;
    }

    /// Sends text as it comes and signs of life, for as long as the turn may go on.
    pub(in crate::store) async fn send_all(&self) -> Lost {
        loop {
            self.0.until_due().await;
            match self.write(0, Vec::new()).await {
                Ok(true) if !mutant::is(Mutant::NoCancel) => return Lost::Stopped,
                Ok(_) => {}
                Err(StoreError::Fenced) => return Lost::Fenced,
                Err(error) => {
                    tracing::debug!(%error, "session store: a turn gives no sign of life");
                    let silent = self.0.lock().alive.elapsed();
                    // Nobody else goes on with it: until its lease is over, an outage costs it nothing but time.
                    if silent > self.0.commands.lease() {
                        return Lost::Unreachable;
                    }
                    sleep(RETRY).await;
                }
            }
        }
    }

    /// Writes events, and the text before them. True if somebody wants the turn stopped.
    pub(super) async fn write(
        &self,
        index: u64,
        events: Vec<NewEvent>,
    ) -> Result<bool, StoreError> {
        for _ in 0..=REFILLS {
            let (piece, length) = self.0.piece();
            let write = Write {
                session: self.0.session.clone(),
                turn: self.0.turn,
                trace: self.0.trace,
                index,
                events: events.clone(),
                text: piece,
            };
            let written = self.0.commands.write(&write).await?;
            let mut state = self.0.lock();
            match written {
                Written::Done { stop } => {
                    state.stored = state.stored.max(length);
                    state.alive = Instant::now();
                    return Ok(stop);
                }
                // It came back without what it had: from there on, once more.
                Written::Hole { length } => state.stored = length,
            }
        }
        Err(StoreError::Unavailable(Arc::from(
            "the Redis server keeps losing text",
        )))
    }

    /// Lets another process take the turn.
    pub(in crate::store) async fn release(&self) -> bool {
        let inner = &self.0;
        // What was said must be there for whoever goes on.
        matches!(self.write(0, Vec::new()).await, Ok(false))
            && inner.commands.release(&inner.session, inner.turn).await == Ok(true)
    }
}

// === impl Inner ===

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the server does not have, and how much it has with it.
    fn piece(&self) -> (Option<Piece>, usize) {
        let mut state = self.lock();
        state.sent = Some(Instant::now());
        let offset = state.text.floor_char_boundary(state.stored);
        let piece = state.text.get(offset..).map(|delta| Piece {
            offset,
            delta: delta.to_owned(),
        });
        (
            piece.filter(|piece| !piece.delta.is_empty()),
            state.text.len(),
        )
    }

    /// Waits until there is something to send: text, at its pace, or a sign of life.
    async fn until_due(&self) {
        loop {
            let grown = self.grown.notified();
            let due = {
                let state = self.lock();
                let waiting = state.text.len() - state.stored.min(state.text.len());
                match (waiting, state.sent) {
                    (0, _) => state.alive + self.heartbeat,
                    (MUCH.., _) | (_, None) => return,
                    (_, Some(sent)) => (sent + PACE).min(state.alive + self.heartbeat),
                }
            };
            tokio::select! {
                () = sleep_until(due) => return,
                () = grown => {}
            }
        }
    }
}

impl fmt::Debug for RedisOutbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisOutbox")
            .field("turn", &self.0.turn)
            .finish_non_exhaustive()
    }
}
