//! What a failed call means, for operators.

use std::fmt::Display;
use std::sync::Arc;

use ::redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::store::StoreError;

/// A call that failed. It is not known whether it was done.
pub(super) fn down(error: &RedisError) -> StoreError {
    let cause = match (error.kind(), error.code()) {
        (_, Some("OOM")) => {
            "the Redis server's memory is full: raise maxmemory, or lower sessions.retention"
                .to_owned()
        }
        (ErrorKind::Server(ServerErrorKind::ReadOnly), _) => {
            "the Redis server is a read-only replica now: name the primary".to_owned()
        }
        (_, Some("MISCONF")) => {
            "the Redis server cannot write to its disk and refuses writes".to_owned()
        }
        (ErrorKind::Server(ServerErrorKind::BusyLoading), _) => {
            "the Redis server is reading its data".to_owned()
        }
        (ErrorKind::Io, _) => format!("the Redis server does not answer: {error}"),
        _ => format!("the Redis server refused a call: {error}"),
    };
    StoreError::Unavailable(Arc::from(cause))
}

/// An answer that no script gives.
pub(super) fn strange(answer: impl Display) -> StoreError {
    StoreError::Unavailable(format!("the Redis server's answer makes no sense: {answer}").into())
}
