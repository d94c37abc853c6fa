//! W3C Trace Context (<https://www.w3.org/TR/trace-context/>) in and out of spans.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::chat::{TraceContext, TraceId};

/// Longest `tracestate` that is passed on: what the specification asks for at least. It is kept with every span.
const TRACESTATE_BYTES: usize = 512;

/// Makes `span` a child of a caller's span. An empty or malformed context changes nothing, as the specification asks.
/// Must be called before anything else uses the span.
pub fn set_parent(span: &Span, parent: &TraceContext) {
    if parent.is_empty() {
        return;
    }
    let mut carrier = HashMap::from([("traceparent".to_owned(), parent.traceparent.clone())]);
    if parent.tracestate.len() <= TRACESTATE_BYTES {
        carrier.insert("tracestate".to_owned(), parent.tracestate.clone());
    }
    let context = TraceContextPropagator::new()
        .extract_with_context(&opentelemetry::Context::new(), &carrier);
    if context.span().span_context().is_valid() {
        // Fails only if the span is not recorded at all.
        let _ = span.set_parent(context);
    }
}

/// What a callee needs to make its spans children of `span`.
pub fn context_of(span: &Span) -> TraceContext {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut carrier);
    TraceContext {
        traceparent: carrier.remove("traceparent").unwrap_or_default(),
        tracestate: carrier.remove("tracestate").unwrap_or_default(),
    }
}

/// The trace `span` belongs to.
pub fn trace_id(span: &Span) -> TraceId {
    let id = span.context().span().span_context().trace_id();
    TraceId(u128::from_be_bytes(id.to_bytes()))
}
