//! One connection: a reader and a writer that never wait for each other's socket.
//!
//! The reader turns frames into requests. The [`Writer`] turns what the service says into frames. A client that does not
//! read parks only the writer, whose deadline then ends the connection.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_channel::mpsc;
use futures_util::stream::SplitStream;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tungstenite::Error as SocketError;

use super::Gateway;
use super::close::Close;
use super::frames::{self, ClientFrame, InvalidFrame};
use super::link::{Link, LinkRequests, LinkUpdates};
use super::turn_spans::TurnSpans;
use super::writer::{Notice, Partials, Writer};
use crate::chat::{Cursor, MessageId, SessionId, WhenBusy};
use crate::gate::Gate;
use crate::rpc::client::{Chat, NotSent};
use crate::rpc::convert::{Decide, Question};
use crate::rpc::status::{Refusal, RefusalKind};

/// Frames that wait for the writer besides the service's own.
const NOTICES: usize = 8;
/// How long the answer to a client's close may take to be written.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the service may take to open a conversation.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// A client that may connect.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) session: SessionId,
    /// Where its copy of the log ends, if it said so.
    pub(super) after: Option<Cursor>,
    /// How it wants to be told of an answer that grows.
    pub(super) partials: Partials,
    /// Given back when the connection ends.
    pub(super) permit: OwnedSemaphorePermit,
}

/// When a client was last heard of.
#[derive(Debug)]
pub(super) struct Heard {
    first: Instant,
    /// Milliseconds after that.
    last: AtomicU64,
}

/// What a connection is made of once its conversation is open.
struct Opened {
    writer: Writer,
    reading: Gate<Pin<Box<dyn Future<Output = ()> + Send>>>,
    updates: LinkUpdates,
    first_seq: Option<u64>,
    _permit: OwnedSemaphorePermit,
}

/// Serves one admitted client to its end.
///
/// The connection's task lives long and mostly waits: it holds pointers, and what opening took is given back.
pub(super) async fn run(gateway: Gateway, admitted: Admitted, socket: Box<WebSocket>) {
    if let Some(mut opened) = Box::pin(prepare(gateway, admitted, socket)).await {
        Box::pin(opened.serve()).await;
    }
}

/// Opens the client's conversation; tells the client if that fails.
async fn prepare(
    gateway: Gateway,
    admitted: Admitted,
    socket: Box<WebSocket>,
) -> Option<Box<Opened>> {
    let session = admitted.session.clone();
    let (sink, stream) = (*socket).split();
    let spans = Arc::new(TurnSpans::default());
    let (notices, notices_receiver) = mpsc::channel(NOTICES);
    let heard = Arc::new(Heard::now());
    let mut writer = Writer::new(
        gateway.clone(),
        &admitted,
        sink,
        Arc::clone(&spans),
        notices_receiver,
        Arc::clone(&heard),
    );
    let opened = open(&gateway.0.chat, &session, admitted.after.clone()).await;
    let link = match opened {
        Ok(link) => link,
        Err(refusal) => {
            tracing::warn!(session = session.short(), %refusal, "a conversation could not be opened");
            writer.give_up(refusal).await;
            return None;
        }
    };
    let reader = Reader {
        frame_bytes: gateway.0.config.frame_bytes,
        when_busy: gateway.0.config.when_busy,
        session,
        stream,
        spans,
        notices,
        requests: link.requests,
        heard,
    };
    Some(Box::new(Opened {
        writer,
        reading: Gate::new(Box::pin(reader.run())),
        updates: link.updates,
        first_seq: admitted.after.map(|after| after.seq.saturating_add(1)),
        _permit: admitted.permit,
    }))
}

async fn open(chat: &Chat, session: &SessionId, after: Option<Cursor>) -> Result<Link, Refusal> {
    let open = Link::open(chat, session, after);
    tokio::time::timeout(OPEN_TIMEOUT, open)
        .await
        .unwrap_or_else(|_| {
            Err(Refusal {
                kind: RefusalKind::Unavailable,
                message: "the chat service does not answer".to_owned(),
            })
        })
}

// === impl Opened ===

impl Opened {
    async fn serve(&mut self) {
        // Whichever ends first ends the other: its half of the socket is dropped with it.
        tokio::select! {
            biased;
            () = self.writer.run(&mut self.updates, self.first_seq) => {}
            () = &mut self.reading => {}
        }
    }
}

/// The client's side of a connection.
struct Reader {
    frame_bytes: usize,
    when_busy: WhenBusy,
    session: SessionId,
    stream: SplitStream<WebSocket>,
    spans: Arc<TurnSpans>,
    notices: mpsc::Sender<Notice>,
    requests: LinkRequests,
    /// When the client was last heard of.
    heard: Arc<Heard>,
}

// === impl Reader ===

impl Reader {
    /// Returns when the client has gone; a close that is ours to send is left to the writer.
    async fn run(mut self) {
        loop {
            let message = match self.stream.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => match close_for(error) {
                    Some(close) => return self.close(close).await,
                    None => return,
                },
                None => return,
            };
            self.heard.again();
            let answer = match message {
                Message::Text(text) if text.len() > self.frame_bytes => {
                    return self.close(Close::TooLarge).await;
                }
                Message::Text(text) => self.take(text.as_str()),
                Message::Binary(_) => Err(InvalidFrame::Binary),
                // The library has the pong in its buffer, which has no bound: nothing more is read until there is room.
                Message::Ping(_) => {
                    if self.notices.send(Notice::Flush).await.is_err() {
                        return;
                    }
                    continue;
                }
                Message::Pong(mark) => {
                    self.pong(&mark);
                    continue;
                }
                Message::Close(_) => {
                    // The library writes the answer when it is read from once more.
                    let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.stream.next()).await;
                    return;
                }
            };
            let frame = match answer {
                Ok(None) => continue,
                Ok(Some(frame)) => frame,
                Err(invalid) => frames::invalid(&invalid),
            };
            if self.notices.send(Notice::Frame(frame)).await.is_err() {
                return;
            }
        }
    }

    /// The client has received what was written before the ping with this mark: the end of a turn.
    fn pong(&self, mark: &[u8]) {
        let seq = std::str::from_utf8(mark)
            .ok()
            .and_then(|mark| mark.parse().ok());
        if let Some(seq) = seq
            && self.requests.delivered(seq).is_err()
        {
            tracing::debug!("the end of a turn could not be reported as seen");
        }
    }

    /// Takes a text frame. `Some` is an error frame to send back.
    fn take(&mut self, text: &str) -> Result<Option<String>, InvalidFrame> {
        let sent = match frames::read(text)? {
            ClientFrame::Nothing => Ok(()),
            ClientFrame::Cancel { turn } => {
                self.requests.cancel(turn).map_err(|error| (error, None))
            }
            ClientFrame::Approve {
                turn,
                call_id,
                approved,
            } => {
                let decide = Decide {
                    turn,
                    call_id,
                    approved,
                };
                self.requests.decide(decide).map_err(|error| (error, None))
            }
            ClientFrame::Ask {
                content,
                id,
                trace_context,
            } => {
                let named = id.is_some();
                let id = id.unwrap_or_else(MessageId::random);
                let trace_context = self.spans.begin(&self.session, &id, named, &trace_context);
                let question = Question {
                    content,
                    message: Some(id.clone()),
                    trace_context,
                    when_busy: self.when_busy,
                };
                self.requests
                    .ask(question)
                    .map_err(|error| (error, Some(id)))
            }
        };
        Ok(match sent {
            Ok(()) => None,
            Err((error, id)) => {
                let refusal = Refusal {
                    kind: match error {
                        NotSent::Full => RefusalKind::Limit,
                        NotSent::Ended => RefusalKind::Unavailable,
                    },
                    message: error.to_string(),
                };
                let id = id.as_ref().map(MessageId::as_str);
                let trace = self.spans.refused(id.unwrap_or_default(), &refusal);
                Some(frames::refused(&refusal, id, trace))
            }
        })
    }

    /// Has the writer close the connection, which ends this half too.
    async fn close(mut self, close: Close) {
        if self.notices.send(Notice::Close(close)).await.is_ok() {
            std::future::pending::<()>().await;
        }
    }
}

// === impl Heard ===

impl Heard {
    fn now() -> Self {
        Self {
            first: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    fn again(&self) {
        let since = u64::try_from(self.first.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(since, Ordering::Relaxed);
    }

    /// For how long nothing was heard.
    pub(super) fn ago(&self) -> Duration {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.first.elapsed().saturating_sub(last)
    }
}

/// How to answer a client that broke the protocol; `None` if nobody is there any more.
fn close_for(error: axum::Error) -> Option<Close> {
    let error = error.into_inner().downcast::<SocketError>().ok()?;
    match *error {
        SocketError::Capacity(_) => Some(Close::TooLarge),
        SocketError::Utf8(_) => Some(Close::NotUtf8),
        SocketError::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            None
        }
        SocketError::Protocol(_) => Some(Close::Protocol),
        _ => None,
    }
}
