use std::collections::VecDeque;

use http::{HeaderValue, header};
use reqwest::Response;
use tokio::time::{Instant, timeout, timeout_at};

use super::Client;
use super::failure::Failure;
use super::sse::{Event, Reader};
use crate::chat::TraceContext;

/// Largest answer, in bytes, with all that the wire format adds to it.
const ANSWER_BYTES: usize = 256 * 1024 * 1024;
/// How much of an error's body is read, in bytes.
const ERROR_BYTES: usize = 64 * 1024;

/// One attempt: a request, and the events of its answer. To drop it closes its connection.
#[derive(Debug)]
pub(in crate::model) struct Exchange {
    response: Response,
    reader: Reader,
    events: VecDeque<Event>,
    bytes: usize,
    deadline: Instant,
}

// === impl Exchange ===

impl Exchange {
    /// Sends `body`, which is JSON, as a part of `trace`. On return the answer has begun, and it is a stream of events.
    pub(in crate::model) async fn open(
        client: &Client,
        body: Vec<u8>,
        trace: &TraceContext,
        deadline: Instant,
    ) -> Result<Self, Failure> {
        let (setup, peer) = (&client.setup, client.peer());
        let mut headers = setup.headers.clone();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("text/event-stream"),
        );
        for (name, value) in [
            ("traceparent", &trace.traceparent),
            ("tracestate", &trace.tracestate),
        ] {
            if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
        let sending = client.client.post(&setup.url).headers(headers).body(body);
        let until = deadline.min(Instant::now() + setup.patience.header);
        let response = match timeout_at(until, sending.send()).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(peer.broken(&error)),
            Err(_) => return Err(peer.late("no answer")),
        };
        let exchange = Self {
            response,
            reader: Reader::default(),
            events: VecDeque::new(),
            bytes: 0,
            deadline,
        };
        if exchange.is_stream() {
            Ok(exchange)
        } else {
            Err(exchange.refusal(client).await)
        }
    }

    /// True unless the answer says that it is something else: not every server names the type of its stream.
    fn is_stream(&self) -> bool {
        let kind = self.response.headers().get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.to_ascii_lowercase();
        let other = kind.starts_with("application/json") || kind.starts_with("text/html");
        self.response.status() == http::StatusCode::OK && !other
    }

    async fn refusal(mut self, client: &Client) -> Failure {
        let mut body = Vec::new();
        let reading = async {
            while body.len() < ERROR_BYTES
                && let Ok(Some(bytes)) = self.response.chunk().await
            {
                let room = ERROR_BYTES - body.len();
                body.extend_from_slice(bytes.get(..room).unwrap_or(&bytes));
            }
        };
        // The status says enough if the body does not come.
        let _ = timeout(client.patience().idle, reading).await;
        let (status, headers) = (self.response.status(), self.response.headers());
        client.peer().answered(status, headers, &body)
    }

    /// When the time for the whole request is over.
    pub(in crate::model) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The next event, `None` at the end of the answer.
    pub(in crate::model) async fn next(
        &mut self,
        client: &Client,
    ) -> Result<Option<Event>, Failure> {
        let peer = client.peer();
        while self.events.is_empty() {
            let until = self.deadline.min(Instant::now() + client.patience().idle);
            let bytes = match timeout_at(until, self.response.chunk()).await {
                Ok(Ok(Some(bytes))) => bytes,
                Ok(Ok(None)) => return Ok(None),
                Ok(Err(error)) => return Err(peer.broken(&error)),
                Err(_) if Instant::now() >= self.deadline => {
                    return Err(peer.late("the time for one request is over"));
                }
                Err(_) => return Err(peer.late("silence in the middle of the answer")),
            };
            self.bytes += bytes.len();
            if self.bytes > ANSWER_BYTES {
                return Err(peer.protocol("it has no end"));
            }
            if self.reader.feed(&bytes, &mut self.events).is_err() {
                return Err(peer.protocol("one event of it is too large"));
            }
        }
        Ok(self.events.pop_front())
    }
}
