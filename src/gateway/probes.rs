//! What operators ask: does the process live, can it take questions, how much does it do.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio_util::sync::CancellationToken;

use crate::telemetry;

/// <https://prometheus.io/docs/instrumenting/exposition_formats/>.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers whether the service can take questions; the text says what is wrong.
pub type Ready = Arc<dyn Fn() -> ReadyAnswer + Send + Sync>;
/// The answer, later.
pub type ReadyAnswer = std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

#[derive(Clone)]
struct Probes {
    ready: Ready,
    draining: CancellationToken,
}

/// `/healthz`, `/readyz` and `/metrics`. Not ready from the moment `draining` is cancelled.
pub fn probes(ready: Ready, draining: CancellationToken) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(Probes { ready, draining })
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn metrics() -> Response {
    match telemetry::metrics::text() {
        Ok(text) => ([(header::CONTENT_TYPE, METRICS_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn readyz(State(probes): State<Probes>) -> Response {
    if probes.draining.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    match (probes.ready)().await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}
