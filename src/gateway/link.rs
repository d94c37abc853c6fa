//! A conversation that outlives the agent it is with.
//!
//! Between a connection and [`rpc::client`](crate::rpc::client), with the same surface. When the agent goes, or says that
//! it is about to, the conversation is opened again on another one with the cursor of what was passed on: events come once,
//! text does not shrink, and questions that were not answered are asked again under their ids. An agent in this process
//! never goes before the gateway does, so there all of this is left out.

mod dial;
mod outgoing;
mod text;

use std::sync::Arc;

use tokio::time::Instant;

use self::dial::{Dial, Dialed, Dialer, Trouble};
use self::outgoing::{Outgoing, Verdict};
use self::text::Said;
use crate::chat::{Cursor, EventBody, SessionId};
use crate::mutant::{self, Mutant};
use crate::rpc::client::{Avoid, Chat, Update, Updates};
use crate::rpc::status::{Refusal, RefusalKind};

pub(super) use self::outgoing::LinkRequests;

/// Both directions.
pub(super) struct Link {
    pub(super) requests: LinkRequests,
    pub(super) updates: LinkUpdates,
}

/// What the service says, whichever agent says it.
pub(super) struct LinkUpdates {
    dialer: Dialer,
    outgoing: Arc<Outgoing>,
    /// What the conversation in use says; `None` between two.
    stream: Option<Updates>,
    /// Being opened. A future that is kept: whoever waits for the next update may stop waiting at any time.
    dial: Option<Dial>,
    /// The first thing said, which opening had to read.
    first: Option<Update>,
    /// The last event passed on, or where the conversation began.
    cursor: Cursor,
    /// True once the conversation in use is not the first one.
    reopened: bool,
    said: Said,
    trouble: Trouble,
    /// True once the agent has said that it leaves.
    leaving: bool,
}

// === impl Link ===

impl Link {
    /// Opens a conversation.
    pub(super) async fn open(
        chat: &Chat,
        session: &SessionId,
        after: Option<Cursor>,
    ) -> Result<Self, Refusal> {
        let mut dialer = Dialer::new(chat.clone(), session.clone(), after.is_none());
        let cursor = after.clone().unwrap_or_default();
        let Dialed {
            conversation,
            opened,
        } = if chat.is_remote() {
            dialer.first(after.clone()).await?
        } else {
            Dialed {
                conversation: chat
                    .converse(session, after.clone(), after.is_none())
                    .await?,
                opened: None,
            }
        };
        dialer.agent = conversation.agent;
        let outgoing = Arc::new(Outgoing::new(chat.is_remote()));
        let mut updates = LinkUpdates {
            dialer,
            outgoing: Arc::clone(&outgoing),
            stream: Some(conversation.updates),
            dial: None,
            first: None,
            cursor,
            reopened: false,
            said: Said::default(),
            trouble: Trouble::default(),
            leaving: false,
        };
        if let Some((end, running)) = opened {
            if after.is_none() {
                updates.cursor = end.clone();
            }
            outgoing.passed(updates.cursor.seq);
            outgoing.runs(running);
            updates.first = Some(Update::Opened { end, running });
        }
        outgoing.connect(conversation.requests);
        Ok(Self {
            requests: LinkRequests(outgoing),
            updates,
        })
    }
}

// === impl LinkUpdates ===

impl LinkUpdates {
    /// The next thing the service says; `None` when it has closed the stream. Safe to drop while waiting.
    pub(super) async fn next(&mut self) -> Option<Result<Update, Refusal>> {
        if let Some(opened) = self.first.take() {
            return Some(Ok(opened));
        }
        loop {
            if self.dialer.chat.is_remote() {
                self.outgoing.pump();
            }
            let item = match (&mut self.stream, &mut self.dial) {
                (Some(stream), None) => stream.next().await,
                (Some(stream), Some(dial)) => tokio::select! {
                    biased;
                    item = stream.next() => item,
                    dialed = dial => {
                        self.dialed(dialed);
                        continue;
                    }
                },
                (None, Some(dial)) => {
                    let dialed = dial.await;
                    match self.dialed(dialed) {
                        Some(refusal) => return Some(Err(refusal)),
                        None => continue,
                    }
                }
                (None, None) => return None,
            };
            if !self.dialer.chat.is_remote() {
                return item;
            }
            match item {
                Some(Ok(update)) => {
                    if let Some(update) = self.take(update) {
                        return Some(Ok(update));
                    }
                }
                Some(Err(refusal)) if refusal.kind == RefusalKind::Unavailable => {
                    if mutant::is(Mutant::NoRedial) {
                        return Some(Err(refusal));
                    }
                    tracing::debug!(%refusal, "a conversation broke and is opened again");
                    self.open_again();
                }
                None if !mutant::is(Mutant::NoRedial) => self.open_again(),
                ended => return ended,
            }
        }
    }

    /// Takes an update; `None` if it is nothing to pass on.
    fn take(&mut self, update: Update) -> Option<Update> {
        match update {
            Update::Opened { .. } => None,
            Update::Event(event) => {
                if self.reopened && event.seq <= self.cursor.seq {
                    return None;
                }
                // What a client has missed is from before its cursor.
                if event.seq > self.cursor.seq {
                    self.cursor = event.cursor();
                    self.trouble.progress();
                }
                self.outgoing.passed(self.cursor.seq);
                if matches!(event.body, EventBody::User { .. }) {
                    self.outgoing.runs(Some(event.turn));
                    self.said = Said::default();
                } else if event.body.is_final() {
                    self.outgoing.ended(event.turn);
                    self.said = Said::default();
                }
                Some(Update::Event(event))
            }
            Update::Text {
                turn,
                trace,
                change,
            } => {
                // A conversation that was opened while another one went on can be behind it.
                if self.reopened && self.outgoing.running() != Some(turn) {
                    return None;
                }
                let change = self.said.take(turn, change)?;
                Some(Update::Text {
                    turn,
                    trace,
                    change,
                })
            }
            Update::Accepted {
                request_id,
                turn,
                duplicate,
                seq,
            } => {
                // Asked again by us, not by the client: its events come, or came, live.
                let ours = self.outgoing.accepted(&request_id, seq);
                let duplicate = duplicate && !ours;
                Some(Update::Accepted {
                    request_id,
                    turn,
                    duplicate,
                    seq,
                })
            }
            Update::Rejected {
                request_id,
                call_id,
                refusal,
            } => match self.outgoing.rejected(&request_id, &refusal, self.leaving) {
                Verdict::PassOn => {
                    self.outgoing.decided(&call_id);
                    Some(Update::Rejected {
                        request_id,
                        call_id,
                        refusal,
                    })
                }
                Verdict::Keep => {
                    self.move_elsewhere();
                    None
                }
            },
            Update::Reset => {
                self.cursor = Cursor::default();
                self.outgoing.passed(0);
                self.outgoing.runs(None);
                self.said = Said::default();
                Some(Update::Reset)
            }
            Update::GoAway { .. } => {
                self.leaving = true;
                self.move_elsewhere();
                None
            }
            Update::Decided { call_id } => {
                self.outgoing.decided(&call_id);
                Some(Update::Decided { call_id })
            }
            Update::Queued { .. } => Some(update),
        }
    }

    /// The conversation broke: another one, from where this one had come to.
    fn open_again(&mut self) {
        self.stream = None;
        self.outgoing.disconnect();
        let avoid = self.dialer.agent.map_or(Avoid::None, Avoid::IfPossible);
        let dial = self.dialer.again(avoid, &self.cursor, &mut self.trouble);
        self.dial = Some(dial);
    }

    /// The agent leaves: the conversation stays with it until another one has taken it. Without another it stays.
    fn move_elsewhere(&mut self) {
        if self.dial.is_none()
            && self.stream.is_some()
            && !mutant::is(Mutant::NoRedial)
            && let Some(agent) = self.dialer.agent
        {
            self.dial = Some(self.dialer.elsewhere(agent, &self.cursor));
        }
    }

    /// Goes on with what was opened; what could not be is the end.
    fn dialed(&mut self, dialed: Result<Dialed, Refusal>) -> Option<Refusal> {
        self.dial = None;
        let conversation = match dialed {
            Ok(dialed) => dialed.conversation,
            Err(refusal) => return Some(refusal),
        };
        self.dialer.agent = conversation.agent;
        self.stream = Some(conversation.updates);
        self.reopened = true;
        self.leaving = false;
        self.said.reopened();
        self.trouble.opened(Instant::now());
        self.outgoing.reconnect(conversation.requests);
        None
    }
}
