//! The calls with one answer.

use tonic::Status;

use super::ChatService;
use crate::rpc::proto;

/// See the schema.
#[expect(clippy::unused_async, clippy::todo, reason = "being written")]
pub(super) async fn cancel_turn(
    _service: &ChatService,
    _request: proto::CancelTurnRequest,
) -> Result<proto::CancelTurnResponse, Status> {
    todo!()
}

/// See the schema.
#[expect(clippy::unused_async, clippy::todo, reason = "being written")]
pub(super) async fn list_events(
    _service: &ChatService,
    _request: proto::ListEventsRequest,
) -> Result<proto::ListEventsResponse, Status> {
    todo!()
}

/// See the schema.
#[expect(clippy::unused_async, clippy::todo, reason = "being written")]
pub(super) async fn list_sessions(
    _service: &ChatService,
    _request: proto::ListSessionsRequest,
) -> Result<proto::ListSessionsResponse, Status> {
    todo!()
}

/// See the schema.
#[expect(clippy::unused_async, clippy::todo, reason = "being written")]
pub(super) async fn erase_session(
    _service: &ChatService,
    _request: proto::EraseSessionRequest,
) -> Result<proto::EraseSessionResponse, Status> {
    todo!()
}
