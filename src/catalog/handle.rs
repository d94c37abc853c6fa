use std::sync::Arc;

use tokio::sync::watch;

use super::Catalog;

/// Gives the catalog as it is now. What was given stays as it is, also when there is a newer one.
#[derive(Debug, Clone)]
pub struct Handle {
    current: watch::Receiver<Arc<Catalog>>,
}

// === impl Handle ===

impl Handle {
    pub(super) fn new(current: watch::Receiver<Arc<Catalog>>) -> Self {
        Self { current }
    }

    /// The newest catalog.
    pub fn current(&self) -> Arc<Catalog> {
        Arc::clone(&self.current.borrow())
    }
}

/// A catalog that nobody keeps up to date.
impl From<Arc<Catalog>> for Handle {
    fn from(catalog: Arc<Catalog>) -> Self {
        Self::new(watch::channel(catalog).1)
    }
}
