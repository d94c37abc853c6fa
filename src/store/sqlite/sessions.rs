//! Sessions as a whole: pages of them, their end, who has seen what.

use std::sync::Arc;

use crate::chat::{Cursor, Event, SessionId, Subject, TurnId};
use crate::store::follower::misfit;
use crate::store::request::Range;
use crate::store::{Lost, Page, SessionInfo, SessionsAfter, StoreError};

use super::SqliteStore;

// === impl SqliteStore ===

#[expect(clippy::unused_async, clippy::todo, reason = "being written")]
impl SqliteStore {
    /// See [`crate::store::Store::events`].
    pub async fn events(
        &self,
        session: &SessionId,
        after: &Cursor,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let events = self.read(session, Range::After(after.seq), limit).await?;
        // Asked after the events were read: if the session was erased in between, the cursor does not fit any more.
        let head = self.head(session, Some(after.seq)).await?;
        Ok(match misfit(after, &head) {
            Some(_) => Page::Misfit,
            None => Page::Events(events),
        })
    }

    /// See [`crate::store::Store::sessions`].
    pub async fn sessions(
        &self,
        _owner: &Subject,
        _after: Option<&SessionsAfter>,
        _limit: usize,
    ) -> Result<Vec<SessionInfo>, StoreError> {
        todo!()
    }

    /// See [`crate::store::Store::erase`].
    pub async fn erase(&self, _session: &SessionId) -> Result<bool, StoreError> {
        todo!()
    }

    /// See [`crate::store::Store::sweep`].
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let _ = self.shared.retention;
        todo!()
    }

    /// See [`crate::store::Store::request_stop`]. Turns of this file run in this process.
    pub async fn request_stop(
        &self,
        session: &SessionId,
        turn: Option<TurnId>,
    ) -> Result<bool, StoreError> {
        let Some(feed) = self.shared.feeds.find(session) else {
            return Ok(false);
        };
        let running = feed.live().running().map(|running| running.turn);
        Ok(match running {
            Some(running) if turn.is_none_or(|turn| turn == running) => {
                feed.tell_keeper(running, Lost::Stopped)
            }
            Some(_) | None => false,
        })
    }

    /// See [`crate::store::Store::delivered`].
    pub async fn delivered(&self, _session: &SessionId, _seq: u64) -> Result<(), StoreError> {
        todo!()
    }

    /// See [`crate::store::Store::left`].
    pub async fn left(&self, _session: &SessionId, _turn: TurnId) -> Result<(), StoreError> {
        todo!()
    }

    /// See [`crate::store::Store::missed`].
    pub async fn missed(&self, _session: &SessionId) -> Result<Option<Arc<Event>>, StoreError> {
        todo!()
    }
}
