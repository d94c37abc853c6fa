//! What the server must be, and what it should be.

use std::collections::HashMap;

use ::redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, cmd};

use super::address::RedisAddress;
use super::connection::Connection;

/// The oldest version whose streams and scripts do what is needed.
const OLDEST: (u32, u32) = (6, 2);

/// Why a Redis server cannot be used. Every message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Nothing answers there.
    #[error(
        "no Redis server answers at {address}: {cause}; start one there, or name another with --store"
    )]
    Unreachable {
        /// The address, without a password.
        address: String,
        /// What the connection said.
        cause: String,
    },
    /// It wants a password, or another one.
    #[error(
        "the Redis server at {address} does not let us in: {cause}; write redis://USER:PASSWORD@HOST:PORT"
    )]
    Password {
        /// The address, without a password.
        address: String,
        /// What the server said.
        cause: String,
    },
    /// The user may not do what is needed.
    #[error(
        "the user of the Redis server at {address} may not do what is needed: {cause}; allow ~dragoman:* &dragoman:* +@all -@admin -@dangerous +info +cluster|slots"
    )]
    Permission {
        /// The address, without a password.
        address: String,
        /// What the server said.
        cause: String,
    },
    /// It is a replica.
    #[error("the Redis server at {address} is a read-only replica: name the primary")]
    ReadOnly {
        /// The address, without a password.
        address: String,
    },
    /// It is too old.
    #[error("the Redis server at {address} is version {version}: 6.2 or newer is needed")]
    TooOld {
        /// The address, without a password.
        address: String,
        /// Its version.
        version: String,
    },
    /// It is alone, or a cluster, against what the address says.
    #[error("the server at {address} cannot be used like that: {cause}")]
    Other {
        /// The address, without a password.
        address: String,
        /// What the server said.
        cause: String,
    },
}

/// Checks the server; what is only risky is logged.
pub(super) async fn check(
    address: &RedisAddress,
    connection: &mut Connection,
) -> Result<(), Unusable> {
    let mut probe = cmd("SET");
    probe.arg("dragoman:probe").arg(1).arg("PX").arg(60_000);
    let written = probe.query_async::<()>(connection).await;
    written.map_err(|error| unusable(address, &error))?;
    let info: RedisResult<String> = if address.is_cluster() {
        // Any node: they are set up alike.
        Err(RedisError::from((
            ErrorKind::Client,
            "asked of one node only",
        )))
    } else {
        cmd("INFO").query_async(connection).await
    };
    let Ok(info) = info else {
        tracing::warn!(
            "session store: the server's settings cannot be read here; make sure that it does not evict keys \
             (maxmemory-policy noeviction) and keeps an append-only file (appendonly yes)"
        );
        return Ok(());
    };
    let info: HashMap<&str, &str> = info
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key, value.trim()))
        .collect();
    check_info(address, &info)
}

fn check_info(address: &RedisAddress, info: &HashMap<&str, &str>) -> Result<(), Unusable> {
    let get = |key: &str| info.get(key).copied().unwrap_or_default();
    // Valkey tells the version of Redis it is compatible with here.
    let version = get("redis_version");
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if !version.is_empty() && found < OLDEST {
        return Err(Unusable::TooOld {
            address: address.to_string(),
            version: version.to_owned(),
        });
    }
    for warning in warnings(get("maxmemory_policy"), get("aof_enabled")) {
        tracing::warn!("session store: {warning}");
    }
    tracing::info!(
        version,
        append_only_file = get("aof_enabled") == "1",
        "session store: Redis answers"
    );
    Ok(())
}

fn warnings(policy: &str, append_only: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    if !policy.is_empty() && policy != "noeviction" {
        warnings.push(format!(
            "the server may drop sessions when its memory is full (maxmemory-policy {policy}): \
             run CONFIG SET maxmemory-policy noeviction, and CONFIG REWRITE"
        ));
    }
    if append_only == "0" {
        warnings.push(
            "the server keeps no append-only file, so a restart of it loses sessions: \
             run CONFIG SET appendonly yes, and CONFIG REWRITE"
                .to_owned(),
        );
    }
    warnings
}

/// What a failed first command means.
pub(super) fn unusable(address: &RedisAddress, error: &RedisError) -> Unusable {
    let address = address.to_string();
    let cause = error.to_string();
    match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => {
            Unusable::Password { address, cause }
        }
        (ErrorKind::Server(ServerErrorKind::NoPerm), _) => Unusable::Permission { address, cause },
        (ErrorKind::Server(ServerErrorKind::ReadOnly), _) => Unusable::ReadOnly { address },
        (ErrorKind::Io | ErrorKind::ClusterConnectionNotFound, _) => {
            Unusable::Unreachable { address, cause }
        }
        _ => Unusable::Other { address, cause },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_risky_is_told_with_its_cure() {
        assert_eq!(warnings("noeviction", "1"), Vec::<String>::new());
        assert!(warnings("allkeys-lru", "1")[0].contains("CONFIG SET maxmemory-policy noeviction"));
        assert!(warnings("noeviction", "0")[0].contains("CONFIG SET appendonly yes"));
    }

    #[test]
    fn an_old_server_is_refused() {
        let address = RedisAddress::parse("redis://h").unwrap();
        let info = |version| HashMap::from([("redis_version", version)]);
        assert!(check_info(&address, &info("7.0.15")).is_ok());
        assert!(check_info(&address, &info("6.2.0")).is_ok());
        assert!(matches!(
            check_info(&address, &info("6.0.16")),
            Err(Unusable::TooOld { .. })
        ));
    }
}
