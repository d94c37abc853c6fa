use std::error::Error as _;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::error::SqlState;

use super::Address;

/// A database that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the catalog {address} cannot be read: {problem}")]
pub struct PostgresError {
    address: Address,
    problem: Problem,
}

/// Why a database could not be read, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// No such host.
    #[error("no host has that name: {0}. Check the name, and the name server")]
    NoHost(io::Error),
    /// Nobody listens there.
    #[error("nobody answers there: {0}. Check host and port, and whether the server runs")]
    Unreachable(io::Error),
    /// The server is there and does not let anybody in.
    #[error(
        "the server has let nobody in for {limit:?}. Check the server, or raise postgres.connect_timeout"
    )]
    ConnectTimeout {
        /// How long was waited.
        limit: Duration,
    },
    /// The server has no TLS.
    #[error(
        "the server has no TLS. Switch it on there, or write ?sslmode=disable behind the address"
    )]
    NoTls,
    /// The certificate of the server is not accepted, or TLS fails otherwise.
    #[error(
        "the TLS connection is not trusted: {0}. Name the authority that signed the server's certificate with \
         postgres.ca_file, and the host as the certificate does"
    )]
    Certificate(String),
    /// The file of authorities cannot be used.
    #[error("postgres.ca_file {} cannot be used: {cause}. Name a file of certificates as PEM", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The system trusts nobody.
    #[error(
        "this system has no list of authorities to trust. Install ca-certificates, or set postgres.ca_file"
    )]
    NoAuthorities,
    /// The server asks for a password, and there is none.
    #[error("the server asks for a password. Set PGPASSWORD, or write it into the address")]
    NoPassword,
    /// The password is wrong, or there is no such role.
    #[error(
        "the server refuses the password, or does not know the role: {0}. Correct the password or the user"
    )]
    WrongPassword(String),
    /// The server does not let this role in from here.
    #[error(
        "the server does not let this role in: {0}. Correct the user, or ask whoever runs the server for an \
         entry in pg_hba.conf"
    )]
    NotLetIn(String),
    /// No such database.
    #[error("the server has no such database: {0}. Correct the end of the address")]
    NoDatabase(String),
    /// The role lacks a right.
    #[error(
        "the role has not the right: {0}. Have it GRANTed, CONNECT on the database to begin with"
    )]
    NotAllowed(String),
    /// The server starts, stops, or has no connection left.
    #[error("the server serves nobody right now: {0}. It is asked again later")]
    Unavailable(String),
    /// A query took too long.
    #[error(
        "the server has not finished a query: {0}. Raise postgres.statement_timeout, or name fewer schemas with \
         postgres.schemas"
    )]
    StatementTimeout(String),
    /// The server is too old.
    #[error("the server is PostgreSQL {0}. Versions 12 and newer can be read")]
    TooOld(String),
    /// There is more than is accepted.
    #[error("there are more than {most} {what}. Name fewer schemas with postgres.schemas")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are accepted.
        most: usize,
    },
    /// No schema is left to read.
    #[error(
        "no schema fits postgres.schemas that the role may look into. Correct it, or GRANT USAGE ON SCHEMA … TO the role"
    )]
    NoSchema,
    /// The role may read nothing.
    #[error(
        "the role may read no table. GRANT USAGE ON SCHEMA … and SELECT ON ALL TABLES IN SCHEMA … TO the role, or \
         name other schemas with postgres.schemas"
    )]
    NoTable,
    /// The connection broke.
    #[error("the server closed the connection. It is asked again later")]
    Closed,
    /// Anything else the server or the client says.
    #[error("{0}")]
    Other(String),
}

// === impl PostgresError ===

impl PostgresError {
    pub(super) fn new(address: &Address, problem: Problem) -> Self {
        Self {
            address: address.clone(),
            problem,
        }
    }

    /// `error.type` of the span.
    pub(in crate::catalog) fn kind(&self) -> &'static str {
        match &self.problem {
            Problem::NoHost(_) => "no_host",
            Problem::Unreachable(_) => "unreachable",
            Problem::ConnectTimeout { .. } | Problem::StatementTimeout(_) => "timeout",
            Problem::NoTls
            | Problem::Certificate(_)
            | Problem::CaFile { .. }
            | Problem::NoAuthorities => "tls",
            Problem::NoPassword | Problem::WrongPassword(_) | Problem::NotLetIn(_) => {
                "authentication"
            }
            Problem::NoDatabase(_) => "no_database",
            Problem::NotAllowed(_) => "not_allowed",
            Problem::Unavailable(_) => "unavailable",
            Problem::TooOld(_) => "too_old",
            Problem::TooMany { .. } => "too_large",
            Problem::NoSchema | Problem::NoTable => "empty",
            Problem::Closed => "closed",
            Problem::Other(_) => "other",
        }
    }
}

// === impl Problem ===

impl From<tokio_postgres::Error> for Problem {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(error) = error.as_db_error() {
            return Self::said(error.code(), error.message());
        }
        if error.is_closed() {
            return Self::Closed;
        }
        // The client does not tell what kind of error it is, except in its words.
        let doing = error.to_string();
        let cause = error.source().map_or_else(String::new, ToString::to_string);
        if cause.contains("does not support TLS") {
            return Self::NoTls;
        }
        if doing.contains("TLS") {
            return Self::Certificate(cause);
        }
        if cause.contains("password missing") {
            return Self::NoPassword;
        }
        let connecting = doing.contains("connecting");
        let source = error.into_source();
        match source.and_then(|source| source.downcast::<io::Error>().ok()) {
            // Whom nobody knows has no address, and without one no call to the system fails.
            Some(error) if connecting && error.raw_os_error().is_none() => Self::NoHost(*error),
            Some(error) if connecting => Self::Unreachable(*error),
            Some(error) if is_end(error.kind()) => Self::Closed,
            _ if cause.is_empty() => Self::Other(doing),
            _ => Self::Other(format!("{doing}: {cause}")),
        }
    }
}

impl Problem {
    /// What the server says. Source: <https://www.postgresql.org/docs/current/errcodes-appendix.html>
    fn said(code: &SqlState, message: &str) -> Self {
        let message = message.to_owned();
        match *code {
            SqlState::INVALID_PASSWORD => Self::WrongPassword(message),
            SqlState::INVALID_AUTHORIZATION_SPECIFICATION => Self::NotLetIn(message),
            SqlState::INVALID_CATALOG_NAME => Self::NoDatabase(message),
            SqlState::INSUFFICIENT_PRIVILEGE => Self::NotAllowed(message),
            SqlState::QUERY_CANCELED | SqlState::LOCK_NOT_AVAILABLE => {
                Self::StatementTimeout(message)
            }
            SqlState::TOO_MANY_CONNECTIONS
            | SqlState::CANNOT_CONNECT_NOW
            | SqlState::ADMIN_SHUTDOWN
            | SqlState::CRASH_SHUTDOWN => Self::Unavailable(message),
            _ => Self::Other(format!("the server says: {message} ({})", code.code())),
        }
    }
}

fn is_end(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}
