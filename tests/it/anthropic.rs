//! The model over Anthropic's messages, against a server on this machine that sends what the API documents, and its faults.
//! No server of Anthropic was ever asked by these tests.

mod faults;
mod program;
mod requests;
mod turns;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use dragoman::model::{self, Message, Model, ModelError, ModelEvent, Request, anthropic};
use futures_util::StreamExt as _;
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::model_server::ModelServer;

/// Settings for a server of the test's own, with short times.
fn config(server: &ModelServer) -> anthropic::Config {
    anthropic::Config {
        base_url: format!("http://{}", server.address),
        header_timeout: Duration::from_secs(1),
        idle_timeout: Duration::from_secs(1),
        total_timeout: Duration::from_secs(10),
        retries: 0,
        retry_pause: Duration::from_millis(50),
        ..anthropic::Config::default()
    }
}

fn build(anthropic: anthropic::Config) -> Model {
    let kind = model::Kind::Anthropic("small".to_owned());
    let config = model::Config {
        kind,
        anthropic,
        ..model::Config::default()
    };
    Model::build(&config).unwrap()
}

fn request() -> Request {
    Request {
        system: "You are a guide.".into(),
        messages: vec![Message::User("Which tables are there?".into())],
        tools: Arc::new([]),
    }
}

/// All that comes of one request.
async fn ask(config: anthropic::Config) -> Vec<Result<ModelEvent, ModelError>> {
    let events = build(config).stream(request()).collect();
    timeout(PATIENCE, events).await.expect("an end in time")
}

fn text_of(events: &[Result<ModelEvent, ModelError>]) -> String {
    let pieces = events.iter().filter_map(|event| match event {
        Ok(ModelEvent::Text(text)) => Some(text.as_str()),
        _ => None,
    });
    pieces.collect()
}
