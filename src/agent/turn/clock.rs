//! The time a turn has.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Counts a turn's time down, except while it waits for people. Clones are one clock.
#[derive(Debug, Clone)]
pub(super) struct TurnClock(watch::Sender<State>);

/// Stops the clock until it is dropped.
#[derive(Debug)]
pub(super) struct Stopped<'a>(&'a TurnClock);

#[derive(Debug, Clone, Copy)]
enum State {
    Runs { until: Instant },
    Stands { left: Duration },
}

// === impl TurnClock ===

impl TurnClock {
    /// A clock that runs.
    pub(super) fn start(left: Duration) -> Self {
        let until = Instant::now() + left;
        Self(watch::Sender::new(State::Runs { until }))
    }

    /// Resolves when the time is up.
    pub(super) async fn passed(&self) {
        let mut state = self.0.subscribe();
        loop {
            let now = *state.borrow_and_update();
            let changed = async {
                if state.changed().await.is_err() {
                    // The sender is this clock.
                    std::future::pending::<()>().await;
                }
            };
            match now {
                State::Runs { until } => tokio::select! {
                    () = sleep_until(until) => return,
                    () = changed => {}
                },
                State::Stands { .. } => changed.await,
            }
        }
    }

    /// Stops the clock. It must run.
    pub(super) fn stop(&self) -> Stopped<'_> {
        self.0.send_modify(|state| {
            if let State::Runs { until } = *state {
                let left = until.saturating_duration_since(Instant::now());
                *state = State::Stands { left };
            }
        });
        Stopped(self)
    }
}

// === impl Stopped ===

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| {
            if let State::Stands { left } = *state {
                let until = Instant::now() + left;
                *state = State::Runs { until };
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_stands_while_it_is_stopped() {
        let clock = TurnClock::start(SECOND * 10);
        advance(SECOND * 9).await;
        let stopped = clock.stop();
        assert!(timeout(SECOND * 60, clock.passed()).await.is_err());
        drop(stopped);
        let started = Instant::now();
        clock.passed().await;
        assert_eq!(started.elapsed(), SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_it_sees_it_stop_and_go_on() {
        let clock = TurnClock::start(SECOND * 10);
        let started = Instant::now();
        let people = async {
            tokio::time::sleep(SECOND * 5).await;
            let stopped = clock.stop();
            tokio::time::sleep(SECOND * 100).await;
            drop(stopped);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = clock.passed() => {}
            () = people => {}
        }
        assert_eq!(started.elapsed(), SECOND * 110);
    }
}
