//! What is asked of the server, each as one script. Repeating a call whose answer was lost does no harm.

mod approvals;
mod failure;
mod read;
mod released;
mod sessions;
mod spending;
mod write;

use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::PubSub;
use ::redis::{FromRedisValue, RedisResult, ScriptInvocation};
use tokio::time::timeout;
use uuid::Uuid;

use crate::chat::{Limits, SessionId};
use crate::store::record::Encoded;
use crate::store::request::{NewEvent, interrupted};
use crate::store::{Sessions, StoreError};

use super::address::RedisAddress;
use super::check::{self, Unusable};
use super::connection::{self, Connection};
use super::scripts::Scripts;

use self::failure::down;

pub(super) use self::released::{Claimed, RELEASED};
pub(super) use self::write::{Piece, Write, Written};

/// How long a call may take, its repetition included.
const DEADLINE: Duration = Duration::from_secs(3);
/// How long a connection for subscriptions may take to be made.
const SUBSCRIBE_DEADLINE: Duration = Duration::from_secs(2);

/// The server, as the store uses it. Clones share the connections.
#[derive(Clone)]
pub(super) struct Commands {
    shared: Arc<Shared>,
    connection: Connection,
}

struct Shared {
    address: RedisAddress,
    scripts: Scripts,
    limits: Limits,
    lease: Duration,
    retention: Duration,
    /// Tells this process's turns from those of others, and from those it held before it was started again.
    holder: String,
    /// The sealed `error` of a turn whose process is gone, up to its text.
    sealed: String,
}

// === impl Commands ===

impl Commands {
    /// Connects, and checks what the server is.
    pub(super) async fn connect(
        address: &RedisAddress,
        limits: Limits,
        sessions: &Sessions,
        retention: Duration,
    ) -> Result<Self, Unusable> {
        let connecting = async {
            let mut connection = connection::connect(address)
                .await
                .map_err(|error| check::unusable(address, &error))?;
            check::check(address, &mut connection).await?;
            Ok(connection)
        };
        let connection = timeout(DEADLINE * 2, connecting)
            .await
            .unwrap_or_else(|_| {
                Err(Unusable::Unreachable {
                    address: address.to_string(),
                    cause: "no answer in time".to_owned(),
                })
            })?;
        let sealed = NewEvent::new(interrupted("".into())).map(|event| event.encoded);
        let sealed = sealed.unwrap_or(Encoded {
            kind: "error",
            data: String::new(),
        });
        Ok(Self {
            shared: Arc::new(Shared {
                address: address.clone(),
                scripts: Scripts::new(),
                limits,
                lease: sessions.lease,
                retention,
                holder: Uuid::new_v4().simple().to_string(),
                // The record ends with its text, which a script fills in.
                sealed: sealed.data.trim_end_matches("\"\"}").to_owned(),
            }),
            connection,
        })
    }

    /// A fresh connection for subscriptions.
    pub(super) async fn pubsub(&self) -> Result<PubSub, StoreError> {
        for node in self.shared.address.nodes() {
            let Ok(client) = ::redis::Client::open(node) else {
                continue;
            };
            match timeout(SUBSCRIBE_DEADLINE, client.get_async_pubsub()).await {
                Ok(Ok(pubsub)) => return Ok(pubsub),
                Ok(Err(error)) => tracing::debug!(%error, "session store: cannot subscribe here"),
                Err(_) => tracing::debug!("session store: cannot subscribe here in time"),
            }
        }
        Err(StoreError::Unavailable(Arc::from(
            "the Redis server does not answer",
        )))
    }

    /// Where what happens in a session is told.
    pub(super) fn channel(session: &SessionId) -> String {
        format!("dragoman:{{{}}}:c", session.as_str())
    }

    /// How long a turn counts as running without a sign of life.
    pub(super) fn lease(&self) -> Duration {
        self.shared.lease
    }

    fn call<'a>(&self, script: &'a ::redis::Script, session: &SessionId) -> ScriptInvocation<'a> {
        let mut call = script.prepare_invoke();
        for name in ['s', 'l', 'p', 'i', 'r', 'x'] {
            call.key(key(session, name));
        }
        call.arg(Self::channel(session))
            .arg(millis(self.shared.retention));
        call
    }

    /// Calls a script; once more if the connection broke, which every script allows.
    async fn ask<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        let mut connection = self.connection.clone();
        let calling = async {
            match call.invoke_async(&mut connection).await {
                Err(error) if error.is_io_error() => call.invoke_async(&mut connection).await,
                answer => answer,
            }
        };
        in_time(calling).await
    }

    async fn query<T: FromRedisValue>(&self, command: &::redis::Cmd) -> Result<T, StoreError> {
        let mut connection = self.connection.clone();
        let calling = async {
            match command.query_async(&mut connection).await {
                Err(error) if error.is_io_error() => command.query_async(&mut connection).await,
                answer => answer,
            }
        };
        in_time(calling).await
    }
}

async fn in_time<T>(calling: impl Future<Output = RedisResult<T>>) -> Result<T, StoreError> {
    match timeout(DEADLINE, calling).await {
        Ok(answer) => answer.map_err(|error| down(&error)),
        Err(_) => Err(StoreError::Unavailable(Arc::from(
            "the Redis server did not answer in time",
        ))),
    }
}

impl std::fmt::Debug for Commands {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Commands")
            .field("address", &self.shared.address)
            .finish_non_exhaustive()
    }
}

/// The braces are the hash tag: all keys of a session are in one slot of a cluster.
fn key(session: &SessionId, name: char) -> String {
    format!("dragoman:{{{}}}:{name}", session.as_str())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
