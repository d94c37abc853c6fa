//! The writing half of a connection: what the service says, as frames, at the pace the client reads.
//!
//! Partials are conflated: the text is kept as it grows, and the newest state goes out when the socket can take it, at
//! most once an interval. Every other frame is written as it comes. Nothing queues here: while a write waits, the service's
//! stream waits too, and a follower there is a cursor, not a queue.

mod answer;
mod events;
mod replay;

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_channel::mpsc;
use futures_util::stream::SplitSink;
use futures_util::{SinkExt as _, StreamExt as _, poll};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use self::answer::Answer;
use super::Gateway;
use super::close::Close;
use super::connection::{Admitted, Heard};
use super::frames;
use super::link::LinkUpdates;
use super::turn_spans::TurnSpans;
use crate::chat::{SessionId, TextChange, TraceId, TurnId};
use crate::gate::Gate;
use crate::rpc::client::Update;
use crate::rpc::status::{Refusal, RefusalKind};

pub(super) use self::answer::Partials;

/// What the reader wants written.
#[derive(Debug)]
pub(super) enum Notice {
    /// A frame.
    Frame(String),
    /// What the library has buffered: the answer to a ping.
    Flush,
    /// The end.
    Close(Close),
}

/// How long a close may take to be written, and the client to answer it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Writes one connection's frames.
pub(super) struct Writer {
    gateway: Gateway,
    session: SessionId,
    sink: SplitSink<WebSocket, Message>,
    spans: Arc<TurnSpans>,
    notices: Gate<mpsc::Receiver<Notice>>,
    heard: Arc<Heard>,
    /// The running turn's text.
    answer: Answer,
    /// The first event this connection is sent live or by its position.
    first_seq: u64,
    /// The last event that came live.
    position: u64,
    /// Where the log ended when the connection was opened.
    history_end: u64,
    /// Turns this connection was shown the question of, and not yet the end.
    running: Option<TurnId>,
}

/// Why writing ends.
enum End {
    Close(Close),
    /// The client is gone, or stalled: there is nobody to tell.
    Gone,
}

// === impl Writer ===

impl Writer {
    pub(super) fn new(
        gateway: Gateway,
        admitted: &Admitted,
        sink: SplitSink<WebSocket, Message>,
        spans: Arc<TurnSpans>,
        notices: mpsc::Receiver<Notice>,
        heard: Arc<Heard>,
    ) -> Self {
        Self {
            gateway,
            session: admitted.session.clone(),
            sink,
            spans,
            notices: Gate::new(notices),
            heard,
            answer: Answer::new(admitted.partials),
            first_seq: 0,
            position: 0,
            history_end: 0,
            running: None,
        }
    }

    /// Writes until the connection is over. `first_seq` is the first event the client asked for by position.
    pub(super) async fn run(&mut self, updates: &mut LinkUpdates, first_seq: Option<u64>) {
        let Err(end) = self.write_all(updates, first_seq).await else {
            return;
        };
        if let End::Close(close) = end {
            self.close(close).await;
        }
    }

    /// Tells a client that its conversation could not be opened.
    pub(super) async fn give_up(&mut self, refusal: Refusal) {
        let frame = frames::refused(&refusal, None, TraceId::default());
        if self.send(frame).await.is_ok() {
            self.close(self.close_for(&refusal)).await;
        }
    }

    async fn write_all(
        &mut self,
        updates: &mut LinkUpdates,
        first_seq: Option<u64>,
    ) -> Result<(), End> {
        let shared = Arc::clone(&self.gateway.0);
        // Kept from one round to the next, and polled only when woken: a new timer for every frame, or a new place among
        // those who wait for a drain, would cost more than the frame.
        let ping = pin!(sleep(shared.config.ping_interval));
        let draining = pin!(shared.draining.cancelled());
        let closed = pin!(shared.closed.cancelled());
        let (mut ping, mut draining) = (Gate::new(ping), Gate::new(draining));
        let mut closed = Gate::new(closed);
        let remote = shared.chat.is_remote();
        let mut leave_at = None;
        loop {
            if leave_at.is_none() && shared.draining.is_cancelled() {
                leave_at = Some(Instant::now() + self.gateway.time_to_leave());
            }
            // Turns of this process are waited for. Others go on, and the client comes back to them elsewhere.
            let may_leave = remote || (self.running.is_none() && !self.spans.any());
            tokio::select! {
                biased;
                Some(notice) = self.notices.next() => match notice {
                    Notice::Frame(frame) => self.send(frame).await?,
                    Notice::Flush => self.flush().await?,
                    Notice::Close(close) => return Err(End::Close(close)),
                },
                () = until(self.answer.due) => self.send_partial().await?,
                () = &mut ping => {
                    let next = Instant::now() + shared.config.ping_interval;
                    ping.get_mut().as_mut().reset(next);
                    self.heartbeat().await?;
                }
                () = &mut draining, if leave_at.is_none() => {}
                () = until(leave_at), if may_leave => return self.leave().await,
                () = &mut closed, if remote => return self.leave().await,
                update = updates.next() => match update {
                    Some(Ok(Update::Text { turn, trace, change })) => {
                        self.text(turn, trace, change).await?;
                    }
                    // The box: these are rare, and what they need room for is more than all the rest.
                    Some(Ok(update)) => Box::pin(self.take(update, first_seq)).await?,
                    Some(Err(refusal)) => {
                        tracing::debug!(%refusal, "the service ended a conversation");
                        return Err(End::Close(self.close_for(&refusal)));
                    }
                    None => return Err(End::Close(Close::GoingAway)),
                },
            }
        }
    }

    /// Goes, with the newest text shown.
    async fn leave(&mut self) -> Result<(), End> {
        self.send_partial().await?;
        Err(End::Close(Close::GoingAway))
    }

    async fn take(&mut self, update: Update, first_seq: Option<u64>) -> Result<(), End> {
        match update {
            Update::Opened { end, running } => {
                self.first_seq = first_seq.unwrap_or(end.seq + 1);
                self.position = self.first_seq - 1;
                self.history_end = end.seq;
                self.running = running;
                Ok(())
            }
            Update::Event(event) => self.event(&event).await,
            Update::Text {
                turn,
                trace,
                change,
            } => self.text(turn, trace, change).await,
            Update::Accepted {
                request_id,
                turn,
                duplicate,
                seq,
            } => {
                self.spans.accepted(&request_id, turn);
                if duplicate {
                    self.replay(turn, seq).await
                } else {
                    Ok(())
                }
            }
            // Old clients give no ids, and know no such frame.
            Update::Queued { request_id, ahead } => match self.spans.queued(&request_id) {
                Some(trace) => self.send(frames::queued(&request_id, ahead, trace)).await,
                None => Ok(()),
            },
            Update::GoAway { .. } => Ok(()),
            // Who follows the session sees the event.
            Update::Decided { .. } => Ok(()),
            Update::Rejected {
                call_id, refusal, ..
            } if !call_id.is_empty() => self.send(frames::not_decided(&refusal, &call_id)).await,
            Update::Rejected {
                request_id,
                refusal,
                ..
            } => {
                let trace = self.spans.refused(&request_id, &refusal);
                let id = (!request_id.is_empty()).then_some(request_id.as_str());
                self.send(frames::refused(&refusal, id, trace)).await
            }
            // What follows is the whole log, which is not for a client without a position: it comes back and goes on.
            Update::Reset if first_seq.is_none() => {
                self.answers_lost().await?;
                Err(End::Close(Close::GoingAway))
            }
            Update::Reset => {
                self.answer.clear();
                self.first_seq = 1;
                self.position = 0;
                self.send(frames::gap()).await?;
                self.answers_lost().await
            }
        }
    }

    async fn text(&mut self, turn: TurnId, trace: TraceId, change: TextChange) -> Result<(), End> {
        let interval = self.gateway.0.config.partial_interval;
        self.answer.apply(turn, trace, change, interval);
        match self.answer.due {
            Some(due) if due <= Instant::now() => self.send_partial().await,
            _ => Ok(()),
        }
    }

    async fn send_partial(&mut self) -> Result<(), End> {
        let first = !self.answer.is_shown();
        if let Some((turn, frame)) = self.answer.next_frame() {
            self.send(frame).await?;
            if first {
                self.spans.partial_sent(turn);
            }
        }
        Ok(())
    }

    async fn heartbeat(&mut self) -> Result<(), End> {
        let silent = self.heard.ago();
        if silent > self.gateway.0.config.silence_timeout {
            tracing::debug!(
                session = self.session.short(),
                "a silent client was given up"
            );
            return Err(End::Gone);
        }
        self.send(frames::PING.to_owned()).await?;
        // Old clients do not answer the frame above; every WebSocket client answers this one.
        self.write(Message::Ping(axum::body::Bytes::new())).await
    }

    async fn send(&mut self, frame: String) -> Result<(), End> {
        self.write(Message::Text(frame.into())).await
    }

    async fn write(&mut self, message: Message) -> Result<(), End> {
        let deadline = self.gateway.0.config.write_timeout;
        let mut sending = pin!(self.sink.send(message));
        // Mostly the kernel takes it at once, and no timer is needed.
        let written = match poll!(sending.as_mut()) {
            Poll::Ready(written) => Ok(written),
            Poll::Pending => timeout(deadline, sending).await,
        };
        self.written(written)
    }

    async fn flush(&mut self) -> Result<(), End> {
        let deadline = self.gateway.0.config.write_timeout;
        let flushed = timeout(deadline, self.sink.flush()).await;
        self.written(flushed)
    }

    fn written(&self, written: Result<Result<(), axum::Error>, Elapsed>) -> Result<(), End> {
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => {
                tracing::debug!(
                    session = self.session.short(),
                    "a stalled client was given up"
                );
                Err(End::Gone)
            }
        }
    }

    async fn close(&mut self, close: Close) {
        let frame = Message::Close(Some(close.frame()));
        if let Ok(Ok(())) = timeout(CLOSE_TIMEOUT, self.sink.send(frame)).await {
            // The reader ends the connection when the client has answered.
            tokio::time::sleep(CLOSE_TIMEOUT).await;
        }
    }

    fn close_for(&self, refusal: &Refusal) -> Close {
        match refusal.kind {
            // Only who leaves may ask clients to come back at once.
            RefusalKind::Unavailable if self.gateway.0.draining.is_cancelled() => Close::GoingAway,
            RefusalKind::Limit => Close::TryAgainLater,
            RefusalKind::Erased => Close::InvalidSession,
            RefusalKind::Caller | RefusalKind::Service | RefusalKind::Unavailable => {
                Close::Internal
            }
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        // Without a timer.
        Some(due) if due <= Instant::now() => {}
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
