//! The tool calls of one step.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tracing::Instrument as _;

use super::Stop;
use crate::agent::Agent;
use crate::chat::{EventBody, ToolCall, ToolResult};
use crate::store::TurnWriter;
use crate::telemetry::spans;

// === impl Agent ===

impl Agent {
    /// Runs the calls of one step side by side. The results come back in the order of the calls; in the log each stands
    /// where it happened.
    pub(super) async fn run_tools(
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
        self.answer_calls(calls, Vec::new(), text_offset, log).await
    }

    /// Runs those of the calls that are in the log without a result.
    pub(super) async fn answer_calls(
        &self,
        calls: &[ToolCall],
        known: Vec<ToolResult>,
        text_offset: usize,
        log: &mut TurnWriter,
    ) -> Result<Vec<ToolResult>, Stop> {
        let mut results = Vec::with_capacity(calls.len());
        let mut missing = Vec::new();
        for (index, call) in calls.iter().enumerate() {
            match known.iter().find(|result| result.call_id == call.id) {
                Some(result) => results.push((index, result.clone())),
                None => missing.push((index, call)),
            }
        }
        let mut running: FuturesUnordered<_> = missing
            .into_iter()
            .map(async |(index, call)| (index, self.run_tool(index, call).await))
            .collect();
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

pub(super) fn failed(call: &ToolCall, message: String) -> ToolResult {
    ToolResult {
        call_id: Arc::clone(&call.id),
        name: Arc::clone(&call.name),
        content: serde_json::json!({ "error": message }).to_string().into(),
        failed: true,
    }
}
