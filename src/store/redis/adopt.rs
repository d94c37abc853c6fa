//! Turns that another process has released go on in this one.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::store::{Adopted, Store, TurnWriter};

use super::RedisStore;
use super::commands::Claimed;

/// How long to wait before it is asked again whether a turn was taken over.
const CLAIM_RETRY: Duration = Duration::from_millis(500);
/// How often it is looked whether a turn is there to be taken over, besides being told.
const ADOPT_INTERVAL: Duration = Duration::from_secs(5);

// === impl RedisStore ===

impl RedisStore {
    /// See [`Store::adopt`].
    pub async fn adopt(&self) -> Adopted {
        loop {
            let store = self.clone();
            let claiming = async move { store.claim().await };
            if let Some(Some(adopted)) = self.in_task(claiming, Self::adopted_by_nobody).await {
                return adopted;
            }
            tokio::select! {
                () = self.shared.hub.released.notified() => {}
                () = sleep(ADOPT_INTERVAL) => {}
            }
        }
    }

    /// Takes a turn over, if there is one.
    async fn claim(&self) -> Option<Adopted> {
        let shared = &self.shared;
        let mut attempt = None;
        let claiming = async {
            loop {
                match shared.commands.claim(&mut attempt).await {
                    Ok(claimed) => return claimed,
                    Err(error) => {
                        tracing::debug!(%error, "session store: cannot look for turns to take over");
                    }
                }
                // One that may have been taken is asked for until it is known, or its lease is over.
                if attempt.is_none() || timeout(CLAIM_RETRY, shared.stop.cancelled()).await.is_ok()
                {
                    return None;
                }
            }
        };
        let claimed = timeout(shared.commands.lease(), claiming).await;
        claimed.ok().flatten().map(|claimed| self.adopted(claimed))
    }

    /// Puts a turn back that was taken over for somebody who is gone.
    fn adopted_by_nobody(self, adopted: Option<Adopted>) {
        if let Some(Adopted { writer, .. }) = adopted {
            // What cannot be put back is ended, with the text so far.
            let putting_back = async move { drop(writer.release().await) };
            self.shared.tasks.spawn(putting_back);
        }
    }

    fn adopted(&self, claimed: Claimed) -> Adopted {
        let Claimed {
            begin,
            seq,
            written,
            text,
        } = claimed;
        let store = Store::Redis(self.clone());
        let writer = TurnWriter::new(store, begin.session.clone(), begin.turn, begin.trace);
        Adopted {
            begin,
            seq,
            writer: writer.resumed(written, text),
        }
    }
}
