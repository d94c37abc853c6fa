use std::fmt;

use ::redis::{ConnectionAddr, IntoConnectionInfo as _};

/// Where a Redis or Valkey server is, or the nodes of a cluster. Never shown with its password.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisAddress {
    /// One URL a node, as the client library reads them.
    nodes: Vec<String>,
    cluster: bool,
    shown: String,
}

/// A text is not the URL of a Redis server. It says how one is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAddress(String);

/// Most nodes that need to be named: a cluster tells the others.
const MOST_NODES: usize = 64;

// === impl RedisAddress ===

impl RedisAddress {
    /// Reads `redis://[USER:PASSWORD@]HOST[:PORT][/DB]`, `rediss://` for TLS, or
    /// `redis-cluster://[USER:PASSWORD@]HOST:PORT,HOST:PORT`.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        let wrong = |reason: &str| Err(InvalidAddress(reason.to_owned()));
        let (scheme, cluster, rest) = match text.split_once("://") {
            Some(("redis", rest)) => ("redis", false, rest),
            Some(("rediss", rest)) => ("rediss", false, rest),
            Some(("redis-cluster", rest)) => ("redis", true, rest),
            Some(("rediss-cluster", rest)) => ("rediss", true, rest),
            _ => return wrong("write redis://HOST:PORT, or redis-cluster://HOST:PORT,HOST:PORT"),
        };
        let (user, hosts) = match rest.rsplit_once('@') {
            Some((user, hosts)) => (format!("{user}@"), hosts),
            None => (String::new(), rest),
        };
        if hosts.is_empty() {
            return wrong("the host is missing: write redis://HOST:PORT");
        }
        let hosts: Vec<&str> = if cluster {
            hosts.split(',').map(str::trim).collect()
        } else {
            vec![hosts]
        };
        if !cluster && rest.contains(',') && user.is_empty() {
            return wrong(
                "several servers are a cluster: write redis-cluster://HOST:PORT,HOST:PORT",
            );
        }
        if hosts.len() > MOST_NODES {
            return wrong("name a few nodes of the cluster, it tells the others");
        }
        let mut nodes = Vec::with_capacity(hosts.len());
        for host in &hosts {
            let url = format!("{scheme}://{user}{host}");
            let Ok(info) = url.as_str().into_connection_info() else {
                return wrong(
                    "not a URL of a Redis server: write redis://USER:PASSWORD@HOST:PORT/DB, with %-escapes for what \
                     is no letter or digit",
                );
            };
            let named = match info.addr() {
                ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => {
                    !host.is_empty()
                }
                _ => false,
            };
            if !named {
                return wrong("the host is missing: write redis://HOST:PORT");
            }
            if cluster && info.redis_settings().db() != 0 {
                return wrong("a cluster has one database only: leave out what is behind the port");
            }
            nodes.push(url);
        }
        let hidden = if user.is_empty() { "" } else { "…@" };
        let kind = if cluster { "-cluster" } else { "" };
        Ok(Self {
            nodes,
            cluster,
            shown: format!("{scheme}{kind}://{hidden}{}", hosts.join(",")),
        })
    }

    pub(super) fn is_cluster(&self) -> bool {
        self.cluster
    }

    pub(super) fn nodes(&self) -> Vec<String> {
        self.nodes.clone()
    }

    pub(super) fn first(&self) -> &str {
        self.nodes.first().map_or("", String::as_str)
    }
}

/// Without user and password.
impl fmt::Display for RedisAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RedisAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_no_password() {
        for (text, shown) in [
            ("redis://h", "redis://h"),
            ("redis://h:1/2", "redis://h:1/2"),
            ("rediss://me:s3cret@h:1", "rediss://…@h:1"),
            ("redis://:s3%40cret@h:1", "redis://…@h:1"),
            (
                "redis-cluster://u:s3cret@a:1,b:2",
                "redis-cluster://…@a:1,b:2",
            ),
        ] {
            let address = RedisAddress::parse(text).unwrap();
            assert_eq!(address.to_string(), shown);
            assert!(!format!("{address:?}").contains("s3"), "{address:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_advice() {
        for (text, advice) in [
            ("redis:h", "write redis://HOST:PORT"),
            ("http://h", "write redis://HOST:PORT"),
            ("redis://", "the host is missing"),
            ("redis://u:p@", "the host is missing"),
            ("redis://a:1,b:2", "several servers are a cluster"),
            ("redis://h:x", "not a URL"),
            ("redis-cluster://a:1/3", "one database only"),
        ] {
            let wrong = RedisAddress::parse(text).unwrap_err().to_string();
            assert!(wrong.contains(advice), "{text}: {wrong}");
        }
    }
}
