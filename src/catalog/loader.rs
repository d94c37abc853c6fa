use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tracing::Instrument as _;

use super::build::{self, Cleaned};
use super::part::Part;
use super::stamp::Stamp;
use super::{CatalogError, Config, NamedSource, Source, collibra, dbt, file, postgres};
use crate::telemetry::spans;

/// Reads one source, again and again, one at a time.
#[derive(Debug)]
pub(super) struct Loader {
    pub(super) named: NamedSource,
    config: Arc<Config>,
    /// A file system that hangs holds one thread, not one more for every attempt.
    thread: Arc<Semaphore>,
    /// Kept from one reading to the next: it stays signed in.
    collibra: OnceCell<collibra::Client>,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) part: Part,
    /// What had to be left out.
    pub(super) cleaned: Cleaned,
}

// === impl Loader ===

impl Loader {
    pub(super) fn new(named: NamedSource, config: Arc<Config>) -> Self {
        Self {
            named,
            config,
            thread: Arc::new(Semaphore::new(1)),
            collibra: OnceCell::new(),
        }
    }

    /// Reads and checks the source, within the time it may take.
    pub(super) async fn load(&self) -> Result<Loaded, CatalogError> {
        let span = spans::catalog_load(&self.named.name, self.named.source.kind());
        let loaded = self.in_time(self.read()).instrument(span.clone()).await;
        match &loaded {
            Ok(loaded) => spans::record_tables(&span, loaded.part.tables.len()),
            Err(error) => spans::record_error(&span, error.kind(), "the source could not be read"),
        }
        loaded
    }

    /// What tells that the files of the source changed. Whoever is not answered in time is told that they did not.
    pub(super) async fn stamp(&self) -> Option<Stamp> {
        let paths = self.named.source.files();
        let stamp = self.on_a_thread(move || Ok(Stamp::of(&paths)));
        self.in_time(stamp).await.ok()
    }

    async fn read(&self) -> Result<Loaded, CatalogError> {
        let source = self.named.source.clone();
        match &self.named.source {
            Source::Demo => self.on_a_thread(|| file::demo().map(Loaded::whole)).await,
            Source::File(path) => {
                let path = path.clone();
                self.on_a_thread(move || file::load(&path).map(Loaded::whole))
                    .await
            }
            Source::Dbt(folder) => {
                let folder = folder.clone();
                self.on_a_thread(move || clean(&source, dbt::read(&folder)?))
                    .await
            }
            Source::Postgres(address) => {
                let said = postgres::read(address, &self.config.postgres).await?;
                self.on_a_thread(move || clean(&source, said)).await
            }
            Source::Collibra(address) => {
                let client = || async { collibra::Client::new(address, &self.config.collibra) };
                let client = self.collibra.get_or_try_init(client).await?;
                let said = collibra::read(client).await?;
                self.on_a_thread(move || clean(&source, said)).await
            }
        }
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<T, CatalogError> {
        let permit = Arc::clone(&self.thread).acquire_owned().await;
        let done = spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(|_| CatalogError::Panicked)?
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, CatalogError>>,
    ) -> Result<T, CatalogError> {
        let limit: Duration = self.config.timeout;
        timeout(limit, work).await.unwrap_or_else(|_| {
            Err(CatalogError::TooSlow {
                catalog: self.named.source.clone(),
                limit,
            })
        })
    }
}

/// What a source says that nobody here wrote: what cannot be used is left out.
fn clean(source: &Source, said: super::format::File) -> Result<Loaded, CatalogError> {
    let built = build::lenient(said, Timestamp::now());
    let (part, cleaned) = built.map_err(|flaw| CatalogError::of_flaw(source, flaw))?;
    Ok(Loaded { part, cleaned })
}

// === impl Loaded ===

impl Loaded {
    fn whole(part: Part) -> Self {
        Self {
            part,
            cleaned: Cleaned::default(),
        }
    }
}
