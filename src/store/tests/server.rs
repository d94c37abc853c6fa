//! A real Redis server for one test, ended with it.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::store::{Config, RedisAddress};

/// Above these ports a client that reconnects can be given the server's own port, and then talks to itself.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
const START_TIME: Duration = Duration::from_secs(10);

pub(crate) struct Server {
    port: u16,
    folder: PathBuf,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Server {
    /// Starts one with an append-only file in `folder`.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::with(folder, &["--appendonly", "yes"])
    }

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

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops it from doing anything, or lets it go on.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    pub(crate) fn config(&self) -> Config {
        Config::Redis(RedisAddress::parse(&format!("redis://127.0.0.1:{}", self.port)).unwrap())
    }

    /// Sends a command, as an operator would.
    pub(crate) fn command(&self, words: &[&str]) -> String {
        let url = format!("redis://127.0.0.1:{}", self.port);
        let mut connection = ::redis::Client::open(url)
            .unwrap()
            .get_connection()
            .unwrap();
        let mut command = ::redis::cmd(words[0]);
        for word in &words[1..] {
            command.arg(word);
        }
        let answer: ::redis::Value = command.query(&mut connection).unwrap();
        format!("{answer:?}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> u16 {
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
