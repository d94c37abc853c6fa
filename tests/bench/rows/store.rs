//! The log through the library: durable events a second, and how soon a follower has them. Each store in a process of
//! its own, on every core, as writer and follower are in the product.

mod log;

use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::report::{Report, percentiles, thousands};
use log::Measured;
pub(crate) use log::measure;

/// Ports a server is put on: below those that clients connect from, or a client that reconnects while the server is
/// away can connect to itself.
const PORTS: std::ops::Range<u16> = 21_000..22_000;
/// How long a server may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn run(report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    report.table(&[
        "log, events of 350 bytes",
        "durable events/s, 1 writer",
        "64 writers",
        "delivered/s to 64 followers",
        "append → follower p50 / p99",
    ]);
    let sqlite = format!("sqlite:{}", folder.path().join("sessions.db").display());
    row("SQLite", &sqlite, report).await?;
    let (redis, url) = start_redis(folder.path()).await?;
    row("Redis, append-only file every second", &url, report).await?;
    drop(redis);
    Ok(())
}

async fn row(what: &str, store: &str, report: &mut Report) -> anyhow::Result<()> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["store", store])
        .env_clear()
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    let output = command.output().await?;
    ensure!(output.status.success(), "{what}: {}", output.status);
    let measured: Measured = serde_json::from_slice(&output.stdout)?;
    report.row([
        what.to_owned(),
        thousands(measured.alone),
        thousands(measured.together),
        thousands(measured.delivered),
        percentiles(&measured.latency),
    ]);
    Ok(())
}

/// A server that keeps every second what it was told, as the product asks for.
async fn start_redis(folder: &std::path::Path) -> anyhow::Result<(Child, String)> {
    let port = PORTS
        .into_iter()
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .context("no free port")?;
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args(["--appendonly", "yes", "--appendfsync", "everysec"])
        .args(["--save", "", "--maxmemory-policy", "noeviction", "--dir"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    let server = command.spawn().context("redis-server")?;
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        ensure!(
            began.elapsed() < START_TIMEOUT,
            "redis-server does not start"
        );
        sleep(Duration::from_millis(20)).await;
    }
    Ok((server, format!("redis://127.0.0.1:{port}")))
}
