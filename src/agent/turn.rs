//! One turn: steps of model stream → tool calls → results, until the model has said everything.

mod resume;

use std::pin::pin;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::Agent;
use crate::chat::{EventBody, Finish, ToolCall, ToolResult, TurnErrorReason, Usage};
use crate::model::{End, Message, ModelError, ModelEvent, Request};
use crate::store::{StoreError, TurnWriter};
use crate::telemetry::spans;

pub use resume::Progress;

/// What a turn is run on.
#[derive(Debug)]
pub struct Turn {
    /// The question.
    pub question: Arc<str>,
    /// The conversation before it, as the model is told.
    pub history: Vec<Message>,
    /// What another process did of it before.
    pub progress: Progress,
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
    tool_calls: Vec<ToolCall>,
    /// What it had said before it was cut, and asked again.
    repeat: Option<String>,
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
        let deadline = Instant::now() + self.config.turn_timeout;
        let mut usage = Usage::default();
        let steps = self.run_steps(turn, log, &mut usage);
        // Cancel and deadline drop the steps wherever they are: that ends the model's request and the tools' work.
        let stop = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Stop::Cancelled),
            stop = timeout_at(deadline, steps) => stop.unwrap_or(Err(Stop::Timeout)),
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
        log: &mut TurnWriter,
        usage: &mut Usage,
    ) -> Result<(), Stop> {
        let mut messages = turn.history;
        messages.push(Message::User(turn.question));
        let Progress {
            messages: done,
            pending,
            mut repeat,
            steps,
            tool_calls,
        } = turn.progress;
        messages.extend(done);
        (usage.steps, usage.tool_calls) = (steps, tool_calls);
        if !pending.is_empty() {
            let results = self.finish_tools(&pending, log).await?;
            usage.tool_calls += u32::try_from(results.len()).unwrap_or(u32::MAX);
            messages.extend(results.into_iter().map(Message::Tool));
        }
        for _ in steps..self.config.max_steps {
            usage.steps += 1;
            let step = self
                .run_step(messages.clone(), repeat.take(), log, usage)
                .await?;
            if step.tool_calls.is_empty() {
                let said_something = log.text_len() > 0;
                return if said_something {
                    Ok(())
                } else {
                    Err(Stop::Silent)
                };
            }
            let results = self.run_tools(&step.tool_calls, log).await?;
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
        repeat: Option<String>,
        log: &mut TurnWriter,
        usage: &mut Usage,
    ) -> Result<Step, Stop> {
        let info = self.model.info();
        let span = spans::chat(info.provider, info.name);
        let request = Request {
            messages,
            tools: self.tools.specs(),
        };
        let mut spent = Usage::default();
        let result = self
            .read_model(request, repeat, log, &mut spent)
            .instrument(span.clone())
            .await;
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
        request: Request,
        repeat: Option<String>,
        log: &mut TurnWriter,
        spent: &mut Usage,
    ) -> Result<Step, Stop> {
        let mut stream = self.model.stream(request);
        let mut step = Step {
            repeat,
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
        let mut text = text;
        let paragraph;
        if step.repeat.is_some() {
            match resume::hear(&mut step.repeat, text) {
                resume::Heard::Again => {
                    step.text.push_str(text);
                    return Ok(());
                }
                resume::Heard::New(new) => {
                    let known = text.len() - new.len();
                    step.text.push_str(text.get(..known).unwrap_or_default());
                    text = new;
                }
                resume::Heard::Other => {
                    paragraph = format!("\n\n{}{text}", std::mem::take(&mut step.text));
                    text = &paragraph;
                }
            }
        } else if step.text.is_empty() && log.text_len() > 0 {
            paragraph = format!("\n\n{text}");
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

    /// Runs the calls of one step side by side. The results come back in the order of the calls; in the log each stands
    /// where it happened.
    async fn run_tools(
        &self,
        calls: &[ToolCall],
        log: &mut TurnWriter,
    ) -> Result<Vec<ToolResult>, Stop> {
        let text_offset = log.text_len();
        let asked = calls.iter().map(|call| EventBody::ToolCall {
            call: call.clone(),
            text_offset,
        });
        log.append(asked.collect()).await.map_err(Stop::Store)?;
        self.finish_tools(calls, log).await
    }

    /// Runs calls that are in the log.
    async fn finish_tools(
        &self,
        calls: &[ToolCall],
        log: &mut TurnWriter,
    ) -> Result<Vec<ToolResult>, Stop> {
        let text_offset = log.text_len();
        let mut running: FuturesUnordered<_> = calls
            .iter()
            .enumerate()
            .map(async |(index, call)| (index, self.run_tool(index, call).await))
            .collect();
        let mut results = Vec::with_capacity(calls.len());
        while let Some((index, result)) = running.next().await {
            let event = EventBody::ToolResult {
                result: result.clone(),
                text_offset,
            };
            log.append(vec![event]).await.map_err(Stop::Store)?;
            results.push((index, result));
        }
        results.sort_by_key(|(index, _)| *index);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }

    async fn run_tool(&self, index: usize, call: &ToolCall) -> ToolResult {
        let span = spans::execute_tool(&call.name, &call.id);
        if index >= self.config.max_parallel_tools {
            let limit = self.config.max_parallel_tools;
            spans::record_error(&span, "limit", "too many calls at once");
            return failed(
                call,
                format!("more than {limit} calls at once: call fewer tools"),
            );
        }
        let tools = self.tools.clone();
        let wanted = call.clone();
        let work = span.clone();
        // Tools compute; on a thread of their own they run side by side and cannot hold up other sessions.
        let run = tokio::task::spawn_blocking(move || work.in_scope(|| tools.run(&wanted)));
        let result = match tokio::time::timeout(self.config.tool_timeout, run).await {
            Ok(Ok(result)) => self.bounded(call, result),
            Ok(Err(defect)) => {
                tracing::error!(parent: &span, tool = &*call.name, %defect, "a tool panicked");
                spans::record_error(&span, "internal", "the tool panicked");
                return failed(call, "the tool failed, which is a defect of it".to_owned());
            }
            Err(_) => {
                spans::record_error(&span, "timeout", "the tool took too long");
                let seconds = self.config.tool_timeout.as_secs();
                return failed(call, format!("the tool took longer than {seconds} s"));
            }
        };
        if result.failed {
            spans::record_error(&span, "tool", "the tool reported an error");
        }
        result
    }

    fn bounded(&self, call: &ToolCall, result: ToolResult) -> ToolResult {
        let (length, limit) = (result.content.len(), self.config.tool_result_bytes);
        if length <= limit {
            return result;
        }
        failed(
            call,
            format!("the result has {length} bytes, {limit} are allowed: ask for less"),
        )
    }
}

fn failed(call: &ToolCall, message: String) -> ToolResult {
    ToolResult {
        call_id: Arc::clone(&call.id),
        name: Arc::clone(&call.name),
        content: serde_json::json!({ "error": message }).to_string().into(),
        failed: true,
    }
}
