//! What is told to one server and shown to nobody: keys, passwords.

use std::fmt;
use std::sync::Arc;

/// A text that is sent to where it belongs and shown to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

// === impl Secret ===

impl Secret {
    /// Keeps `text` out of logs and messages.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text itself: for a request, never for a message.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", Secret::new("sk-1")), "Secret(…)");
    }
}
