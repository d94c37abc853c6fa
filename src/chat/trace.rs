use std::fmt;

use serde::{Serialize, Serializer};
use uuid::Uuid;

/// W3C Trace Context of a caller, as header values. Not validated here: `telemetry` reads it, and ignores a malformed one
/// as <https://www.w3.org/TR/trace-context/> requires.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceContext {
    /// `traceparent`.
    pub traceparent: String,
    /// `tracestate`, empty if there is none.
    pub tracestate: String,
}

impl TraceContext {
    /// True if no context was given.
    pub fn is_empty(&self) -> bool {
        self.traceparent.is_empty()
    }
}

/// A W3C trace id: the one people paste into their tracing system. All zero means unknown. Written and read as a UUID
/// without hyphens is: the same digits, and it is on every frame.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TraceId(pub u128);

impl TraceId {
    /// Reads 32 hexadecimal digits; anything else is the unknown id.
    pub fn from_hex(text: &str) -> Self {
        match Uuid::try_parse(text) {
            Ok(id) if text.len() == 32 => Self(id.as_u128()),
            _ => Self::default(),
        }
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_u128(self.0).simple().fmt(formatter)
    }
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = Uuid::from_u128(self.0).simple();
        serializer.serialize_str(digits.encode_lower(&mut [0; 32]))
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TraceId({self})")
    }
}
