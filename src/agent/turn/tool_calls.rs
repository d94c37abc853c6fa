//! The tool calls of one step.

use std::sync::Arc;
use std::time::SystemTime;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tracing::Instrument as _;

use super::Stop;
use super::clock::TurnClock;
use crate::agent::Agent;
use crate::chat::{ApprovalRequest, Decision, EventBody, ToolCall, ToolResult};
use crate::store::{Approvals, StoreError, TurnWriter};
use crate::telemetry::spans;

/// What is in the log of the calls of one step.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Known {
    pub(super) results: Vec<ToolResult>,
    pub(super) requests: Vec<ApprovalRequest>,
    pub(super) decisions: Vec<(Arc<str>, Decision)>,
}

/// What is to be done for a call next.
enum Next {
    /// Somebody has to allow it, until a time.
    Wait(Approvals, SystemTime),
    Run,
}

/// What was done for a call.
enum Done {
    Waited(Decision),
    Ran(ToolResult),
}

// === impl Agent ===

impl Agent {
    /// Runs the calls of one step side by side. The results come back in the order of the calls; in the log each stands
    /// where it happened.
    pub(super) async fn run_tools(
        &self,
        calls: &[ToolCall],
        clock: &TurnClock,
        log: &mut TurnWriter,
    ) -> Result<Vec<ToolResult>, Stop> {
        let text_offset = log.text_len();
        let asked = calls.iter().map(|call| EventBody::ToolCall {
            call: call.clone(),
            text_offset,
        });
        log.append(asked.collect()).await.map_err(Stop::Store)?;
        self.answer_calls(calls, Known::default(), text_offset, clock, log)
            .await
    }

    /// Runs those of the calls that are in the log without a result. Those that somebody has to allow wait for that,
    /// while the others run; meanwhile the turn's clock stands.
    pub(super) async fn answer_calls(
        &self,
        calls: &[ToolCall],
        known: Known,
        text_offset: usize,
        clock: &TurnClock,
        log: &mut TurnWriter,
    ) -> Result<Vec<ToolResult>, Stop> {
        let mut results = Vec::with_capacity(calls.len());
        let (mut requests, mut waits, mut missing) = (Vec::new(), 0, Vec::new());
        for (index, call) in calls.iter().enumerate() {
            if let Some(result) = known.result(&call.id) {
                results.push((index, result.clone()));
                continue;
            }
            let request = known.request(&call.id).cloned().or_else(|| {
                let request = self.approval_request(index, call)?;
                requests.push(EventBody::ApprovalRequest {
                    request: request.clone(),
                    text_offset,
                });
                Some(request)
            });
            let next = match (request, known.decision(&call.id)) {
                (Some(request), None) => {
                    waits += 1;
                    Next::Wait(log.approvals(), request.expires)
                }
                (None, None) => Next::Run,
                // Decided before the turn came here, and nothing else is known of it.
                (_, Some(decision)) => {
                    let result = self.not_allowed(call, decision);
                    self.note_result(&result, text_offset, log).await?;
                    results.push((index, result));
                    continue;
                }
            };
            missing.push((index, call, next));
        }
        if !requests.is_empty() {
            log.append(requests).await.map_err(Stop::Store)?;
        }
        let mut stopped = (waits > 0).then(|| clock.stop());
        let mut running: FuturesUnordered<_> = missing
            .into_iter()
            .map(|(index, call, next)| self.advance(index, call, next))
            .collect();
        while let Some((index, call, done)) = running.next().await {
            let result = match done.map_err(Stop::Store)? {
                Done::Ran(result) => result,
                Done::Waited(decision) => {
                    waits -= 1;
                    if waits == 0 {
                        stopped = None;
                    }
                    self.note_decision(call, decision, text_offset, log).await?;
                    if decision == Decision::Approved {
                        running.push(self.advance(index, call, Next::Run));
                        continue;
                    }
                    self.not_allowed(call, decision)
                }
            };
            self.note_result(&result, text_offset, log).await?;
            results.push((index, result));
        }
        drop(stopped);
        results.sort_by_key(|(index, _)| *index);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }

    async fn advance<'a>(
        &self,
        index: usize,
        call: &'a ToolCall,
        next: Next,
    ) -> (usize, &'a ToolCall, Result<Done, StoreError>) {
        let done = match next {
            Next::Wait(approvals, expires) => self
                .await_approval(call, &approvals, expires)
                .await
                .map(Done::Waited),
            Next::Run => Ok(Done::Ran(self.run_tool(index, call).await)),
        };
        (index, call, done)
    }

    async fn note_result(
        &self,
        result: &ToolResult,
        text_offset: usize,
        log: &mut TurnWriter,
    ) -> Result<(), Stop> {
        let event = EventBody::ToolResult {
            result: result.clone(),
            text_offset,
        };
        log.append(vec![event]).await.map_err(Stop::Store)
    }

    async fn note_decision(
        &self,
        call: &ToolCall,
        decision: Decision,
        text_offset: usize,
        log: &mut TurnWriter,
    ) -> Result<(), Stop> {
        let event = EventBody::ApprovalDecision {
            call_id: Arc::clone(&call.id),
            decision,
            text_offset,
        };
        log.append(vec![event]).await.map_err(Stop::Store)
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
        let run = self.tools.call(call).instrument(span.clone());
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

// === impl Known ===

impl Known {
    /// True if nothing happened since the model asked for the calls.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// True if the call has a result, or somebody was asked to allow it.
    pub(super) fn has(&self, call_id: &str) -> bool {
        self.result(call_id).is_some() || self.request(call_id).is_some()
    }

    fn result(&self, call_id: &str) -> Option<&ToolResult> {
        self.results
            .iter()
            .find(|result| &*result.call_id == call_id)
    }

    fn request(&self, call_id: &str) -> Option<&ApprovalRequest> {
        self.requests
            .iter()
            .find(|request| &*request.call_id == call_id)
    }

    fn decision(&self, call_id: &str) -> Option<Decision> {
        let decided = self.decisions.iter().find(|(id, _)| &**id == call_id);
        decided.map(|(_, decision)| *decision)
    }
}

pub(super) fn failed(call: &ToolCall, message: String) -> ToolResult {
    ToolResult {
        call_id: Arc::clone(&call.id),
        name: Arc::clone(&call.name),
        content: serde_json::json!({ "error": message }).to_string().into(),
        failed: true,
    }
}
