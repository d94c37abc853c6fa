//! Traces, metrics and logs.
//!
//! Every process has trace ids, exported or not: they are on each frame and each log line. Rules for log lines: readable
//! alone; values in fields with their unit in the name (`duration_ms`); a failure is logged once, where it is handled;
//! what a client does wrong is `debug`; never a question, an answer, a key, or a whole session id.

mod format;
pub mod metrics;
mod propagation;
pub mod spans;

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Metadata;
use tracing_subscriber::filter::{FilterFn, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

pub use propagation::{context_of, set_parent, trace_id};

/// What is recorded, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// OTLP endpoint traces are sent to over gRPC, for example `http://localhost:4317`. `None`: they stay in the process.
    pub otlp_endpoint: Option<String>,
    /// The same for metrics, which are on `/metrics` in any case.
    pub otlp_metrics_endpoint: Option<String>,
    /// `service.name` of the resource.
    pub service_name: String,
    /// Share of new traces that are recorded, in thousandths. A caller's decision is followed.
    pub sample_permille: u16,
    /// Which log lines are written, in the syntax of `tracing_subscriber::EnvFilter`.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is recorded could not be set up. The operator's business.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter is not one.
    #[error("telemetry.log: {0}; an example is \"info,dragoman::store=debug\"")]
    Filter(tracing_subscriber::filter::ParseError),
    /// The OTLP endpoint is not usable.
    #[error("telemetry.otlp_endpoint: {0}; an example is \"http://localhost:4317\"")]
    Exporter(opentelemetry_otlp::ExporterBuildError),
    /// The OTLP endpoint of metrics is not usable.
    #[error("telemetry.otlp_metrics_endpoint: {0}; an example is \"http://localhost:4317\"")]
    MetricExporter(opentelemetry_otlp::ExporterBuildError),
    /// Metrics cannot be served.
    #[error("metrics cannot be served: {0}")]
    Metrics(String),
    /// Something else in this process records already.
    #[error("telemetry was started twice in one process")]
    StartedTwice(#[from] tracing_subscriber::util::TryInitError),
}

/// What records in this process. Keep it until the end, then [`Telemetry::shutdown`].
#[derive(Debug)]
pub struct Telemetry {
    provider: SdkTracerProvider,
    meters: SdkMeterProvider,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            otlp_metrics_endpoint: None,
            service_name: "dragoman".to_owned(),
            sample_permille: 1_000,
            log: "info".to_owned(),
            log_format: LogFormat::Auto,
        }
    }
}

/// The spans that are traces. All of them are of level `INFO`; saying so lets libraries that log with the `log` crate see
/// that nobody wants their trace lines, several for every WebSocket frame.
fn own_spans() -> FilterFn {
    let own: fn(&Metadata<'_>) -> bool = |metadata| {
        metadata.is_span()
            && *metadata.level() <= LevelFilter::INFO
            && metadata.target().starts_with("dragoman")
    };
    filter_fn(own).with_max_level_hint(LevelFilter::INFO)
}

/// The filter without what the MCP library says of every failed attempt, unless it is asked for: we say it, once.
fn without_rmcp(log: &str) -> String {
    if log.contains("rmcp") {
        log.to_owned()
    } else {
        format!("{log},rmcp=off")
    }
}

// === impl Telemetry ===

impl Telemetry {
    /// Starts recording for the whole process. Needs a tokio runtime if an endpoint is set. Never waits for it.
    pub fn start(config: &Config) -> Result<Self, TelemetryError> {
        let ratio = f64::from(config.sample_permille) / 1_000.0;
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(ratio)));
        let resource = Resource::builder()
            .with_service_name(config.service_name.clone())
            .with_attribute(opentelemetry::KeyValue::new(
                "service.version",
                env!("CARGO_PKG_VERSION"),
            ))
            .build();
        let mut provider = SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_resource(resource.clone());
        if let Some(endpoint) = &config.otlp_endpoint {
            let exporter = SpanExporter::builder()
                .with_tonic()
                .with_endpoint(endpoint)
                .build()
                .map_err(TelemetryError::Exporter)?;
            provider = provider.with_batch_exporter(exporter);
        }
        let provider = provider.build();
        // Only our own spans are traces; those of the libraries would be a second tree beside ours.
        let traces = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("dragoman"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            // Nobody here asks OpenTelemetry for its current context, and to keep it costs each poll of each turn.
            .with_context_activation(false)
            .with_filter(own_spans());
        let filter = EnvFilter::builder()
            .parse(without_rmcp(&config.log))
            .map_err(TelemetryError::Filter)?;
        let lines = tracing_subscriber::fmt::layer()
            .event_format(format::Lines::new(config.log_format))
            .with_writer(std::io::stderr)
            .with_filter(filter);
        tracing_subscriber::registry()
            .with(traces)
            .with(lines)
            .try_init()?;
        let meters = metrics::start(resource, config.otlp_metrics_endpoint.as_deref())?;
        Ok(Self { provider, meters })
    }

    /// Sends what is left, for at most `deadline`. Call it last.
    pub async fn shutdown(self, deadline: Duration) {
        // The provider's own wait blocks its thread.
        let Self { provider, meters } = self;
        let traces = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(deadline));
        let metrics = tokio::task::spawn_blocking(move || meters.shutdown_with_timeout(deadline));
        let (traces, metrics) = tokio::join!(traces, metrics);
        if let Ok(Err(error)) = traces {
            tracing::warn!(%error, "some traces could not be sent before the end");
        }
        if let Ok(Err(error)) = metrics {
            tracing::warn!(%error, "the last metrics could not be sent before the end");
        }
    }
}
