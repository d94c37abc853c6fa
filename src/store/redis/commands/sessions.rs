//! Sessions as a whole: pages of them, their end, who has seen what.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::redis::cmd;

use super::{Commands, key, millis};
use crate::chat::{Cursor, Fingerprint, SessionId, Subject, TurnId};
use crate::store::{SessionInfo, SessionsAfter, StoreError};

/// Sessions of an owner looked at together.
const CHUNK: usize = 100;

/// How long it is remembered that a session was erased.
const ERASED_KEPT: Duration = Duration::from_mins(5);

/// The sessions of an owner, by when they were last asked something.
fn owned(owner: &Subject) -> String {
    format!("dragoman:owner:{}", owner.as_str())
}

// === impl Commands ===

impl Commands {
    /// Writes something, so that a server that is full or read-only is noticed.
    pub(in crate::store::redis) async fn check(&self) -> Result<(), StoreError> {
        let mut command = cmd("SET");
        command.arg("dragoman:probe").arg(1).arg("PX").arg(60_000);
        self.query::<()>(&command).await
    }

    /// Notes who owns a session, before there is one: what is listed is always more than what there is, never less.
    pub(super) async fn note_owner(
        &self,
        owner: &Subject,
        session: &SessionId,
    ) -> Result<(), StoreError> {
        let mut command = cmd("ZADD");
        command.arg(owned(owner)).arg(now()).arg(session.as_str());
        self.query::<i64>(&command).await?;
        if !self.shared.retention.is_zero() {
            let mut command = cmd("PEXPIRE");
            command.arg(owned(owner)).arg(millis(self.shared.retention));
            self.query::<i64>(&command).await?;
        }
        Ok(())
    }

    /// See [`crate::store::Store::sessions`].
    pub(in crate::store::redis) async fn sessions(
        &self,
        owner: &Subject,
        after: Option<&SessionsAfter>,
        limit: usize,
    ) -> Result<Vec<SessionInfo>, StoreError> {
        let mut found = Vec::new();
        let mut skip = 0_usize;
        let newest = after.map_or_else(
            || "+inf".to_owned(),
            |after| unix(after.updated).to_string(),
        );
        while found.len() < limit {
            let mut command = cmd("ZREVRANGEBYSCORE");
            command
                .arg(owned(owner))
                .arg(&newest)
                .arg("-inf")
                .arg("WITHSCORES")
                .arg("LIMIT")
                .arg(skip)
                .arg(CHUNK);
            let listed: Vec<(String, f64)> = self.query(&command).await?;
            if listed.is_empty() {
                break;
            }
            skip += listed.len();
            for (id, score) in listed {
                let Ok(session) = SessionId::parse(&id) else {
                    continue;
                };
                // Whole milliseconds: a page that ends here must find this very score again.
                let millis = Duration::try_from_secs_f64(score)
                    .unwrap_or_default()
                    .as_secs();
                let used = UNIX_EPOCH + Duration::from_millis(millis);
                let before = after.is_none_or(|after| {
                    (unix(used), &session) < (unix(after.updated), &after.session)
                });
                if !before {
                    continue;
                }
                if let Some(info) = self.info(&session, used).await? {
                    found.push(info);
                } else {
                    // It has expired, or was never made.
                    let mut command = cmd("ZREM");
                    command.arg(owned(owner)).arg(session.as_str());
                    self.query::<i64>(&command).await?;
                    skip -= 1;
                }
                if found.len() >= limit {
                    break;
                }
            }
        }
        Ok(found)
    }

    async fn info(
        &self,
        session: &SessionId,
        used: SystemTime,
    ) -> Result<Option<SessionInfo>, StoreError> {
        let mut command = cmd("HMGET");
        command
            .arg(key(session, 's'))
            .arg(&["q", "f", "c", "t", "run"]);
        let row: Vec<Option<String>> = self.query(&command).await?;
        let field = |index: usize| row.get(index).and_then(Option::as_deref);
        let Some(seq) = field(0).and_then(|seq| seq.parse().ok()) else {
            return Ok(None);
        };
        let created = field(2).and_then(|millis| millis.parse().ok()).unwrap_or(0);
        let running = field(3).filter(|_| field(4) == Some("1"));
        Ok(Some(SessionInfo {
            session: session.clone(),
            created: UNIX_EPOCH + Duration::from_millis(created),
            updated: used,
            end: Cursor {
                seq,
                fingerprint: Fingerprint::from_client(field(1).unwrap_or_default()),
            },
            running: running.and_then(|turn| TurnId::parse(turn).ok()),
        }))
    }

    /// See [`crate::store::Store::erase`].
    pub(in crate::store::redis) async fn erase(
        &self,
        session: &SessionId,
    ) -> Result<bool, StoreError> {
        let mut call = self.call(&self.shared.scripts.erase, session);
        call.arg(millis(ERASED_KEPT));
        let (there, owner): (u8, String) = self.ask(&call).await?;
        let owner = if owner.is_empty() {
            owned(&Subject::anonymous())
        } else {
            format!("dragoman:owner:{owner}")
        };
        let mut command = cmd("ZREM");
        command.arg(owner).arg(session.as_str());
        self.query::<i64>(&command).await?;
        Ok(there == 1)
    }

    /// Tells the running turn to stop, if it is `turn` or `turn` is not given.
    pub(in crate::store::redis) async fn request_stop(
        &self,
        session: &SessionId,
        turn: Option<TurnId>,
    ) -> Result<bool, StoreError> {
        let mut call = self.call(&self.shared.scripts.stop, session);
        call.arg(turn.map(|turn| turn.to_string()).unwrap_or_default());
        Ok(self.ask::<u8>(&call).await? == 1)
    }

    /// See [`crate::store::Store::delivered`].
    pub(in crate::store::redis) async fn delivered(
        &self,
        session: &SessionId,
        seq: u64,
        owed: bool,
    ) -> Result<(), StoreError> {
        let mut call = self.call(&self.shared.scripts.seen, session);
        call.arg("delivered").arg(seq).arg(u8::from(owed));
        self.ask::<(String, u64)>(&call).await.map(drop)
    }

    /// See [`crate::store::Store::shown`].
    pub(in crate::store::redis) async fn shown(
        &self,
        session: &SessionId,
        turn: TurnId,
    ) -> Result<(), StoreError> {
        let mut call = self.call(&self.shared.scripts.seen, session);
        call.arg("shown").arg(turn.to_string());
        self.ask::<(String, u64)>(&call).await.map(drop)
    }

    /// See [`crate::store::Store::left`].
    pub(in crate::store::redis) async fn left(
        &self,
        session: &SessionId,
        turn: TurnId,
    ) -> Result<(), StoreError> {
        let mut call = self.call(&self.shared.scripts.seen, session);
        call.arg("left").arg(turn.to_string());
        self.ask::<(String, u64)>(&call).await.map(drop)
    }

    /// The turn whose end is owed to the one who asks, and the position of that end, 0 while the turn runs.
    pub(in crate::store::redis) async fn missed(
        &self,
        session: &SessionId,
    ) -> Result<(Option<TurnId>, u64), StoreError> {
        let mut call = self.call(&self.shared.scripts.seen, session);
        call.arg("missed");
        let (turn, seq): (String, u64) = self.ask(&call).await?;
        Ok((TurnId::parse(&turn).ok(), seq))
    }
}

fn now() -> u64 {
    unix(SystemTime::now())
}

/// Milliseconds since 1970.
fn unix(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
