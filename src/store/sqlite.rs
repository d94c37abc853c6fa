//! Sessions in one SQLite file. One thread owns the connection; this is the way to it.

mod admission;
mod append;
mod approvals;
mod begin;
mod log;
mod open;
mod operation;
mod read;
mod schema;
mod seen;
mod sessions;
mod spending;
mod thread;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::chat::{Event, EventBody, Limits, SessionId, TurnId};

use super::feeds::{FeedHold, Feeds};
use super::record::{RecordError, Row};
use super::request::{Append, Head, NewEvent, Range, Seal};
use super::{Begin, BeginTurn, StoreError};

use self::log::Failure;
use self::operation::{Operation, Reply};
use self::thread::Thread;

pub use self::open::OpenError;

/// How long an operation may take, its wait in the queue included.
const DEADLINE: Duration = Duration::from_secs(10);
/// Most operations that wait for the thread.
const QUEUE: usize = 1_024;
/// Most events one read returns.
const READ_EVENTS: usize = 1_000;

/// Sessions in one SQLite file, which no other process may use meanwhile. Clones share it.
#[derive(Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

struct Shared {
    queue: mpsc::Sender<Operation>,
    feeds: Arc<Feeds>,
    path: PathBuf,
    /// How long sessions are kept; zero means for ever.
    retention: Duration,
}

// === impl SqliteStore ===

impl SqliteStore {
    /// Opens the file at `path`, or makes it, its folder included.
    pub async fn open(path: &Path, limits: Limits, retention: Duration) -> Result<Self, OpenError> {
        let (queue, operations) = mpsc::channel(QUEUE);
        let (opened, opening) = oneshot::channel();
        let feeds = Arc::new(Feeds::default());
        let shared = Shared {
            queue,
            feeds: Arc::clone(&feeds),
            path: path.to_owned(),
            retention,
        };
        let path = path.to_owned();
        Builder::new()
            .name("session-store".to_owned())
            .spawn(move || match start(&path, limits, feeds) {
                Ok(thread) => {
                    if opened.send(Ok(())).is_ok() {
                        thread.run(operations);
                    }
                }
                // Then nobody waits for it, and there is nothing to undo.
                Err(error) => drop(opened.send(Err(error))),
            })
            .map_err(OpenError::Thread)?;
        match opening.await {
            Ok(Ok(())) => Ok(Self {
                shared: Arc::new(shared),
            }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(OpenError::Failed {
                path: shared.path,
                cause: "its thread ended".to_owned(),
            }),
        }
    }

    /// See [`super::Store::begin_turn`].
    pub async fn begin_turn(&self, begin: BeginTurn) -> Result<Begin, StoreError> {
        let user = NewEvent::new(EventBody::User {
            content: Arc::clone(&begin.content),
            message: begin.message.clone(),
        })?;
        self.ask(|reply| Operation::Begin { begin, user, reply })
            .await
    }

    /// See [`super::Store::read_before`].
    pub async fn read_before(
        &self,
        session: &SessionId,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        self.read(session, Range::Before(before), limit).await
    }

    /// See [`super::Store::check`].
    pub async fn check(&self) -> Result<(), StoreError> {
        self.ask(|reply| Operation::Probe { reply }).await
    }

    /// See [`super::Store::close`].
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        let closing = async {
            if self
                .shared
                .queue
                .send(Operation::Close { reply })
                .await
                .is_ok()
            {
                // Without an answer the thread is gone, which is as closed as it gets.
                let _ = closed.await;
            }
        };
        if timeout(DEADLINE, closing).await.is_err() {
            tracing::warn!("session store: did not close in time; nothing acknowledged is lost");
        }
    }

    /// The session's feed.
    pub(super) fn feed(&self, session: &SessionId) -> FeedHold {
        self.shared.feeds.hold(session)
    }

    /// Appends events of a turn. To repeat it with the same index is safe.
    pub(super) async fn append(&self, append: Append) -> Result<(), StoreError> {
        self.ask(|reply| Operation::Append { append, reply }).await
    }

    /// Ends a turn without waiting for it.
    pub(super) fn seal(&self, seal: Seal) {
        let turn = seal.turn;
        if self.shared.queue.try_send(Operation::Seal(seal)).is_err() {
            tracing::warn!(%turn, "session store: a turn stays open until the next start");
        }
    }

    /// How many events the running turn has.
    pub(super) async fn turn_length(
        &self,
        session: &SessionId,
        turn: TurnId,
    ) -> Result<u64, StoreError> {
        let session = session.clone();
        self.ask(|reply| Operation::TurnLength {
            session,
            turn,
            reply,
        })
        .await
    }

    /// Where the session's log ends, and which event is `at` a position.
    pub(super) async fn head(
        &self,
        session: &SessionId,
        at: Option<u64>,
    ) -> Result<Head, StoreError> {
        let session = session.clone();
        self.ask(|reply| Operation::Head { session, at, reply })
            .await
    }

    /// Up to `limit` events, oldest first.
    pub(super) async fn read(
        &self,
        session: &SessionId,
        range: Range,
        limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        let limit = limit.min(READ_EVENTS);
        let asked = session.clone();
        let rows = self
            .ask(|reply| Operation::Read {
                session: asked,
                range,
                limit,
                reply,
            })
            .await?;
        // Decoded here, not on the thread that everybody waits for.
        rows.into_iter()
            .map(Row::decode)
            .map(|event| event.map(Arc::new))
            .collect::<Result<_, _>>()
            .map_err(|error| unreadable(session, &error))
    }

    /// Has the thread do something, within the deadline. Without an answer it is not known whether
    /// it was done.
    async fn ask<T>(&self, operation: impl FnOnce(Reply<T>) -> Operation) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let asking = async {
            self.shared.queue.send(operation(reply)).await.ok()?;
            answer.await.ok()
        };
        match timeout(DEADLINE, asking).await {
            Ok(Some(outcome)) => outcome,
            Ok(None) if self.shared.queue.is_closed() => Err(StoreError::closed()),
            Ok(None) => Err(StoreError::Unavailable(Arc::from(
                "its file cannot be read or written, the service's log says why",
            ))),
            Err(_) => Err(StoreError::Unavailable(Arc::from(
                "it did not answer in time",
            ))),
        }
    }

    /// How many feeds are held.
    #[cfg(test)]
    pub(super) fn feeds(&self) -> usize {
        self.shared.feeds.len()
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SqliteStore")
            .field("path", &self.shared.path)
            .finish_non_exhaustive()
    }
}

fn start(path: &Path, limits: Limits, feeds: Arc<Feeds>) -> Result<Thread, OpenError> {
    let file = open::open(path)?;
    let mut thread = Thread::new(file, limits, feeds);
    let sealed = thread.seal_all().map_err(|failure| match failure {
        Failure::Sqlite(error) => OpenError::sqlite(path, &error),
        Failure::Record(error) => OpenError::Damaged {
            path: path.to_owned(),
            cause: error.to_string(),
        },
    })?;
    tracing::info!(
        path = %path.display(),
        schema = schema::VERSION,
        sealed,
        "session store: open"
    );
    Ok(thread)
}

fn unreadable(session: &SessionId, error: &RecordError) -> StoreError {
    tracing::error!(session = session.short(), %error, "session store: an event cannot be read");
    StoreError::Unavailable(format!("{error}").into())
}
