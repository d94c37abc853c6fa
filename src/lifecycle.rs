//! Start and stop: signals, stop tokens, one tracker that knows every task.
//!
//! *Draining* means no new work; *stopped* means that running turns are sealed now; *closed* means that they are, and
//! whoever still listens is sent away. The first signal drains, a second one or the deadline stops.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How the process stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How long running turns may take to end after the first signal. Then, or at a second signal, they are sealed.
    pub drain_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            drain_timeout: Duration::from_secs(20),
        }
    }
}

/// The life of the process, shared by everything that runs in it.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    closed: CancellationToken,
    stopped: CancellationToken,
    draining: CancellationToken,
    tasks: TaskTracker,
    /// Made by the first wait and kept: a second signal that comes before the second wait is not lost.
    signals: Arc<Mutex<Option<Signals>>>,
}

/// SIGINT and SIGTERM.
#[derive(Debug)]
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

/// How long it may take to seal what runs.
const SEAL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long tasks may take to end once they were told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

// === impl Lifecycle ===

impl Lifecycle {
    /// A life that has begun.
    pub fn new() -> Self {
        let stopped = CancellationToken::new();
        Self {
            closed: CancellationToken::new(),
            draining: stopped.child_token(),
            stopped,
            tasks: TaskTracker::new(),
            signals: Arc::default(),
        }
    }

    /// Cancelled when no new work may begin.
    pub fn draining(&self) -> &CancellationToken {
        &self.draining
    }

    /// Cancelled when running turns must end now.
    pub fn stopped(&self) -> &CancellationToken {
        &self.stopped
    }

    /// Cancelled when all turns have ended and everything else must.
    pub fn closed(&self) -> &CancellationToken {
        &self.closed
    }

    /// The tasks [`Lifecycle::stop`] waits for.
    pub fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Runs a task that [`Lifecycle::stop`] waits for.
    pub fn spawn<F>(&self, task: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(task)
    }

    /// Runs a task that matters to the whole process: if it ends before its time, everything stops.
    pub fn spawn_essential<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let life = self.clone();
        self.spawn(async move {
            match AssertUnwindSafe(task).catch_unwind().await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(error = format!("{error:#}"), "{name} failed"),
                Err(_) => tracing::error!("{name} panicked"),
            }
            if !life.draining.is_cancelled() {
                tracing::error!("{name} ended, so the process stops");
                life.stopped.cancel();
            }
        });
    }

    /// Waits for the first signal, or for the process to stop by itself; `Err` in the latter case.
    pub async fn until_signal(&self) -> Result<(), StoppedByItself> {
        tokio::select! {
            () = self.signal() => Ok(()),
            () = self.stopped.cancelled() => Err(StoppedByItself),
        }
    }

    /// Drains, then stops: returns when every task has ended or was given up.
    ///
    /// `turns_ended` resolves when no turn runs any more; it is waited for until the deadline or a second signal.
    pub async fn stop(&self, config: &Config, turns_ended: impl Future<Output = ()>) {
        self.draining.cancel();
        let mut turns_ended = std::pin::pin!(turns_ended);
        let hurry = tokio::select! {
            () = &mut turns_ended => false,
            () = self.stopped.cancelled() => true,
            () = self.signal() => {
                tracing::warn!("second signal: running turns are sealed now");
                true
            }
            () = tokio::time::sleep(config.drain_timeout) => {
                tracing::warn!("the time to drain is over: running turns are sealed now");
                true
            }
        };
        self.stopped.cancel();
        if hurry
            && tokio::time::timeout(SEAL_TIMEOUT, turns_ended)
                .await
                .is_err()
        {
            tracing::error!("some turns could not be sealed; the next start does it");
        }
        self.closed.cancel();
        self.tasks.close();
        if tokio::time::timeout(STOP_TIMEOUT, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::error!(
                tasks = self.tasks.len(),
                "some tasks did not end and were given up"
            );
        }
    }

    /// Resolves at a signal that no earlier call has seen.
    async fn signal(&self) {
        let mut signals = self.signals.lock().await;
        if signals.is_none() {
            *signals = Signals::listen().ok();
        }
        match &mut *signals {
            Some(signals) => signals.next().await,
            // Without a handler the signal ends the process by itself.
            None => std::future::pending().await,
        }
    }
}

// === impl Signals ===

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The process stopped because a part of it did.
#[derive(Debug, thiserror::Error)]
#[error("a part of the process ended, see the log")]
pub struct StoppedByItself;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_essential_task_that_panics_stops_everything() {
        let life = Lifecycle::new();
        life.spawn_essential("a task", async { panic!("on purpose") });
        let stopped = tokio::time::timeout(Duration::from_secs(5), life.stopped().cancelled());
        stopped.await.expect("everything stops");
    }
}
