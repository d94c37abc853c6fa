//! A catalog read from PostgreSQL.

use std::fmt;

use super::format;

/// Where a PostgreSQL server is. Never shown with its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    url: String,
    shown: String,
}

/// How PostgreSQL sources are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {}

/// PostgreSQL could not be read. The message says why and what to do.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// This build has no client for it.
    #[error("{0}: this dragoman cannot read PostgreSQL")]
    Missing(Address),
}

/// What the server says of its tables.
#[expect(clippy::unused_async, reason = "a client waits")]
pub(super) async fn read(
    address: &Address,
    _config: &Config,
) -> Result<format::File, PostgresError> {
    Err(PostgresError::Missing(address.clone()))
}

// === impl PostgresError ===

impl PostgresError {
    /// `error.type` of the span.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Missing(_) => "missing",
        }
    }
}

// === impl Address ===

impl Address {
    /// Reads `postgres://` or `postgresql://`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix("postgres://")
            .or_else(|| text.strip_prefix("postgresql://"))
            .ok_or("write postgres://USER@HOST:PORT/DATABASE")?;
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        if host.is_empty() || host.starts_with('/') {
            return Err("the host is missing".to_owned());
        }
        let hidden = if host.len() == rest.len() { "" } else { "…@" };
        let scheme = text.strip_suffix(rest).unwrap_or_default();
        Ok(Self {
            url: text.to_owned(),
            shown: format!("{scheme}{hidden}{host}"),
        })
    }

    /// What a source at this address is called if nobody gives it a name.
    pub(super) fn default_name(&self) -> String {
        let end = self.url.rsplit(['/', '@']).next().unwrap_or_default();
        end.split('?').next().unwrap_or_default().to_owned()
    }
}

/// Without user and password.
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({self})")
    }
}
