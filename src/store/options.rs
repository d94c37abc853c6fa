use std::path::PathBuf;
use std::time::Duration;

use super::RedisAddress;

/// Which store to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Config {
    /// SQLite in this file; its folder is made if missing.
    Sqlite(PathBuf),
    /// A Redis or Valkey server, or a cluster of them.
    Redis(RedisAddress),
}

/// How long sessions are kept, and how their turns are held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions {
    /// How long a session is kept after it was last used. Zero: for ever. `None`: for ever in SQLite, 24 h in Redis.
    pub retention: Option<Duration>,
    /// In a shared store: how long a turn counts as running without a sign of life from the process that runs it.
    pub lease: Duration,
    /// In a shared store: how often that process gives a sign of life.
    pub heartbeat: Duration,
}

/// How long a session is kept in Redis if nobody says otherwise.
const REDIS_RETENTION: Duration = Duration::from_hours(24);

impl Default for Sessions {
    fn default() -> Self {
        Self {
            retention: None,
            lease: Duration::from_secs(15),
            heartbeat: Duration::from_secs(5),
        }
    }
}

// === impl Sessions ===

impl Sessions {
    /// How long a session is kept in that store. Zero: for ever.
    pub fn retention_on(&self, store: &Config) -> Duration {
        self.retention.unwrap_or(match store {
            Config::Sqlite(_) => Duration::ZERO,
            Config::Redis(_) => REDIS_RETENTION,
        })
    }
}
