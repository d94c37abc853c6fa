//! The JSON objects of approvals.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{millis, time};
use crate::chat::{ApprovalRequest, Decision, EventBody};

#[derive(Serialize, Deserialize)]
pub(super) struct RequestRecord<'a> {
    /// A script of Redis reads it.
    #[serde(borrow)]
    call_id: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    arguments: Cow<'a, str>,
    /// Milliseconds after 1970.
    expires: i64,
    text_offset: usize,
}

#[derive(Serialize, Deserialize)]
pub(super) struct DecisionRecord<'a> {
    #[serde(borrow)]
    call_id: Cow<'a, str>,
    #[serde(borrow)]
    decision: Cow<'a, str>,
    text_offset: usize,
}

// === impl RequestRecord ===

impl<'a> RequestRecord<'a> {
    pub(super) fn of(request: &'a ApprovalRequest, text_offset: usize) -> Self {
        Self {
            call_id: Cow::Borrowed(&request.call_id),
            name: Cow::Borrowed(&request.name),
            arguments: Cow::Borrowed(&request.arguments),
            expires: millis(request.expires),
            text_offset,
        }
    }

    pub(super) fn body(self) -> EventBody {
        EventBody::ApprovalRequest {
            request: ApprovalRequest {
                call_id: self.call_id.into(),
                name: self.name.into(),
                arguments: self.arguments.into(),
                expires: time(self.expires),
            },
            text_offset: self.text_offset,
        }
    }
}

// === impl DecisionRecord ===

impl<'a> DecisionRecord<'a> {
    pub(super) fn of(call_id: &'a Arc<str>, decision: Decision, text_offset: usize) -> Self {
        Self {
            call_id: Cow::Borrowed(call_id),
            decision: Cow::Borrowed(decision.as_str()),
            text_offset,
        }
    }

    /// `None` if the decision is of no kind this version knows.
    pub(super) fn body(self) -> Option<EventBody> {
        Some(EventBody::ApprovalDecision {
            decision: Decision::parse(&self.decision)?,
            call_id: self.call_id.into(),
            text_offset: self.text_offset,
        })
    }
}
