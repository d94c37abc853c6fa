//! A mock model that plays the replies of a test, byte by byte, one after the other.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dragoman::mock_model::{Asked, Case, Cases, Config, Entry, MockModel, Notice, Stop, Then, To};
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use super::PATIENCE;

/// A running server. It stops when it is dropped.
pub(crate) struct ModelServer {
    pub(crate) address: SocketAddr,
    seen: Arc<Seen>,
    tasks: JoinSet<()>,
    _stop: DropGuard,
}

struct Seen {
    /// What happened since somebody looked. The mock notes a request before it answers: who has the answer finds it here.
    notices: Mutex<mpsc::Receiver<Notice>>,
    asked: Mutex<Vec<Asked>>,
    connections: AtomicUsize,
    /// Clients that closed a connection on which more could have come, and were not waited for yet.
    left: AtomicUsize,
}

impl Seen {
    fn look(&self) {
        let mut notices = self.notices.lock().unwrap();
        while let Ok(notice) = notices.try_recv() {
            match notice {
                Notice::Asked(asked) => self.asked.lock().unwrap().push(asked),
                Notice::Left => drop(self.left.fetch_add(1, Ordering::Relaxed)),
            }
        }
    }
}

/// A part of a reply. After the last one the connection is closed.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    Wait(Duration),
    /// Nothing more, until the client leaves.
    Hang,
}

impl ModelServer {
    /// Answers one request with each of these replies, and nothing after them.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Vec<Step>>) -> Self {
        let replies = replies.into_iter();
        let replies = replies.map(|steps| steps.into_iter().map(entry).collect());
        let case = Case {
            about: String::new(),
            replies: replies.chain([vec![]]).collect(),
            to: To::Requests,
            then: Then::Last,
        };
        Self::play(Cases::of("of the test", case), Some("of the test")).await
    }

    /// Plays the cases that are built in, each by its name.
    pub(crate) async fn with_cases() -> Self {
        Self::play(Cases::built_in().unwrap(), None).await
    }

    async fn play(cases: Cases, always: Option<&str>) -> Self {
        let (observer, notices) = mpsc::channel(10_000);
        let config = Config {
            cases,
            always: always.map(Into::into),
            observer: Some(observer),
        };
        let stopped = CancellationToken::new();
        let stop = Stop {
            draining: stopped.clone(),
            stopped: stopped.clone(),
        };
        let any_port = ([127, 0, 0, 1], 0).into();
        let tasks = TaskTracker::new();
        let server = MockModel::start(any_port, config, stop, &tasks).await;
        let server = server.unwrap();
        let seen = Seen {
            notices: Mutex::new(notices),
            asked: Mutex::default(),
            connections: AtomicUsize::new(0),
            left: AtomicUsize::new(0),
        };
        Self {
            address: server.address,
            seen: Arc::new(seen),
            tasks: JoinSet::new(),
            _stop: stopped.drop_guard(),
        }
    }

    /// The same as [`Self::start`] over TLS.
    pub(crate) async fn start_secure(
        replies: impl IntoIterator<Item = Vec<Step>>,
        acceptor: TlsAcceptor,
    ) -> Self {
        let mut server = Self::start(replies).await;
        let plain = server.address;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        server.address = listener.local_addr().unwrap();
        let seen = Arc::clone(&server.seen);
        server.tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                seen.connections.fetch_add(1, Ordering::Relaxed);
                let acceptor = acceptor.clone();
                connections.spawn(async move {
                    let mut server = TcpStream::connect(plain).await.unwrap();
                    if let Ok(mut client) = acceptor.accept(socket).await {
                        // However it ends, the client under test sees it.
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        server
    }

    /// Where its API is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.seen.look();
        self.seen.asked.lock().unwrap().clone()
    }

    /// How many connections were opened over TLS, those too on which nothing was asked.
    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    /// Waits until a client has left while it was waiting.
    pub(crate) async fn left(&self) {
        let left = async {
            loop {
                self.seen.look();
                let one_less = |left: usize| left.checked_sub(1);
                let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
                if self.seen.left.fetch_update(set, fetch, one_less).is_ok() {
                    return;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, left).await.expect("the client leaves");
    }
}

fn entry(step: Step) -> Entry {
    match step {
        Step::Send(bytes) => Entry::Raw(String::from_utf8(bytes).expect("UTF-8")),
        Step::Wait(pause) => Entry::DelayMs(pause.as_millis().try_into().unwrap()),
        Step::Hang => Entry::Hang,
    }
}

/// An answer with a length.
pub(crate) fn answer(status: u16, kind: &str, headers: &str, body: &str) -> Vec<Step> {
    vec![Step::Send(
        format!(
            "HTTP/1.1 {status} Status\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )]
}

/// An error as OpenAI sends it.
pub(crate) fn error(status: u16, code: &str, message: &str, headers: &str) -> Vec<Step> {
    let body =
        json!({ "error": { "message": message, "type": code, "param": null, "code": code } });
    answer(status, "application/json", headers, &body.to_string())
}

/// The head of a stream that ends with its connection.
pub(crate) fn stream_head() -> Step {
    Step::Send(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\n".to_vec(),
    )
}

/// A chunk with this in its first choice.
pub(crate) fn chunk(delta: Value, finish: Option<&str>) -> Step {
    let chunk = json!({
        "id": "chatcmpl-1", "model": "small-2026", "object": "chat.completion.chunk", "created": 1,
        "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }],
    });
    event(&chunk)
}

/// Any event.
pub(crate) fn event(data: &Value) -> Step {
    Step::Send(format!("data: {data}\n\n").into_bytes())
}

/// A piece of text.
pub(crate) fn says(text: &str) -> Step {
    chunk(json!({ "content": text }), None)
}

/// The usage, and the mark of the end.
pub(crate) fn end() -> Vec<Step> {
    let usage = json!({ "choices": [], "usage": { "prompt_tokens": 11, "completion_tokens": 7 } });
    vec![event(&usage), Step::Send(b"data: [DONE]\n\n".to_vec())]
}

/// A whole answer in two pieces.
pub(crate) fn text(first: &str, second: &str) -> Vec<Step> {
    let mut steps = vec![stream_head(), says(first), says(second)];
    steps.push(chunk(json!({}), Some("stop")));
    steps.extend(end());
    steps
}

/// An answer that calls a tool, in pieces.
pub(crate) fn calls(id: &str, name: &str, arguments: &str) -> Vec<Step> {
    let (left, right) = arguments.split_at(arguments.len() / 2);
    let piece = |value: Value| chunk(json!({ "tool_calls": [value] }), None);
    let mut steps = vec![
        stream_head(),
        piece(
            json!({ "index": 0, "id": id, "type": "function", "function": { "name": name, "arguments": "" } }),
        ),
        piece(json!({ "index": 0, "function": { "arguments": left } })),
        piece(json!({ "index": 0, "function": { "arguments": right } })),
        chunk(json!({}), Some("tool_calls")),
    ];
    steps.extend(end());
    steps
}
