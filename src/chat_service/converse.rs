//! `Converse`: one session followed, any number of questions asked.

mod opening;
mod owed;

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, unfold};
use futures_util::{Stream, StreamExt as _};
use tokio::time::Instant;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::{Status, Streaming};
use tracing::Span;

use self::opening::Opening;
use self::owed::Owed;
use super::{CLIENT_GONE, ChatService, deadline, outcome};
use crate::agent::{Accepted, AskError, Asked, Question};
use crate::chat::{Event, SessionId, Subject, TurnId};
use crate::gate::Gate;
use crate::rpc::proto::converse_request::Request;
use crate::rpc::proto::converse_response::Response;
use crate::rpc::proto::{self, ConverseRequest, ConverseResponse};
use crate::rpc::{convert, status};
use crate::store::{Followed, Follower};
use crate::telemetry::{self, spans};

/// The method, for spans.
const METHOD: &str = "dragoman.chat.v1.Chat/Converse";
/// How long a stream waits to learn whether a cancel has reached a turn of another process.
const CANCEL_WAIT: Duration = Duration::from_millis(500);

/// A conversation before and after its `open`.
enum State {
    Opening(Box<Opening>),
    Open(Box<Conversation>),
    Ended,
}

struct Conversation {
    service: ChatService,
    /// `None` once the client has closed its side.
    requests: Option<Gate<Streaming<ConverseRequest>>>,
    /// Resolves when clients are to go elsewhere.
    draining: Gate<Pin<Box<WaitForCancellationFutureOwned>>>,
    /// Resolves when streams must end.
    closed: Gate<Pin<Box<WaitForCancellationFutureOwned>>>,
    deadline: Option<Instant>,
    session: SessionId,
    follower: Follower,
    /// Where the log ended when the stream was opened.
    opened_at: u64,
    /// True once everything up to there was sent.
    caught_up: bool,
    /// What is to be sent first, though it is before the end of the log: the end of an earlier turn, or what the running one
    /// waits to have allowed.
    missed: VecDeque<Arc<Event>>,
    /// What a client that keeps no cursor is owed; `None` for any other.
    owed: Option<Owed>,
    /// Questions of this stream that wait for another turn to end.
    waiting: FuturesUnordered<WaitingAnswer>,
    /// Refusals of questions that had waited. What they waited for ended before: its end is sent first.
    refused: VecDeque<Response>,
    /// True once the client knows that this process leaves.
    told_to_go: bool,
    /// Turns this stream asked for and has not seen the end of.
    asked: HashMap<TurnId, Span>,
}

type WaitingAnswer =
    Pin<Box<dyn Future<Output = (String, Span, Result<Accepted, AskError>)> + Send>>;

/// The responses of one call.
pub(super) fn stream(
    service: ChatService,
    requests: Streaming<ConverseRequest>,
    deadline: Option<Instant>,
) -> impl Stream<Item = Result<ConverseResponse, Status>> + Send {
    let opening = Opening {
        service,
        requests,
        deadline,
    };
    unfold(State::Opening(Box::new(opening)), async |state| {
        let (response, state) = match state {
            // The box is given back, where its room in this future would not be.
            State::Opening(opening) => match Box::pin(opening.open()).await {
                Ok((opened, conversation)) => (Ok(opened), State::Open(Box::new(conversation))),
                Err(status) => (Err(status), State::Ended),
            },
            State::Open(mut conversation) => match conversation.next().await? {
                Ok(response) => (Ok(response), State::Open(conversation)),
                Err(status) => {
                    conversation.fail(&status);
                    (Err(status), State::Ended)
                }
            },
            State::Ended => return None,
        };
        let response = response.map(|response| ConverseResponse {
            response: Some(response),
        });
        Some((response, state))
    })
}

// === impl Conversation ===

impl Conversation {
    /// The next response; `None` when the conversation is over.
    async fn next(&mut self) -> Option<Result<Response, Status>> {
        loop {
            if let Some(event) = self.missed.pop_front() {
                return Some(Ok(Response::Event(convert::event_to_proto(&event))));
            }
            if self.is_over() {
                return None;
            }
            let closing = self.requests.is_none();
            tokio::select! {
                biased;
                () = deadline::passed(self.deadline) => {
                    return Some(Err(status::deadline_exceeded()));
                }
                Some((id, span, answer)) = self.waiting.next(), if !self.waiting.is_empty() => {
                    match self.answered(id, span, answer) {
                        refused @ Response::Rejected(_) => self.refused.push_back(refused),
                        response => return Some(Ok(response)),
                    }
                }
                request = receive(self.requests.as_mut()), if !closing => match request {
                    Ok(Some(request)) => match Box::pin(self.take_in_time(request)).await {
                        Ok(Some(response)) => return Some(Ok(response)),
                        Ok(None) => {}
                        Err(status) => return Some(Err(status)),
                    },
                    Ok(None) => self.requests = None,
                    Err(status) => return Some(Err(status)),
                },
                () = &mut self.draining, if !self.told_to_go => {
                    self.told_to_go = true;
                    return Some(Ok(Response::GoAway(proto::GoAway {
                        time_left: Some(convert::duration_to_proto(self.service.time_left())),
                    })));
                }
                followed = self.follower.next() => {
                    return Some(match followed {
                        Ok(followed) => {
                            self.note_owed(&followed).await;
                            Ok(self.followed(followed))
                        }
                        Err(error) => Err(outcome::store_failed(&error)),
                    });
                }
                () = std::future::ready(()), if !self.refused.is_empty() => {
                    return self.refused.pop_front().map(Ok);
                }
                // Last: what is there to be said is said first.
                () = &mut self.closed => return Some(Err(outcome::stopping())),
            }
        }
    }

    /// A client that closed its side still gets the log as it was, and the answers to what it asked.
    fn is_over(&self) -> bool {
        self.requests.is_none()
            && self.waiting.is_empty()
            && self.refused.is_empty()
            && self.asked.is_empty()
            && self.caught_up
    }

    /// A store that does not answer delays neither the deadline nor the end. What was asked stays asked.
    async fn take_in_time(&mut self, request: ConverseRequest) -> Result<Option<Response>, Status> {
        let (deadline, closed) = (self.deadline, self.service.closed.clone());
        tokio::select! {
            biased;
            taken = self.take(request) => taken,
            () = deadline::passed(deadline) => Err(status::deadline_exceeded()),
            () = closed.cancelled() => Err(outcome::stopping()),
        }
    }

    async fn take(&mut self, request: ConverseRequest) -> Result<Option<Response>, Status> {
        match request.request {
            Some(Request::Ask(question)) => Ok(Some(self.ask(question).await)),
            Some(Request::Cancel(cancel)) => match convert::turn_id(&cancel.turn_id) {
                Ok(turn) => Ok(self.cancel(turn).await),
                Err(status) => Ok(Some(rejected(String::new(), &status))),
            },
            Some(Request::Decide(decide)) => Ok(Some(self.decide(decide).await)),
            Some(Request::Delivered(delivered)) => {
                let owed = self.owed.as_mut();
                let owed = owed.is_some_and(|owed| owed.confirms(delivered.seq));
                let store = &self.service.store;
                let noted = store.delivered(&self.session, delivered.seq, owed);
                if let Err(error) = noted.await {
                    tracing::debug!(%error, "what was delivered could not be noted");
                }
                Ok(None)
            }
            Some(Request::Open(_)) => {
                Err(status::wrong_order("a conversation is opened only once"))
            }
            // A newer client's message. Refusing it beats ignoring it in silence.
            None => {
                let status = Status::unimplemented("this service does not know that message");
                Ok(Some(rejected(String::new(), &status)))
            }
        }
    }

    async fn cancel(&mut self, turn: Option<TurnId>) -> Option<Response> {
        let cancelled = self.service.turns.cancel(&self.session, turn);
        // Who has to wait for longer may leave: the cancel goes on by itself.
        let cancelled = tokio::time::timeout(CANCEL_WAIT, cancelled).await.ok()?;
        let error = cancelled.err()?;
        Some(rejected(String::new(), &outcome::store_failed(&error)))
    }

    async fn decide(&mut self, decide: proto::Decide) -> Response {
        let deciding = async {
            let turn = convert::turn_id(&decide.turn_id)?;
            let call_id = convert::call_id(&decide.call_id)?;
            self.service
                .turns
                .decide(&self.session, turn, call_id, decide.approved)
                .await
                .map_err(|error| outcome::not_decided(&error))
        };
        match deciding.await {
            Ok(decided) => Response::Decided(proto::Decided {
                turn_id: decided.turn.to_string(),
                decision: convert::decision_to_proto(decided.decision).into(),
                call_id: decide.call_id,
            }),
            Err(status) => Response::Rejected(proto::Rejected {
                request_id: String::new(),
                status: Some(status::to_message(&status)),
                call_id: decide.call_id,
            }),
        }
    }

    async fn ask(&mut self, question: proto::Question) -> Response {
        let request_id = question.request_id.clone();
        let question = match convert::question(question) {
            Ok(question) => question,
            Err(status) => return rejected(request_id, &status),
        };
        let span = spans::rpc_server(METHOD);
        telemetry::set_parent(&span, &question.trace_context);
        let asked = Question {
            content: question.content,
            message: question.message,
            span: span.clone(),
            owner: Subject::anonymous(),
            when_busy: question.when_busy,
        };
        match self.service.turns.ask(&self.session, asked).await {
            Ok(Asked::Accepted(accepted)) => self.answered(request_id, span, Ok(accepted)),
            Ok(Asked::Queued { ahead, answer }) => {
                let id = request_id.clone();
                self.waiting.push(Box::pin(
                    async move { (id, span, outcome::later(answer).await) },
                ));
                Response::Queued(proto::Queued {
                    request_id,
                    ahead: u32::try_from(ahead).unwrap_or(u32::MAX),
                })
            }
            Err(error) => self.answered(request_id, span, Err(error)),
        }
    }

    fn answered(
        &mut self,
        request_id: String,
        span: Span,
        answer: Result<Accepted, AskError>,
    ) -> Response {
        match answer {
            Ok(accepted) => {
                spans::record_turn(&span, accepted.turn);
                if !accepted.duplicate {
                    self.asked.insert(accepted.turn, span);
                }
                Response::Accepted(outcome::accepted(request_id, &self.session, accepted))
            }
            Err(error) => {
                let status = outcome::refused(&error);
                spans::record_error(&span, "refused", status.message());
                rejected(request_id, &status)
            }
        }
    }

    /// Only events cost more than a look.
    async fn note_owed(&mut self, followed: &Followed) {
        match (&mut self.owed, followed) {
            (Some(owed), Followed::Event(event)) => Box::pin(owed.sends(event)).await,
            (Some(owed), Followed::Reset { .. }) => owed.reset(),
            (Some(_), Followed::Text { .. }) | (None, _) => {}
        }
    }

    fn followed(&mut self, followed: Followed) -> Response {
        match followed {
            Followed::Event(event) => {
                self.caught_up |= event.seq >= self.opened_at;
                if event.body.is_final() {
                    self.ended(&event);
                }
                Response::Event(convert::event_to_proto(&event))
            }
            Followed::Text {
                turn,
                trace,
                change,
            } => Response::Text(convert::text_to_proto(turn, trace, change)),
            Followed::Reset { reason } => {
                self.caught_up = self.opened_at == 0;
                Response::Reset(proto::Reset {
                    reason: reason.to_owned(),
                })
            }
        }
    }

    fn ended(&mut self, event: &Event) {
        if let Some(span) = self.asked.remove(&event.turn) {
            outcome::record_end(&span, &event.body);
        }
        if self.asked.is_empty() {
            // An idle conversation keeps no room for them.
            self.asked = HashMap::new();
        }
    }

    /// Notes that the stream ends before the turns it asked for.
    fn fail(&mut self, status: &Status) {
        for (_, span) in self.asked.drain() {
            spans::record_error(&span, "stream", status.message());
        }
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        for span in self.asked.values() {
            spans::record_error(span, "client_gone", CLIENT_GONE);
        }
    }
}

async fn receive(
    requests: Option<&mut Gate<Streaming<ConverseRequest>>>,
) -> Result<Option<ConverseRequest>, Status> {
    match requests {
        Some(requests) => requests.next().await.transpose(),
        None => std::future::pending().await,
    }
}

fn rejected(request_id: String, status: &Status) -> Response {
    Response::Rejected(proto::Rejected {
        request_id,
        status: Some(status::to_message(status)),
        call_id: String::new(),
    })
}
