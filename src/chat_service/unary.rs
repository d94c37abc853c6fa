//! The calls with one answer.

mod page;

use tonic::{Code, Request, Response, Status};

use self::page::{EventsToken, SessionsToken};
use super::{ChatService, ask, deadline, outcome};
use crate::chat::{Cursor, Subject};
use crate::rpc::{convert, proto, status};
use crate::store::{Page, SessionInfo, SessionsAfter};
use crate::telemetry::{self, spans};

/// Answers within the caller's deadline, with a span of its own.
pub(super) async fn call<Q, A>(
    method: &'static str,
    request: Request<Q>,
    answer: impl AsyncFnOnce(Q) -> Result<A, Status>,
) -> Result<Response<A>, Status> {
    let deadline = deadline::of(request.metadata());
    let span = spans::rpc_server(method);
    telemetry::set_parent(&span, &ask::trace_context(request.metadata()));
    let answer = tokio::select! {
        biased;
        () = deadline::passed(deadline) => Err(Status::deadline_exceeded(
            "the deadline passed before the answer was there; to repeat the call is safe",
        )),
        answer = answer(request.into_inner()) => answer,
    };
    if let Err(status) = &answer {
        spans::record_error(&span, "refused", status.message());
    }
    answer.map(Response::new)
}

/// See the schema.
pub(super) async fn cancel_turn(
    service: &ChatService,
    request: proto::CancelTurnRequest,
) -> Result<proto::CancelTurnResponse, Status> {
    let session = convert::session_id(&request.session_id)?;
    let turn = convert::turn_id(&request.turn_id)?;
    let cancelled = service.turns.cancel(&session, turn).await;
    let cancelled = cancelled.map_err(|error| outcome::store_failed(&error))?;
    Ok(proto::CancelTurnResponse { cancelled })
}

/// See the schema.
pub(super) async fn decide_approval(
    service: &ChatService,
    request: proto::DecideApprovalRequest,
) -> Result<proto::DecideApprovalResponse, Status> {
    let session = convert::session_id(&request.session_id)?;
    let turn = convert::turn_id(&request.turn_id)?;
    let call_id = convert::call_id(&request.call_id)?;
    let decided = service
        .turns
        .decide(&session, turn, call_id, request.approved)
        .await
        .map_err(|error| outcome::not_decided(&error))?;
    Ok(proto::DecideApprovalResponse {
        turn_id: decided.turn.to_string(),
        decision: convert::decision_to_proto(decided.decision).into(),
    })
}

/// See the schema.
pub(super) async fn list_events(
    service: &ChatService,
    request: proto::ListEventsRequest,
) -> Result<proto::ListEventsResponse, Status> {
    let session = convert::session_id(&request.session_id)?;
    let size = page::size(request.page_size)?;
    let after = match request.page_token.as_str() {
        "" => Cursor::default(),
        token => EventsToken::parse(token)?.0,
    };
    let page = async |after: &Cursor, size| match service.store.events(&session, after, size).await
    {
        Ok(Page::Events(events)) => Ok(events),
        Ok(Page::Misfit) => Err(status::with_reason(
            Code::Aborted,
            "the log is not the one the page token came from: start again without a token",
            "LOG_CHANGED",
        )),
        Err(error) => Err(outcome::store_failed(&error)),
    };
    let events = page(&after, size).await?;
    // A page may be short for the size of its events: only the log itself tells whether there is more.
    let next_page_token = match events.last().map(|last| last.cursor()) {
        Some(last) if !page(&last, 1).await?.is_empty() => EventsToken(last).to_string(),
        Some(_) | None => String::new(),
    };
    Ok(proto::ListEventsResponse {
        events: events
            .iter()
            .map(|event| convert::event_to_proto(event))
            .collect(),
        next_page_token,
    })
}

/// See the schema.
pub(super) async fn list_sessions(
    service: &ChatService,
    request: proto::ListSessionsRequest,
) -> Result<proto::ListSessionsResponse, Status> {
    if !service.list_anonymous {
        return Err(status::with_reason(
            Code::PermissionDenied,
            "callers who have not signed in share their sessions, so they are not listed; \
             the operator can allow it with grpc_server.list_anonymous = true",
            "NOT_SIGNED_IN",
        ));
    }
    let size = page::size(request.page_size)?;
    let after = match request.page_token.as_str() {
        "" => None,
        token => Some(SessionsToken::parse(token)?.0),
    };
    let mut sessions = service
        .store
        .sessions(&Subject::anonymous(), after.as_ref(), size + 1)
        .await
        .map_err(|error| outcome::store_failed(&error))?;
    let more = sessions.len() > size;
    sessions.truncate(size);
    let last = sessions.last().filter(|_| more);
    let next_page_token = last.map(|last| {
        SessionsToken(SessionsAfter {
            updated: last.updated,
            session: last.session.clone(),
        })
        .to_string()
    });
    Ok(proto::ListSessionsResponse {
        sessions: sessions.into_iter().map(session_to_proto).collect(),
        next_page_token: next_page_token.unwrap_or_default(),
    })
}

/// See the schema.
pub(super) async fn erase_session(
    service: &ChatService,
    request: proto::EraseSessionRequest,
) -> Result<proto::EraseSessionResponse, Status> {
    let session = convert::session_id(&request.session_id)?;
    let erased = service.store.erase(&session).await;
    let erased = erased.map_err(|error| outcome::store_failed(&error))?;
    Ok(proto::EraseSessionResponse { erased })
}

fn session_to_proto(info: SessionInfo) -> proto::Session {
    proto::Session {
        session_id: info.session.as_str().to_owned(),
        create_time: Some(info.created.into()),
        update_time: Some(info.updated.into()),
        end: Some(convert::cursor_to_proto(&info.end)),
        running_turn_id: info
            .running
            .map(|turn| turn.to_string())
            .unwrap_or_default(),
    }
}
