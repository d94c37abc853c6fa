//! What operators ask: does the process live, can it take questions.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio_util::sync::CancellationToken;

/// Answers whether the service can take questions; the text says what is wrong.
pub type Ready = Arc<dyn Fn() -> ReadyAnswer + Send + Sync>;
/// The answer, later.
pub type ReadyAnswer = std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

#[derive(Clone)]
struct Probes {
    ready: Ready,
    draining: CancellationToken,
}

/// `/healthz` and `/readyz`. Not ready from the moment `draining` is cancelled.
pub fn probes(ready: Ready, draining: CancellationToken) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(Probes { ready, draining })
}

async fn healthz() -> &'static str {
    "ok\n"
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
