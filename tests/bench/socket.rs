//! One connection of the client: it counts what it receives and hardly looks at it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use uuid::Uuid;

use crate::server::Question;

/// Small, because ten thousand connections are in one process.
const READ_BUFFER: usize = 4 * 1024;
/// Loopback addresses that connections come from, in turn: one has too few ports.
const SOURCES: usize = 8;

/// What was received by all connections.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) partials: AtomicU64,
    pub(crate) bytes: AtomicU64,
    /// Turns that ended.
    pub(crate) ended: AtomicU64,
}

/// A frame, as far as the client cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    Partial,
    /// The turn ended with its whole answer.
    Answer,
    /// `user`, `ping`.
    Other,
}

/// A connection to a session of its own.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    counters: Arc<Counters>,
}

// === impl Socket ===

impl Socket {
    pub(crate) async fn connect(
        server: SocketAddr,
        number: usize,
        protocol: Option<&'static str>,
        counters: Arc<Counters>,
    ) -> anyhow::Result<Self> {
        let session = Uuid::new_v4().simple();
        let mut request = format!("ws://{server}/ws/{session}").into_client_request()?;
        if let Some(protocol) = protocol {
            let value = HeaderValue::from_static(protocol);
            request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, value);
        }
        let tcp = TcpSocket::new_v4()?;
        let source = u8::try_from(number % SOURCES)? + 1;
        tcp.bind((Ipv4Addr::new(127, 0, 0, source), 0).into())?;
        let tcp = tcp.connect(server).await?;
        tcp.set_nodelay(true)?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0);
        let (stream, _) = client_async_with_config(request, tcp, Some(config)).await?;
        Ok(Self { stream, counters })
    }

    pub(crate) async fn ask(&mut self, question: Question) -> anyhow::Result<()> {
        let frame = format!(r#"{{"content":"{}"}}"#, question.text());
        Ok(self.stream.send(Message::text(frame)).await?)
    }

    /// The next text frame. Pings are answered by the library.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Frame> {
        loop {
            match self
                .stream
                .next()
                .await
                .context("a connection was closed")??
            {
                Message::Text(text) => return self.count(&text),
                Message::Close(why) => bail!("a connection was closed: {why:?}"),
                _ => {}
            }
        }
    }

    /// Everything up to the end of a turn.
    pub(crate) async fn until_answer(&mut self) -> anyhow::Result<()> {
        while self.next().await? != Frame::Answer {}
        Ok(())
    }

    fn count(&self, text: &Utf8Bytes) -> anyhow::Result<Frame> {
        let header = match text.len() {
            0..=125 => 2,
            126..=0xffff => 4,
            _ => 10,
        };
        let bytes = u64::try_from(text.len() + header)?;
        self.counters.bytes.fetch_add(bytes, Ordering::Relaxed);
        let Some(kind) = text.strip_prefix(r#"{"type":""#) else {
            bail!("a frame without a type: {text}");
        };
        if kind.starts_with("agent_partial") {
            self.counters.partials.fetch_add(1, Ordering::Relaxed);
            Ok(Frame::Partial)
        } else if kind.starts_with("agent") {
            self.counters.ended.fetch_add(1, Ordering::Relaxed);
            Ok(Frame::Answer)
        } else if kind.starts_with("error") {
            bail!("{text}")
        } else {
            Ok(Frame::Other)
        }
    }
}
