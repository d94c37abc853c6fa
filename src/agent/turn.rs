//! One turn: steps of model stream → tool calls → results, until the model has said everything.

mod approvals;
mod clock;
mod drawing;
mod echo;
mod resume;
mod step;
mod tool_calls;

use std::pin::pin;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use super::Agent;
use super::context::{Budget, Context};
use crate::chat::{EventBody, Finish, Subject, ToolResult, TurnErrorReason, Usage};
use crate::gate::Gate;
use crate::model::{Message, ModelError};
use crate::store::{StoreError, TurnWriter};

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
    /// Whose tokens of the day are used up, if anybody's are counted.
    pub counted: Option<Subject>,
    /// The turns before it, oldest first, as the model is told.
    pub history: Vec<Vec<Message>>,
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
    TooManyTokens,
    /// The question and what was found for it are longer than any request may be.
    TooLong,
    Silent,
    ModelIdle,
    Model(ModelError),
    Store(StoreError),
}

/// What a turn has used up and found so far.
#[derive(Debug, Default)]
struct Progress {
    usage: Usage,
    /// The results of its tools, in order.
    found: Vec<ToolResult>,
}

// === impl Progress ===

impl Progress {
    /// Takes the results of a step.
    fn add(&mut self, results: &[ToolResult]) {
        self.usage.tool_calls += u32::try_from(results.len()).unwrap_or(u32::MAX);
        self.found.extend_from_slice(results);
    }
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
        let mut progress = Progress::default();
        let span = turn.span.clone();
        let steps = self.run_steps(turn, &clock, log, &mut progress);
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
        let mut body = self.outcome(stop, log, progress.usage)?;
        if let EventBody::Agent { drawing, .. } = &mut body {
            *drawing = self.drawing(progress.found).instrument(span).await;
        }
        Ok(Outcome(body))
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
                drawing: None,
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
            Err(Stop::TooManyTokens) => error(
                TurnErrorReason::Limit,
                format!(
                    "no answer within {} tokens. Ask a narrower question.",
                    self.config.turn_tokens
                ),
            ),
            Err(Stop::TooLong) => error(
                TurnErrorReason::Limit,
                "the question and what was found for it are too long for the model. Ask a narrower question."
                    .to_owned(),
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
        progress: &mut Progress,
    ) -> Result<(), Stop> {
        let mut context = Context::new(
            turn.history,
            turn.question,
            &self.prompt,
            &self.tools.specs(),
            Budget {
                request: self.config.context_tokens,
                history: self.config.history_tokens,
            },
        );
        let mut echo = Echo::default();
        if let Some(resumed) = turn.resumed {
            let done = self.go_on(resumed, &mut context, clock, log, progress);
            echo = done.instrument(turn.span.clone()).await?;
        }
        while progress.usage.steps < self.config.max_steps {
            let usage = &mut progress.usage;
            let echo = std::mem::take(&mut echo);
            let parent = &turn.span;
            let before = usage.tokens();
            let step = self.run_step(&mut context, echo, parent, log, usage).await;
            if let Some(subject) = &turn.counted {
                let spent = progress.usage.tokens() - before;
                let counting = log.spend(subject, spent);
                counting.instrument(parent.clone()).await;
            }
            let step = step?;
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
            progress.add(&results);
            context.extend([Message::Assistant {
                text: step.text.into(),
                tool_calls: step.tool_calls,
            }]);
            context.extend(results.into_iter().map(Message::Tool));
            if self.has_spent_all(progress.usage) {
                return Err(Stop::TooManyTokens);
            }
        }
        Err(Stop::TooManySteps)
    }

    /// True if a turn may not ask the model once more.
    fn has_spent_all(&self, usage: Usage) -> bool {
        let limit = self.config.turn_tokens;
        let spent = usize::try_from(usage.tokens()).unwrap_or(usize::MAX);
        limit > 0 && spent >= limit
    }
}
