//! The floor: an axum handler that writes the same frames itself, with the gateway's socket settings, and does nothing else.

use std::io::Write as _;
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use serde::Serialize;
use socket2::SockRef;
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::server::{Answer, Question};

/// As in the gateway.
const READ_BUFFER: usize = 512;
/// As in the gateway.
const SEND_BUFFER: usize = 64 * 1024;

/// A frame with the keys of the product's, in its order and of its length.
#[derive(Debug, Serialize)]
struct Frame<'a> {
    r#type: &'static str,
    content: &'a str,
    turn_id: &'static str,
    timestamp: &'static str,
    trace_id: &'static str,
}

/// Serves until it is killed.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    // As the product announces itself.
    writeln!(
        std::io::stderr(),
        r#"{{"message":"page on http://{address}"}}"#
    )?;
    let listener = listener.tap_io(|stream| {
        // Without them it still works.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&*stream).set_send_buffer_size(SEND_BUFFER);
    });
    let router = Router::new().route("/ws/{session}", get(upgrade));
    axum::serve(listener, router).await?;
    Ok(())
}

async fn upgrade(upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .on_upgrade(converse)
}

async fn converse(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let Some(question) = message.to_text().ok().and_then(Question::find) else {
            continue;
        };
        // The client has gone.
        if answer(&mut socket, &question.answer()).await.is_err() {
            return;
        }
    }
}

async fn answer(socket: &mut WebSocket, answer: &Answer) -> Result<(), axum::Error> {
    let mut text = String::new();
    for piece in 0..answer.pieces {
        if piece > 0 {
            sleep(Duration::from_millis(answer.pause_ms)).await;
        }
        text.push_str(&answer.piece);
        send(socket, "agent_partial", &text).await?;
    }
    send(socket, "agent", &text).await
}

async fn send(
    socket: &mut WebSocket,
    r#type: &'static str,
    content: &str,
) -> Result<(), axum::Error> {
    let frame = Frame {
        r#type,
        content,
        turn_id: "0123456789abcdef0123456789abcdef",
        timestamp: "2026-01-01T00:00:00.000Z",
        trace_id: "0123456789abcdef0123456789abcdef",
    };
    let text = serde_json::to_string(&frame).unwrap_or_default();
    socket.send(Message::Text(text.into())).await
}
