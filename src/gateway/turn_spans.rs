//! The gateway's spans of the questions one connection asked: from the frame received to the final frame written.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;
use tracing::Span;

use crate::chat::{Event, EventBody, MessageId, SessionId, TraceContext, TraceId, TurnId};
use crate::rpc::status::{Refusal, RefusalKind};
use crate::telemetry::{self, spans};

/// The method questions are asked with, for spans.
const METHOD: &str = "dragoman.chat.v1.Chat/Converse";

/// Spans of questions that have no final frame yet, oldest first. Shared by the reader, which begins them, and the writer.
///
/// Each question has its own, also one that was sent before: what becomes of the repetition is not what becomes of the
/// first.
#[derive(Debug, Default)]
pub(super) struct TurnSpans(Mutex<Vec<TurnSpan>>);

#[derive(Debug)]
struct TurnSpan {
    request_id: String,
    /// True if the client gave that id.
    named: bool,
    /// Known once the question has become a turn.
    turn: Option<TurnId>,
    received: Instant,
    partial_sent: bool,
    gateway: Span,
    client: Span,
}

impl TurnSpans {
    /// A question was received, `named` if its id is the client's. Returns the context to ask it with.
    pub(super) fn begin(
        &self,
        session: &SessionId,
        id: &MessageId,
        named: bool,
        caller: &TraceContext,
    ) -> TraceContext {
        let gateway = spans::gateway_turn(session);
        telemetry::set_parent(&gateway, caller);
        let client = spans::rpc_client(&gateway, METHOD);
        let context = telemetry::context_of(&client);
        self.lock().push(TurnSpan {
            request_id: id.as_str().to_owned(),
            named,
            turn: None,
            received: Instant::now(),
            partial_sent: false,
            gateway,
            client,
        });
        context
    }

    /// A question waits. Returns its trace if the client gave it an id.
    pub(super) fn queued(&self, request_id: &str) -> Option<TraceId> {
        let spans = self.lock();
        let mut waiting = spans.iter().rev().filter(|span| span.turn.is_none());
        let span = waiting.find(|span| span.request_id == request_id && span.named)?;
        Some(telemetry::trace_id(&span.gateway))
    }

    /// A question became a turn.
    pub(super) fn accepted(&self, request_id: &str, turn: TurnId) {
        for span in self.lock().iter_mut() {
            if span.turn.is_none() && span.request_id == request_id {
                span.turn = Some(turn);
                spans::record_turn(&span.gateway, turn);
            }
        }
    }

    /// A partial of a turn was written.
    pub(super) fn partial_sent(&self, turn: TurnId) {
        for span in self.lock().iter_mut() {
            if span.turn == Some(turn) && !span.partial_sent {
                span.partial_sent = true;
                spans::record_first_partial(&span.gateway, span.received.elapsed());
            }
        }
    }

    /// A turn's final frame was written.
    pub(super) fn ended(&self, event: &Event) {
        let mut spans = self.lock();
        spans.retain(|span| {
            if span.turn != Some(event.turn) {
                return true;
            }
            match &event.body {
                EventBody::Error { reason, .. } => {
                    span.fail(spans::error_type(*reason), "the turn failed");
                }
                EventBody::Agent { finish, .. } => spans::record_finish(&span.gateway, *finish),
                EventBody::User { .. }
                | EventBody::ToolCall { .. }
                | EventBody::ToolResult { .. }
                | EventBody::ApprovalRequest { .. }
                | EventBody::ApprovalDecision { .. } => {}
            }
            false
        });
        if spans.is_empty() {
            // An idle connection keeps no room for them.
            *spans = Vec::new();
        }
    }

    /// A question was refused. Returns its trace.
    pub(super) fn refused(&self, request_id: &str, refusal: &Refusal) -> TraceId {
        let mut spans = self.lock();
        // The newest one: if there are several, the first was not refused, or it would be gone.
        let refused = spans
            .iter()
            .rposition(|span| span.turn.is_none() && span.request_id == request_id);
        let Some(span) = refused.map(|index| spans.remove(index)) else {
            return TraceId::default();
        };
        let error_type = match refusal.kind {
            RefusalKind::Caller | RefusalKind::Erased => "refused",
            RefusalKind::Limit => "limit",
            RefusalKind::Unavailable => "unavailable",
            RefusalKind::Service => "internal",
        };
        span.fail(error_type, &refusal.message);
        telemetry::trace_id(&span.gateway)
    }

    /// The turns of this connection's questions are gone with their log. Names them.
    pub(super) fn lost(&self) -> Vec<(TurnId, TraceId)> {
        let mut spans = self.lock();
        let (lost, kept) = spans.drain(..).partition(|span| span.turn.is_some());
        *spans = kept;
        let name = |span: TurnSpan| {
            span.fail("lost", "the log was lost during the turn");
            Some((span.turn?, telemetry::trace_id(&span.gateway)))
        };
        Vec::into_iter(lost).filter_map(name).collect()
    }

    /// True if a question of this connection has no final frame yet.
    pub(super) fn any(&self) -> bool {
        !self.lock().is_empty()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<TurnSpan>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TurnSpans {
    /// The connection is gone; its turns go on without it.
    fn drop(&mut self) {
        for span in self.lock().iter() {
            span.fail("client_gone", "the client left before the final frame");
        }
    }
}

impl TurnSpan {
    fn fail(&self, error_type: &'static str, message: &str) {
        spans::record_error(&self.client, error_type, message);
        spans::record_error(&self.gateway, error_type, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repetition_that_is_refused_leaves_the_first_alone() {
        let spans = TurnSpans::default();
        let (session, id) = (SessionId::random(), MessageId::parse("q").unwrap());
        let refusal = Refusal {
            kind: RefusalKind::Caller,
            message: "used before".to_owned(),
        };
        let turn = TurnId::random();
        spans.begin(&session, &id, true, &TraceContext::default());
        spans.accepted("q", turn);
        spans.begin(&session, &id, true, &TraceContext::default());
        spans.refused("q", &refusal);
        assert!(spans.any(), "the first one runs");
        spans.refused("q", &refusal);
        assert!(spans.any(), "a turn is not refused any more");
        spans.ended(&Event {
            seq: 2,
            turn,
            trace: TraceId::default(),
            time: std::time::SystemTime::UNIX_EPOCH,
            body: EventBody::Error {
                reason: crate::chat::TurnErrorReason::Model,
                message: "".into(),
                partial: "".into(),
            },
        });
        assert!(!spans.any());
    }
}
