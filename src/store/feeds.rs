//! The feeds of all sessions. A feed exists while a follower or a running turn holds it.

use std::collections::{HashMap, HashSet};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::chat::SessionId;

use super::feed::Feed;

/// The feeds that somebody holds.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    slots: Mutex<Slots>,
    /// True if what is in a feed comes from outside this process: it is new until somebody has said what it holds.
    shared: bool,
    touched: Notify,
}

#[derive(Debug, Default)]
struct Slots {
    feeds: HashMap<SessionId, Slot>,
    closed: bool,
    /// Feeds that came or went since somebody looked; only kept for shared feeds.
    touched: HashSet<SessionId>,
}

#[derive(Debug)]
struct Slot {
    feed: Arc<Feed>,
    holders: usize,
}

/// Keeps a session's feed in [`Feeds`].
#[derive(Debug)]
pub(super) struct FeedHold {
    feeds: Arc<Feeds>,
    session: SessionId,
    feed: Arc<Feed>,
}

// === impl Feeds ===

impl Feeds {
    /// Feeds of a store that several processes share.
    pub(super) fn shared() -> Self {
        Self {
            shared: true,
            ..Self::default()
        }
    }

    /// The session's feed, made if there is none.
    pub(super) fn hold(self: &Arc<Self>, session: &SessionId) -> FeedHold {
        let mut slots = self.lock();
        let closed = slots.closed;
        let slot = slots.feeds.entry(session.clone()).or_insert_with(|| Slot {
            feed: Arc::new(Feed::new(closed, !self.shared)),
            holders: 0,
        });
        slot.holders += 1;
        let first = slot.holders == 1;
        let feed = Arc::clone(&slot.feed);
        if first && self.shared {
            slots.touched.insert(session.clone());
            self.touched.notify_one();
        }
        FeedHold {
            feeds: Arc::clone(self),
            session: session.clone(),
            feed,
        }
    }

    /// Waits until feeds came or went, and names them.
    pub(super) async fn touched(&self) -> Vec<SessionId> {
        loop {
            let touched: Vec<_> = self.lock().touched.drain().collect();
            if !touched.is_empty() {
                return touched;
            }
            self.touched.notified().await;
        }
    }

    /// The sessions whose feeds are held.
    pub(super) fn sessions(&self) -> Vec<SessionId> {
        self.lock().feeds.keys().cloned().collect()
    }

    /// The session's feed, if somebody holds it.
    pub(super) fn find(&self, session: &SessionId) -> Option<Arc<Feed>> {
        let slots = self.lock();
        slots.feeds.get(session).map(|slot| Arc::clone(&slot.feed))
    }

    /// Ends every follower, those to come as well.
    pub(super) fn close(&self) {
        let feeds: Vec<_> = {
            let mut slots = self.lock();
            slots.closed = true;
            slots
                .feeds
                .values()
                .map(|slot| Arc::clone(&slot.feed))
                .collect()
        };
        for feed in feeds {
            feed.close();
        }
    }

    /// How many feeds there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().feeds.len()
    }

    fn release(&self, session: &SessionId) {
        let mut slots = self.lock();
        if let Some(slot) = slots.feeds.get_mut(session) {
            slot.holders -= 1;
            if slot.holders == 0 {
                slots.feeds.remove(session);
                if self.shared {
                    slots.touched.insert(session.clone());
                    self.touched.notify_one();
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl FeedHold ===

impl Deref for FeedHold {
    type Target = Feed;

    fn deref(&self) -> &Feed {
        &self.feed
    }
}

impl Drop for FeedHold {
    fn drop(&mut self) {
        self.feeds.release(&self.session);
    }
}
