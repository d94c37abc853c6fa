//! Turns that one process releases, and another takes over.

use ::redis::cmd;
use uuid::Uuid;

use super::{Commands, millis};
use crate::chat::{EventBody, SessionId, Subject, TraceId, TurnId};
use crate::store::record::Row;
use crate::store::{BeginTurn, StoreError};

/// Sessions whose turn nobody holds, and the channel on which that is told.
pub(in crate::store::redis) const RELEASED: &str = "dragoman:released";

/// A turn that was taken over.
#[derive(Debug)]
pub(in crate::store::redis) struct Claimed {
    pub(in crate::store::redis) begin: BeginTurn,
    pub(in crate::store::redis) seq: u64,
    /// Its events in the log.
    pub(in crate::store::redis) written: u64,
    pub(in crate::store::redis) text: String,
}

/// A turn that is being taken over.
#[derive(Debug)]
pub(in crate::store::redis) struct Attempt {
    offer: String,
    /// Tells this attempt from all others.
    token: String,
}

/// How many offers are looked at together.
const OLDEST: usize = 32;

// === impl Commands ===

impl Commands {
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
                let Some(offer) = self.any_offer().await? else {
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

    /// One of the oldest offers, by chance: several that look at the same time should not all try the same one.
    async fn any_offer(&self) -> Result<Option<String>, StoreError> {
        let mut command = cmd("LRANGE");
        command.arg(RELEASED).arg(0).arg(OLDEST - 1);
        let mut offers: Vec<String> = self.query(&command).await?;
        let chance = usize::from(Uuid::new_v4().as_bytes()[0]);
        Ok((!offers.is_empty()).then(|| offers.swap_remove(chance % offers.len())))
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
