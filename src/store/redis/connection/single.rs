use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::aio::{ConnectionLike as _, ConnectionManager, ConnectionManagerConfig};
use ::redis::{Client, Cmd, Pipeline, RedisResult, Value};
use tokio::time::Instant;

/// How long not one answer may come on a connection on which something was asked: two commands that time out. A server
/// that is only slow answers some.
const SILENT: Duration = Duration::from_millis(1_900);

/// A connection to one server, made anew when no answers come on it any more.
///
/// The library makes a new one when the old one is closed. One whose other side has gone without a word is not closed: it
/// would be used for as long as the kernel sends again, a quarter of an hour. Clones share the connection.
#[derive(Clone)]
pub(in crate::store::redis) struct SingleConnection(Arc<Inner>);

struct Inner {
    client: Client,
    config: ConnectionManagerConfig,
    current: Mutex<Numbered>,
}

/// A connection, and how many there were before it.
struct Numbered {
    number: u64,
    connection: ConnectionManager,
    /// When the first thing was asked that came after the last answer.
    unanswered: Option<Instant>,
}

// === impl SingleConnection ===

impl SingleConnection {
    /// Connects.
    pub(super) async fn connect(
        client: Client,
        config: ConnectionManagerConfig,
    ) -> RedisResult<Self> {
        let connecting = client.get_connection_manager_with_config(config.clone());
        let first = Numbered {
            number: 0,
            connection: connecting.await?,
            unanswered: None,
        };
        Ok(Self(Arc::new(Inner {
            client,
            config,
            current: Mutex::new(first),
        })))
    }

    pub(super) async fn command(&self, command: &Cmd) -> RedisResult<Value> {
        let (number, mut connection) = self.current();
        let answer = connection.req_packed_command(command).await;
        self.look_at(number, &answer);
        answer
    }

    pub(super) async fn commands(
        &self,
        pipeline: &Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let (number, mut connection) = self.current();
        let sending = connection.req_packed_commands(pipeline, offset, count);
        let answers = sending.await;
        self.look_at(number, &answers);
        answers
    }

    pub(super) fn database(&self) -> i64 {
        self.locked().connection.get_db()
    }

    fn current(&self) -> (u64, ConnectionManager) {
        let mut current = self.locked();
        current.unanswered.get_or_insert_with(Instant::now);
        (current.number, current.connection.clone())
    }

    fn locked(&self) -> MutexGuard<'_, Numbered> {
        let current = &self.0.current;
        current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After too long a silence the next command has a new connection. Those under way have the old one until they end.
    fn look_at<T>(&self, number: u64, answer: &RedisResult<T>) {
        let mut current = self.locked();
        if current.number != number {
            return;
        }
        if !answer.as_ref().is_err_and(::redis::RedisError::is_timeout) {
            current.unanswered = None;
            return;
        }
        let (client, config) = (self.0.client.clone(), self.0.config.clone());
        if current
            .unanswered
            .is_some_and(|since| since.elapsed() >= SILENT)
            && let Ok(connection) = ConnectionManager::new_lazy_with_config(client, config)
        {
            *current = Numbered {
                number: number + 1,
                connection,
                unanswered: None,
            };
        }
    }
}

impl fmt::Debug for SingleConnection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("SingleConnection");
        shown.finish_non_exhaustive()
    }
}
