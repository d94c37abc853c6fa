//! Errors on the wire: `google.rpc.Status` with details (AIP-193), made and read.

use std::collections::HashMap;
use std::error::Error as _;
use std::time::Duration;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _, pb};

/// `ErrorInfo.domain` of every error.
pub const DOMAIN: &str = "dragoman.chat";

/// The schema of the details, for reflection: clients that know it only from there can show them.
pub use tonic_types::pb::FILE_DESCRIPTOR_SET as DETAILS_DESCRIPTOR_SET;

/// A call or a message that was refused, for callers that know no gRPC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Whose fault it is.
    pub kind: RefusalKind,
    /// What happened and what to do, for people.
    pub message: String,
}

/// Refusals that callers treat differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The request is wrong; it will be refused again.
    Caller,
    /// A limit; it will be taken later.
    Limit,
    /// The session was erased.
    Erased,
    /// The service is not there, or leaves; another one, or later, will do.
    Unavailable,
    /// A defect of the service.
    Service,
}

/// A field has a value it cannot have.
pub fn invalid_field(field: &str, description: &str) -> Status {
    let details = ErrorDetails::with_bad_request_violation(field, description);
    let message = format!("{field}: {description}");
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// The messages came in an order they cannot come in.
pub fn wrong_order(message: &str) -> Status {
    with_reason(Code::InvalidArgument, message, "WRONG_ORDER")
}

/// A message id was used for two questions.
pub fn conflict(message: &str) -> Status {
    with_reason(Code::AlreadyExists, message, "REQUEST_ID_CONFLICT")
}

/// A limit of the session was reached; it will be free again after `retry_after`, if that is known.
pub fn limit(message: &str, limit: &'static str, retry_after: Option<Duration>) -> Status {
    let mut details = ErrorDetails::with_quota_failure_violation(limit, message);
    if let Some(retry_after) = retry_after {
        details.set_retry_info(Some(retry_after));
    }
    details.set_error_info(limit, DOMAIN, HashMap::new());
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// The session was erased while it was used.
pub fn erased(message: &str) -> Status {
    with_reason(Code::NotFound, message, "SESSION_ERASED")
}

/// The service cannot do it now.
pub fn unavailable(message: &str, reason: &'static str, retry_after: Duration) -> Status {
    let mut details = ErrorDetails::with_retry_info(Some(retry_after));
    details.set_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(Code::Unavailable, message, details)
}

/// The deadline of the call has passed.
pub fn deadline_exceeded() -> Status {
    Status::deadline_exceeded(
        "the deadline passed before the turn ended; the turn goes on: ask again with the same request_id to get its events",
    )
}

/// A status with a stable reason for machines.
pub fn with_reason(code: Code, message: &str, reason: &'static str) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(code, message, details)
}

/// The status as the message that travels inside a stream.
pub fn to_message(status: &Status) -> pb::Status {
    // tonic-types keeps the whole encoded message in the details; a status made without details has none.
    match pb::Status::decode(status.details()) {
        Ok(message) if !status.details().is_empty() => message,
        _ => pb::Status {
            code: status.code().into(),
            message: status.message().to_owned(),
            details: Vec::new(),
        },
    }
}

/// A refusal inside a stream, read.
pub fn from_message(status: pb::Status) -> Refusal {
    Refusal {
        kind: kind(Code::from_i32(status.code)),
        message: status.message,
    }
}

/// A refused call, read.
pub fn refusal(status: &Status) -> Refusal {
    // A status the service sent has no source. One that was made here, of a connection that broke, has, whatever its code.
    let kind = match status.source() {
        Some(_) => RefusalKind::Unavailable,
        None => kind(status.code()),
    };
    Refusal {
        kind,
        message: status.message().to_owned(),
    }
}

fn kind(code: Code) -> RefusalKind {
    match code {
        Code::NotFound => RefusalKind::Erased,
        Code::InvalidArgument
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::Unimplemented => RefusalKind::Caller,
        Code::ResourceExhausted => RefusalKind::Limit,
        Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded | Code::Aborted => {
            RefusalKind::Unavailable
        }
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => RefusalKind::Service,
    }
}
