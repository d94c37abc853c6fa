use std::fmt;

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

/// A W3C trace id: the one people paste into their tracing system. All zero means unknown.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TraceId(pub u128);

impl TraceId {
    /// Reads 32 hexadecimal digits; anything else is the unknown id.
    pub fn from_hex(text: &str) -> Self {
        if text.len() == 32 {
            Self(u128::from_str_radix(text, 16).unwrap_or_default())
        } else {
            Self::default()
        }
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TraceId({self})")
    }
}
