//! Pages (AIP-158): their size, and the token that leads to the next one. To clients a token is opaque: hexadecimal
//! digits of a version and of the place where the page before ended.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tonic::Status;

use crate::chat::{Cursor, Fingerprint, SessionId};
use crate::rpc::status;
use crate::store::SessionsAfter;

/// The size of a page if none is asked for.
const DEFAULT: usize = 100;
/// The size of the largest page.
const LARGEST: usize = 1_000;
/// Longest token that is looked at.
const TOKEN_BYTES: usize = 512;

/// Where a page of events ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EventsToken(pub(super) Cursor);

/// Where a page of sessions ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SessionsToken(pub(super) SessionsAfter);

/// How many entries a page may have. More than there can be is as many as there can be, as AIP-158 wants it.
pub(super) fn size(asked: i32) -> Result<usize, Status> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT),
        Ok(asked) => Ok(asked.min(LARGEST)),
        Err(_) => Err(status::invalid_field(
            "page_size",
            "the size of a page is not negative",
        )),
    }
}

// === impl EventsToken ===

impl EventsToken {
    /// Reads a token from a client.
    pub(super) fn parse(token: &str) -> Result<Self, Status> {
        let read = || {
            let record = unhex(token)?;
            let (seq, fingerprint) = record.strip_prefix("e1 ")?.split_once(' ')?;
            Some(Self(Cursor {
                seq: seq.parse().ok()?,
                fingerprint: Some(Fingerprint::from_client(fingerprint)?),
            }))
        };
        read().ok_or_else(malformed)
    }
}

impl fmt::Display for EventsToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fingerprint = self.0.fingerprint.as_ref();
        let fingerprint = fingerprint.map(ToString::to_string).unwrap_or_default();
        hex(formatter, &format!("e1 {} {fingerprint}", self.0.seq))
    }
}

// === impl SessionsToken ===

impl SessionsToken {
    /// Reads a token from a client.
    pub(super) fn parse(token: &str) -> Result<Self, Status> {
        let read = || {
            let record = unhex(token)?;
            let (millis, session) = record.strip_prefix("s1 ")?.split_once(' ')?;
            let updated = UNIX_EPOCH.checked_add(Duration::from_millis(millis.parse().ok()?))?;
            Some(Self(SessionsAfter {
                updated,
                session: SessionId::parse(session).ok()?,
            }))
        };
        read().ok_or_else(malformed)
    }
}

impl fmt::Display for SessionsToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.0.updated.duration_since(SystemTime::UNIX_EPOCH);
        let millis = since.unwrap_or_default().as_millis();
        hex(
            formatter,
            &format!("s1 {millis} {}", self.0.session.as_str()),
        )
    }
}

fn malformed() -> Status {
    status::invalid_field(
        "page_token",
        "this is not a token that a page came with: start again without one",
    )
}

fn hex(formatter: &mut fmt::Formatter<'_>, record: &str) -> fmt::Result {
    record
        .bytes()
        .try_for_each(|byte| write!(formatter, "{byte:02x}"))
}

fn unhex(token: &str) -> Option<String> {
    if token.len() > TOKEN_BYTES || !token.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut bytes = Vec::with_capacity(token.len() / 2);
    let mut digits = token.bytes();
    while let (Some(high), Some(low)) = (digits.next(), digits.next()) {
        bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::chat::TurnId;

    #[test]
    fn tokens_read_back_and_nothing_else_does() {
        let events = EventsToken(Cursor {
            seq: 7,
            fingerprint: Some(Fingerprint::of(TurnId::random(), SystemTime::now())),
        });
        let sessions = SessionsToken(SessionsAfter {
            updated: UNIX_EPOCH + Duration::from_millis(1_234),
            session: SessionId::random(),
        });
        let (events_token, sessions_token) = (events.to_string(), sessions.to_string());
        assert_eq!(EventsToken::parse(&events_token).unwrap(), events);
        assert_eq!(SessionsToken::parse(&sessions_token).unwrap(), sessions);
        let long = "6".repeat(1_000_000);
        for bad in [&sessions_token, "e1", "zz", "6531", "653120", "é", &long] {
            assert!(EventsToken::parse(bad).is_err(), "{bad}");
        }
        for bad in [
            &events_token,
            "7331",
            "73312039393939393939393939393939393939393939392061",
        ] {
            assert!(SessionsToken::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_page_has_bounds() {
        let sizes = [0, 1, 1_000, i32::MAX].map(|asked| size(asked).unwrap());
        assert_eq!(sizes, [100, 1, 1_000, 1_000]);
        assert!(size(-1).is_err());
    }
}
