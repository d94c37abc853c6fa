use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::sync::{Mutex, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::build::Cleaned;
use super::freshness::Freshness;
use super::handle::Handle;
use super::loader::{Loaded, Loader};
use super::merge::merge;
use super::part::Part;
use super::stamp::Stamp;
use super::{Catalog, CatalogError, Config, SourceState};

/// How often files are looked at. A file is read when two looks in a row find it changed and alike: whoever writes it
/// is done by then.
const LOOK: Duration = Duration::from_secs(2);
/// A source is stale when it was not read for so many times `catalog_refresh`.
const MISSED: u32 = 2;

/// Reads all sources, and again when they change. A source that cannot be read any more stays as it was.
#[derive(Debug)]
pub struct Keeper {
    kept: Vec<Kept>,
    refresh: Duration,
    /// In the order of `kept`. Held while a new catalog is made of them, so that there is one after the other.
    parts: Mutex<Vec<(SourceState, Arc<Part>)>>,
    current: watch::Sender<Arc<Catalog>>,
}

/// A source, and how fresh what is known of it is.
#[derive(Debug)]
struct Kept {
    loader: Loader,
    freshness: Arc<Freshness>,
    /// What its files looked like before they were read at the start.
    stamp: Option<Stamp>,
    /// What was left out of it at the start.
    cleaned: Cleaned,
}

/// What was said of a source last, so that it is said once.
#[derive(Debug)]
struct Told {
    cleaned: Cleaned,
    failure: Option<String>,
}

// === impl Keeper ===

impl Keeper {
    /// Reads every source, all at the same time. One that cannot be read is an error: whoever starts should see it.
    pub async fn open(config: &Config) -> Result<Self, CatalogError> {
        let config = Arc::new(config.clone());
        let loaders: Vec<Loader> = config
            .sources
            .iter()
            .map(|named| Loader::new(named.clone(), Arc::clone(&config)))
            .collect();
        let loaded = try_join_all(loaders.iter().map(first)).await?;
        let mut kept = Vec::with_capacity(loaders.len());
        let mut parts = Vec::with_capacity(loaders.len());
        for (loader, (stamp, Loaded { part, cleaned })) in loaders.into_iter().zip(loaded) {
            let source = &loader.named.source;
            let longest = source.is_remote().then(|| config.refresh * MISSED);
            let freshness = Arc::new(Freshness::new(part.as_of, longest));
            let state = SourceState::new(&loader.named.name, &part, Arc::clone(&freshness));
            cleaned.warn(&loader.named.name);
            parts.push((state, Arc::new(part)));
            kept.push(Kept {
                loader,
                freshness,
                stamp,
                cleaned,
            });
        }
        let (parts, catalog) = merged(parts).await?;
        Ok(Self {
            kept,
            refresh: config.refresh,
            parts: Mutex::new(parts),
            current: watch::channel(Arc::new(catalog)).0,
        })
    }

    /// Gives the catalog as it is, also later on.
    pub fn handle(&self) -> Handle {
        Handle::new(self.current.subscribe())
    }

    /// Keeps the catalog up to date. It never ends by itself, and may be dropped at any moment.
    pub async fn run(self) {
        let keep = |(place, kept)| self.keep(place, kept);
        join_all((0..).zip(&self.kept).map(keep)).await;
    }

    async fn keep(&self, place: usize, kept: &Kept) {
        if kept.loader.named.source.is_remote() {
            self.by_the_clock(place, kept).await;
        } else {
            self.by_looks(place, kept).await;
        }
    }

    async fn by_the_clock(&self, place: usize, kept: &Kept) {
        let mut told = Told::new(kept);
        loop {
            sleep(self.refresh).await;
            self.reload(place, kept, &mut told).await;
        }
    }

    async fn by_looks(&self, place: usize, kept: &Kept) {
        if kept.loader.named.source.files().is_empty() {
            return;
        }
        let mut told = Told::new(kept);
        let mut read = kept.stamp.clone();
        let mut seen = kept.stamp.clone();
        loop {
            sleep(LOOK).await;
            let look = kept.loader.stamp().await;
            if look != read && look == seen {
                // Who did not answer in time is asked again, changed or not.
                let answered = self.reload(place, kept, &mut told).await;
                read = if answered { look } else { None };
            } else {
                seen = look;
            }
        }
    }

    /// Reads a source again; `false` if that took too long.
    async fn reload(&self, place: usize, kept: &Kept, told: &mut Told) -> bool {
        let loaded = match kept.loader.load().await {
            Ok(loaded) => loaded,
            Err(error) => return failed(kept, told, &error),
        };
        let name = kept.loader.named.name.as_str();
        let as_of = loaded.part.as_of;
        if loaded.cleaned != told.cleaned {
            loaded.cleaned.warn(name);
            told.cleaned = loaded.cleaned.clone();
        }
        if let Err(error) = self.publish(place, kept, loaded.part).await {
            return failed(kept, told, &error);
        }
        kept.freshness.renew(as_of);
        if told.failure.take().is_some() {
            tracing::info!(source = name, "the catalog can be read again");
        }
        true
    }

    /// Makes the catalog anew, if the source says something else.
    async fn publish(&self, place: usize, kept: &Kept, part: Part) -> Result<(), CatalogError> {
        let mut parts = self.parts.lock().await;
        let mut changed = parts.clone();
        let Some((state, known)) = changed.get_mut(place) else {
            return Ok(());
        };
        let old = Arc::clone(known);
        let (part, same) = on_a_thread(move || {
            let same = old.says_the_same(&part);
            (part, same)
        })
        .await?;
        if same {
            return Ok(());
        }
        *state = SourceState::new(&kept.loader.named.name, &part, Arc::clone(&kept.freshness));
        *known = Arc::new(part);
        let info = state.info();
        let (changed, catalog) = merged(changed).await?;
        *parts = changed;
        self.current.send_replace(Arc::new(catalog));
        tracing::info!(
            source = kept.loader.named.name,
            "the catalog changed: {}",
            info
        );
        Ok(())
    }
}

/// Notes a failure, and tells it if it is another one than before; `false` if it only took too long.
fn failed(kept: &Kept, told: &mut Told, error: &CatalogError) -> bool {
    kept.freshness.fail();
    let cause = error.to_string();
    let source = kept.loader.named.name.as_str();
    if told.failure.as_ref() == Some(&cause) {
        tracing::debug!(source, "the catalog still cannot be read: {cause}");
    } else {
        tracing::warn!(
            source,
            "the catalog cannot be read again, what is known of it stays: {cause}"
        );
        told.failure = Some(cause);
    }
    !matches!(error, CatalogError::TooSlow { .. })
}

async fn first(loader: &Loader) -> Result<(Option<Stamp>, Loaded), CatalogError> {
    let stamp = loader.stamp().await;
    Ok((stamp, loader.load().await?))
}

type Parts = Vec<(SourceState, Arc<Part>)>;

async fn merged(parts: Parts) -> Result<(Parts, Catalog), CatalogError> {
    on_a_thread(move || {
        let catalog = merge(&parts);
        (parts, catalog)
    })
    .await
}

async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CatalogError> {
    spawn_blocking(work)
        .await
        .map_err(|_| CatalogError::Panicked)
}

// === impl Told ===

impl Told {
    fn new(kept: &Kept) -> Self {
        Self {
            cleaned: kept.cleaned.clone(),
            failure: None,
        }
    }
}
