use std::fmt;

use tokio::sync::oneshot;

use super::Outbox;
use crate::mutant::{self, Mutant};

/// Keeps a running turn this process's own: renews its lease, sends its text on, listens for who wants it stopped.
///
/// It works only while [`Keeper::lost`] is polled: whoever runs the turn polls both side by side.
pub struct Keeper {
    told: Option<oneshot::Receiver<Lost>>,
    outbox: Outbox,
}

/// Why a turn must not go on here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Somebody asked for it to be stopped: end it as cancelled.
    Stopped,
    /// It is not the running turn any more: nothing of it is written, there is nothing to end.
    Fenced,
    /// The store has not answered for so long that the lease may be over: end it as interrupted.
    Unreachable,
}

// === impl Keeper ===

impl Keeper {
    pub(super) fn new(told: oneshot::Receiver<Lost>, outbox: Outbox) -> Self {
        Self {
            told: Some(told),
            outbox,
        }
    }

    /// Resolves when the turn must not go on; never if it may. Dropping the future loses nothing.
    pub async fn lost(&mut self) -> Lost {
        let outbox = self.outbox.clone();
        let sending = async {
            match outbox {
                Outbox::Feed => std::future::pending().await,
                Outbox::Redis(outbox) => outbox.send_all().await,
            }
        };
        tokio::select! {
            lost = hear(&mut self.told) => lost,
            lost = sending => lost,
        }
    }
}

async fn hear(told: &mut Option<oneshot::Receiver<Lost>>) -> Lost {
    if let Some(receiver) = told {
        let heard = receiver.await;
        *told = None;
        if let Ok(lost) = heard
            && !(lost == Lost::Stopped && mutant::is(Mutant::NoCancel))
        {
            return lost;
        }
    }
    std::future::pending().await
}

impl fmt::Debug for Keeper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keeper").finish_non_exhaustive()
    }
}
