//! Sessions as a whole: pages of them, their end, who has seen what, who goes on with their turn.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::redis::cmd;
use uuid::Uuid;

use super::{Claimed, Commands, RELEASED, key, millis};
use crate::chat::{Cursor, EventBody, Fingerprint, SessionId, Subject, TraceId, TurnId};
use crate::store::record::Row;
use crate::store::{BeginTurn, SessionInfo, SessionsAfter, StoreError};

/// Sessions of an owner looked at together.
const CHUNK: usize = 100;

/// How long it is remembered that a session was erased.
const ERASED_KEPT: Duration = Duration::from_mins(5);

/// A turn that is being taken over.
#[derive(Debug)]
pub(in crate::store::redis) struct Attempt {
    offer: String,
    /// Tells this attempt from all others.
    token: String,
}

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

    /// Lets another process take the turn. False if it is not this process's running turn, or was told to stop.
    pub(in crate::store::redis) async fn release(
        &self,
        session: &SessionId,
        turn: TurnId,
    ) -> Result<bool, StoreError> {
        let mut call = self.call(&self.shared.scripts.release, session);
        call.arg(turn.to_string())
            .arg(&self.shared.holder)
            .arg(millis(self.shared.lease));
        let times: u64 = self.ask(&call).await?;
        if times == 0 {
            return Ok(false);
        }
        // No two offers are the same: who takes one away takes no later one away.
        let offer = format!("{} {turn} {times}", session.as_str());
        let mut command = cmd("RPUSH");
        command.arg(RELEASED).arg(&offer);
        self.query::<u64>(&command).await?;
        let mut command = cmd("PEXPIRE");
        command.arg(RELEASED).arg(millis(self.shared.lease * 4));
        self.query::<u64>(&command).await?;
        let mut command = cmd("PUBLISH");
        command.arg(RELEASED).arg("");
        self.query::<u64>(&command).await?;
        Ok(true)
    }

    /// Takes a turn that another process has released, if there is one. An offer is taken away after its turn: who dies
    /// between the two loses none. After an error it is not known whether the turn of `attempt` was taken: to repeat the
    /// call with it is safe.
    pub(in crate::store::redis) async fn claim(
        &self,
        attempt: &mut Option<Attempt>,
    ) -> Result<Option<Claimed>, StoreError> {
        loop {
            if attempt.is_none() {
                let mut command = cmd("LINDEX");
                command.arg(RELEASED).arg(0);
                let Some(offer) = self.query::<Option<String>>(&command).await? else {
                    return Ok(None);
                };
                *attempt = Some(Attempt {
                    offer,
                    token: Uuid::new_v4().simple().to_string(),
                });
            }
            let Some(Attempt { offer, token }) = attempt else {
                return Ok(None);
            };
            let claimed = self.claim_offer(offer, token).await?;
            let mut command = cmd("LREM");
            command.arg(RELEASED).arg(1).arg(&*offer);
            // Who finds it once more finds that its turn is taken, and takes it away.
            let removed = self.query::<u64>(&command).await;
            *attempt = None;
            if claimed.is_some() {
                return Ok(claimed);
            }
            removed?;
        }
    }

    async fn claim_offer(&self, offer: &str, token: &str) -> Result<Option<Claimed>, StoreError> {
        let mut parts = offer.split(' ');
        let session = SessionId::parse(parts.next().unwrap_or_default());
        let turn = TurnId::parse(parts.next().unwrap_or_default());
        let (Ok(session), Ok(turn)) = (session, turn) else {
            return Ok(None);
        };
        let mut call = self.call(&self.shared.scripts.claim, &session);
        call.arg(turn.to_string())
            .arg(&self.shared.holder)
            .arg(millis(self.shared.lease))
            .arg(token);
        let answer: Vec<String> = self.ask(&call).await?;
        Ok(claimed(session, turn, answer))
    }
}

fn claimed(session: SessionId, turn: TurnId, answer: Vec<String>) -> Option<Claimed> {
    let mut fields = answer.into_iter();
    let seq: u64 = fields.next()?.parse().ok()?;
    let trace = fields.next()?;
    let end: u64 = fields.next()?.parse().ok()?;
    let owner = fields.next()?;
    let row = Row {
        seq,
        turn: turn.to_string(),
        kind: "user".to_owned(),
        millis: 0,
        trace: trace.clone(),
        data: fields.next()?,
    };
    let text = fields.next()?;
    let EventBody::User { content, message } = row.decode().ok()?.body else {
        return None;
    };
    Some(Claimed {
        begin: BeginTurn {
            session,
            owner: Subject::from_store(&owner),
            turn,
            trace: TraceId::from_hex(&trace),
            message,
            content,
        },
        seq,
        written: (end + 1).saturating_sub(seq),
        text,
    })
}

fn now() -> u64 {
    unix(SystemTime::now())
}

/// Milliseconds since 1970.
fn unix(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
