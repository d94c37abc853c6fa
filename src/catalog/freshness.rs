use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Info;
use super::part::Part;

/// One source of a catalog: what it holds, and how old that is.
#[derive(Debug, Clone)]
pub struct SourceState {
    name: Arc<str>,
    info: Arc<Info>,
    freshness: Arc<Freshness>,
}

/// How old what is known of a source is. It goes on changing while a catalog does not: a source that says the same
/// again makes what is known younger, and nothing else.
#[derive(Debug)]
pub(super) struct Freshness {
    /// What was read longer ago than this is stale. `None`: a file, which says itself when it changes.
    longest: Option<Duration>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    as_of: Timestamp,
    read: Instant,
    failed: bool,
}

// === impl SourceState ===

impl SourceState {
    pub(super) fn new(name: &str, part: &Part, freshness: Arc<Freshness>) -> Self {
        Self {
            name: name.into(),
            info: Arc::new(Info::of(part)),
            freshness,
        }
    }

    /// What the source is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds.
    pub fn info(&self) -> Info {
        Info {
            as_of: self.as_of(),
            ..Info::clone(&self.info)
        }
    }

    /// The state of the data it describes.
    pub fn as_of(&self) -> Timestamp {
        self.freshness.seen().as_of
    }

    /// Whether it may have changed since: it could not be read the last time that was tried, or nobody tried for twice
    /// as long as it should be.
    pub fn is_stale(&self) -> bool {
        let seen = self.freshness.seen();
        let too_old = |longest| seen.read.elapsed() > longest;
        seen.failed || self.freshness.longest.is_some_and(too_old)
    }
}

// === impl Freshness ===

impl Freshness {
    pub(super) fn new(as_of: Timestamp, longest: Option<Duration>) -> Self {
        Self {
            longest,
            seen: Mutex::new(Seen {
                as_of,
                read: Instant::now(),
                failed: false,
            }),
        }
    }

    /// It was read.
    pub(super) fn renew(&self, as_of: Timestamp) {
        *self.lock() = Seen {
            as_of,
            read: Instant::now(),
            failed: false,
        };
    }

    /// It could not be read.
    pub(super) fn fail(&self) {
        self.lock().failed = true;
    }

    fn seen(&self) -> Seen {
        *self.lock()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        // Copied as a whole: a panic elsewhere leaves nothing half done.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
