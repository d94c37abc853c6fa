use std::fmt;

/// Where a Redis or Valkey server is, and how it is spoken to. Never shown with its password.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisAddress {
    url: String,
}

/// A text is not the URL of a Redis server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAddress(String);

const SCHEMES: [&str; 4] = [
    "redis://",
    "rediss://",
    "redis-cluster://",
    "rediss-cluster://",
];

// === impl RedisAddress ===

impl RedisAddress {
    /// Reads a URL.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        if !SCHEMES.iter().any(|scheme| text.starts_with(scheme)) {
            let advice = "write redis://HOST:PORT, or redis-cluster://HOST:PORT,HOST:PORT";
            return Err(InvalidAddress(advice.to_owned()));
        }
        Ok(Self {
            url: text.to_owned(),
        })
    }
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.url.split_once("://"), self.url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, place))) => write!(formatter, "{scheme}://…@{place}"),
            _ => formatter.write_str(&self.url),
        }
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RedisAddress({self})")
    }
}
