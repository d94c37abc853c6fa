//! The only wiring: which parts run in this process, in which order they start, and how they are told of each other.
//!
//! Order: telemetry, ports, catalog and model, store, MCP servers, services. Ports come early, so that a taken one is known before
//! anything is opened; nobody is answered before everything is ready. An agent has no gateway, a gateway has nothing
//! else.

mod agent;
mod summary;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;

use self::agent::Engine;
use crate::catalog::Keeper;
use crate::config::{Config, Role};
use crate::gateway::{self, Gateway, Ready};
use crate::lifecycle::Lifecycle;
use crate::model::Model;
use crate::mutant;
use crate::rpc::client::Chat;
use crate::store::Store;
use crate::telemetry::Telemetry;

/// How long traces may take to be sent at the end.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// A process that serves.
#[derive(Debug)]
pub struct App {
    /// Where browsers connect; an agent answers only probes there.
    pub http: SocketAddr,
    /// Where gRPC clients connect; a gateway serves none.
    pub grpc: Option<SocketAddr>,
    /// What answers, from what: sentences for people.
    pub summary: Vec<String>,
    config: Config,
    life: Lifecycle,
    engine: Option<Engine>,
    gateway: Option<Gateway>,
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
    // Always the last line: who waits for the start waits for it.
    if let (None, Some(grpc)) = (&app.gateway, app.grpc) {
        tracing::info!("this agent serves gateways and gRPC at {grpc}");
    } else {
        tracing::info!("open http://{} and ask", app.http);
    }
    let result = life.until_signal().await;
    tracing::info!("stopping: running turns may end, a second signal ends them now");
    app.stop().await;
    tracing::info!("stopped");
    result.map_err(Into::into)
}

// === impl App ===

impl App {
    /// Starts everything this process is to do. On return it can be used.
    pub async fn start(config: Config, life: Lifecycle) -> anyhow::Result<Self> {
        match config.only {
            Role::Everything | Role::Agent => Self::start_engine(config, life).await,
            Role::Gateway => Self::start_gateway(config, life).await,
        }
    }

    /// The engine, and a gateway of its own if this process does everything.
    async fn start_engine(config: Config, life: Lifecycle) -> anyhow::Result<Self> {
        let has_gateway = config.only == Role::Everything;
        let http = bind("http", &config.http).await?;
        let grpc = bind("grpc", &config.grpc).await?;
        let (http_address, grpc_address) = (http.local_addr()?, grpc.local_addr()?);
        let keeper = Keeper::open(&config.catalog).await?;
        let catalog = keeper.handle();
        let model = Model::build(&config.model)?;
        let http_summary = if has_gateway {
            summary::web(http_address)
        } else {
            summary::probes(http_address)
        };
        let mut summary = vec![http_summary, summary::grpc(grpc_address)];
        summary.extend(summary::engine(&config, &catalog.current(), &model));
        let engine = Engine::open(&config, catalog, model, &life).await?;
        let draining = life.draining().clone();
        life.spawn(async move { draining.run_until_cancelled(keeper.run()).await });
        summary.extend(engine.servers.as_deref().map(summary::servers));
        let ready = ready(engine.store.clone());
        let gateway = if has_gateway {
            // One process: the gateway's client is handed the server itself. No port, the same code path.
            let chat = Chat::in_process(engine.service.clone());
            Some(serve_gateway(http, &config, chat, ready, &life)?)
        } else {
            let probes = gateway::probes(ready, life.draining().clone());
            serve_http(http, probes, &life);
            None
        };
        engine.serve(grpc, &config.chat_service, &life).await?;
        Ok(Self {
            http: http_address,
            grpc: Some(grpc_address),
            summary,
            config,
            life,
            engine: Some(engine),
            gateway,
        })
    }

    async fn start_gateway(config: Config, life: Lifecycle) -> anyhow::Result<Self> {
        let http = bind("http", &config.http).await?;
        let http_address = http.local_addr()?;
        let urls: Result<_, _> = config.agents.iter().map(|url| url.parse()).collect();
        let urls = urls.context("the URL of an agent cannot be understood")?;
        let chat = Chat::pool(urls, life.tasks(), life.closed().clone());
        let agents = chat.clone();
        let ready: Ready = Arc::new(move || Box::pin(std::future::ready(agents.check())));
        let gateway = serve_gateway(http, &config, chat, ready, &life)?;
        Ok(Self {
            http: http_address,
            grpc: None,
            summary: vec![summary::web(http_address), summary::agents(&config)],
            config,
            life,
            engine: None,
            gateway: Some(gateway),
        })
    }

    /// Drains, stops and closes the store. Returns when nothing runs any more.
    pub async fn stop(self) {
        let Self {
            config,
            life,
            engine,
            gateway,
            ..
        } = self;
        // Clients are sent away at their own pace, unless there is no time left.
        let ended = async {
            if let Some(engine) = &engine {
                engine.turns.ended().await;
            }
            if let Some(gateway) = &gateway {
                tokio::select! {
                    () = gateway.emptied() => {}
                    () = life.stopped().cancelled() => {}
                }
            }
        };
        life.stop(&config.lifecycle, ended).await;
        if let Some(engine) = &engine {
            engine.store.close().await;
        }
    }
}

fn serve_gateway(
    listener: TcpListener,
    config: &Config,
    chat: Chat,
    ready: Ready,
    life: &Lifecycle,
) -> anyhow::Result<Gateway> {
    let gateway = Gateway::new(
        config.gateway.clone(),
        chat,
        ready,
        gateway::Stop {
            draining: life.draining().clone(),
            closed: life.closed().clone(),
        },
        life.tasks().clone(),
    )?;
    serve_http(listener, gateway.router(), life);
    Ok(gateway)
}

fn serve_http(listener: TcpListener, router: gateway::Router, life: &Lifecycle) {
    let (draining, tasks) = (life.draining().clone(), life.tasks().clone());
    let http = gateway::serve(listener, router, draining, tasks);
    life.spawn_essential("the HTTP server", async move {
        http.await;
        Ok(())
    });
}

async fn bind(key: &str, address: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: choose another address with --{key} HOST:PORT")
    })
}

fn ready(store: Store) -> Ready {
    Arc::new(move || {
        let store = store.clone();
        Box::pin(async move { store.check().await.map_err(|error| error.to_string()) })
    })
}
