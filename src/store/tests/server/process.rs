//! A real Redis server for one test, ended with it. The tests of whole processes use this very file, in which therefore
//! nothing of dragoman is named.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Above these ports a client that reconnects can be given the server's own port, and then talks to itself.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
const START_TIME: Duration = Duration::from_secs(10);

/// A server, which runs unless it was killed.
pub(crate) struct Server {
    pub(super) port: u16,
    pub(super) folder: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) child: Option<Child>,
}

impl Server {
    /// Starts one with an append-only file in `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::with(folder, &["--appendonly", "yes"])
    }

    /// Starts one with `arguments` of redis-server, and its files in `folder`.
    pub(crate) fn with(folder: &Path, arguments: &[&str]) -> Self {
        let mut server = Self {
            port: free_port(),
            folder: folder.to_owned(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            child: None,
        };
        server.restart();
        server
    }

    /// Starts it, again if it was killed, on the same port and files.
    pub(crate) fn restart(&mut self) {
        let child = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--loglevel", "warning"])
            .arg("--dir")
            .arg(&self.folder)
            .args(&self.arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.expect("redis-server is needed: apt-get install redis-server"));
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(began.elapsed() < START_TIME, "redis-server does not answer");
            pause();
        }
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Its address, for a user such as `me:password@`, or nobody in particular if that is empty.
    pub(crate) fn url(&self, user: &str) -> String {
        format!("redis://{user}127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let spread = u16::try_from(std::process::id() % 10_000).unwrap();
    loop {
        let step = NEXT.fetch_add(7, Ordering::Relaxed).wrapping_add(spread);
        let port = PORTS.start + step % (PORTS.end - PORTS.start);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "nothing else runs while a server starts"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}
