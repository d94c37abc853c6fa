//! Traces and logs.

/// What is recorded, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// OTLP endpoint traces are sent to, for example `http://localhost:4317`. `None`: traces stay in the process.
    pub otlp_endpoint: Option<String>,
    /// `service.name` of the resource.
    pub service_name: String,
    /// Share of new traces that are recorded, 0.0 to 1.0 in thousandths; a caller's decision is followed.
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

impl Default for Config {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            service_name: "dragoman".to_owned(),
            sample_permille: 1_000,
            log: "info".to_owned(),
            log_format: LogFormat::Auto,
        }
    }
}
