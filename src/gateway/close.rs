//! Close codes: RFC 6455 section 7.4 up to 1015, ours from 4000. What each tells the client to do is in
//! `proto/websocket.md`.

use axum::extract::ws::{CloseFrame, Utf8Bytes};

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// The service leaves: reconnect at once.
    GoingAway,
    /// The client broke the WebSocket protocol.
    Protocol,
    /// A text frame was not UTF-8.
    NotUtf8,
    /// A parameter of the URL cannot be understood.
    Policy,
    /// A frame was too large.
    TooLarge,
    /// A defect, or the service behind the gateway failed.
    Internal,
    /// Too many connections: try again later.
    TryAgainLater,
    /// The session id is not one, or the session is gone: start a new chat.
    InvalidSession,
    /// The page's origin may not connect.
    OriginNotAllowed,
}

impl Close {
    /// The code on the wire.
    pub(super) fn code(self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::Protocol => 1002,
            Self::NotUtf8 => 1007,
            Self::Policy => 1008,
            Self::TooLarge => 1009,
            Self::Internal => 1011,
            Self::TryAgainLater => 1013,
            Self::InvalidSession => 4001,
            Self::OriginNotAllowed => 4003,
        }
    }

    /// The reason on the wire: what to do. At most 123 bytes.
    fn reason(self) -> &'static str {
        match self {
            Self::GoingAway => "The service is restarting, reconnect",
            Self::Protocol => "WebSocket protocol error",
            Self::NotUtf8 => "Text frames must be UTF-8",
            Self::Policy => "The parameter after must be a whole number",
            Self::TooLarge => "Message too big, send less",
            Self::Internal => "Internal error, reconnect",
            Self::TryAgainLater => "Too many connections, try again later",
            Self::InvalidSession => "Invalid session",
            Self::OriginNotAllowed => "Origin not allowed",
        }
    }

    /// The frame.
    pub(super) fn frame(self) -> CloseFrame {
        CloseFrame {
            code: self.code(),
            reason: Utf8Bytes::from_static(self.reason()),
        }
    }
}
