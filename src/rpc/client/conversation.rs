//! One conversation: what is said in it, and what is heard.

use std::net::SocketAddr;
use std::time::Duration;

use futures_channel::mpsc;
use tonic::Streaming;

use super::agent::Counted;
use crate::chat::{Cursor, Event, TextChange, TraceId, TurnId};
use crate::rpc::convert::{self, Decide, Question};
use crate::rpc::proto::{self, ConverseRequest, ConverseResponse};
use crate::rpc::status::{self, Refusal};

/// Requests of one stream that may wait to be sent.
const REQUESTS: usize = 32;

/// One open conversation: what is said on `requests` is answered on `updates`.
#[derive(Debug)]
pub struct Conversation {
    /// Towards the service.
    pub requests: Requests,
    /// From the service.
    pub updates: Updates,
    /// The agent it is with; `None` if that is in this process.
    pub agent: Option<SocketAddr>,
}

/// The way towards the service. Dropping it closes the client's side.
///
/// The channel is one that takes room only for what is in it: tokio's has 32 places from the start, in every idle
/// conversation.
#[derive(Debug, Clone)]
pub struct Requests(mpsc::Sender<ConverseRequest>);

/// What the service says.
#[derive(Debug)]
pub struct Updates {
    pub(super) stream: Streaming<ConverseResponse>,
    pub(super) _counted: Option<Counted>,
}

/// One thing the service says.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// The stream is open.
    Opened {
        /// Where the log ends.
        end: Cursor,
        /// The turn that runs.
        running: Option<TurnId>,
    },
    /// An entry of the log.
    Event(Event),
    /// The running turn's text changed.
    Text {
        /// The turn.
        turn: TurnId,
        /// Its trace.
        trace: TraceId,
        /// The change.
        change: TextChange,
    },
    /// A question became a turn.
    Accepted {
        /// The question's id.
        request_id: String,
        /// Its turn.
        turn: TurnId,
        /// True if it had been accepted before.
        duplicate: bool,
        /// Position of the turn's first event.
        seq: u64,
    },
    /// A question waits for the running turn to end.
    Queued {
        /// The question's id.
        request_id: String,
        /// Questions that wait before it.
        ahead: u32,
    },
    /// A message was refused.
    Rejected {
        /// The question's id; empty if it was not a question.
        request_id: String,
        /// The call's id; empty if it was not a decision about one.
        call_id: String,
        /// Why.
        refusal: Refusal,
    },
    /// A decision about a call was taken.
    Decided {
        /// The call.
        call_id: String,
    },
    /// The cursor did not fit: the log follows from its start.
    Reset,
    /// The server is about to leave: open the conversation elsewhere.
    GoAway {
        /// When it will end the stream by itself.
        time_left: Duration,
    },
}

/// A message that was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSent {
    /// The service does not keep up.
    #[error("too many messages at once: wait for answers")]
    Full,
    /// The conversation is over.
    #[error("the conversation has ended")]
    Ended,
}

// === impl Requests ===

impl Requests {
    /// The way of a new conversation, its first message on it, and where the service takes what is said from.
    pub(super) fn open(open: proto::Open) -> (Self, mpsc::Receiver<ConverseRequest>) {
        let (sender, receiver) = mpsc::channel(REQUESTS);
        let mut requests = Self(sender);
        // The channel is empty and its receiver is here, so the first message always fits.
        let _ = requests.send(proto::converse_request::Request::Open(open));
        (requests, receiver)
    }

    /// Asks a question.
    pub fn ask(&mut self, question: Question) -> Result<(), NotSent> {
        let question = convert::question_to_proto(question);
        self.send(proto::converse_request::Request::Ask(question))
    }

    /// Stops a turn; `None` means the running one.
    pub fn cancel(&mut self, turn: Option<TurnId>) -> Result<(), NotSent> {
        let turn_id = turn.map(|turn| turn.to_string()).unwrap_or_default();
        self.send(proto::converse_request::Request::Cancel(proto::Cancel {
            turn_id,
        }))
    }

    /// Allows a call that waits, or does not.
    pub fn decide(&mut self, decide: Decide) -> Result<(), NotSent> {
        let decide = convert::decide_to_proto(decide);
        self.send(proto::converse_request::Request::Decide(decide))
    }

    /// Tells that the final event at `seq` was shown to somebody.
    pub fn delivered(&mut self, seq: u64) -> Result<(), NotSent> {
        self.send(proto::converse_request::Request::Delivered(
            proto::Delivered { seq },
        ))
    }

    fn send(&mut self, request: proto::converse_request::Request) -> Result<(), NotSent> {
        let request = ConverseRequest {
            request: Some(request),
        };
        self.0.try_send(request).map_err(|error| {
            if error.is_full() {
                NotSent::Full
            } else {
                NotSent::Ended
            }
        })
    }
}

// === impl Updates ===

impl Updates {
    /// The next thing the service says; `None` when it has closed the stream. Safe to drop while waiting.
    pub async fn next(&mut self) -> Option<Result<Update, Refusal>> {
        loop {
            match self.stream.message().await {
                Ok(Some(response)) => {
                    if let Some(update) = update(response) {
                        return Some(Ok(update));
                    }
                }
                Ok(None) => return None,
                Err(status) => return Some(Err(status::refusal(&status))),
            }
        }
    }
}

/// Reads one response. What a newer service says beyond this version is left out.
fn update(response: ConverseResponse) -> Option<Update> {
    use proto::converse_response::Response;
    Some(match response.response? {
        Response::Opened(opened) => Update::Opened {
            end: convert::cursor(opened.end.unwrap_or_default()),
            running: TurnId::parse(&opened.running_turn_id).ok(),
        },
        Response::Event(event) => Update::Event(convert::event(event)?),
        Response::Text(text) => {
            let (turn, trace, change) = convert::text(text)?;
            Update::Text {
                turn,
                trace,
                change,
            }
        }
        Response::Accepted(accepted) => Update::Accepted {
            turn: TurnId::parse(&accepted.turn_id).ok()?,
            request_id: accepted.request_id,
            duplicate: accepted.duplicate,
            seq: accepted.seq,
        },
        Response::Queued(queued) => Update::Queued {
            request_id: queued.request_id,
            ahead: queued.ahead,
        },
        Response::Rejected(rejected) => Update::Rejected {
            request_id: rejected.request_id,
            call_id: rejected.call_id,
            refusal: status::from_message(rejected.status.unwrap_or_default()),
        },
        Response::Decided(decided) => Update::Decided {
            call_id: decided.call_id,
        },
        Response::Reset(_) => Update::Reset,
        Response::GoAway(leaving) => Update::GoAway {
            time_left: convert::duration(leaving.time_left.unwrap_or_default()),
        },
    })
}
