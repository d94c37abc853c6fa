//! Every metric dragoman has, with its name, unit and attributes.
//!
//! GenAI names follow semantic-conventions-genai 0.1.0, which is still "development"; what has no name there starts with
//! `dragoman.`. Attributes are bounded: never a session, a subject or a turn.

use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::metrics::{Counter, Histogram, MeterProvider as _};
use opentelemetry::{KeyValue, StringValue};
use opentelemetry_otlp::{MetricExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

use super::TelemetryError;
use crate::chat::Usage;

/// Set once, when telemetry starts; what is measured before, or without it, is not kept.
static METRICS: OnceLock<Metrics> = OnceLock::new();

#[derive(Debug)]
struct Metrics {
    registry: Registry,
    inference_duration: Histogram<f64>,
    input_tokens: Histogram<u64>,
    output_tokens: Histogram<u64>,
    cost: Counter<f64>,
    too_long: Counter<u64>,
}

/// One request to a model, for measuring.
#[derive(Debug, Clone, Copy)]
pub struct Inference<'a> {
    /// `gen_ai.provider.name`.
    pub provider: &'a str,
    /// `gen_ai.request.model`.
    pub model: &'a str,
    /// From the request to the end of the answer.
    pub duration: Duration,
    /// What it used up, as far as the server says.
    pub usage: Usage,
    /// `error.type`, if it failed.
    pub error_type: Option<&'static str>,
}

/// Starts measuring: for `/metrics`, and for `endpoint` if there is one.
pub(super) fn start(
    resource: Resource,
    endpoint: Option<&str>,
) -> Result<SdkMeterProvider, TelemetryError> {
    let registry = Registry::new();
    let for_prometheus = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .build()
        .map_err(|error| TelemetryError::Metrics(error.to_string()))?;
    let mut provider = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_reader(for_prometheus);
    if let Some(endpoint) = endpoint {
        let exporter = MetricExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build()
            .map_err(TelemetryError::MetricExporter)?;
        provider = provider.with_periodic_exporter(exporter);
    }
    let provider = provider.build();
    // Telemetry starts once in a process: there is nothing to replace.
    let _ = METRICS.set(Metrics::new(&provider, registry));
    Ok(provider)
}

/// All of them in Prometheus' text format 0.0.4,
/// <https://prometheus.io/docs/instrumenting/exposition_formats/>.
pub fn text() -> Result<String, prometheus::Error> {
    let families = METRICS.get().map(|metrics| metrics.registry.gather());
    TextEncoder::new().encode_to_string(&families.unwrap_or_default())
}

/// Measures a request to a model.
pub fn record_inference(inference: &Inference<'_>) {
    let Some(metrics) = METRICS.get() else {
        return;
    };
    let mut attributes = of_model(inference.provider, inference.model);
    let usage = inference.usage;
    if usage.tokens() > 0 {
        metrics.input_tokens.record(usage.input_tokens, &attributes);
        metrics
            .output_tokens
            .record(usage.output_tokens, &attributes);
    }
    if usage.cost_micros > 0 {
        metrics.cost.add(units(usage.cost_micros), &attributes);
    }
    if let Some(error_type) = inference.error_type {
        attributes.push(KeyValue::new("error.type", error_type));
    }
    metrics
        .inference_duration
        .record(inference.duration.as_secs_f64(), &attributes);
}

/// Counts a conversation that the model found too long.
pub fn record_too_long(provider: &str, model: &str) {
    if let Some(metrics) = METRICS.get() {
        metrics.too_long.add(1, &of_model(provider, model));
    }
}

fn of_model(provider: &str, model: &str) -> Vec<KeyValue> {
    let value = |text: &str| StringValue::from(text.to_owned());
    vec![
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.provider.name", value(provider)),
        KeyValue::new("gen_ai.request.model", value(model)),
    ]
}

#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to nine thousand millions of any currency"
)]
fn units(micros: u64) -> f64 {
    micros as f64 / 1e6
}

// === impl Metrics ===

impl Metrics {
    fn new(provider: &SdkMeterProvider, registry: Registry) -> Self {
        let meter = provider.meter("dragoman");
        // The boundaries the conventions advise: doubled for seconds, four times as many for tokens.
        let seconds = (0..14).map(|step| 0.01 * f64::from(1 << step)).collect();
        let tokens: Vec<f64> = (0..14).map(|step| f64::from(1 << (2 * step))).collect();
        Self {
            registry,
            inference_duration: meter
                .f64_histogram("gen_ai.client.inference.duration")
                .with_description("Time of a request to the model, to the end of its answer")
                .with_unit("s")
                .with_boundaries(seconds)
                .build(),
            input_tokens: meter
                .u64_histogram("gen_ai.client.inference.operation.input_tokens")
                .with_description("Tokens the model read for a request")
                .with_unit("{token}")
                .with_boundaries(tokens.clone())
                .build(),
            output_tokens: meter
                .u64_histogram("gen_ai.client.inference.operation.output_tokens")
                .with_description("Tokens the model wrote for a request")
                .with_unit("{token}")
                .with_boundaries(tokens)
                .build(),
            cost: meter
                .f64_counter("dragoman.model.cost")
                .with_description("What the tokens cost, in the currency of the configured prices")
                .build(),
            too_long: meter
                .u64_counter("dragoman.model.too_long")
                .with_description("Requests the model found too long, asked again with less")
                .with_unit("{request}")
                .build(),
        }
    }
}
