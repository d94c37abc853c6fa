//! `Converse`: one session followed, any number of questions asked.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, unfold};
use futures_util::{Stream, StreamExt as _};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::{Status, Streaming};
use tracing::Span;

use super::{CLIENT_GONE, ChatService, deadline, outcome};
use crate::agent::{Accepted, AskError, Asked, Question};
use crate::chat::{Cursor, Event, SessionId, Subject, TurnId};
use crate::gate::Gate;
use crate::mutant::{self, Mutant};
use crate::rpc::proto::converse_request::Request;
use crate::rpc::proto::converse_response::Response;
use crate::rpc::proto::{self, ConverseRequest, ConverseResponse};
use crate::rpc::{convert, status};
use crate::store::{Followed, Follower, Start, Store};
use crate::telemetry::{self, spans};

/// The method, for spans.
const METHOD: &str = "dragoman.chat.v1.Chat/Converse";
/// How long the first message may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a stream waits to learn whether a cancel has reached a turn of another process.
const CANCEL_WAIT: Duration = Duration::from_millis(500);
/// How long it may take to note that a client has left.
const LEFT_TIMEOUT: Duration = Duration::from_secs(3);

/// A conversation before and after its `open`.
enum State {
    Opening(Box<Opening>),
    Open(Box<Conversation>),
    Ended,
}

struct Opening {
    service: ChatService,
    requests: Streaming<ConverseRequest>,
    deadline: Option<Instant>,
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
    /// The end of an earlier turn that is to be sent first.
    missed: Option<Arc<Event>>,
    /// True if the client cannot ask for what it has missed when it comes back.
    keeps_no_cursor: bool,
    /// The turn this stream was shown and has not seen the end of.
    running: Option<TurnId>,
    /// The turn whose end this stream was sent and has not confirmed, and where that is.
    unconfirmed: Option<(TurnId, u64)>,
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

// === impl Opening ===

impl Opening {
    async fn open(mut self) -> Result<(Response, Conversation), Status> {
        let first = tokio::select! {
            first = self.requests.message() => first?,
            () = tokio::time::sleep(OPEN_TIMEOUT) => {
                return Err(Status::deadline_exceeded("no `open` came within 10 s"));
            }
            () = deadline::passed(self.deadline) => return Err(status::deadline_exceeded()),
            () = self.service.closed.cancelled() => return Err(outcome::stopping()),
        };
        let Some(Request::Open(open)) = first.and_then(|first| first.request) else {
            let message = "the first message of a conversation must be `open`";
            return Err(status::wrong_order(message));
        };
        let session = convert::session_id(&open.session_id)?;
        let unaware = open.missed && open.after.is_none();
        let start = match open.after {
            Some(after) => Start::After(convert::cursor(after)),
            None => Start::Live,
        };
        let wanted = start.clone();
        let follower = self.service.store.follow(session.clone(), start).await;
        let follower = follower.map_err(|error| outcome::store_failed(&error))?;
        let at = follower.opened();
        let keeps_no_cursor = unaware && !mutant::is(Mutant::NoDelivered);
        let missed = if keeps_no_cursor {
            missed(&self.service, &session, at.end.seq).await
        } else {
            None
        };
        let opened = proto::Opened {
            end: Some(convert::cursor_to_proto(&at.end)),
            running_turn_id: at.running.map(|turn| turn.to_string()).unwrap_or_default(),
            limits: Some(convert::limits_to_proto(self.service.turns.limits())),
        };
        let conversation = Conversation {
            opened_at: at.end.seq,
            caught_up: is_at_end(&wanted, &at.end),
            draining: Gate::new(Box::pin(self.service.draining.clone().cancelled_owned())),
            closed: Gate::new(Box::pin(self.service.closed.clone().cancelled_owned())),
            missed,
            keeps_no_cursor,
            running: at.running,
            unconfirmed: None,
            service: self.service,
            requests: Some(Gate::new(self.requests)),
            deadline: self.deadline,
            session,
            follower,
            waiting: FuturesUnordered::new(),
            refused: VecDeque::new(),
            told_to_go: false,
            asked: HashMap::new(),
        };
        Ok((Response::Opened(opened), conversation))
    }
}

// === impl Conversation ===

impl Conversation {
    /// The next response; `None` when the conversation is over.
    async fn next(&mut self) -> Option<Result<Response, Status>> {
        loop {
            if let Some(event) = self.missed.take() {
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
                    let response = followed
                        .map(|followed| self.followed(followed))
                        .map_err(|error| outcome::store_failed(&error));
                    return Some(response);
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
            Some(Request::Delivered(delivered)) => {
                self.unconfirmed.take_if(|(_, seq)| *seq <= delivered.seq);
                let noted = self.service.store.delivered(&self.session, delivered.seq);
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

    fn followed(&mut self, followed: Followed) -> Response {
        match followed {
            Followed::Event(event) => {
                self.caught_up |= event.seq >= self.opened_at;
                if event.body.is_final() {
                    self.running = None;
                    self.unconfirmed = Some((event.turn, event.seq));
                    self.ended(&event);
                } else {
                    self.running = Some(event.turn);
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
                self.running = None;
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
        // One that was sent the end and did not confirm it may not have it.
        let missing = self.running.or(self.unconfirmed.map(|(turn, _)| turn));
        if let Some(turn) = missing.filter(|_| self.keeps_no_cursor)
            && let Ok(runtime) = Handle::try_current()
        {
            let left = left(self.service.store.clone(), self.session.clone(), turn);
            self.service.tasks.spawn_on(left, &runtime);
        }
    }
}

/// The end of the newest turn, if somebody has missed it. What comes later than `end` comes live.
async fn missed(service: &ChatService, session: &SessionId, end: u64) -> Option<Arc<Event>> {
    match service.store.missed(session).await {
        Ok(missed) => missed.filter(|event| event.seq <= end),
        Err(error) => {
            tracing::warn!(session = session.short(), %error, "what was missed is not known");
            None
        }
    }
}

/// Notes that a client without a cursor has left during a turn.
async fn left(store: Store, session: SessionId, turn: TurnId) {
    match timeout(LEFT_TIMEOUT, store.left(&session, turn)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%turn, %error, "who left could not be noted"),
        Err(_) => tracing::debug!(%turn, "who left could not be noted in time"),
    }
}

/// Whether a follower that starts there has nothing to deliver of a log that ends at `end`.
fn is_at_end(start: &Start, end: &Cursor) -> bool {
    match start {
        Start::Live => true,
        Start::After(after) => {
            let same = after.fingerprint.is_none() || after.fingerprint == end.fingerprint;
            after.seq == end.seq && (same || end.seq == 0)
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
    })
}
