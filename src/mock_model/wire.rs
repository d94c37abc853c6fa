use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout_at};

use super::dialect::Event;

/// How much of an event without end is written at a time, in bytes.
const ENDLESS_BYTES: usize = 64 * 1024;

/// Writes one reply, as badly as it is told to.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    begun: Begun,
    manner: Manner,
    deadline: Instant,
}

/// How events are written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner {
    pub(super) crlf: bool,
    pub(super) byte_order_mark: bool,
    pub(super) piece_bytes: usize,
}

/// What the client has of the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    Nothing,
    /// The head of a stream in chunks (RFC 9112, section 7.1).
    Chunks,
    /// Bytes as they were given.
    Bare,
}

/// Why a reply stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// The client closed the connection.
    Left,
    /// It took longer than any reply may.
    TooLong,
}

// === impl Wire ===

impl Wire {
    pub(super) fn new(stream: TcpStream, deadline: Instant) -> Self {
        // A piece is sent when it is written, and not when the one before it was acknowledged. Slower without, no more.
        let _ = stream.set_nodelay(true);
        Self {
            stream,
            begun: Begun::Nothing,
            manner: Manner::default(),
            deadline,
        }
    }

    pub(super) fn set_manner(&mut self, manner: Manner) {
        self.manner = manner;
    }

    /// A whole answer with its length.
    pub(super) async fn answer(
        &mut self,
        status: u16,
        content_type: &str,
        headers: &BTreeMap<String, String>,
        body: &str,
    ) -> Result<(), Stopped> {
        self.begun = Begun::Bare;
        let mut more = String::new();
        for (name, value) in headers {
            // Writing to a text does not fail.
            let _ = write!(more, "{name}: {value}\r\n");
        }
        let answer = format!(
            "HTTP/1.1 {status} {}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: close\r\n{more}\r\n{body}",
            reason(status),
            body.len()
        );
        self.write(answer.as_bytes()).await
    }

    /// One event of the stream, which begins with the first.
    pub(super) async fn event(&mut self, event: &Event) -> Result<(), Stopped> {
        let name = match &event.name {
            Some(name) => format!("event: {name}\n"),
            None => String::new(),
        };
        self.send(&format!("{name}data: {}\n\n", event.data)).await
    }

    /// An event that goes on until the client has enough of it.
    pub(super) async fn endless_event(&mut self) -> Result<(), Stopped> {
        self.send("data: ").await?;
        let piece = vec![b'x'; ENDLESS_BYTES];
        loop {
            self.chunk(&piece).await?;
        }
    }

    /// A comment of the stream.
    pub(super) async fn comment(&mut self, text: &str) -> Result<(), Stopped> {
        self.send(&format!(": {text}\n\n")).await
    }

    /// Bytes as they are; before anything else they are the head as well.
    pub(super) async fn raw(&mut self, text: &str) -> Result<(), Stopped> {
        if self.begun == Begun::Chunks {
            self.send(text).await
        } else {
            self.begun = Begun::Bare;
            self.write(text.as_bytes()).await
        }
    }

    /// The head of a stream, if nothing has been sent yet.
    pub(super) async fn begin(&mut self) -> Result<(), Stopped> {
        if self.begun != Begun::Nothing {
            return Ok(());
        }
        self.begun = Begun::Chunks;
        self.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n\
              transfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        )
        .await?;
        if self.manner.byte_order_mark {
            self.chunk("\u{feff}".as_bytes()).await?;
        }
        Ok(())
    }

    /// True if the head was written by somebody else, and so the end is.
    pub(super) fn is_bare(&self) -> bool {
        self.begun == Begun::Bare
    }

    /// Waits, unless the client leaves before.
    pub(super) async fn pause(&mut self, pause: Duration) -> Result<(), Stopped> {
        if pause.is_zero() {
            return Ok(());
        }
        tokio::select! {
            stopped = self.left() => Err(stopped),
            () = sleep(pause) => Ok(()),
        }
    }

    /// Resolves when the client leaves, or has been given too much time.
    pub(super) async fn left(&mut self) -> Stopped {
        let mut bytes = [0; 64];
        let gone = async {
            // A client has nothing to say while it is answered.
            while !matches!(self.stream.read(&mut bytes).await, Ok(0) | Err(_)) {}
        };
        match timeout_at(self.deadline, gone).await {
            Ok(()) => Stopped::Left,
            Err(_) => Stopped::TooLong,
        }
    }

    /// The answer is over.
    pub(super) async fn close(mut self) -> Result<(), Stopped> {
        if self.begun == Begun::Chunks {
            self.write(b"0\r\n\r\n").await?;
        }
        // Who has left in this moment has the answer all the same.
        let _ = self.stream.shutdown().await;
        Ok(())
    }

    /// The connection is reset when this is gone: an end that is no end.
    pub(super) fn reset(self) {
        // Without it the connection is closed, and the client sees another fault.
        if SockRef::from(&self.stream)
            .set_linger(Some(Duration::ZERO))
            .is_err()
        {
            tracing::warn!("the system does not reset connections: this one is closed");
        }
    }

    async fn send(&mut self, text: &str) -> Result<(), Stopped> {
        self.begin().await?;
        let text = if self.manner.crlf {
            text.replace('\n', "\r\n")
        } else {
            text.to_owned()
        };
        match self.manner.piece_bytes {
            0 => self.chunk(text.as_bytes()).await,
            size => {
                for piece in text.as_bytes().chunks(size) {
                    self.chunk(piece).await?;
                }
                Ok(())
            }
        }
    }

    async fn chunk(&mut self, bytes: &[u8]) -> Result<(), Stopped> {
        if self.begun == Begun::Bare {
            return self.write(bytes).await;
        }
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.write(&chunk).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Stopped> {
        match timeout_at(self.deadline, self.stream.write_all(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Stopped::Left),
            Err(_) => Err(Stopped::TooLong),
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
