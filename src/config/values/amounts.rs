use std::time::Duration;

use jiff::SignedDuration;

const UNITS: [(&str, usize); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// `30s`, `40ms`, `1m 30s`.
pub(in crate::config) fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.trim().parse().map_err(|_| {
        "not a duration: write a number and a unit, such as 40ms, 30s or 2m".to_owned()
    })?;
    Duration::try_from(parsed).map_err(|_| "a duration cannot be negative".to_owned())
}

pub(in crate::config) fn duration_text(duration: Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(
        |_| format!("{}s", duration.as_secs()),
        |signed| format!("{signed:#}"),
    )
}

/// `65536`, `64KiB`, `64 KiB`.
pub(in crate::config) fn size(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start();
    let factor = match UNITS.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => *factor,
        None if unit.is_empty() => 1,
        None => return Err(not_a_size()),
    };
    if number.is_empty() {
        return Err(not_a_size());
    }
    // What does not fit a number is out of any range.
    let number: usize = number.parse().unwrap_or(usize::MAX);
    Ok(number.saturating_mul(factor))
}

fn not_a_size() -> String {
    "not a size: write bytes, or a number with KiB or MiB, such as 64KiB".to_owned()
}

pub(in crate::config) fn size_text(bytes: usize) -> String {
    UNITS
        .iter()
        .find(|(_, factor)| bytes != 0 && *factor > 1 && bytes.is_multiple_of(*factor))
        .map_or_else(
            || bytes.to_string(),
            |(unit, factor)| format!("{}{unit}", bytes / factor),
        )
}

/// `12`.
pub(in crate::config) fn count(text: &str) -> Result<usize, String> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("not a whole number".to_owned());
    }
    Ok(text.parse().unwrap_or(usize::MAX))
}

pub(in crate::config) fn switch(text: &str) -> Result<bool, String> {
    match text.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("write true or false".to_owned()),
    }
}

/// A share as thousandths: `0`, `0.25`, `1`. Digit by digit, as a float would round.
pub(in crate::config) fn permille(text: &str) -> Result<u16, String> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = whole.bytes().chain(fraction.bytes());
    if whole.len() != 1 || fraction.len() > 3 || !digits.clone().all(|byte| byte.is_ascii_digit()) {
        return Err("write 0, 1 or a decimal such as 0.25, with at most three decimals".to_owned());
    }
    let padding = std::iter::repeat_n(b'0', 3 - fraction.len());
    let value = digits
        .chain(padding)
        .fold(0, |value, digit| value * 10 + u16::from(digit - b'0'));
    if value > 1_000 {
        return Err("out of range, accepted: 0 to 1".to_owned());
    }
    Ok(value)
}

pub(in crate::config) fn permille_text(permille: u16) -> String {
    let decimals = format!("{:03}", permille % 1_000);
    let decimals = match decimals.trim_end_matches('0') {
        "" => "0",
        significant => significant,
    };
    format!("{}.{decimals}", permille / 1_000)
}
