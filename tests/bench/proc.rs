//! What the kernel knows of a process.

use std::fs;

use anyhow::Context as _;

/// The kernel counts CPU time in hundredths of a second, whatever its own clock is: `USER_HZ`.
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system time of a process so far, in seconds.
pub(crate) fn cpu_seconds(process: u32) -> anyhow::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may hold spaces. The 14th and 15th fields are the 12th and 13th after it.
    let (_, fields) = stat.rsplit_once(") ").context("a process without a name")?;
    let ticks = fields
        .split(' ')
        .skip(11)
        .take(2)
        .map(str::parse::<u32>)
        .sum::<Result<u32, std::num::ParseIntError>>()?;
    Ok(f64::from(ticks) / TICKS_PER_SECOND)
}

/// Resident memory of a process, in KiB.
pub(crate) fn resident_kib(process: u32) -> anyhow::Result<u64> {
    status_kib(process, "VmRSS:")
}

/// A line of `/proc/PROCESS/status`, in KiB: `VmRSS:` is what is resident, `VmHWM:` the most that was.
pub(crate) fn status_kib(process: u32, line: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let mut lines = status.lines();
    let found = lines.find_map(|one| one.strip_prefix(line));
    let kib = found.context("a process without memory")?;
    Ok(kib.trim().trim_end_matches(" kB").parse()?)
}
