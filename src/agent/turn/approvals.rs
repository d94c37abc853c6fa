//! Calls that wait until somebody allows them.

use std::time::{Duration, SystemTime};

use tokio::time::timeout;
use tracing::Span;

use super::tool_calls::failed;
use crate::agent::Agent;
use crate::chat::{ApprovalRequest, Decision, ToolCall, ToolResult};
use crate::store::{Approvals, StoreError};
use crate::telemetry::spans;

/// A wait for somebody to allow a call. Its span ends with it and says what came of it.
struct Waiting {
    span: Span,
    decision: Option<Decision>,
}

// === impl Agent ===

impl Agent {
    /// What somebody has to allow before the call is run; `None` if nobody has to. A call that is refused in any case
    /// bothers nobody.
    pub(super) fn approval_request(
        &self,
        index: usize,
        call: &ToolCall,
    ) -> Option<ApprovalRequest> {
        let asks = index < self.config.max_parallel_tools && self.config.ask.fits(&call.name);
        asks.then(|| ApprovalRequest {
            call_id: call.id.clone(),
            name: call.name.clone(),
            arguments: call.arguments.clone(),
            expires: whole_millis(SystemTime::now() + self.config.approval_timeout),
        })
    }

    /// Waits until somebody has decided, or it is too late.
    pub(super) async fn await_approval(
        &self,
        call: &ToolCall,
        approvals: &Approvals,
        expires: SystemTime,
    ) -> Result<Decision, StoreError> {
        let mut waiting = Waiting {
            span: spans::await_approval(&call.name, &call.id),
            decision: None,
        };
        let left = expires.duration_since(SystemTime::now());
        // A clock that was set back makes nobody wait longer.
        let left = left.unwrap_or_default().min(self.config.approval_timeout);
        let decision = match timeout(left, approvals.decided(&call.id)).await {
            Ok(decided) => decided?,
            Err(_) => approvals.time_out(&call.id).await?,
        };
        waiting.decision = Some(decision);
        Ok(decision)
    }

    /// What the model is told of a call that nobody allowed.
    pub(super) fn not_allowed(&self, call: &ToolCall, decision: Decision) -> ToolResult {
        failed(
            call,
            match decision {
                Decision::Approved => {
                    // It may do more than read, so it is not simply run again.
                    "the call was allowed, but the service was interrupted: it is not known whether it was done. \
                     Do not assume that it was"
                        .to_owned()
                }
                Decision::Denied => {
                    "the user did not allow this call: go on without it, and do not call it again"
                        .to_owned()
                }
                Decision::TimedOut => format!(
                    "the user did not allow this call within {} s: go on without it",
                    self.config.approval_timeout.as_secs()
                ),
            },
        )
    }
}

// === impl Waiting ===

impl Drop for Waiting {
    fn drop(&mut self) {
        spans::record_decision(&self.span, self.decision);
    }
}

/// As stores and frames write it.
fn whole_millis(time: SystemTime) -> SystemTime {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let millis = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
    SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
}
