//! A server that speaks chat completions, and whatever else a test has it say.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::PATIENCE;

/// A running server. It stops when it is dropped.
pub(crate) struct ModelServer {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    replies: Mutex<VecDeque<Vec<Step>>>,
    requests: Mutex<Vec<Asked>>,
    connections: AtomicUsize,
    /// A client has closed a connection on which more could have come.
    left: Notify,
}

/// A request the server got.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Its first line.
    pub(crate) line: String,
    head: String,
    pub(crate) body: Value,
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
        Self::open(replies, None).await
    }

    /// The same over TLS.
    pub(crate) async fn start_secure(
        replies: impl IntoIterator<Item = Vec<Step>>,
        acceptor: TlsAcceptor,
    ) -> Self {
        Self::open(replies, Some(acceptor)).await
    }

    async fn open(
        replies: impl IntoIterator<Item = Vec<Step>>,
        acceptor: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            replies: Mutex::new(replies.into_iter().collect()),
            ..Shared::default()
        });
        let mut tasks = JoinSet::new();
        let accepting = Arc::clone(&shared);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                accepting.connections.fetch_add(1, Ordering::Relaxed);
                let (shared, acceptor) = (Arc::clone(&accepting), acceptor.clone());
                connections.spawn(async move {
                    let Some(acceptor) = acceptor else {
                        return serve(socket, shared).await;
                    };
                    if let Ok(socket) = acceptor.accept(socket).await {
                        serve(socket, shared).await;
                    }
                });
            }
        });
        Self {
            address,
            shared,
            _tasks: tasks,
        }
    }

    /// Where its API is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// How many connections were opened, those too on which nothing was asked.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Waits until a client has left while it was waiting.
    pub(crate) async fn left(&self) {
        timeout(PATIENCE, self.shared.left.notified())
            .await
            .expect("the client leaves");
    }
}

impl Asked {
    /// The value of a header, empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        values.next().map_or("", |(_, value)| value.trim())
    }
}

async fn serve(mut socket: impl AsyncRead + AsyncWrite + Unpin, shared: Arc<Shared>) {
    let Some(asked) = read(&mut socket).await else {
        return;
    };
    shared.requests.lock().unwrap().push(asked);
    let reply = shared.replies.lock().unwrap().pop_front();
    for step in reply.unwrap_or_default() {
        match step {
            Step::Send(bytes) => {
                if socket.write_all(&bytes).await.is_err() {
                    return shared.left.notify_one();
                }
            }
            Step::Wait(pause) => sleep(pause).await,
            Step::Hang => {
                let _ = socket.read(&mut [0; 16]).await;
                return shared.left.notify_one();
            }
        }
    }
    let _ = socket.shutdown().await;
}

async fn read(socket: &mut (impl AsyncRead + Unpin)) -> Option<Asked> {
    let (mut bytes, mut piece) = (Vec::new(), vec![0; 16 * 1024]);
    loop {
        let head_end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = head_end {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut asked = Asked {
                line: head.lines().next().unwrap().to_owned(),
                head,
                body: Value::Null,
            };
            let length: usize = asked.header("content-length").parse().unwrap();
            if bytes.len() >= end + 4 + length {
                asked.body = serde_json::from_slice(&bytes[end + 4..]).unwrap();
                return Some(asked);
            }
        }
        match socket.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend(&piece[..count]),
        }
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
