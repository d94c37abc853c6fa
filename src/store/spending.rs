//! What a subject has used up in a day.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SECONDS: u64 = 24 * 60 * 60;

/// A day of UTC, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub(super) u64);

// === impl Day ===

impl Day {
    /// The day of a moment.
    pub fn of(time: SystemTime) -> Self {
        Self(since_1970(time).as_secs() / SECONDS)
    }

    /// How long it lasts from a moment in it on.
    pub fn left(self, time: SystemTime) -> Duration {
        Duration::from_secs((self.0 + 1) * SECONDS).saturating_sub(since_1970(time))
    }
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_utc() {
        let midnight = UNIX_EPOCH + Duration::from_secs(20_000 * SECONDS);
        let second = Duration::from_secs(1);
        let day = Day::of(midnight);
        assert_eq!(Day::of(midnight - second), Day(day.0 - 1));
        assert_eq!(day.left(midnight), Duration::from_secs(SECONDS));
        let last = midnight + Duration::from_secs(SECONDS) - second;
        assert_eq!((Day::of(last), day.left(last)), (day, second));
    }
}
