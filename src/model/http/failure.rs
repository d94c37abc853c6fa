//! What a failed request means: from status, headers and body to a kind, and to a sentence for people.

mod facts;
#[cfg(test)]
mod tests;

use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::retries::retry_after;
use crate::model::{ErrorKind, ModelError, Secret};
use facts::Facts;

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) struct Failure {
    /// What is told.
    pub(in crate::model) error: ModelError,
    /// When the server wants to be asked again.
    pub(super) retry_after: Option<Duration>,
}

/// Whom messages speak of.
#[derive(Debug, Clone)]
pub(in crate::model) struct Peer {
    /// The server.
    pub(in crate::model) host: String,
    /// The model, by the name it is asked for.
    pub(in crate::model) model: String,
    /// The section of the settings it is configured in.
    pub(in crate::model) section: &'static str,
    /// What must not be in a message, whoever repeats it.
    pub(in crate::model) secrets: Vec<Secret>,
}

// === impl Peer ===

impl Peer {
    /// True for a server on this machine.
    pub(super) fn is_local(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// A failure of this kind, with the sentence for it. `said` is what the server said about it, as it came.
    fn failure(&self, kind: ErrorKind, said: &str) -> Failure {
        let message = self.sentence(kind, &facts::short(said, &self.secrets));
        Failure {
            error: ModelError { kind, message },
            retry_after: None,
        }
    }

    fn sentence(&self, kind: ErrorKind, said: &str) -> String {
        let Self {
            host,
            model,
            section,
            secrets: _,
        } = self;
        let because = if said.is_empty() {
            String::new()
        } else {
            format!(" ({said})")
        };
        match kind {
            ErrorKind::RateLimited => {
                format!("the model at {host} gets too many questions. Ask again in a minute.")
            }
            ErrorKind::QuotaExhausted => format!(
                "the account at {host} has nothing left to spend. Whoever runs dragoman has to raise its limit there."
            ),
            // What servers say here repeats parts of the key.
            ErrorKind::Auth => format!(
                "{host} does not accept the key. Whoever runs dragoman has to check {section}.api_key and what it may do."
            ),
            ErrorKind::ContextLength => {
                "the conversation is too long for the model. Start a new one, or ask for less at a time."
                    .to_owned()
            }
            ErrorKind::ContentFilter => {
                "the model's content filter refused the question or the answer. Ask in other words."
                    .to_owned()
            }
            ErrorKind::BadRequest => format!(
                "the model at {host} does not take the request{because}. Whoever runs dragoman has to check the \
                 {section} settings."
            ),
            ErrorKind::NotFound => format!(
                "there is no model {model} at {host}{because}. Whoever runs dragoman has to check --model and \
                 {section}.base_url."
            ),
            ErrorKind::Overloaded => {
                format!("the model at {host} has too much to do. Ask again in a minute.")
            }
            ErrorKind::Server => format!("the model at {host} failed{because}. Ask again."),
            ErrorKind::Timeout => format!("the model at {host} took too long{because}. Ask again."),
            ErrorKind::Transport => format!(
                "the connection to the model at {host} broke{because}. Ask again; if that does not help, whoever runs \
                 dragoman has to check {section}.base_url."
            ),
            ErrorKind::Tls => format!(
                "there is no secure connection to the model at {host}{because}. Whoever runs dragoman has to check \
                 {section}.base_url; a certificate of one's own has to be among the CA certificates of the system, or in \
                 the file that SSL_CERT_FILE names."
            ),
            ErrorKind::Truncated => {
                "the model's answer was cut before its end. Ask again.".to_owned()
            }
            ErrorKind::Protocol => format!(
                "the answer of {host} cannot be understood{because}. Whoever runs dragoman has to check \
                 {section}.base_url."
            ),
        }
    }

    /// The failure an answer other than a stream is.
    pub(super) fn answered(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Failure {
        let facts = Facts::of_body(body);
        let kind = match &facts {
            // Some gateways put the error of the server behind them into a good answer.
            Some(facts) if status.is_success() => facts.kind(None),
            Some(facts) => facts.kind(Some(status.as_u16())),
            None if status.is_success() => ErrorKind::Protocol,
            None => facts::kind_of_status(status.as_u16()),
        };
        let said = match &facts {
            Some(facts) => facts.message.clone(),
            None if status.is_redirection() => format!("status {}, a redirect", status.as_u16()),
            None if status.is_success() => "it is no stream of events".to_owned(),
            None => format!("status {}", status.as_u16()),
        };
        Failure {
            retry_after: retry_after(headers),
            ..self.failure(kind, &said)
        }
    }

    /// The failure of a connection.
    pub(super) fn broken(&self, error: &reqwest::Error) -> Failure {
        if error.is_timeout() {
            self.failure(ErrorKind::Timeout, "no connection")
        } else if let Some(error) = tls_error(error) {
            self.failure(ErrorKind::Tls, &error.to_string())
        } else {
            self.failure(ErrorKind::Transport, &root_cause(error))
        }
    }

    /// A deadline passed while `what` was waited for.
    pub(super) fn late(&self, what: &str) -> Failure {
        self.failure(ErrorKind::Timeout, what)
    }

    /// The server sent what it should not have.
    pub(in crate::model) fn protocol(&self, what: &str) -> Failure {
        self.failure(ErrorKind::Protocol, what)
    }

    /// The failure that an event of the type `error` tells, with this data.
    pub(in crate::model) fn told(&self, data: &str) -> Failure {
        let error: Value = serde_json::from_str(data).unwrap_or_else(|_| data.into());
        let inner = error.get("error").filter(|inner| !inner.is_null());
        in_band(self, inner.unwrap_or(&error))
    }

    /// The answer ended before its end.
    pub(in crate::model) fn truncated(&self) -> Failure {
        self.failure(ErrorKind::Truncated, "")
    }

    /// The provider's filter stopped the answer.
    pub(in crate::model) fn filtered(&self) -> Failure {
        self.failure(ErrorKind::ContentFilter, "")
    }
}

/// The failure that an `error` object inside a stream is.
pub(in crate::model) fn in_band(peer: &Peer, error: &Value) -> Failure {
    let facts = Facts::of_error(error);
    peer.failure(facts.kind(None), &facts.message)
}

/// What was wrong with TLS, if that was it: the same a moment later. What an `io::Error` holds is no source of it, and may be
/// another one.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let held = error.downcast_ref().and_then(io::Error::get_ref);
        cause = match held {
            Some(held) => Some(held),
            None => error.source(),
        };
    }
    None
}

/// The last cause of an error: the one that says what the system said. It names no URL.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(next) = cause.and_then(std::error::Error::source) {
        cause = Some(next);
    }
    cause.map_or_else(|| "no cause given".to_owned(), ToString::to_string)
}
