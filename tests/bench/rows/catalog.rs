//! A large catalog through the library: how long it takes to load, what it takes up, and how long each tool takes. In a
//! process of its own, so that nobody else's memory is counted.

mod measure;

use std::process::Stdio;

use anyhow::ensure;
use tokio::process::Command;

use crate::report::{Report, at_most, thousands};
use measure::Measured;
pub(crate) use measure::measure;

/// Tables, and columns of each.
const SIZE: (usize, usize) = (100_000, 20);
/// Milliseconds of the slowest call of a tool, at most.
const GOAL: f64 = 500.0;

pub(super) async fn run(report: &mut Report) -> anyhow::Result<()> {
    let (tables, columns) = SIZE;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let file = folder.path().join("large.json");
    measure::write(&file, tables, columns)?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg("catalog")
        .arg(&file)
        .env_clear()
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    let output = command.output().await?;
    ensure!(output.status.success(), "catalog: {}", output.status);
    let measured: Measured = serde_json::from_slice(&output.stdout)?;

    let megabytes = |kib: u64| format!("{} MiB", thousands(kib / 1024));
    report.table(&[
        "catalog",
        "file",
        "loaded in",
        "resident",
        "most while loading",
    ]);
    report.row([
        format!(
            "{} tables, {} columns",
            thousands(u64::try_from(tables)?),
            thousands(u64::try_from(tables * columns)?)
        ),
        megabytes(file.metadata()?.len() / 1024),
        format!("{:.1} s", measured.load_seconds),
        megabytes(measured.resident_kib),
        megabytes(measured.most_kib),
    ]);
    report.table(&[
        "tool, on that catalog",
        "on average",
        "slowest",
        "asked",
        "longest answer",
        "goal",
    ]);
    for tool in measured.tools {
        report.row([
            tool.name,
            format!("{:.1} ms", tool.average),
            format!("{:.1} ms", tool.slowest),
            tool.slowest_arguments,
            format!("{} KiB", tool.longest / 1024),
            at_most(tool.slowest, GOAL, " ms"),
        ]);
    }
    Ok(())
}
