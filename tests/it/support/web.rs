//! A WebSocket client, and what every turn must look like to it.

use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::PATIENCE;

/// One connection.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<TcpStream>,
}

impl Client {
    /// Connects to `path` with additional headers.
    pub(crate) async fn connect(
        http: SocketAddr,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let mut request = format!("ws://{http}{path}").into_client_request()?;
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).unwrap();
            request
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
        let stream = TcpStream::connect(http).await.map_err(Error::Io)?;
        let (socket, _) = client_async(request, stream).await?;
        Ok(Self { socket })
    }

    /// Connects with a receive buffer so small that what is not read is soon felt by the other side.
    pub(crate) async fn with_small_buffer(http: SocketAddr, path: &str) -> Self {
        let request = format!("ws://{http}{path}").into_client_request().unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        let stream = socket.connect(http).await.unwrap();
        let (socket, _) = client_async(request, stream).await.unwrap();
        Self { socket }
    }

    /// Sends a message as it is.
    pub(crate) async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Sends a JSON frame.
    pub(crate) async fn send_json(&mut self, frame: Value) {
        self.send(Message::text(frame.to_string())).await;
    }

    /// Asks a question.
    pub(crate) async fn ask(&mut self, content: &str) {
        self.send_json(json!({ "content": content })).await;
    }

    /// The next JSON frame that is not a ping.
    pub(crate) async fn frame(&mut self) -> Value {
        loop {
            let frame = self.any_frame().await;
            if frame["type"] != "ping" {
                return frame;
            }
        }
    }

    /// The next JSON frame.
    pub(crate) async fn any_frame(&mut self) -> Value {
        loop {
            let message = timeout(PATIENCE, self.socket.next())
                .await
                .expect("a frame in time")
                .expect("an open connection")
                .expect("a good connection");
            match message {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// The frames up to and with the next final one. They must make a good turn.
    pub(crate) async fn turn(&mut self) -> Vec<Value> {
        let mut frames = vec![];
        loop {
            let frame = self.frame().await;
            let last = frame["type"] == "agent" || frame["type"] == "error";
            frames.push(frame);
            if last {
                check_turn(&frames);
                return frames;
            }
        }
    }

    /// Asks a question and reads its turn.
    pub(crate) async fn asked(&mut self, content: &str) -> Vec<Value> {
        self.ask(content).await;
        self.turn().await
    }

    /// Reads to the end of the connection; its close code, if there was one.
    pub(crate) async fn close_code(&mut self) -> Option<u16> {
        let reading = async {
            while let Some(message) = self.socket.next().await {
                match message {
                    Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                    Ok(_) => {}
                    Err(_) => return None,
                }
            }
            None
        };
        timeout(PATIENCE, reading).await.expect("the end in time")
    }

    /// The type of the next frame; `None` if the connection is closed.
    pub(crate) async fn any_type(&mut self) -> Option<String> {
        while let Some(Ok(message)) = timeout(PATIENCE, self.socket.next())
            .await
            .expect("in time")
        {
            if let Message::Text(text) = message {
                let frame: Value = serde_json::from_str(&text).expect("JSON");
                return Some(frame["type"].as_str().unwrap().to_owned());
            }
        }
        None
    }

    /// True if nothing but pings comes for a while.
    pub(crate) async fn is_quiet(&mut self, while_: std::time::Duration) -> bool {
        timeout(while_, self.frame()).await.is_err()
    }
}

/// The rules of one turn: `user` first; partials that only grow, each a prefix of the next and of the final answer; at least
/// one partial before an answer of more than a few words; positions that only grow; the same turn and trace on every frame.
fn check_turn(frames: &[Value]) {
    let show = || format!("{frames:#?}");
    let (first, last) = (&frames[0], frames.last().unwrap());
    assert_eq!(first["type"], "user", "{}", show());
    let (mut partial, mut partials, mut seq) = (String::new(), 0, 0);
    for frame in frames {
        assert_eq!(frame["turn_id"], first["turn_id"], "{}", show());
        assert_eq!(frame["trace_id"], first["trace_id"], "{}", show());
        assert_eq!(frame["trace_id"].as_str().unwrap().len(), 32, "{}", show());
        assert!(
            frame["timestamp"].as_str().unwrap().ends_with('Z'),
            "{}",
            show()
        );
        if let Some(position) = frame["seq"].as_u64() {
            assert!(position > seq, "{}", show());
            seq = position;
        }
        match frame["type"].as_str().unwrap() {
            "agent_partial" => {
                let content = frame["content"].as_str().unwrap();
                assert!(content.starts_with(&partial), "{}", show());
                content.clone_into(&mut partial);
                partials += 1;
            }
            "tool" => {
                let content = frame["content"].as_str().unwrap();
                serde_json::from_str::<Value>(content).expect("tool content is JSON");
                assert!(frame["tool_name"].is_string(), "{}", show());
            }
            "agent" => {
                let content = frame["content"].as_str().unwrap();
                assert!(content.starts_with(&partial), "{}", show());
                assert!(partials > 0 || content.len() <= 40, "{}", show());
            }
            "approval" => {
                let arguments = frame["arguments"].as_str().unwrap();
                serde_json::from_str::<Value>(arguments).expect("arguments are JSON");
            }
            "user" | "approval_decision" | "error" => {}
            other => panic!("unknown frame {other}"),
        }
    }
    assert!(
        last["type"] == "agent" || last["type"] == "error",
        "{}",
        show()
    );
}

/// Head and text of the answer to `GET path`.
pub(crate) async fn get(http: SocketAddr, path: &str) -> String {
    let mut socket = TcpStream::connect(http).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = socket.read_to_string(&mut answer);
    timeout(PATIENCE, read).await.unwrap().unwrap();
    answer
}
