//! What became of a question, and why something was refused: for the wire, and for spans.

use std::time::Duration;

use tokio::sync::oneshot;
use tonic::{Code, Status};
use tracing::Span;

use crate::agent::{Accepted, AskError, DecideError};
use crate::chat::{EventBody, SessionId};
use crate::rpc::{proto, status};
use crate::store::StoreError;
use crate::telemetry::spans;

/// What a client that is told to come back later should wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// An accepted question, for the wire.
pub(super) fn accepted(
    request_id: String,
    session: &SessionId,
    accepted: Accepted,
) -> proto::Accepted {
    proto::Accepted {
        request_id,
        turn_id: accepted.turn.to_string(),
        trace_id: accepted.trace.to_string(),
        duplicate: accepted.duplicate,
        seq: accepted.seq,
        session_id: session.as_str().to_owned(),
    }
}

/// What becomes of a question that waits.
pub(super) async fn later(
    answer: oneshot::Receiver<Result<Accepted, AskError>>,
) -> Result<Accepted, AskError> {
    // Dropped only when the process ends.
    answer.await.unwrap_or(Err(AskError::Stopping))
}

/// Notes on the span of a question how its turn ended.
pub(super) fn record_end(span: &Span, body: &EventBody) {
    match body {
        EventBody::Agent { finish, .. } => spans::record_finish(span, *finish),
        EventBody::Error { reason, .. } => {
            spans::record_error(span, spans::error_type(*reason), "the turn failed");
        }
        EventBody::User { .. }
        | EventBody::ToolCall { .. }
        | EventBody::ToolResult { .. }
        | EventBody::ApprovalRequest { .. }
        | EventBody::ApprovalDecision { .. } => {}
    }
}

/// A refused question, for the wire.
pub(super) fn refused(error: &AskError) -> Status {
    match error {
        AskError::TooLong { .. } => status::invalid_field("content", &error.to_string()),
        AskError::QueueFull { .. } => {
            status::limit(&error.to_string(), "WAITING_QUESTIONS", Some(RETRY_AFTER))
        }
        AskError::TurnRunning => {
            status::with_reason(Code::FailedPrecondition, &error.to_string(), "TURN_RUNNING")
        }
        AskError::DailyTokens { retry_after, .. } => {
            status::limit(&error.to_string(), "DAILY_TOKENS", Some(*retry_after))
        }
        AskError::Stopping => status::unavailable(&error.to_string(), "STOPPING", RETRY_AFTER),
        AskError::Store(error) => store_failed(error),
    }
}

/// A decision that was not taken, for the wire.
pub(super) fn not_decided(error: &DecideError) -> Status {
    match error {
        DecideError::NotWaiting => {
            status::with_reason(Code::NotFound, &error.to_string(), "NOT_WAITING")
        }
        DecideError::Otherwise(_) => status::with_reason(
            Code::FailedPrecondition,
            &error.to_string(),
            "ALREADY_DECIDED",
        ),
        DecideError::Store(error) => store_failed(error),
    }
}

/// What the store said, for the wire.
pub(super) fn store_failed(error: &StoreError) -> Status {
    let message = error.to_string();
    match error {
        StoreError::RateLimited { retry_after } => {
            status::limit(&message, "RATE_LIMIT", Some(*retry_after))
        }
        StoreError::Conflict => status::conflict(&message),
        StoreError::Erased => status::erased(&message),
        StoreError::SessionFull => status::limit(&message, "SESSION_EVENTS", None),
        StoreError::TooLarge { .. } => status::invalid_field("content", &message),
        StoreError::Fenced | StoreError::Unavailable(_) => {
            // The cause is in the log; clients cannot do anything with it.
            let message = "the session store is not available: try again in a moment";
            status::unavailable(message, "STORE", RETRY_AFTER)
        }
    }
}

/// The stream ends because the process does.
pub(super) fn stopping() -> Status {
    let message = "the service is stopping: open the stream again with your cursor";
    status::unavailable(message, "STOPPING", RETRY_AFTER)
}
