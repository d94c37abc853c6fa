//! The only wiring: which parts run in this process, in which order they start, and how they are told of each other.
//!
//! Order: telemetry, ports, catalog and model, store, services. Ports come early, so that a taken one is known before
//! anything is opened; nobody is answered before everything is ready.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use futures_util::StreamExt as _;
use tokio::net::{TcpListener, TcpStream};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::agent::{Agent, Turns};
use crate::catalog::{self, Catalog};
use crate::chat_service::{self, ChatService};
use crate::config::Config;
use crate::gateway::{self, Gateway, Ready};
use crate::lifecycle::Lifecycle;
use crate::model::Model;
use crate::mutant;
use crate::rpc::client::Chat;
use crate::rpc::{proto, status};
use crate::store::{self, Store};
use crate::telemetry::Telemetry;
use crate::tools::Tools;

/// How long traces may take to be sent at the end.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait after a failed accept.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);
/// Streams a client may open and reset before it is told to calm down (CVE-2023-44487, "rapid reset").
const PENDING_RESETS: usize = 20;

/// A process that serves.
#[derive(Debug)]
pub struct App {
    /// Where browsers connect.
    pub http: SocketAddr,
    /// Where gRPC clients connect.
    pub grpc: SocketAddr,
    /// What answers, from what: sentences for people.
    pub summary: Vec<String>,
    config: Config,
    life: Lifecycle,
    turns: Turns,
    store: Store,
}

/// Serves until a signal comes, then drains and stops.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&config.telemetry)?;
    if let Some(mutant) = config.mutant {
        tracing::warn!(
            ?mutant,
            "a protection is switched off: this process is good for tests only"
        );
        mutant::choose(mutant);
    }
    // Whatever happens in between, what was recorded is sent.
    let result = serve_recorded(config).await;
    if let Err(error) = &result {
        tracing::debug!("stopping: {error:#}");
    }
    telemetry.shutdown(FLUSH_TIMEOUT).await;
    result
}

async fn serve_recorded(config: Config) -> anyhow::Result<()> {
    let life = Lifecycle::new();
    let app = App::start(config, life.clone()).await?;
    for line in &app.summary {
        tracing::info!("{line}");
    }
    tracing::info!("open http://{} and ask", app.http);
    let result = life.until_signal().await;
    tracing::info!("stopping: running turns may end, a second signal ends them now");
    app.stop().await;
    tracing::info!("stopped");
    result.map_err(Into::into)
}

// === impl App ===

impl App {
    /// Starts everything. On return it can be used.
    pub async fn start(config: Config, life: Lifecycle) -> anyhow::Result<Self> {
        let http = bind("http", &config.http).await?;
        let grpc = bind("grpc", &config.grpc).await?;
        let (http_address, grpc_address) = (http.local_addr()?, grpc.local_addr()?);

        let catalog = Catalog::load(&config.catalog)?;
        let model = Model::build(&config.model)?;
        let summary = summary(&config, &catalog, &model, http_address, grpc_address);
        let store = Store::open(&config.store, config.limits.clone(), &config.sessions).await?;

        let tasks = life.tasks().clone();
        let turns = Turns::new(
            Agent::new(config.agent.clone(), model, Tools::new(catalog.into())),
            store.clone(),
            config.limits.clone(),
            life.draining().clone(),
            life.stopped().clone(),
            tasks.clone(),
        );
        let service = ChatService::server(
            &config.chat_service,
            turns.clone(),
            store.clone(),
            (life.draining().clone(), config.lifecycle.drain_timeout),
            life.closed().clone(),
        );
        life.spawn(turns.clone().adopt_all());
        // One process: the gateway's client is handed the server itself. No port, the same code path.
        let gateway = Gateway::new(
            config.gateway.clone(),
            Chat::in_process(service.clone()),
            ready(store.clone()),
            life.draining().clone(),
            tasks.clone(),
        )?;

        let draining = life.draining().clone();
        let http = gateway::serve(http, gateway.router(), draining, tasks);
        life.spawn_essential("the HTTP server", async move {
            http.await;
            Ok(())
        });
        let draining = life.draining().clone().cancelled_owned();
        let server = grpc_server(&config.chat_service, service, &life).await?;
        life.spawn_essential("the gRPC server", async move {
            let incoming = TcpIncoming::from(grpc).with_nodelay(Some(true));
            let incoming = incoming.then(pause_after_error);
            server
                .serve_with_incoming_shutdown(incoming, draining)
                .await?;
            Ok(())
        });
        Ok(Self {
            http: http_address,
            grpc: grpc_address,
            summary,
            config,
            life,
            turns,
            store,
        })
    }

    /// Drains, stops and closes the store. Returns when nothing runs any more.
    pub async fn stop(self) {
        self.life
            .stop(&self.config.lifecycle, self.turns.ended())
            .await;
        self.store.close().await;
    }
}

/// The gRPC server with everything people expect of one: health, reflection (v1, and v1alpha for the many clients that
/// know only that), limits, keep-alive.
async fn grpc_server(
    config: &chat_service::Config,
    service: proto::chat_server::ChatServer<ChatService>,
    life: &Lifecycle,
) -> anyhow::Result<tonic::transport::server::Router> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health
        .set_serving::<proto::chat_server::ChatServer<ChatService>>()
        .await;
    life.spawn(report_drain(health, life.clone()));
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
        .add_service(service)
        .add_service(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?))
}

/// Balancers that ask or watch the health service send nothing more as soon as a drain begins.
async fn report_drain(mut health: HealthReporter, life: Lifecycle) {
    let services = ["", proto::chat_server::SERVICE_NAME];
    life.draining().cancelled().await;
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

async fn bind(key: &str, address: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: choose another address with --{key} HOST:PORT")
    })
}

fn ready(store: Store) -> Ready {
    std::sync::Arc::new(move || {
        let store = store.clone();
        Box::pin(async move { store.check().await.map_err(|error| error.to_string()) })
    })
}

fn summary(
    config: &Config,
    catalog: &Catalog,
    model: &Model,
    http: SocketAddr,
    grpc: SocketAddr,
) -> Vec<String> {
    let store = match &config.store {
        store::Config::Sqlite(path) => format!("sqlite:{}", path.display()),
        store::Config::Redis(address) => address.to_string(),
    };
    vec![
        format!("WebSocket and page on http://{http}, chats at ws://{http}/ws/{{session_id}}"),
        format!("gRPC on {grpc}, service dragoman.chat.v1.Chat, reflection and health on"),
        format!("model: {}", model.info().name),
        format!("catalog: {}", describe(&catalog.info())),
        format!("sessions: {store}"),
    ]
}

fn describe(catalog: &catalog::Info) -> String {
    format!(
        "{}: {} tables, {} columns, {} foreign keys, {} lineage edges, as of {}",
        catalog.name,
        catalog.tables,
        catalog.columns,
        catalog.foreign_keys,
        catalog.lineage_edges,
        catalog.as_of
    )
}
