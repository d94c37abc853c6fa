use std::time::Duration;

use super::Address;

/// Collibra could not be read. The message says why and what to do; it holds no secret.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the catalog {server} cannot be read: {problem}")]
pub struct CollibraError {
    /// Where.
    pub server: Address,
    /// Why.
    pub problem: Problem,
}

/// Why Collibra could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Nobody said how to sign in.
    #[error(
        "nothing to sign in with. Set collibra.client_id and collibra.client_secret, or collibra.username and \
         collibra.password"
    )]
    NoCredentials,
    /// The client or the user is not known there.
    #[error("it does not accept the {what}. Check it, and whether it is still valid there")]
    Credentials {
        /// Which settings.
        what: &'static str,
    },
    /// Signed in, but not allowed to.
    #[error(
        "it does not allow {path}. Whoever runs Collibra has to let this account view the assets and use the API"
    )]
    Forbidden {
        /// What was asked for.
        path: &'static str,
    },
    /// Something else answers there.
    #[error("what answers there is no Collibra: {found}. Check the address")]
    NotCollibra {
        /// What it looks like.
        found: String,
    },
    /// No connection.
    #[error("no connection: {cause}. Check the address, and whether the server runs")]
    Unreachable {
        /// What the system says.
        cause: String,
    },
    /// An answer broke off.
    #[error("the answer to {path} broke off: {cause}. Try again")]
    Cut {
        /// What was asked for.
        path: &'static str,
        /// What the system says.
        cause: String,
    },
    /// An answer takes too long.
    #[error(
        "no answer to {path} within {limit:?}. Look whether the server has too much to do, set a smaller \
         collibra.page_size, or a longer collibra.request_timeout"
    )]
    Timeout {
        /// What was asked for.
        path: &'static str,
        /// How long was waited.
        limit: Duration,
    },
    /// An answer is too long.
    #[error(
        "the answer to {path} is longer than {} MiB. Set a smaller collibra.page_size",
        limit / (1024 * 1024)
    )]
    TooLarge {
        /// What was asked for.
        path: &'static str,
        /// Longest accepted answer, in bytes.
        limit: usize,
    },
    /// The server has too much to do, or something there is broken.
    #[error("it answers {path} with status {status}{}. Try again later", bracketed(.said))]
    Server {
        /// What was asked for.
        path: &'static str,
        /// The status.
        status: u16,
        /// What it says about it.
        said: String,
    },
    /// It does not take a request.
    #[error(
        "it does not take the request {path} (status {status}{}). Check collibra.domains and collibra.communities; \
         if they are right, please report this",
        bracketed(.said)
    )]
    Refused {
        /// What was asked for.
        path: &'static str,
        /// The status.
        status: u16,
        /// What it says about it.
        said: String,
    },
    /// It does not take a query.
    #[error("it does not take the query: {said}")]
    Query {
        /// What it says about it.
        said: String,
    },
    /// There is no such thing.
    #[error("it has no {path}. Check the address")]
    Missing {
        /// What was asked for.
        path: &'static str,
    },
    /// An answer cannot be understood.
    #[error("the answer to {path} cannot be understood: {cause}. Please report this")]
    Broken {
        /// What was asked for.
        path: &'static str,
        /// What is wrong, with line and column.
        cause: String,
    },
    /// A list does not end.
    #[error("the list {path} does not end: {found}. Please report this to whoever runs Collibra")]
    Endless {
        /// What was asked for.
        path: &'static str,
        /// How that was seen.
        found: &'static str,
    },
    /// No type of the settings is known there.
    #[error("it has no type of assets {types}. Check collibra.types")]
    NoTypes {
        /// Those that were looked for.
        types: String,
    },
    /// There is nothing to read.
    #[error(
        "this account sees no table there. Check what it may view, and collibra.types, collibra.domains and \
         collibra.communities"
    )]
    NoTables,
    /// A defect of dragoman.
    #[error("dragoman failed to read it: please report this, with the lines before it")]
    Panicked,
    /// No client could be made.
    #[error("no client can be made: {cause}")]
    Client {
        /// Why.
        cause: String,
    },
}

/// What a server said, in brackets.
fn bracketed(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(" ({text})")
    }
}

// === impl CollibraError ===

impl CollibraError {
    /// `error.type` of the span.
    pub(in crate::catalog) fn kind(&self) -> &'static str {
        self.problem.kind()
    }
}

// === impl Problem ===

impl Problem {
    /// `error.type` of spans.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::Credentials { .. } => "auth",
            Self::Forbidden { .. } => "forbidden",
            Self::NotCollibra { .. } => "not_collibra",
            Self::Unreachable { .. } => "unreachable",
            Self::Cut { .. } => "truncated",
            Self::Timeout { .. } => "timeout",
            Self::TooLarge { .. } => "too_large",
            Self::Server { .. } => "server",
            Self::Refused { .. } => "bad_request",
            Self::Query { .. } => "query",
            Self::Missing { .. } => "not_found",
            Self::Broken { .. } => "protocol",
            Self::Endless { .. } => "endless",
            Self::NoTypes { .. } => "no_types",
            Self::NoTables => "no_tables",
            Self::Panicked => "panic",
            Self::Client { .. } => "client",
        }
    }

    /// True if the same request may work a moment later.
    pub(super) fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Cut { .. }
                | Self::Timeout { .. }
                | Self::Server { .. }
        )
    }

    /// With the server it is about.
    pub(super) fn of(self, server: &Address) -> CollibraError {
        CollibraError {
            server: server.clone(),
            problem: self,
        }
    }
}
