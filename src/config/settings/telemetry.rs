use crate::config::Config;
use crate::config::setting::{Form, Setting, Special, special};
use crate::config::values;

pub(super) const LOG: Setting = special(
    "telemetry.log",
    "Which log lines are written; `RUST_LOG` is not read",
    Special {
        form: Form::Text,
        accepts: "off, error, warn, info, debug or trace, and `target=level`, with commas",
        default: None,
        set: |config, text, _| values::log(text).map(|value| config.telemetry.log = value),
        get: |config| config.telemetry.log.clone(),
    },
);
pub(super) const LOG_FORMAT: Setting = special(
    "telemetry.log_format",
    "How log lines look; auto is text on a terminal, JSON otherwise",
    Special {
        form: Form::Text,
        accepts: "auto, text or json",
        default: None,
        set: |config, text, _| {
            values::log_format(text).map(|value| config.telemetry.log_format = value)
        },
        get: |config| values::log_format_text(config.telemetry.log_format),
    },
);
pub(super) const SAMPLE_RATIO: Setting = special(
    "telemetry.sample_ratio",
    "Share of new traces that is recorded; a caller's decision is followed",
    Special {
        form: Form::Ratio,
        accepts: "0 to 1, at most three decimals",
        default: None,
        set: |config, text, _| {
            values::permille(text).map(|value| config.telemetry.sample_permille = value)
        },
        get: |config| values::permille_text(config.telemetry.sample_permille),
    },
);
pub(super) const SERVICE_NAME: Setting = special(
    "telemetry.service_name",
    "`service.name` of traces",
    Special {
        form: Form::Text,
        accepts: "1 to 128 characters",
        default: None,
        set: |config, text, _| {
            values::name(text).map(|value| config.telemetry.service_name = value)
        },
        get: |config| config.telemetry.service_name.clone(),
    },
)
.also(&["OTEL_SERVICE_NAME"]);
pub(super) const OTLP_ENDPOINT: Setting = special(
    "telemetry.otlp_endpoint",
    "Where traces are sent by OTLP over gRPC; empty: nowhere",
    Special {
        form: Form::Text,
        accepts: "http://HOST:PORT, usually port 4317",
        default: None,
        set: |config, text, _| {
            values::endpoint(text).map(|value| config.telemetry.otlp_endpoint = value)
        },
        get: |config: &Config| config.telemetry.otlp_endpoint.clone().unwrap_or_default(),
    },
)
.also(&[
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
]);
pub(super) const OTLP_METRICS_ENDPOINT: Setting = special(
    "telemetry.otlp_metrics_endpoint",
    "Where metrics are sent by OTLP over gRPC, besides `/metrics`; empty: nowhere, as many collectors of traces take none",
    Special {
        form: Form::Text,
        accepts: "http://HOST:PORT, usually port 4317",
        default: None,
        set: |config, text, _| {
            values::endpoint(text).map(|value| config.telemetry.otlp_metrics_endpoint = value)
        },
        get: |config: &Config| {
            let endpoint = config.telemetry.otlp_metrics_endpoint.clone();
            endpoint.unwrap_or_default()
        },
    },
)
.also(&["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"]);
