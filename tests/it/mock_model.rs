//! The mock model as operators start it.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Child;
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::process::{Process, command, run};

/// A running `dragoman mock-model`.
struct Mock {
    address: SocketAddr,
    child: Child,
}

impl Mock {
    async fn start(folder: &std::path::Path, arguments: &[&str]) -> Self {
        let mut command = command(folder);
        command.args(["mock-model", "--listen", "127.0.0.1:0"]);
        let mut child = command.args(arguments).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.as_mut().unwrap()).lines();
        let address = loop {
            let line = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap();
            let line: Value = serde_json::from_str(&line.expect("it starts")).unwrap();
            let message = line["message"].as_str().unwrap().to_owned();
            if let Some(address) = message.strip_prefix("mock model on http://") {
                break address.parse().unwrap();
            }
        };
        Self { address, child }
    }

    /// Sends a request that asks for `model`, and returns the connection.
    async fn ask(&self, path: &str, model: &str) -> TcpStream {
        let messages = json!([{ "role": "user", "content": "Hello" }]);
        let body = json!({ "model": model, "stream": true, "messages": messages }).to_string();
        let request = format!(
            "POST {path}?api-version=not-to-be-seen HTTP/1.1\r\nhost: x\r\nauthorization: Bearer not-to-be-seen\r\n\
             x-api-key: not-to-be-seen\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        socket
    }

    /// The whole answer.
    async fn answer(&self, path: &str, model: &str) -> String {
        let (mut socket, mut answer) = (self.ask(path, model).await, String::new());
        let reading = socket.read_to_string(&mut answer);
        timeout(PATIENCE, reading).await.unwrap().unwrap();
        answer
    }

    /// Tells it to stop, and returns its exit code and what it logged since its start.
    async fn stop(self, signal: &str) -> (Option<i32>, String) {
        let id = self.child.id().unwrap().to_string();
        let killed = std::process::Command::new("kill")
            .args(["-s", signal, &id])
            .status();
        assert!(killed.unwrap().success());
        let output = timeout(PATIENCE, self.child.wait_with_output()).await;
        let output = output.expect("the end in time").unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }
}

#[tokio::test]
async fn it_answers_by_every_address_logs_each_request_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let mock = Mock::start(folder.path(), &[]).await;
    let honest = "I ";
    for path in [
        "/v1/chat/completions",
        "/openai/v1/chat/completions",
        "/v1/messages",
    ] {
        let answer = mock.answer(path, "honest").await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains(honest),
            "{answer}"
        );
    }
    let dated = "/openai/deployments/429/chat/completions";
    let refused = mock.answer(dated, "named in the path").await;
    assert!(
        refused.starts_with("HTTP/1.1 429 ") && refused.contains("retry-after: 9\r\n"),
        "{refused}"
    );
    let unknown = mock.answer("/v1/messages", "typo").await;
    assert!(
        unknown.contains("404 Not Found") && unknown.contains("mock-model --list"),
        "{unknown}"
    );
    let elsewhere = mock.answer("/v2/answers", "honest").await;
    assert!(
        elsewhere.contains("404 Not Found") && elsewhere.contains("/v1/messages"),
        "{elsewhere}"
    );

    // A reply that would never end does not keep it.
    let hangs = mock.ask("/v1/messages", "hang-before-headers").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let (code, log) = mock.stop("TERM").await;
    assert_eq!(code, Some(0));
    drop(hangs);
    let requests: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let outcomes = requests.iter().filter(|line| line["message"] == "asked");
    let outcomes: Vec<_> = outcomes
        .map(|line| line["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(
        outcomes,
        ["played", "played", "played", "played", "played", "stopped"],
        "{log}"
    );
    assert!(!log.contains("not-to-be-seen"), "{log}");
}

/// Two commands, as the README has them.
#[tokio::test]
async fn a_rehearsal_with_cases_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.json");
    let replies = json!([
        [{ "refuse": { "status": 503, "headers": { "retry-after": "0" }, "message": "no room" } }],
        [{ "pieces": ["Good ", "morning."] }],
    ]);
    let cases = json!({ "cases": { "monday": { "about": "no room, once", "replies": replies } } });
    std::fs::write(&file, cases.to_string()).unwrap();
    let arguments = ["--cases", file.to_str().unwrap(), "--always", "monday"];
    let mock = Mock::start(folder.path(), &arguments).await;
    let url = format!("http://{}/v1", mock.address);
    let process = Process::start(
        folder.path(),
        &["--model", "openai:any"],
        &[("OPENAI_BASE_URL", &url)],
    )
    .await;
    let mut client = process.chat("/ws/monday").await;
    let frames = client.asked("Hello").await;
    assert_eq!(frames.last().unwrap()["content"], "Good morning.");
    drop(client);
    process.signal("TERM").await;
    let ended = process.ended().await;
    assert!(
        ended.stderr.contains("the model is asked again"),
        "{}",
        ended.stderr
    );
    assert_eq!(mock.stop("INT").await.0, Some(0));
}

#[tokio::test]
async fn what_is_wrong_is_told_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.json");
    std::fs::write(&bad, r#"{"cases": {"a": {"about": "", "replies": []}}}"#).unwrap();
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let _listens = std::net::TcpListener::bind(&taken);
    for (arguments, code, words) in [
        (
            vec!["--cases", bad.to_str().unwrap()],
            78,
            "a.replies is empty",
        ),
        (
            vec!["--cases", "/no/such/file"],
            78,
            "cannot read the cases /no/such/file",
        ),
        (
            vec!["--always", "typo"],
            1,
            "`dragoman mock-model --list` names them all",
        ),
        (
            vec!["--listen", "0.0.0.0:0"],
            1,
            "listens on 127.0.0.1 or [::1] only",
        ),
        (
            vec!["--listen", &taken],
            1,
            "choose another address with --listen HOST:PORT",
        ),
        (vec!["--listen", "here"], 2, "--listen <HOST:PORT>"),
    ] {
        let mut command = command(folder.path());
        command.arg("mock-model").args(&arguments);
        let ended = run(command).await;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
}

#[test]
fn its_cases_can_be_listed() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_dragoman"))
        .args(["mock-model", "--list"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.lines().count() > 50);
    assert!(
        text.lines()
            .any(|line| line.starts_with("429-then-ok ") && line.contains("once")),
        "{text}"
    );
}
