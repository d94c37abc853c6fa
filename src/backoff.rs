//! Pauses between attempts, with chance in them: what broke for many at once is not tried again by all at once.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use jiff::fmt::rfc2822::DateTimeParser;

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

/// When to come back, by the headers of an answer: `retry-after-ms`, which OpenAI and Azure send and is more exact, before
/// `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3).
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name: &str| text(name)?.parse::<f64>().ok();
    let seconds = number("retry-after-ms")
        .map(|milliseconds| milliseconds / 1_000.0)
        .or_else(|| number("retry-after"));
    match seconds {
        // Negative and endless times are no times.
        Some(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        None => until(text("retry-after")?),
    }
}

fn until(date: &str) -> Option<Duration> {
    let date = DateTimeParser::new().parse_timestamp(date).ok()?;
    let now = SystemTime::now();
    Some(
        SystemTime::from(date)
            .duration_since(now)
            .unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            (HeaderName::from_static(name), value)
        });
        pairs.collect()
    }

    #[test]
    fn milliseconds_count_more_than_seconds_and_dates_are_understood() {
        let after = |pairs: &[(&'static str, &str)]| retry_after(&headers(pairs));
        let both = [("retry-after", "7"), ("retry-after-ms", "6543")];
        assert_eq!(after(&both), Some(Duration::from_millis(6_543)));
        assert_eq!(after(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(after(&[]), None);
        assert_eq!(after(&[("retry-after", "-7")]), None);
        assert_eq!(after(&[("retry-after", "soon")]), None);
        let past = [("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")];
        assert_eq!(after(&past), Some(Duration::ZERO));
        let far = [("retry-after", "Wed, 21 Oct 2099 07:28:00 GMT")];
        assert!(after(&far).unwrap() > Duration::from_hours(24));
    }

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
