//! The real binary, started and killed as operators do.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

use super::{Client, PATIENCE, default_script};

/// A running process.
pub(crate) struct Process {
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    child: Child,
    /// What it printed before it was ready.
    start: String,
    lines: Lines<BufReader<ChildStderr>>,
}

/// A process that ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stderr: String,
}

/// The binary with nothing of this process's environment that could change it, its files in `folder`.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dragoman"));
    command
        .env_clear()
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs a command that should end by itself.
pub(crate) async fn run(mut command: Command) -> Ended {
    let output = timeout(PATIENCE, command.output())
        .await
        .expect("the end in time")
        .unwrap();
    Ended {
        code: output.status.code(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Process {
    /// Serves with the scripted model, if no other is chosen, on free ports.
    pub(crate) async fn start(
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let ports = ["--grpc", "127.0.0.1:0"];
        Self::start_without_ports(folder, &[&ports, arguments].concat(), environment).await
    }

    /// As [`Process::start`], with a gRPC port only if the environment gives one.
    pub(crate) async fn start_without_ports(
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let script = folder.join("script.json");
        std::fs::write(&script, default_script().to_string()).unwrap();
        let scripted = vec![
            "--model".to_owned(),
            format!("scripted:{}", script.display()),
        ];
        // Who names a model, or has a key for one, is to have that one.
        let chooses = arguments.contains(&"--model")
            || environment
                .iter()
                .any(|(name, _)| ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"].contains(name));
        let mut child = command(folder)
            .args(["serve", "--http", "127.0.0.1:0"])
            .args(if chooses { vec![] } else { scripted })
            .args(arguments)
            .envs(environment.iter().copied())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut process = Self {
            http: ([127, 0, 0, 1], 0).into(),
            grpc: ([127, 0, 0, 1], 0).into(),
            child,
            start: String::new(),
            lines,
        };
        process.read_addresses().await;
        process
    }

    /// What start prints is for people and for this.
    async fn read_addresses(&mut self) {
        while let Some(line) = timeout(PATIENCE, self.lines.next_line())
            .await
            .unwrap()
            .unwrap()
        {
            self.start.push_str(&line);
            self.start.push('\n');
            let line: Value = serde_json::from_str(&line).expect("not on a terminal: JSON lines");
            let message = line["message"].as_str().unwrap();
            if let Some(address) = after(message, "page on http://") {
                self.http = address;
            }
            if let Some(address) = after(message, "probes on http://") {
                self.http = address;
            }
            if let Some(address) = after(message, "gRPC on ") {
                self.grpc = address;
            }
            if message.starts_with("open http://") || message.starts_with("this agent serves") {
                return;
            }
        }
        panic!("it did not start: {}", self.start);
    }

    /// A WebSocket client of a session.
    pub(crate) async fn chat(&self, path: &str) -> Client {
        Client::connect(self.http, path, &[]).await.unwrap()
    }

    /// Sends a signal by name.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("a running process").to_string();
        let status = Command::new("kill")
            .args(["-s", name, &id])
            .status()
            .await
            .unwrap();
        assert!(status.success());
    }

    /// Allows it to have no more open files than this.
    pub(crate) async fn limit_open_files(&self, most: u32) {
        let id = self.child.id().expect("a running process").to_string();
        let limit = format!("--nofile={most}:{most}");
        let status = Command::new("prlimit")
            .args([&limit, "--pid", &id])
            .status()
            .await
            .unwrap();
        assert!(status.success());
    }

    /// Processor time it has used, in hundredths of a second.
    pub(crate) fn cpu_ticks(&self) -> u64 {
        let id = self.child.id().expect("a running process");
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let numbers = fields.split_whitespace().skip(11).take(2);
        numbers.map(|number| number.parse::<u64>().unwrap()).sum()
    }

    /// Memory it has resident, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let id = self.child.id().expect("a running process");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let number = line.unwrap().split_whitespace().nth(1);
        number.unwrap().parse().unwrap()
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> Ended {
        let status = timeout(PATIENCE, self.child.wait())
            .await
            .expect("the end in time")
            .unwrap();
        let mut stderr = self.start;
        self.lines
            .into_inner()
            .read_to_string(&mut stderr)
            .await
            .unwrap();
        Ended {
            code: status.code(),
            stderr,
        }
    }

    /// `kill -9`.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn after(message: &str, prefix: &str) -> Option<SocketAddr> {
    let (_, rest) = message.split_once(prefix)?;
    rest.split([',', ' ']).next()?.parse().ok()
}
