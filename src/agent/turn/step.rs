//! One step of a turn: the model is asked and its answer read, its text into the log.

use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt as _;
use tokio::time::{Instant, sleep};
use tracing::Span;

use super::echo::Echo;
use super::{PARAGRAPH, Stop};
use crate::agent::Agent;
use crate::agent::context::Context;
use crate::chat::{ToolCall, Usage};
use crate::model::{End, ErrorKind, Message, ModelEvent, ModelStream, Request};
use crate::store::TurnWriter;
use crate::telemetry::metrics::{self, Inference};
use crate::telemetry::spans;

/// What one request to the model came to.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) text: String,
    /// What was said of this step before it was cut, and is not said twice.
    echo: Echo,
    pub(super) tool_calls: Vec<ToolCall>,
}

// === impl Agent ===

impl Agent {
    /// Asks the model; with less, if it finds the conversation too long.
    pub(super) async fn run_step(
        &self,
        context: &mut Context,
        echo: Echo,
        parent: &Span,
        log: &mut TurnWriter,
        usage: &mut Usage,
    ) -> Result<Step, Stop> {
        loop {
            let messages = context.messages().map_err(|_| Stop::TooLong)?;
            let asked = self.request(messages, echo.clone(), parent, log, usage);
            match asked.await {
                // Found before anything was said.
                Err(Stop::Model(error)) if error.kind == ErrorKind::ContextLength => {
                    context.shrink().map_err(|_| Stop::Model(error))?;
                    let info = self.model.info();
                    metrics::record_too_long(&info.provider, &info.name);
                    tracing::info!(parent: parent, "the conversation is too long for the model: asking with less of it");
                }
                result => return result,
            }
        }
    }

    /// One request to the model. Its text is in the log as it comes.
    async fn request(
        &self,
        messages: Vec<Message>,
        echo: Echo,
        parent: &Span,
        log: &mut TurnWriter,
        usage: &mut Usage,
    ) -> Result<Step, Stop> {
        usage.steps += 1;
        let info = self.model.info();
        let server = info.server.as_ref();
        let server = server.map(|server| (server.address.as_str(), server.port));
        let span = spans::chat(parent, &info.provider, &info.name, server);
        let request = Request {
            system: Arc::clone(&self.prompt),
            messages,
            tools: self.tools.specs(),
        };
        let (started, mut spent) = (Instant::now(), Usage::default());
        // What the model traces or sends on below its request, it takes from here.
        let stream = span.in_scope(|| self.model.stream(request));
        let result = self.read_model(stream, echo, log, &mut spent).await;
        let prices = self.config.prices;
        spent.cost_micros = prices.cost(spent);
        spans::record_usage(&span, spent);
        usage.input_tokens += spent.input_tokens;
        usage.cached_tokens += spent.cached_tokens;
        usage.output_tokens += spent.output_tokens;
        usage.cost_micros += spent.cost_micros;
        let failure = match &result {
            Err(Stop::Model(error)) => Some((error.kind.as_str(), &*error.message)),
            Err(Stop::ModelIdle) => Some(("timeout", "the model was silent")),
            Ok(_) | Err(_) => None,
        };
        if let Some((error_type, message)) = failure {
            spans::record_error(&span, error_type, message);
        }
        metrics::record_inference(&Inference {
            provider: &info.provider,
            model: &info.name,
            duration: started.elapsed(),
            usage: spent,
            error_type: failure.map(|(error_type, _)| error_type),
        });
        result
    }

    async fn read_model(
        &self,
        mut stream: ModelStream,
        echo: Echo,
        log: &mut TurnWriter,
        spent: &mut Usage,
    ) -> Result<Step, Stop> {
        let mut step = Step {
            echo,
            ..Step::default()
        };
        // One timer that is put off with every event: cheaper than a new one each time.
        let mut idle = pin!(sleep(self.config.model_idle_timeout));
        loop {
            // A model that never waits must not keep a cancel, or other sessions, waiting.
            tokio::task::consume_budget().await;
            let next = tokio::select! {
                biased;
                next = stream.next() => next,
                () = &mut idle => return Err(Stop::ModelIdle),
            };
            idle.as_mut()
                .reset(Instant::now() + self.config.model_idle_timeout);
            let event = match next {
                // The model's seam promises an end; a stream without one was cut.
                None => return Err(Stop::Silent),
                Some(Err(error)) => return Err(Stop::Model(error)),
                Some(Ok(event)) => event,
            };
            match event {
                ModelEvent::Text(text) => {
                    self.say(&text, &mut step, log)?;
                }
                ModelEvent::ToolCall(call) => step.tool_calls.push(call),
                ModelEvent::Usage {
                    input_tokens,
                    cached_tokens,
                    output_tokens,
                } => {
                    // Counts of the whole request so far: the last one counts.
                    spent.input_tokens = input_tokens;
                    spent.cached_tokens = cached_tokens;
                    spent.output_tokens = output_tokens;
                }
                ModelEvent::End(End::Length) => return Err(Stop::Truncated),
                ModelEvent::End(End::Stop | End::ToolCalls) => return Ok(step),
            }
        }
    }

    /// Appends to the turn's text. The text of a later step starts a new paragraph, so that the whole only ever grows.
    fn say(&self, text: &str, step: &mut Step, log: &mut TurnWriter) -> Result<(), Stop> {
        if text.is_empty() {
            return Ok(());
        }
        let heard = step.echo.hear(text);
        step.text.push_str(heard.repeated);
        let mut text = &*heard.new;
        if text.is_empty() {
            return Ok(());
        }
        let paragraph;
        if heard.differs {
            // What it says now is something else than what it said before it was cut.
            step.text.clear();
        }
        if step.text.is_empty() && log.text_len() > 0 {
            paragraph = format!("{PARAGRAPH}{text}");
            text = &paragraph;
        }
        let room = self.config.answer_bytes.saturating_sub(log.text_len());
        let fits = text.floor_char_boundary(room);
        let (kept, cut) = text.split_at(fits);
        log.text(kept).map_err(Stop::Store)?;
        step.text.push_str(kept);
        if cut.is_empty() {
            Ok(())
        } else {
            Err(Stop::Truncated)
        }
    }
}
