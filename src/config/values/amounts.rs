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

/// A share as thousandths: `0`, `0.25`, `1`.
pub(in crate::config) fn permille(text: &str) -> Result<u16, String> {
    let value = decimal(text, 3).ok_or_else(|| {
        "write 0, 1 or a decimal such as 0.25, with at most three decimals".to_owned()
    })?;
    u16::try_from(value)
        .ok()
        .filter(|value| *value <= 1_000)
        .ok_or_else(|| "out of range, accepted: 0 to 1".to_owned())
}

pub(in crate::config) fn permille_text(permille: u16) -> String {
    decimal_text(permille.into(), 3)
}

/// An amount of money as millionths: `0`, `0.25`, `15`.
pub(in crate::config) fn micros(text: &str) -> Result<u64, String> {
    let value = decimal(text, 6)
        .ok_or_else(|| "write a number such as 0.25 or 15, with at most six decimals".to_owned())?;
    if value > 1_000_000_000_000 {
        return Err("out of range, accepted: 0 to 1000000".to_owned());
    }
    Ok(value)
}

pub(in crate::config) fn micros_text(micros: u64) -> String {
    decimal_text(micros, 6)
}

/// A decimal in units of its last decimal. Digit by digit, as a float would round.
fn decimal(text: &str, decimals: usize) -> Option<u64> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let fraction = fraction.trim_end_matches('0');
    let mut digits = whole.bytes().chain(fraction.bytes());
    if whole.is_empty()
        || whole.len() > 9
        || fraction.len() > decimals
        || !digits.clone().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let padding = std::iter::repeat_n(b'0', decimals - fraction.len());
    let value = digits
        .by_ref()
        .chain(padding)
        .fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    Some(value)
}

fn decimal_text(value: u64, decimals: usize) -> String {
    let unit = 10_u64.pow(u32::try_from(decimals).unwrap_or(u32::MAX));
    let fraction = format!("{:0decimals$}", value % unit);
    let fraction = match fraction.trim_end_matches('0') {
        "" => "0",
        significant => significant,
    };
    format!("{}.{fraction}", value / unit)
}
