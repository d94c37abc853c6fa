//! The agent's side of the process: turns, their store, and the gRPC service in front of them.

use std::io;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::agent::{Agent, Turns};
use crate::catalog;
use crate::chat_service::{self, ChatService};
use crate::config::Config;
use crate::lifecycle::Lifecycle;
use crate::model::Model;
use crate::rpc::{proto, status};
use crate::store::Store;
use crate::tools::Tools;

/// How often sessions that are too old are looked for.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);
/// How long to wait after a failed accept.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);
/// Streams a client may open and reset before it is told to calm down (CVE-2023-44487, "rapid reset").
const PENDING_RESETS: usize = 20;
/// How often the store is looked at, and how long its answer may take.
const STORE_CHECK: Duration = Duration::from_secs(5);
/// After so many bad answers in a row the service counts as not serving, after so many good ones as serving.
const BAD_CHECKS: u32 = 3;
const GOOD_CHECKS: u32 = 2;

/// The service and what is behind it.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) turns: Turns,
    pub(super) store: Store,
    pub(super) service: proto::chat_server::ChatServer<ChatService>,
    /// MCP servers, in words.
    pub(super) servers: Option<String>,
}

/// Judges the answers of the store: one bad answer is no reason to send everybody away.
#[derive(Debug, Default)]
struct StoreHealth {
    bad: u32,
    good: u32,
    failed: bool,
}

// === impl Engine ===

impl Engine {
    pub(super) async fn open(
        config: &Config,
        catalog: catalog::Handle,
        model: Model,
        life: &Lifecycle,
    ) -> anyhow::Result<Self> {
        let store = Store::open(&config.store, config.limits.clone(), &config.sessions).await?;
        // Running turns may call until they have ended.
        let tools = Tools::new(catalog)
            .with_servers(&config.mcp, life.closed(), life.tasks())
            .await?;
        let servers = tools.servers();
        let turns = Turns::new(
            Agent::new(config.agent.clone(), model, tools),
            store.clone(),
            config.limits.clone(),
            life.draining().clone(),
            life.stopped().clone(),
            life.tasks().clone(),
        );
        let service = ChatService::server(
            &config.chat_service,
            turns.clone(),
            store.clone(),
            (life.draining().clone(), config.lifecycle.drain_timeout),
            life.closed().clone(),
            life.tasks().clone(),
        );
        life.spawn(turns.clone().adopt_all());
        life.spawn(upkeep(store.clone(), life.clone()));
        Ok(Self {
            turns,
            store,
            service,
            servers,
        })
    }

    /// Serves gRPC clients until a drain begins; open streams go on after that.
    pub(super) async fn serve(
        &self,
        listener: TcpListener,
        config: &chat_service::Config,
        life: &Lifecycle,
    ) -> anyhow::Result<()> {
        let draining = life.draining().clone().cancelled_owned();
        let server = self.server(config, life).await?;
        life.spawn_essential("the gRPC server", async move {
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            let incoming = incoming.then(pause_after_error);
            server
                .serve_with_incoming_shutdown(incoming, draining)
                .await?;
            Ok(())
        });
        Ok(())
    }

    /// The gRPC server with everything people expect of one: health, reflection (v1, and v1alpha for the many clients
    /// that know only that), limits, keep-alive.
    async fn server(
        &self,
        config: &chat_service::Config,
        life: &Lifecycle,
    ) -> anyhow::Result<tonic::transport::server::Router> {
        let (health, health_service) = tonic_health::server::health_reporter();
        health
            .set_serving::<proto::chat_server::ChatServer<ChatService>>()
            .await;
        life.spawn(report_health(health, self.store.clone(), life.clone()));
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(status::DETAILS_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let mut server = Server::builder()
            .http2_keepalive_interval(Some(config.keepalive_interval))
            .http2_keepalive_timeout(Some(config.keepalive_timeout))
            .max_concurrent_streams(Some(config.streams_per_connection))
            .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS))
            .tcp_nodelay(true);
        Ok(server
            .add_service(self.service.clone())
            .add_service(health_service)
            .add_service(reflection().build_v1()?)
            .add_service(reflection().build_v1alpha()?))
    }
}

/// Balancers that ask or watch the health service send nothing more as soon as a drain begins, or while the store does
/// not answer.
async fn report_health(mut health: HealthReporter, store: Store, life: Lifecycle) {
    let services = ["", proto::chat_server::SERVICE_NAME];
    let mut judged = StoreHealth::default();
    // It was opened a moment ago: the first look can wait.
    let mut checks = interval_at(Instant::now() + STORE_CHECK, STORE_CHECK);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let check = async {
            checks.tick().await;
            matches!(timeout(STORE_CHECK, store.check()).await, Ok(Ok(())))
        };
        let good = tokio::select! {
            good = check => good,
            () = life.draining().cancelled() => break,
        };
        let Some(serves) = judged.take(good) else {
            continue;
        };
        let status = if serves {
            tracing::info!("the session store answers again: serving");
            ServingStatus::Serving
        } else {
            tracing::warn!("the session store does not answer: not serving until it does");
            ServingStatus::NotServing
        };
        for service in services {
            health.set_service_status(service, status).await;
        }
    }
    for service in services {
        let status = ServingStatus::NotServing;
        health.set_service_status(service, status).await;
    }
    life.closed().cancelled().await;
    // Ends the streams of those who watch, which tonic would wait for.
    for service in services {
        health.clear_service_status(service).await;
    }
}

/// tonic tries again at once after a failed accept, which mostly means that the process is out of file descriptors.
async fn pause_after_error(accepted: io::Result<TcpStream>) -> io::Result<TcpStream> {
    if let Err(error) = &accepted {
        tracing::warn!(%error, "a gRPC connection could not be accepted");
        tokio::time::sleep(ACCEPT_RETRY).await;
    }
    accepted
}

/// Erases sessions that have not been used for as long as they are kept.
async fn upkeep(store: Store, life: Lifecycle) {
    let sweeping = async {
        loop {
            tokio::time::sleep(SWEEP_INTERVAL).await;
            match store.sweep().await {
                Ok(0) => {}
                Ok(erased) => tracing::info!(erased, "sessions that nobody used were erased"),
                Err(error) => tracing::warn!(%error, "old sessions could not be erased"),
            }
        }
    };
    life.draining().run_until_cancelled(sweeping).await;
}

// === impl StoreHealth ===

impl StoreHealth {
    /// Takes an answer; `Some` if it changes whether the service serves.
    fn take(&mut self, good: bool) -> Option<bool> {
        (self.good, self.bad) = if good {
            (self.good + 1, 0)
        } else {
            (0, self.bad + 1)
        };
        let failed = if self.failed {
            self.good < GOOD_CHECKS
        } else {
            self.bad >= BAD_CHECKS
        };
        (std::mem::replace(&mut self.failed, failed) != failed).then_some(!failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_bad_answers_in_a_row_are_needed_and_two_good_ones() {
        let mut health = StoreHealth::default();
        let mut told = vec![];
        for answer in "..x.xx.xxxxx.x..x..".chars() {
            told.push(match health.take(answer == '.') {
                None => '-',
                Some(true) => '+',
                Some(false) => '!',
            });
        }
        assert_eq!(told.iter().collect::<String>(), "---------!-----+---");
    }
}
