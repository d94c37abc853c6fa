//! `Ask`: one question, the events of its turn, the end.

use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};
use tracing::Span;

use super::{CLIENT_GONE, ChatService, deadline, outcome};
use crate::agent::{Accepted, AskError, Asked, Question};
use crate::chat::{Cursor, SessionId, Subject, TraceContext, TurnId};
use crate::rpc::convert;
use crate::rpc::proto::ask_response::Response;
use crate::rpc::proto::{self, AskRequest, AskResponse};
use crate::rpc::status;
use crate::store::{Followed, Follower, Start, StoreError};
use crate::telemetry::{self, spans};

/// The method, for spans.
const METHOD: &str = "dragoman.chat.v1.Chat/Ask";

/// One call.
struct Call {
    service: ChatService,
    session: SessionId,
    request_id: String,
    deadline: Option<Instant>,
    span: Span,
    progress: Progress,
}

enum Progress {
    /// The question waits; the client has not been told yet.
    Queued {
        ahead: usize,
        answer: oneshot::Receiver<Result<Accepted, AskError>>,
    },
    /// The question waits, and the client knows.
    Waiting(oneshot::Receiver<Result<Accepted, AskError>>),
    /// It is a turn; the client has not been told yet.
    Accepted(Accepted),
    /// Its events are being sent.
    Following {
        turn: TurnId,
        follower: Box<Follower>,
    },
    Ended,
}

/// Asks, and returns the stream of what follows. A refused question is the call's own status.
pub(super) async fn stream(
    service: ChatService,
    request: Request<AskRequest>,
    deadline: Option<Instant>,
) -> Result<impl Stream<Item = Result<AskResponse, Status>> + Send, Status> {
    let caller = trace_context(request.metadata());
    let request = request.into_inner();
    let session = if request.session_id.is_empty() {
        SessionId::random()
    } else {
        convert::session_id(&request.session_id)?
    };
    let Some(question) = request.question else {
        return Err(status::invalid_field("question", "a question is needed"));
    };
    let request_id = question.request_id.clone();
    let question = convert::question(question)?;
    let span = spans::rpc_server(METHOD);
    if question.trace_context.is_empty() {
        telemetry::set_parent(&span, &caller);
    } else {
        telemetry::set_parent(&span, &question.trace_context);
    }
    let question = Question {
        content: question.content,
        message: question.message,
        span: span.clone(),
        owner: Subject::anonymous(),
        when_busy: question.when_busy,
    };
    let asked = tokio::select! {
        biased;
        () = deadline::passed(deadline) => {
            let status = status::deadline_exceeded();
            spans::record_error(&span, "stream", status.message());
            return Err(status);
        }
        asked = service.turns.ask(&session, question) => asked,
    };
    let progress = match asked {
        Ok(Asked::Accepted(accepted)) => Progress::Accepted(accepted),
        Ok(Asked::Queued { ahead, answer }) => Progress::Queued { ahead, answer },
        Err(error) => {
            let status = outcome::refused(&error);
            spans::record_error(&span, "refused", status.message());
            return Err(status);
        }
    };
    let call = Call {
        service,
        session,
        request_id,
        deadline,
        span,
        progress,
    };
    Ok(unfold(call, async |mut call| {
        let response = call.next().await?;
        if let Err(status) = &response {
            spans::record_error(&call.span, "stream", status.message());
            call.progress = Progress::Ended;
        }
        let response = response.map(|response| AskResponse {
            response: Some(response),
        });
        Some((response, call))
    }))
}

impl Drop for Call {
    fn drop(&mut self) {
        if !matches!(self.progress, Progress::Ended) {
            spans::record_error(&self.span, "client_gone", CLIENT_GONE);
        }
    }
}

// === impl Call ===

impl Call {
    async fn next(&mut self) -> Option<Result<Response, Status>> {
        let (closed, deadline) = (self.service.closed.clone(), self.deadline);
        tokio::select! {
            biased;
            () = deadline::passed(deadline) => Some(Err(status::deadline_exceeded())),
            response = self.advance() => response.transpose(),
            // Last: what is there to be said is said first.
            () = closed.cancelled() => Some(Err(outcome::stopping())),
        }
    }

    async fn advance(&mut self) -> Result<Option<Response>, Status> {
        match std::mem::replace(&mut self.progress, Progress::Ended) {
            Progress::Queued { ahead, answer } => {
                self.progress = Progress::Waiting(answer);
                Ok(Some(Response::Queued(proto::Queued {
                    request_id: self.request_id.clone(),
                    ahead: u32::try_from(ahead).unwrap_or(u32::MAX),
                })))
            }
            Progress::Waiting(answer) => {
                let accepted = outcome::later(answer)
                    .await
                    .map_err(|error| outcome::refused(&error))?;
                self.accepted(accepted).await.map(Some)
            }
            Progress::Accepted(accepted) => self.accepted(accepted).await.map(Some),
            Progress::Following { turn, mut follower } => {
                let (response, ended) = self.follow(turn, &mut follower).await?;
                if !ended {
                    self.progress = Progress::Following { turn, follower };
                }
                Ok(Some(response))
            }
            Progress::Ended => Ok(None),
        }
    }

    async fn accepted(&mut self, accepted: Accepted) -> Result<Response, Status> {
        spans::record_turn(&self.span, accepted.turn);
        let before = Cursor {
            seq: accepted.seq.saturating_sub(1),
            fingerprint: None,
        };
        let follower = self
            .service
            .store
            .follow(self.session.clone(), Start::After(before))
            .await
            .map_err(|error| outcome::store_failed(&error))?;
        if follower.opened().end.seq < accepted.seq {
            // Erased before it could be followed: nothing would ever come.
            return Err(outcome::store_failed(&StoreError::Erased));
        }
        self.progress = Progress::Following {
            turn: accepted.turn,
            follower: Box::new(follower),
        };
        let request_id = self.request_id.clone();
        Ok(Response::Accepted(outcome::accepted(
            request_id,
            &self.session,
            accepted,
        )))
    }

    /// The next event or text of the turn, and whether it was the last.
    async fn follow(
        &self,
        wanted: TurnId,
        follower: &mut Follower,
    ) -> Result<(Response, bool), Status> {
        loop {
            match follower
                .next()
                .await
                .map_err(|error| outcome::store_failed(&error))?
            {
                Followed::Event(event) if event.turn == wanted => {
                    let ended = event.body.is_final();
                    if ended {
                        outcome::record_end(&self.span, &event.body);
                    }
                    return Ok((Response::Event(convert::event_to_proto(&event)), ended));
                }
                Followed::Text {
                    turn,
                    trace,
                    change,
                } if turn == wanted => {
                    let text = convert::text_to_proto(turn, trace, change);
                    return Ok((Response::Text(text), false));
                }
                // The log cannot have lost what was just written to it, unless the session was erased.
                Followed::Reset { .. } => return Err(outcome::store_failed(&StoreError::Erased)),
                Followed::Event(_) | Followed::Text { .. } => {}
            }
        }
    }
}

/// The caller's trace, as a generic gRPC client sends it.
pub(super) fn trace_context(metadata: &MetadataMap) -> TraceContext {
    let header = |name| {
        let value = metadata.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    TraceContext {
        traceparent: header("traceparent"),
        tracestate: header("tracestate"),
    }
}
