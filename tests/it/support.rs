//! dragoman started in the test, with a scripted model, on free ports; and clients that talk to it from outside.

pub(crate) mod model_server;
pub(crate) mod postgres;
pub(crate) mod process;
#[path = "../../src/store/tests/server/process.rs"]
pub(crate) mod redis;
mod web;

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use dragoman::app::App;
use dragoman::config::Config;
use dragoman::lifecycle::Lifecycle;
use dragoman::rpc::proto::chat_client::ChatClient;
use dragoman::telemetry::{self, Telemetry};
use dragoman::{model, store};
use serde_json::{Value, json};
use tempfile::TempDir;
use tonic::transport::Channel;

pub(crate) use web::{Client, get};

/// Longest wait for something that should come at once; only a failing test waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running dragoman.
pub(crate) struct TestApp {
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    app: Option<App>,
    life: Lifecycle,
    folder: TempDir,
}

impl TestApp {
    /// With the default script.
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With the default script and some settings of the test's own.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::open(folder, change).await
    }

    /// Stops it, and starts it again on the same store.
    pub(crate) async fn restart(mut self) -> Self {
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        self.stop().await;
        Self::open(folder, |_| {}).await
    }

    async fn open(folder: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        record();
        let script = folder.path().join("script.json");
        std::fs::write(&script, default_script().to_string()).unwrap();
        let mut config = Config {
            http: "127.0.0.1:0".to_owned(),
            grpc: "127.0.0.1:0".to_owned(),
            store: store::Config::Sqlite(folder.path().join("sessions.db")),
            model: model::Config {
                kind: model::Kind::Scripted(script),
                guide_pace: Duration::ZERO,
                ..model::Config::default()
            },
            ..Config::default()
        };
        config.lifecycle.drain_timeout = Duration::from_secs(5);
        change(&mut config);
        let life = Lifecycle::new();
        let app = App::start(config, life.clone()).await.unwrap();
        Self {
            http: app.http,
            grpc: app.grpc.unwrap_or(([127, 0, 0, 1], 0).into()),
            app: Some(app),
            life,
            folder,
        }
    }

    /// Drains and stops it; every task must have ended.
    pub(crate) async fn stop(mut self) {
        let app = self.app.take().unwrap();
        app.stop().await;
        assert_eq!(self.life.tasks().len(), 0, "tasks are left over");
    }

    /// Where its store and its script are.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A WebSocket client of a session.
    pub(crate) async fn chat(&self, session: &str) -> Client {
        Client::connect(self.http, &format!("/ws/{session}"), &[])
            .await
            .unwrap()
    }

    /// A gRPC client.
    pub(crate) async fn grpc(&self) -> ChatClient<Channel> {
        ChatClient::connect(format!("http://{}", self.grpc))
            .await
            .unwrap()
    }
}

/// Trace ids exist only if somebody records.
fn record() {
    static TELEMETRY: OnceLock<Telemetry> = OnceLock::new();
    TELEMETRY.get_or_init(|| {
        Telemetry::start(&telemetry::Config {
            log: "error".to_owned(),
            log_format: telemetry::LogFormat::Text,
            ..telemetry::Config::default()
        })
        .unwrap()
    });
}

/// What the scripted model answers in these tests.
pub(crate) fn default_script() -> Value {
    json!({ "scenarios": [
        { "when": { "exact": "tools" }, "steps": [
            [
                { "text": "I will look." },
                { "delay_ms": 30 },
                { "call": { "name": "list_tables", "arguments": { "type": "FACT" } } },
                { "call": { "name": "search_columns", "arguments": { "pattern": "*_eur" } } },
            ],
            [
                { "delay_ms": 30 },
                { "cut": { "text": "There are facts, and there are columns in euro.", "characters": 6, "pause_ms": 2 } },
                { "usage": { "input_tokens": 100, "output_tokens": 20 } },
            ],
        ] },
        { "when": { "exact": "slow" }, "steps": [[
            { "repeat": { "text": "slowly ", "times": 30, "pause_ms": 20 } },
        ]] },
        { "when": { "exact": "hang" }, "steps": [[{ "text": "I begin, and then" }, "hang"]] },
        { "when": { "exact": "long" }, "steps": [[{ "repeat": { "text": "word ", "times": 20_000 } }]] },
        { "when": { "exact": "fast" }, "steps": [[
            { "text": "An answer that comes all at once, but is longer than a few words." },
        ]] },
        { "when": { "exact": "bad tool" }, "steps": [
            [{ "call": { "name": "drop_tables", "arguments": {} } }],
            [{ "text": "That tool does not exist." }],
        ] },
        { "when": { "exact": "broken" }, "steps": [[
            { "text": "Half an answer" },
            { "error": { "kind": "server", "message": "the model is overloaded. Ask again in a minute." } },
        ]] },
        { "when": { "exact": "for ever" }, "repeat_last_step": true, "steps": [[
            { "call": { "name": "list_tables", "arguments": {} } },
        ]] },
        { "steps": [[
            { "pieces": ["You ", "asked ", "me ", "something, ", "and ", "this ", "is ", "the ", "answer."] },
        ]] },
    ] })
}
