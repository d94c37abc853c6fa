use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use uuid::Uuid;

/// Names one conversation: 1 to 64 characters of `A-Z a-z 0-9 _ -`.
///
/// The alphabet keeps it usable as a URL path segment, a file name and a Redis hash tag. Without sign-in it is also the
/// only secret of the session, so logs carry [`SessionId::short`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(Arc<str>);

impl SessionId {
    /// Longest accepted id, in characters.
    pub const MAX_LENGTH: usize = 64;

    /// Takes an id from outside.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if text.is_empty() || text.len() > Self::MAX_LENGTH || !text.bytes().all(allowed) {
            return Err(InvalidId::Session);
        }
        Ok(Self(text.into()))
    }

    /// A new random id (122 bits).
    pub fn random() -> Self {
        Self(Uuid::new_v4().simple().to_string().into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight characters: enough to find a session in a log, too few to open it.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SessionId({}…)", self.short())
    }
}

/// Who a session belongs to.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject(Arc<str>);

impl Subject {
    /// Everybody who has not signed in.
    pub fn anonymous() -> Self {
        Self("anonymous".into())
    }

    /// Takes one back from where it was kept.
    pub fn from_store(text: &str) -> Self {
        Self(text.into())
    }

    /// The subject as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Subject(…)")
    }
}

/// Names one turn: 128 random bits, written as 32 hexadecimal digits. It fences every write of the turn, so it is never
/// taken from outside, except to name a turn that exists.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TurnId(Uuid);

impl TurnId {
    /// A new id.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// Reads an id back from its 32 digits.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        match Uuid::try_parse(text) {
            Ok(id) if text.len() == 32 => Ok(Self(id)),
            _ => Err(InvalidId::Turn),
        }
    }
}

impl fmt::Display for TurnId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(formatter)
    }
}

impl Serialize for TurnId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.simple().encode_lower(&mut [0; 32]))
    }
}

impl fmt::Debug for TurnId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TurnId({self})")
    }
}

/// A client's own id of one message (AIP-155): 1 to 128 printable ASCII characters. Sending it again repeats nothing.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MessageId(Arc<str>);

impl MessageId {
    /// Longest accepted id, in characters.
    pub const MAX_LENGTH: usize = 128;

    /// Takes an id from outside.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        if text.is_empty()
            || text.len() > Self::MAX_LENGTH
            || !text.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(InvalidId::Message);
        }
        Ok(Self(text.into()))
    }

    /// A new random id, for a question that came without one.
    pub fn random() -> Self {
        Self(Uuid::new_v4().simple().to_string().into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An id from outside that is not one. The message says what is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Not a session id.
    #[error("a session id is 1 to 64 characters of A-Z, a-z, 0-9, _ and -")]
    Session,
    /// Not a turn id.
    #[error("a turn id is 32 hexadecimal digits, as received with the turn's events")]
    Turn,
    /// Not a message id.
    #[error("a message id is 1 to 128 printable ASCII characters without spaces")]
    Message,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_are_held_to_their_alphabet() {
        let longest = "x".repeat(64);
        for good in ["a", "my-session", "A_1", longest.as_str()] {
            assert_eq!(SessionId::parse(good).unwrap().as_str(), good);
        }
        let too_long = "x".repeat(65);
        for bad in ["", "a b", "a/b", "ä", "a}b", "..", too_long.as_str()] {
            assert_eq!(SessionId::parse(bad), Err(InvalidId::Session), "{bad}");
        }
    }

    #[test]
    fn a_turn_id_reads_back_and_nothing_else_does() {
        let turn = TurnId::random();
        assert_eq!(TurnId::parse(&turn.to_string()), Ok(turn));
        for bad in [
            "",
            "1",
            "6a1f0b9e-0000-4000-8000-000000000000",
            "g".repeat(32).as_str(),
        ] {
            assert_eq!(TurnId::parse(bad), Err(InvalidId::Turn), "{bad}");
        }
    }

    #[test]
    fn a_session_id_is_never_whole_in_a_debug_text() {
        let session = SessionId::parse("0123456789abcdef").unwrap();
        assert_eq!(format!("{session:?}"), "SessionId(01234567…)");
    }
}
