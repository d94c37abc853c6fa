//! Servers as child processes, spoken to over their standard input and output.
//!
//! A child leads a process group of its own, so that what it starts (`npx` starts a shell that starts a program) ends
//! with it. It ends on every path: told by the end of its input, then by SIGTERM, then killed. If dragoman itself is
//! killed nobody is left to do that, but its input ends all the same.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::codec::{FramedRead, FramedWrite};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::config::{Inherited, Server};
use super::error::ConnectError;
use super::lines::Lines;

/// How long a child may take to end once its input has ended, and again once it was told to.
const GRACE: Duration = Duration::from_secs(1);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(20);
/// Longest line of its standard error that is logged, in bytes.
const LOG_LINE: u64 = 1_000;
/// How much of its standard error is logged in its life, in bytes.
const LOG_BYTES: usize = 256 * 1024;

/// A child process that is ended when it is dropped.
#[derive(Debug)]
pub(super) struct Child {
    process: tokio::process::Child,
    /// The process and its group. Nobody else can get this number while the process has not been waited for.
    group: Option<Pid>,
    /// Ends what reads its standard error.
    _reader: DropGuard,
}

/// Both directions of the conversation.
pub(super) type Pipes = (
    FramedWrite<ChildStdin, Lines>,
    FramedRead<ChildStdout, Lines>,
);

// === impl Child ===

impl Child {
    pub(super) fn spawn(
        name: &str,
        server: &Server,
        inherited: &Inherited,
        tasks: &TaskTracker,
    ) -> Result<(Self, Pipes), ConnectError> {
        let mut command = Command::new(&server.command);
        command
            .args(&server.args)
            .env_clear()
            .envs(inherited.path.as_ref().map(|path| ("PATH", path)))
            .envs(inherited.home.as_ref().map(|home| ("HOME", home)))
            .envs(
                server
                    .env
                    .iter()
                    .map(|(name, value)| (name, value.expose())),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let spawned = command.spawn().and_then(|mut process| {
            let pipes = (
                process.stdin.take(),
                process.stdout.take(),
                process.stderr.take(),
            );
            match pipes {
                (Some(stdin), Some(stdout), Some(stderr)) => Ok((process, stdin, stdout, stderr)),
                _ => Err(std::io::Error::other("it has no pipes")),
            }
        });
        let (process, stdin, stdout, stderr) = spawned.map_err(|error| ConnectError::Spawn {
            program: server.command.display().to_string(),
            error,
        })?;
        let stop = CancellationToken::new();
        let log = log_lines(name.to_owned(), stderr);
        let until = stop.clone();
        tasks.spawn(async move { until.run_until_cancelled(log).await });
        let group = process
            .id()
            .and_then(|id| Pid::from_raw(id.try_into().ok()?));
        let child = Self {
            process,
            group,
            _reader: stop.drop_guard(),
        };
        let limit = server.message_bytes();
        let pipes = (
            FramedWrite::new(stdin, Lines::new(limit)),
            FramedRead::new(stdout, Lines::new(limit)),
        );
        Ok((child, pipes))
    }

    /// Waits for the process to end, hurries it, kills what is left of it and its group, and takes its exit status. Its
    /// input must have been closed.
    pub(super) async fn end(mut self) {
        if !self.exits_within(GRACE).await {
            self.signal(Signal::TERM);
            self.exits_within(GRACE).await;
        }
        self.signal(Signal::KILL);
        // From here on the number may become somebody else's.
        self.group = None;
        if timeout(GRACE, self.process.wait()).await.is_err() {
            tracing::warn!("a killed MCP server does not end");
        }
    }

    /// True if the process ends in time. It stays a zombie, so that its number stays its own.
    async fn exits_within(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let Some(process) = self.group else {
            return true;
        };
        // An error means that there is no such process.
        while let Ok(None) = waitid(WaitId::Pid(process), look) {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(LOOK).await;
        }
        true
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // Fails only if nobody of it is left.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // The rest of the group; the process itself is killed, and its status taken, by tokio.
        self.signal(Signal::KILL);
    }
}

/// Logs what a child writes to its standard error, as far as anybody wants to know: it may write without end, and what it
/// writes may be of any kind. It is read to its end in any case, as a full pipe would stop the child.
async fn log_lines(server: String, stderr: impl AsyncRead + Unpin) {
    let mut stderr = BufReader::new(stderr);
    let mut left = LOG_BYTES;
    let mut line = Vec::new();
    loop {
        line.clear();
        // A longer line is several.
        let read = (&mut stderr)
            .take(LOG_LINE)
            .read_until(b'\n', &mut line)
            .await;
        let length = match read {
            Ok(0) | Err(_) => return,
            Ok(length) => length,
        };
        if left == 0 {
            continue;
        }
        left = left.saturating_sub(length);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end().escape_debug();
        tracing::debug!(server, "MCP server says: {text}");
        if left == 0 {
            tracing::debug!(server, "MCP server says too much: the rest is not logged");
        }
    }
}
