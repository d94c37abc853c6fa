//! What stands for an answer that is too large to be read: an error for its request, whatever the transport.

use rmcp::model::{ErrorCode, ErrorData, RequestId, ServerJsonRpcMessage};

/// Told from the errors of servers by this: codes from -32000 to -32099 are theirs, this one is nobody's.
const CODE: ErrorCode = ErrorCode(-31_999);

/// The message in place of the answer to request `id`.
pub(super) fn replacement(id: RequestId, limit: usize) -> ServerJsonRpcMessage {
    let error = ErrorData::new(
        CODE,
        format!("the answer is larger than {limit} bytes"),
        None,
    );
    ServerJsonRpcMessage::error(error, Some(id))
}

/// True for the error of such a message. A server that sends it itself is taken at its word.
pub(super) fn is_oversize(error: &ErrorData) -> bool {
    error.code == CODE
}
