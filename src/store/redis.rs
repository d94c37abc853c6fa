//! Sessions in Redis or Valkey, shared by several processes.

mod address;

use std::sync::Arc;
use std::time::Duration;

use crate::chat::{Cursor, Event, Limits, SessionId, Subject, TurnId};

use super::feeds::FeedHold;
use super::request::{Append, Head, Range, Seal};
use super::{
    Adopted, Begin, BeginTurn, OpenError, Page, SessionInfo, Sessions, SessionsAfter, StoreError,
};

pub use self::address::{InvalidAddress, RedisAddress};

/// Sessions on a Redis server. Clones share the connections.
#[derive(Debug, Clone)]
pub struct RedisStore {}

#[expect(clippy::unused_async, clippy::todo, reason = "being written")]
impl RedisStore {
    /// See [`super::Store`].
    pub async fn open(
        _address: &RedisAddress,
        _limits: Limits,
        _sessions: &Sessions,
        _retention: Duration,
    ) -> Result<Self, OpenError> {
        todo!()
    }

    /// See [`super::Store`].
    pub async fn begin_turn(&self, _begin: BeginTurn) -> Result<Begin, StoreError> {
        todo!()
    }

    /// See [`super::Store`].
    pub async fn read_before(
        &self,
        _session: &SessionId,
        _before: u64,
        _limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        todo!()
    }

    /// See [`super::Store`].
    pub async fn events(
        &self,
        _session: &SessionId,
        _after: &Cursor,
        _limit: usize,
    ) -> Result<Page, StoreError> {
        todo!()
    }

    /// See [`super::Store`].
    pub async fn sessions(
        &self,
        _owner: &Subject,
        _after: Option<&SessionsAfter>,
        _limit: usize,
    ) -> Result<Vec<SessionInfo>, StoreError> {
        todo!()
    }

    /// See [`super::Store`].
    pub async fn erase(&self, _session: &SessionId) -> Result<bool, StoreError> {
        todo!()
    }

    /// See [`super::Store`].
    pub async fn request_stop(
        &self,
        _session: &SessionId,
        _turn: Option<TurnId>,
    ) -> Result<bool, StoreError> {
        todo!()
    }

    /// See [`super::Store`].
    pub async fn delivered(&self, _session: &SessionId, _seq: u64) -> Result<(), StoreError> {
        todo!()
    }

    /// See [`super::Store`].
    pub async fn left(&self, _session: &SessionId, _turn: TurnId) -> Result<(), StoreError> {
        todo!()
    }

    /// See [`super::Store`].
    pub async fn missed(&self, _session: &SessionId) -> Result<Option<Arc<Event>>, StoreError> {
        todo!()
    }

    /// See [`super::Store`].
    pub async fn adopt(&self) -> Adopted {
        todo!()
    }

    /// See [`super::Store`].
    pub async fn check(&self) -> Result<(), StoreError> {
        todo!()
    }

    /// See [`super::Store`].
    pub async fn close(&self) {
        todo!()
    }

    /// See [`super::Store`].
    pub(super) fn feed(&self, _session: &SessionId) -> FeedHold {
        todo!()
    }

    /// See [`super::Store`].
    pub(super) async fn append(&self, _append: Append) -> Result<(), StoreError> {
        todo!()
    }

    /// See [`super::Store`].
    pub(super) fn seal(&self, _seal: Seal) {
        todo!()
    }

    /// See [`super::Store`].
    pub(super) async fn turn_length(
        &self,
        _session: &SessionId,
        _turn: TurnId,
    ) -> Result<u64, StoreError> {
        todo!()
    }

    /// See [`super::Store`].
    pub(super) async fn head(
        &self,
        _session: &SessionId,
        _at: Option<u64>,
    ) -> Result<Head, StoreError> {
        todo!()
    }

    /// See [`super::Store`].
    pub(super) async fn read(
        &self,
        _session: &SessionId,
        _range: Range,
        _limit: usize,
    ) -> Result<Vec<Arc<Event>>, StoreError> {
        todo!()
    }
}
