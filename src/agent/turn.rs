//! One turn: steps of model stream → tool calls → results, until the model has said everything.

mod approvals;
mod clock;
mod echo;
mod resume;
mod tool_calls;

use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt as _;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use super::Agent;
use crate::chat::{EventBody, Finish, ToolCall, TurnErrorReason, Usage};
use crate::gate::Gate;
use crate::model::{End, Message, ModelError, ModelEvent, ModelStream, Request};
use crate::store::{StoreError, TurnWriter};
use crate::telemetry::spans;

pub use resume::Resumed;

use clock::TurnClock;
use echo::Echo;

/// What stands between the texts of two steps.
const PARAGRAPH: &str = "\n\n";

/// What a turn is run on.
#[derive(Debug)]
pub struct Turn {
    /// The question.
    pub question: Arc<str>,
    /// The conversation before it, as the model is told.
    pub history: Vec<Message>,
    /// What another process has done of it.
    pub resumed: Option<Resumed>,
    /// What its steps are traced below. It is entered where work begins or something may be logged, not around the text:
    /// to enter and leave it with every piece costs more than the piece.
    pub span: Span,
}

/// How a turn ended: its final event, still to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome(pub EventBody);

/// Why a turn stops before its model has said everything.
#[derive(Debug)]
enum Stop {
    Cancelled,
    Timeout,
    Truncated,
    TooManySteps,
    Silent,
    ModelIdle,
    Model(ModelError),
    Store(StoreError),
}

/// What one request to the model came to.
#[derive(Debug, Default)]
struct Step {
    text: String,
    /// What was said of this step before it was cut, and is not said twice.
    echo: Echo,
    tool_calls: Vec<ToolCall>,
}

// === impl Agent ===

impl Agent {
    /// Runs one turn: everything but its first and its final event is written through `log`.
    ///
    /// Fails only with [`StoreError`]: the turn was fenced, or the store does not take its events.
    pub async fn run_turn(
        &self,
        turn: Turn,
        log: &mut TurnWriter,
        cancel: &CancellationToken,
    ) -> Result<Outcome, StoreError> {
        let timeout = self.config.turn_timeout;
        let left = turn
            .resumed
            .as_ref()
            .map(|resumed| resumed.time_left(timeout));
        let clock = TurnClock::start(left.unwrap_or(timeout));
        let mut usage = Usage::default();
        let steps = self.run_steps(turn, &clock, log, &mut usage);
        let stopped = pin!(async {
            let cancelled = cancel.run_until_cancelled(clock.passed());
            match cancelled.await {
                None => Stop::Cancelled,
                Some(()) => Stop::Timeout,
            }
        });
        let mut stopped = Gate::new(stopped);
        // Cancel and deadline drop the steps wherever they are: that ends the model's request and the tools' work.
        let stop = tokio::select! {
            biased;
            stop = &mut stopped => Err(stop),
            done = steps => done,
        };
        self.outcome(stop, log, usage).map(Outcome)
    }

    fn outcome(
        &self,
        stop: Result<(), Stop>,
        log: &TurnWriter,
        usage: Usage,
    ) -> Result<EventBody, StoreError> {
        let text = log.text_so_far();
        let answer = |finish| {
            Ok(EventBody::Agent {
                content: text.as_str().into(),
                finish,
                usage,
            })
        };
        let error = |reason, message: String| {
            Ok(EventBody::Error {
                reason,
                message: message.into(),
                partial: text.as_str().into(),
            })
        };
        match stop {
            Ok(()) => answer(Finish::Completed),
            Err(Stop::Cancelled) => answer(Finish::Cancelled),
            Err(Stop::Truncated) => answer(Finish::Truncated),
            Err(Stop::Timeout) => error(
                TurnErrorReason::Timeout,
                format!(
                    "the answer took longer than {} s. Ask a narrower question.",
                    self.config.turn_timeout.as_secs()
                ),
            ),
            Err(Stop::TooManySteps) => error(
                TurnErrorReason::Limit,
                format!(
                    "no answer after {} steps. Ask a narrower question.",
                    self.config.max_steps
                ),
            ),
            Err(Stop::Silent) => error(
                TurnErrorReason::Model,
                "the model gave no answer. Ask again.".to_owned(),
            ),
            Err(Stop::ModelIdle) => error(
                TurnErrorReason::Model,
                format!(
                    "the model said nothing for {} s. Ask again.",
                    self.config.model_idle_timeout.as_secs()
                ),
            ),
            Err(Stop::Model(failure)) => error(TurnErrorReason::Model, failure.message),
            Err(Stop::Store(failure)) => Err(failure),
        }
    }

    async fn run_steps(
        &self,
        turn: Turn,
        clock: &TurnClock,
        log: &mut TurnWriter,
        usage: &mut Usage,
    ) -> Result<(), Stop> {
        let mut messages = turn.history;
        messages.push(Message::User(turn.question));
        let mut echo = Echo::default();
        if let Some(resumed) = turn.resumed {
            let done = self.go_on(resumed, &mut messages, clock, log, usage);
            echo = done.instrument(turn.span.clone()).await?;
        }
        while usage.steps < self.config.max_steps {
            usage.steps += 1;
            let echo = std::mem::take(&mut echo);
            let parent = &turn.span;
            let step = self
                .run_step(messages.clone(), echo, parent, log, usage)
                .await?;
            if step.tool_calls.is_empty() {
                let said_something = log.text_len() > 0;
                return if said_something {
                    Ok(())
                } else {
                    Err(Stop::Silent)
                };
            }
            let results = self.run_tools(&step.tool_calls, clock, log);
            let results = results.instrument(parent.clone()).await?;
            usage.tool_calls += u32::try_from(results.len()).unwrap_or(u32::MAX);
            messages.push(Message::Assistant {
                text: step.text.into(),
                tool_calls: step.tool_calls,
            });
            messages.extend(results.into_iter().map(Message::Tool));
        }
        Err(Stop::TooManySteps)
    }

    /// One request to the model. Its text is in the log as it comes.
    async fn run_step(
        &self,
        messages: Vec<Message>,
        echo: Echo,
        parent: &Span,
        log: &mut TurnWriter,
        usage: &mut Usage,
    ) -> Result<Step, Stop> {
        let info = self.model.info();
        let server = info.server.as_ref();
        let server = server.map(|server| (server.address.as_str(), server.port));
        let span = spans::chat(parent, &info.provider, &info.name, server);
        let request = Request {
            system: Arc::clone(&self.prompt),
            messages,
            tools: self.tools.specs(),
        };
        let mut spent = Usage::default();
        // What the model traces or sends on below its request, it takes from here.
        let stream = span.in_scope(|| self.model.stream(request));
        let result = self.read_model(stream, echo, log, &mut spent).await;
        spans::record_usage(&span, spent);
        usage.input_tokens += spent.input_tokens;
        usage.output_tokens += spent.output_tokens;
        match &result {
            Err(Stop::Model(error)) => {
                spans::record_error(&span, error.kind.as_str(), &error.message);
            }
            Err(Stop::ModelIdle) => spans::record_error(&span, "timeout", "the model was silent"),
            Ok(_) | Err(_) => {}
        }
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
                    output_tokens,
                } => {
                    // Counts of the whole request so far: the last one counts.
                    spent.input_tokens = input_tokens;
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
