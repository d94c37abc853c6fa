//! The one loop that every model behind HTTP answers by: attempts, deadlines, the events of one answer, its end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use tokio::time::{Instant, sleep, timeout};
use tracing::Span;

use super::decoder::Decoder;
use super::http::{Client, Exchange, Failure, Retries};
use super::{ModelError, ModelEvent, ModelStream};
use crate::telemetry::{context_of, spans};

/// How long the usage and the mark of the end may take once the model has said why it ended.
const AFTER_FINISH: Duration = Duration::from_secs(2);

/// One answer as it comes: attempts, until the first one that says something.
pub(super) struct Answer {
    client: Arc<Client>,
    body: Vec<u8>,
    /// Fresh: each attempt reads with a clone of it.
    decoder: Decoder,
    /// Of the request: whoever reads the answer may do so outside of it.
    span: Span,
    ready: VecDeque<ModelEvent>,
    state: State,
}

enum State {
    /// Nobody has asked for anything yet.
    New,
    Reading(Box<Reading>),
    /// What came before the failure is said first.
    Failing(Box<Failure>),
    Over,
}

/// An attempt that goes on.
struct Reading {
    exchange: Exchange,
    decoder: Decoder,
    retries: Retries,
    /// Somebody has seen a part of the answer.
    has_spoken: bool,
}

// === impl Answer ===

impl Answer {
    /// The answer to `body`, read with a fresh `decoder` and traced below the span in which this is called. Nothing is
    /// sent before the first poll.
    pub(super) fn stream(client: Arc<Client>, body: Vec<u8>, decoder: Decoder) -> ModelStream {
        let answer = Self {
            client,
            body,
            decoder,
            span: Span::current(),
            ready: VecDeque::new(),
            state: State::New,
        };
        Box::pin(stream::unfold(answer, |mut answer| async {
            answer.next().await.map(|event| (event, answer))
        }))
    }

    async fn next(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            let step = match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return None,
                State::Failing(failure) => Err(*failure),
                State::New => {
                    let patience = self.client.patience();
                    let deadline = Instant::now() + patience.total;
                    let retries = Retries::new(patience.retries, patience.retry_pause, deadline);
                    self.open(retries, deadline).await
                }
                State::Reading(reading) => self.read(reading).await,
            };
            match step {
                Ok(state) => self.state = state,
                Err(failure) => {
                    let kind = failure.error.kind.as_str();
                    let host = &*self.client.peer().host;
                    self.span.in_scope(
                        || tracing::warn!(error.type = kind, host, "the model did not answer"),
                    );
                    return Some(Err(failure.error));
                }
            }
        }
    }

    /// Sends the request until an answer begins.
    async fn open(&self, mut retries: Retries, deadline: Instant) -> Result<State, Failure> {
        let (client, span) = (&self.client, &self.span);
        loop {
            // One span for all attempts, so that each is a child of the same place in the trace.
            let trace = context_of(span);
            match Exchange::open(client, self.body.clone(), &trace, deadline).await {
                Ok(exchange) => {
                    return Ok(State::Reading(Box::new(Reading {
                        exchange,
                        decoder: self.decoder.clone(),
                        retries,
                        has_spoken: false,
                    })));
                }
                Err(failure) => match retries.after(&failure, span) {
                    Some(pause) => sleep(pause).await,
                    None => return Err(failure),
                },
            }
        }
    }

    /// Reads until there is something to say.
    async fn read(&mut self, mut reading: Box<Reading>) -> Result<State, Failure> {
        let client = &self.client;
        let stepped = reading.step(client, &mut self.ready).await;
        reading.has_spoken |= !self.ready.is_empty();
        if let Err(failure) = stepped {
            if reading.has_spoken {
                return Ok(State::Failing(Box::new(failure)));
            }
            let Some(pause) = reading.retries.after(&failure, &self.span) else {
                return Err(failure);
            };
            let Reading {
                exchange, retries, ..
            } = *reading;
            let deadline = exchange.deadline();
            // Closes the connection before the pause.
            drop(exchange);
            sleep(pause).await;
            return self.open(retries, deadline).await;
        }
        if reading.decoder.is_done() {
            let response = reading.decoder.response();
            spans::record_response(&self.span, &response.id, &response.model, &response.finish);
            spans::record_cache(&self.span, response.cache_read, response.cache_write);
            return Ok(State::Over);
        }
        Ok(State::Reading(reading))
    }
}

// === impl Reading ===

impl Reading {
    /// Takes one event of the stream, or its end.
    async fn step(
        &mut self,
        client: &Client,
        ready: &mut VecDeque<ModelEvent>,
    ) -> Result<(), Failure> {
        let has_finished = self.decoder.has_finished();
        let next = self.exchange.next(client);
        let event = if has_finished {
            // Who has given a reason for the end has said everything, however the connection ends.
            timeout(AFTER_FINISH, next).await.ok().and_then(Result::ok)
        } else {
            Some(next.await?)
        };
        match event.flatten() {
            Some(event) => self.decoder.feed(&event, ready),
            None => self.decoder.eof(ready),
        }
    }
}
