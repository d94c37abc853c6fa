//! The client side of the Chat service, in our own words.

mod agent;
mod backoff;
mod pool;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use futures_channel::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Streaming;
use tonic::body::Body;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt as _};

use self::agent::Counted;
use self::pool::{Place, Pool};
use super::convert::{self, Question};
use super::proto::chat_client::ChatClient;
use super::proto::{self, ConverseRequest, ConverseResponse};
use super::status::{self, Refusal, RefusalKind};
use crate::chat::{Cursor, Event, SessionId, TextChange, TraceId, TurnId};

pub use self::backoff::{Backoff, random_part};
pub use self::pool::Avoid;

/// A way to the service: in this process or over the network, callers cannot tell. The error type has no lifetime in it,
/// which futures that cross threads need here.
pub type Transport =
    BoxCloneSyncService<http::Request<Body>, http::Response<Body>, tonic::transport::Error>;

/// Requests of one stream that may wait to be sent.
const REQUESTS: usize = 32;

/// Conversations with the Chat service.
#[derive(Debug, Clone)]
pub struct Chat(Way);

/// Where the service is.
#[derive(Debug, Clone)]
enum Way {
    InProcess(ChatClient<Transport>),
    Pool(Pool),
}

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
    stream: Streaming<ConverseResponse>,
    _counted: Option<Counted>,
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
        /// Why.
        refusal: Refusal,
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

// === impl Chat ===

impl Chat {
    /// A service in this process: no port, no socket, the same code path.
    pub fn in_process<S>(service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let transport = service.map_err(|never: Infallible| match never {});
        let client = ChatClient::new(BoxCloneSyncService::new(transport));
        Self(Way::InProcess(client))
    }

    /// Agents at `urls`, each `http://HOST:PORT`. What looks after them are `tasks`, which end when `closed` is cancelled.
    pub fn pool(urls: Vec<http::Uri>, tasks: &TaskTracker, closed: CancellationToken) -> Self {
        Self(Way::Pool(Pool::new(urls, tasks, closed)))
    }

    /// True if the service is in other processes, which come and go.
    pub fn is_remote(&self) -> bool {
        matches!(self.0, Way::Pool(_))
    }

    /// Answers if there is somebody to have a conversation with; otherwise the text says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        match &self.0 {
            Way::Pool(pool) if pool.serving() == 0 => Err(none_serves(pool)),
            Way::Pool(_) | Way::InProcess(_) => Ok(()),
        }
    }

    /// Opens a conversation in `session`, after `after` if a position is given. `missed`: for a client that keeps no
    /// position of its own, which is sent the end of the newest turn first if it may have missed it.
    pub async fn converse(
        &self,
        session: &SessionId,
        after: Option<Cursor>,
        missed: bool,
    ) -> Result<Conversation, Refusal> {
        self.converse_avoiding(Avoid::None, session, after, missed)
            .await
    }

    /// As [`Chat::converse`], and says which agent is not wanted.
    pub async fn converse_avoiding(
        &self,
        avoid: Avoid,
        session: &SessionId,
        after: Option<Cursor>,
        missed: bool,
    ) -> Result<Conversation, Refusal> {
        let (requests, receiver) = mpsc::channel(REQUESTS);
        let open = proto::Open {
            session_id: session.as_str().to_owned(),
            after: after.as_ref().map(convert::cursor_to_proto),
            missed,
        };
        let mut requests = Requests(requests);
        // The channel is empty and its receiver is here, so the first message always fits.
        let _ = requests.send(proto::converse_request::Request::Open(open));
        let (response, agent, counted) = match &self.0 {
            Way::InProcess(client) => (client.clone().converse(receiver).await, None, None),
            Way::Pool(pool) => {
                let Some(place) = pool.place(avoid).await else {
                    return Err(Refusal {
                        kind: RefusalKind::Unavailable,
                        message: none_serves(pool),
                    });
                };
                let Place {
                    mut client,
                    address,
                    counted,
                } = place;
                (
                    client.converse(receiver).await,
                    Some(address),
                    Some(counted),
                )
            }
        };
        let stream = response
            .map_err(|status| status::refusal(&status))?
            .into_inner();
        Ok(Conversation {
            requests,
            updates: Updates {
                stream,
                _counted: counted,
            },
            agent,
        })
    }
}

fn none_serves(pool: &Pool) -> String {
    format!("no agent serves at {}", pool.names())
}

// === impl Requests ===

impl Requests {
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
            refusal: status::from_message(rejected.status.unwrap_or_default()),
        },
        Response::Reset(_) => Update::Reset,
        Response::GoAway(leaving) => Update::GoAway {
            time_left: convert::duration(leaving.time_left.unwrap_or_default()),
        },
    })
}
