use std::fmt;

use tokio::sync::oneshot;

/// Keeps a running turn this process's own: renews its lease, sends its text on, listens for who wants it stopped.
///
/// It works only while [`Keeper::lost`] is polled: whoever runs the turn polls both side by side.
pub struct Keeper {
    told: oneshot::Receiver<Lost>,
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
    pub(super) fn new(told: oneshot::Receiver<Lost>) -> Self {
        Self { told }
    }

    /// Resolves when the turn must not go on; never if it may.
    pub async fn lost(&mut self) -> Lost {
        match (&mut self.told).await {
            Ok(lost) => lost,
            Err(_) => std::future::pending().await,
        }
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keeper").finish_non_exhaustive()
    }
}
