//! Servers under load: the bare one and the product, each a process of its own on the first core.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

use crate::job::{Job, Kind, Seen};

/// How long a server may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// How long the client may take with a job.
const JOB_TIMEOUT: Duration = Duration::from_mins(5);

/// What the client asks. The text of the question names it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Question {
    /// For CPU: a character every 20 ms, for six seconds.
    Stream,
    /// For memory: 800 characters in a second.
    Short,
    /// For bytes: 8,000 characters, a word every 10 ms.
    Long,
    /// For the first partial: two words.
    Word,
}

/// How a question is answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) piece: String,
    pub(crate) pieces: usize,
    pub(crate) pause_ms: u64,
}

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The floor.
    Bare,
    /// The product in one process.
    AllInOne,
    /// The product in two; the gateway is what is measured.
    Split,
}

/// Where a server may run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cores {
    /// On the first core, and the agent of a split beside the client on the last one: for CPU.
    First,
    /// Anywhere, with threads for each: for memory.
    All,
}

/// A server that runs. It is killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    /// The one that is measured first.
    processes: Vec<Process>,
    _folder: TempDir,
}

#[derive(Debug)]
struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

// === impl Question ===

impl Question {
    const ALL: [Self; 4] = [Self::Stream, Self::Short, Self::Long, Self::Word];

    /// The question's text.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Short => "short",
            Self::Long => "long",
            Self::Word => "word",
        }
    }

    /// The question a client's frame holds.
    pub(crate) fn find(frame: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|question| frame.contains(question.text()))
    }

    /// A pause lasts until the next millisecond begins: 19 are 20.
    pub(crate) fn answer(self) -> Answer {
        let (piece, pieces, pause_ms) = match self {
            Self::Stream => ("x".to_owned(), 300, 19),
            Self::Short => (
                "Fifty characters of an answer that nobody reads. ".to_owned(),
                16,
                49,
            ),
            Self::Long => ("word".to_owned(), 2_000, 9),
            Self::Word => ("word ".to_owned(), 2, 19),
        };
        Answer {
            piece,
            pieces,
            pause_ms,
        }
    }
}

// === impl Server ===

impl Server {
    /// Starts `subject`. `partial_interval` is the product's setting, or its default.
    pub(crate) async fn start(
        subject: Subject,
        cores: Cores,
        partial_interval: Option<&str>,
    ) -> anyhow::Result<Self> {
        let last = last_core()?;
        let (first, second) = match cores {
            Cores::First => ("0".to_owned(), last.to_string()),
            Cores::All => (format!("0-{last}"), format!("0-{last}")),
        };
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        if subject == Subject::Bare {
            let mut bare = Process::start(&first, &[this_program()?, "bare".into()])?;
            let address = bare.address("page on http://").await?;
            return Ok(Self {
                address,
                processes: vec![bare],
                _folder: folder,
            });
        }
        let script = folder.path().join("script.json");
        std::fs::write(&script, script_of_answers().to_string())?;
        let config = folder.path().join("dragoman.toml");
        let interval = partial_interval
            .map(|interval| format!("[gateway]\npartial_interval = \"{interval}\"\n"));
        let limits = "[limits]\nrate_questions = 10000\n";
        let config_text = format!("{limits}{}", interval.unwrap_or_default());
        std::fs::write(&config, config_text)?;
        let common = |role: &[&str]| -> Vec<PathBuf> {
            let program = env!("CARGO_BIN_EXE_dragoman");
            let mut command = vec![program, "serve", "--http", "127.0.0.1:0"];
            command.extend(role);
            let mut command: Vec<PathBuf> = command.into_iter().map(PathBuf::from).collect();
            command.extend(["--config".into(), config.clone()]);
            command
        };
        let store = format!("sqlite:{}", folder.path().join("sessions.db").display());
        let model = format!("scripted:{}", script.display());
        let agent = [
            "--grpc",
            "127.0.0.1:0",
            "--store",
            &store,
            "--model",
            &model,
        ];
        if subject == Subject::AllInOne {
            let mut all = Process::start(&first, &common(&agent))?;
            let address = all.address("page on http://").await?;
            return Ok(Self {
                address,
                processes: vec![all],
                _folder: folder,
            });
        }
        let agent = [&["--only", "agent"], agent.as_slice()].concat();
        let mut agent = Process::start(&second, &common(&agent))?;
        let grpc = format!("http://{}", agent.address("gRPC on ").await?);
        let gateway = ["--only", "gateway", "--agent", &grpc];
        let mut gateway = Process::start(&first, &common(&gateway))?;
        let address = gateway.address("page on http://").await?;
        Ok(Self {
            address,
            processes: vec![gateway, agent],
            _folder: folder,
        })
    }

    /// Has the client process do a job with this server.
    pub(crate) async fn load(&mut self, kind: Kind) -> anyhow::Result<Seen> {
        let processes = self.processes.iter().map(|process| process.child.id());
        let job = Job {
            server: self.address,
            processes: processes
                .collect::<Option<_>>()
                .context("a server has ended")?,
            kind,
        };
        let job = serde_json::to_string(&job)?;
        let mut client = on_cores(
            &last_core()?.to_string(),
            &[this_program()?, "client".into(), job.into()],
        );
        client.stdout(Stdio::piped());
        let client = client.spawn()?;
        // What servers log meanwhile is read, so that they never wait for that.
        let output = tokio::select! {
            output = timeout(JOB_TIMEOUT, client.wait_with_output()) => output.context("the client took too long")??,
            ended = drain(&mut self.processes) => bail!("a server ended: {ended}"),
        };
        if !output.status.success() {
            bail!("the client failed: {}", output.status);
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

// === impl Process ===

impl Process {
    fn start(cores: &str, command: &[PathBuf]) -> anyhow::Result<Self> {
        let mut command = on_cores(cores, command);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let stderr = child.stderr.take().context("a pipe")?;
        Ok(Self {
            child,
            lines: BufReader::new(stderr).lines(),
        })
    }

    /// The address that the server's log names after these words.
    async fn address(&mut self, words: &str) -> anyhow::Result<SocketAddr> {
        let mut said = String::new();
        let reading = async {
            while let Some(line) = self.lines.next_line().await? {
                let line: Value = serde_json::from_str(&line).unwrap_or(Value::String(line));
                let message = line.get("message").unwrap_or(&line);
                let message = message.as_str().unwrap_or_default();
                let address = message.split_once(words).map(|(_, rest)| rest);
                if let Some(address) = address.and_then(|rest| rest.split([',', ' ', '/']).next()) {
                    return Ok(address.parse()?);
                }
                said.push_str(message);
                said.push('\n');
            }
            bail!("it ended")
        };
        let address = timeout(START_TIMEOUT, reading).await;
        address
            .context("it takes too long")
            .flatten()
            .with_context(|| format!("a server did not start: {said}"))
    }
}

/// Reads what servers say, until one ends.
async fn drain(processes: &mut [Process]) -> String {
    let mut drains: futures_util::stream::FuturesUnordered<_> = processes
        .iter_mut()
        .map(async |process| {
            let mut last = String::new();
            while let Ok(Some(line)) = process.lines.next_line().await {
                last = line;
            }
            last
        })
        .collect();
    futures_util::StreamExt::next(&mut drains)
        .await
        .unwrap_or_default()
}

fn script_of_answers() -> Value {
    let scenarios: Vec<Value> = Question::ALL
        .into_iter()
        .map(|question| {
            let Answer {
                piece,
                pieces,
                pause_ms,
            } = question.answer();
            let repeat = json!({"text": piece, "times": pieces, "pause_ms": pause_ms});
            json!({"when": {"exact": question.text()}, "steps": [[{"repeat": repeat}]]})
        })
        .collect();
    json!({ "scenarios": scenarios })
}

pub(crate) fn this_program() -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?)
}

pub(crate) fn last_core() -> anyhow::Result<usize> {
    Ok(std::thread::available_parallelism()?.get() - 1)
}

/// A command that runs on some cores, with as many open files as it may have.
pub(crate) fn on_cores(cores: &str, command: &[PathBuf]) -> Command {
    let script = r#"ulimit -n "$(ulimit -H -n)" && exec taskset --cpu-list "$@""#;
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script, "sh", cores])
        .args(command)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    shell
}
