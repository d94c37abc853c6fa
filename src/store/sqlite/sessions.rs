//! Sessions as a whole: pages of them, their end, who has seen what.

use std::sync::Arc;
use std::time::SystemTime;

use crate::chat::{Cursor, SessionId, Subject, TurnId};
use crate::store::follower::misfit;
use crate::store::record::{self, Row};
use crate::store::request::Range;
use crate::store::{Lost, Missed, Page, SessionInfo, SessionsAfter, StoreError};

use super::operation::Operation;
use super::{SqliteStore, unreadable};

/// Most sessions one listing returns: a page, and one to know whether there is another.
const LISTED: usize = 1_001;
/// Sessions erased together by a sweep.
const SWEPT: usize = 32;

// === impl SqliteStore ===

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
        owner: &Subject,
        after: Option<&SessionsAfter>,
        limit: usize,
    ) -> Result<Vec<SessionInfo>, StoreError> {
        let (owner, after) = (owner.clone(), after.cloned());
        let limit = limit.min(LISTED);
        self.ask(|reply| Operation::Sessions {
            owner,
            after,
            limit,
            reply,
        })
        .await
    }

    /// See [`crate::store::Store::erase`].
    pub async fn erase(&self, session: &SessionId) -> Result<bool, StoreError> {
        let session = session.clone();
        self.ask(|reply| Operation::Erase { session, reply }).await
    }

    /// See [`crate::store::Store::sweep`].
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        // For ever: nothing was used before the beginning of time, but there may be something to clean up.
        let before = SystemTime::now()
            .checked_sub(self.shared.retention)
            .filter(|_| !self.shared.retention.is_zero())
            .map_or(0, record::millis);
        let mut swept = 0;
        loop {
            // A few at a time: everybody waits for the thread.
            let limit = SWEPT;
            let erased = self
                .ask(|reply| Operation::Sweep {
                    before,
                    limit,
                    reply,
                })
                .await?;
            swept += erased;
            if erased < limit {
                return Ok(swept);
            }
        }
    }

    /// See [`crate::store::Store::request_stop`]. Turns of this file run in this process.
    #[expect(clippy::unused_async, reason = "as other stores have it")]
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
    pub async fn delivered(
        &self,
        session: &SessionId,
        seq: u64,
        owed: bool,
    ) -> Result<(), StoreError> {
        let session = session.clone();
        self.ask(|reply| Operation::Delivered {
            session,
            seq,
            owed,
            reply,
        })
        .await
    }

    /// See [`crate::store::Store::shown`].
    pub async fn shown(&self, session: &SessionId, turn: TurnId) -> Result<(), StoreError> {
        let session = session.clone();
        self.ask(|reply| Operation::Shown {
            session,
            turn,
            reply,
        })
        .await
    }

    /// See [`crate::store::Store::left`].
    pub async fn left(&self, session: &SessionId, turn: TurnId) -> Result<(), StoreError> {
        let session = session.clone();
        self.ask(|reply| Operation::Left {
            session,
            turn,
            reply,
        })
        .await
    }

    /// See [`crate::store::Store::missed`].
    pub async fn missed(&self, session: &SessionId) -> Result<Missed, StoreError> {
        let asked = session.clone();
        let (turn, row) = self
            .ask(|reply| Operation::Missed {
                session: asked,
                reply,
            })
            .await?;
        let event = row.map(Row::decode).transpose();
        let event = event.map_err(|error| unreadable(session, &error))?;
        let end = event.filter(|event| event.body.is_final()).map(Arc::new);
        Ok(Missed { turn, end })
    }
}
