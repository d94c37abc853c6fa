use std::time::{Duration, SystemTime};

use http::HeaderMap;
use jiff::fmt::rfc2822::DateTimeParser;
use tokio::time::Instant;
use tracing::Span;

use super::failure::Failure;
use crate::backoff::Backoff;
use crate::telemetry::spans;

/// The first pause before another attempt; the next ones double.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// When a request is sent again. Only for requests of which nothing has been answered yet: who has shown a part of an
/// answer cannot take it back.
#[derive(Debug)]
pub(in crate::model) struct Retries {
    left: usize,
    attempt: i64,
    longest: Duration,
    backoff: Backoff,
    deadline: Instant,
}

// === impl Retries ===

impl Retries {
    /// At most `most` retries, none of them after a longer pause than `longest` or beyond `deadline`.
    pub(in crate::model) fn new(most: usize, longest: Duration, deadline: Instant) -> Self {
        Self {
            left: most,
            attempt: 1,
            longest,
            backoff: Backoff::new(FIRST_PAUSE.min(longest), longest),
            deadline,
        }
    }

    /// How long to wait before the request is sent again, `None` if it is not. Says so on the span `span`.
    pub(in crate::model) fn after(&mut self, failure: &Failure, span: &Span) -> Option<Duration> {
        if !failure.error.kind.is_transient() {
            return None;
        }
        self.left = self.left.checked_sub(1)?;
        // Who says when to come back is believed; who says too late a time is not waited for.
        let pause = match failure.retry_after {
            Some(asked) if asked > self.longest => return None,
            Some(asked) => asked,
            None => self.backoff.pause(),
        };
        if Instant::now() + pause >= self.deadline {
            return None;
        }
        self.attempt += 1;
        spans::record_retry(span, self.attempt, failure.error.kind.as_str(), pause);
        tracing::info!(
            attempt = self.attempt,
            error.type = failure.error.kind.as_str(),
            pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            "the model is asked again"
        );
        Some(pause)
    }
}

/// When to come back, by the headers of an answer: `retry-after-ms`, which OpenAI and Azure send and is more exact, before
/// `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
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
    use crate::model::{ErrorKind, ModelError};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            (HeaderName::from_static(name), value)
        });
        pairs.collect()
    }

    fn failure(kind: ErrorKind, retry_after: Option<Duration>) -> Failure {
        let message = String::new();
        Failure {
            error: ModelError { kind, message },
            retry_after,
        }
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

    #[tokio::test(start_paused = true)]
    async fn only_what_may_pass_is_tried_again_and_only_within_bounds() {
        let longest = Duration::from_secs(5);
        let retries = |most| Retries::new(most, longest, Instant::now() + 10 * longest);
        let (mut two, span) = (retries(2), Span::none());
        let server = failure(ErrorKind::Server, None);
        assert!(two.after(&server, &span).unwrap() <= FIRST_PAUSE);
        assert!(two.after(&server, &span).unwrap() <= 2 * FIRST_PAUSE);
        assert_eq!(two.after(&server, &span), None);

        let asked = |pause| failure(ErrorKind::RateLimited, Some(pause));
        assert_eq!(retries(1).after(&asked(longest), &span), Some(longest));
        assert_eq!(retries(1).after(&asked(2 * longest), &span), None);
        let mut late = Retries::new(1, longest, Instant::now() + longest);
        assert_eq!(late.after(&asked(longest), &span), None);
        for kind in [
            ErrorKind::QuotaExhausted,
            ErrorKind::Auth,
            ErrorKind::ContextLength,
        ] {
            assert_eq!(retries(1).after(&failure(kind, None), &span), None);
        }
    }
}
