//! `grpc-timeout`, for streams. tonic itself applies it to the start of a call only.

use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::MetadataMap;

/// Longest time-out that is told from none.
const LONGEST: Duration = Duration::from_hours(365 * 24);
/// How much earlier a call ends than it was asked to: tonic has a timer of its own for the start of a call, which answers
/// CANCELLED, and an answer needs time to arrive. A twentieth of what there is, within these bounds.
const MARGIN: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(5)..=Duration::from_millis(100);

/// When the caller stops waiting. `None` if it waits for ever, or if the value is malformed.
pub(super) fn of(metadata: &MetadataMap) -> Option<Instant> {
    let timeout = parse(metadata.get("grpc-timeout")?.to_str().ok()?)?;
    let margin = (timeout / 20).clamp(*MARGIN.start(), *MARGIN.end());
    (timeout < LONGEST).then(|| Instant::now() + timeout.saturating_sub(margin))
}

/// Resolves at the deadline; never if there is none.
pub(super) async fn passed(deadline: Option<Instant>) {
    match deadline {
        // The clock of timers is coarser: it would wait for its next tick.
        Some(deadline) if deadline <= Instant::now() => {}
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// `TimeoutValue TimeoutUnit` of the gRPC over HTTP/2 specification: up to eight digits and one of `H M S m u n`.
fn parse(text: &str) -> Option<Duration> {
    let unit = text.chars().next_back()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    match unit {
        'H' => Some(Duration::from_hours(value)),
        'M' => Some(Duration::from_mins(value)),
        'S' => Some(Duration::from_secs(value)),
        'm' => Some(Duration::from_millis(value)),
        'u' => Some(Duration::from_micros(value)),
        'n' => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_specification_is_read_and_nothing_else() {
        assert_eq!(parse("5S"), Some(Duration::from_secs(5)));
        assert_eq!(parse("99999999n"), Some(Duration::from_nanos(99_999_999)));
        assert_eq!(parse("2H"), Some(Duration::from_hours(2)));
        for bad in ["", "S", "5", "5s", "-5S", "999999999S", "5 S", "5ä"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
