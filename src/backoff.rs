//! Pauses between attempts, with chance in them: what broke for many at once is not tried again by all at once.

use std::time::Duration;

/// Pauses that double up to a bound.
#[derive(Debug, Clone)]
pub struct Backoff {
    next: Duration,
    longest: Duration,
}

// === impl Backoff ===

impl Backoff {
    /// Begins with `first`; no pause is longer than `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self {
            next: first,
            longest,
        }
    }

    /// The next pause: between half and all of what is due.
    pub fn pause(&mut self) -> Duration {
        let half = self.next / 2;
        self.next = (self.next * 2).min(self.longest);
        half + random_part(half)
    }
}

/// A random part of a duration.
pub fn random_part(of: Duration) -> Duration {
    // Version 4 ids are the source of chance that is here already; their low 32 bits are all random.
    let [a, b, c, d, ..] = uuid::Uuid::new_v4().as_u128().to_le_bytes();
    let part = f64::from(u32::from_le_bytes([a, b, c, d])) / f64::from(u32::MAX);
    of.mul_f64(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_are_never_twice_the_same() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, second * 4);
        let mut pauses = vec![];
        for due in [1, 2, 4, 4, 4] {
            let pause = backoff.pause();
            assert!(
                (second * due / 2..=second * due).contains(&pause),
                "{pause:?}"
            );
            pauses.push(pause);
        }
        pauses.dedup();
        assert_eq!(pauses.len(), 5);
    }
}
