//! Agents by their addresses: names are resolved again and again, each address is watched, and a conversation goes to
//! the one that serves and has the fewest.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::lookup_host;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::Channel;

use super::agent::{Agent, Counted};
use crate::rpc::proto::chat_client::ChatClient;

/// How often names are resolved.
const RESOLVE_INTERVAL: Duration = Duration::from_secs(5);
/// How long one name may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(4);
/// How long a conversation waits for an agent that serves.
const SERVING_TIMEOUT: Duration = Duration::from_secs(3);
/// Most addresses of all names together.
const MOST_AGENTS: usize = 1_000;

/// Which agents a conversation may go to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Avoid {
    /// Any.
    #[default]
    None,
    /// This one only if there is no other.
    IfPossible(SocketAddr),
    /// Never this one; nobody is waited for.
    Always(SocketAddr),
}

/// The agents. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    names: Vec<String>,
    agents: Mutex<BTreeMap<SocketAddr, Arc<Agent>>>,
    changes: Changes,
}

/// Tells those who wait that some agent's state has changed.
#[derive(Debug, Clone)]
pub(super) struct Changes(Arc<watch::Sender<()>>);

/// One configured URL.
#[derive(Debug)]
struct Name {
    url: http::Uri,
    /// What it was resolved to last.
    addresses: Vec<SocketAddr>,
    told_failed: bool,
}

/// Where a conversation goes.
pub(super) struct Place {
    pub(super) client: ChatClient<Channel>,
    pub(super) address: SocketAddr,
    pub(super) counted: Counted,
}

// === impl Pool ===

impl Pool {
    /// Agents at `urls`, looked for and watched by `tasks` until `closed`.
    pub(super) fn new(
        urls: Vec<http::Uri>,
        tasks: &TaskTracker,
        closed: CancellationToken,
    ) -> Self {
        let pool = Self(Arc::new(Shared {
            names: urls.iter().map(ToString::to_string).collect(),
            agents: Mutex::default(),
            changes: Changes(Arc::new(watch::Sender::new(()))),
        }));
        let resolving = pool.clone().resolve(urls, tasks.clone(), closed);
        tasks.spawn(resolving);
        pool
    }

    /// The best agent, as soon as there is one, for at most a few seconds.
    pub(super) async fn place(&self, avoid: Avoid) -> Option<Place> {
        let deadline = Instant::now() + SERVING_TIMEOUT;
        let mut changed = self.0.changes.0.subscribe();
        loop {
            if let Some(place) = self.place_now(avoid) {
                return Some(place);
            }
            if matches!(avoid, Avoid::Always(_)) {
                return None;
            }
            timeout_at(deadline, changed.changed()).await.ok()?.ok()?;
        }
    }

    /// How many agents serve.
    pub(super) fn serving(&self) -> usize {
        let agents = self.agents();
        agents.values().filter(|agent| agent.serves()).count()
    }

    /// Where agents are looked for, for people.
    pub(super) fn names(&self) -> String {
        self.0.names.join(", ")
    }

    fn place_now(&self, avoid: Avoid) -> Option<Place> {
        let mut agents: Vec<Arc<Agent>> = self.agents().values().map(Arc::clone).collect();
        match avoid {
            Avoid::None => agents.sort_by_key(|agent| agent.streams()),
            Avoid::IfPossible(not) => {
                agents.sort_by_key(|agent| (agent.address == not, agent.streams()));
            }
            Avoid::Always(not) => {
                agents.retain(|agent| agent.address != not);
                agents.sort_by_key(|agent| agent.streams());
            }
        }
        agents.iter().find_map(|agent| {
            let (client, counted) = agent.client()?;
            Some(Place {
                client,
                address: agent.address,
                counted,
            })
        })
    }

    async fn resolve(self, urls: Vec<http::Uri>, tasks: TaskTracker, closed: CancellationToken) {
        let mut names: Vec<Name> = urls.into_iter().map(Name::new).collect();
        loop {
            let resolved = join_all(names.iter_mut().map(Name::resolve));
            tokio::select! {
                _ = resolved => self.update(&names, &tasks),
                () = closed.cancelled() => break,
            }
            tokio::select! {
                () = sleep(RESOLVE_INTERVAL) => {}
                () = closed.cancelled() => break,
            }
        }
        for agent in self.agents().values() {
            agent.gone.cancel();
        }
    }

    /// Lets go of addresses that are not there any more, and watches those that are new.
    fn update(&self, names: &[Name], tasks: &TaskTracker) {
        let wanted: BTreeMap<SocketAddr, &http::Uri> = names
            .iter()
            .flat_map(|name| name.addresses.iter().map(move |&at| (at, &name.url)))
            .take(MOST_AGENTS)
            .collect();
        let mut agents = self.agents();
        agents.retain(|address, agent| {
            let stays = wanted.contains_key(address);
            if !stays {
                tracing::info!(agent = %address, "an agent is not in the list any more");
                agent.gone.cancel();
            }
            stays
        });
        for (address, url) in wanted {
            if agents.contains_key(&address) {
                continue;
            }
            match Agent::new(address, url) {
                Ok(agent) => {
                    let agent = Arc::new(agent);
                    tasks.spawn(Arc::clone(&agent).watch(self.0.changes.clone()));
                    agents.insert(address, agent);
                }
                Err(error) => tracing::warn!(agent = %address, %error, "an agent cannot be used"),
            }
        }
    }

    fn agents(&self) -> MutexGuard<'_, BTreeMap<SocketAddr, Arc<Agent>>> {
        self.0.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Changes ===

impl Changes {
    pub(super) fn tell(&self) {
        self.0.send_replace(());
    }
}

// === impl Name ===

impl Name {
    fn new(url: http::Uri) -> Self {
        Self {
            url,
            addresses: Vec::new(),
            told_failed: false,
        }
    }

    /// Asks for the addresses; those known stay if there is no answer.
    async fn resolve(&mut self) {
        let authority = self.url.authority().map(ToString::to_string);
        let looked_up = timeout(RESOLVE_TIMEOUT, lookup_host(authority.unwrap_or_default())).await;
        let why = match looked_up {
            Ok(Ok(addresses)) => {
                let mut addresses: Vec<SocketAddr> = addresses.collect();
                addresses.sort_unstable();
                addresses.dedup();
                if !addresses.is_empty() {
                    self.addresses = addresses;
                    self.told_failed = false;
                    return;
                }
                "it has no address".to_owned()
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        if !std::mem::replace(&mut self.told_failed, true) {
            let name = self.url.authority().map(http::uri::Authority::as_str);
            tracing::warn!(name, "the name of an agent cannot be resolved: {why}");
        }
    }
}
