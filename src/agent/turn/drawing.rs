use std::sync::Arc;
use std::time::Duration;

use crate::agent::Agent;
use crate::chat::{Drawing, ToolResult};

/// Longest time a finished answer waits for what can be drawn of it.
const TIMEOUT: Duration = Duration::from_secs(2);

// === impl Agent ===

impl Agent {
    /// What can be drawn of a turn. An answer is never lost for want of a picture: without one it goes out as it is.
    pub(super) async fn drawing(&self, results: Vec<ToolResult>) -> Option<Arc<Drawing>> {
        if results.is_empty() {
            return None;
        }
        let tools = self.tools.clone();
        let draw = tokio::task::spawn_blocking(move || tools.drawing(&results));
        match tokio::time::timeout(TIMEOUT, draw).await {
            Ok(Ok(drawing)) => drawing.map(Arc::new),
            Ok(Err(defect)) => {
                tracing::error!(%defect, "drawing an answer panicked");
                None
            }
            Err(_) => {
                tracing::warn!("drawing an answer took too long");
                None
            }
        }
    }
}
