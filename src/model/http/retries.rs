use std::time::Duration;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ErrorKind, ModelError};

    fn failure(kind: ErrorKind, retry_after: Option<Duration>) -> Failure {
        let message = String::new();
        Failure {
            error: ModelError { kind, message },
            retry_after,
        }
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
