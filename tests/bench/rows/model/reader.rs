//! A client of the model: the product's, or one that counts bytes.

use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use dragoman::model::{self, Message, Model, ModelEvent, Request, anthropic, openai};
use futures_util::StreamExt as _;

use super::{Api, PIECES, Reader, Taken, Task};
use crate::proc;

/// Answers that are read: the first only warms up.
const ANSWERS: usize = 11;

/// Does the task and prints what it took.
#[expect(clippy::print_stdout, reason = "the answer")]
pub(crate) async fn read(task: &str) -> anyhow::Result<()> {
    let task: Task = serde_json::from_str(task)?;
    let taken = match task.reader {
        Reader::Bare => bare(task.api, &task.server).await?,
        Reader::Product => product(task.api, &task.server).await?,
    };
    println!("{}", serde_json::to_string(&taken)?);
    Ok(())
}

async fn bare(api: Api, server: &str) -> anyhow::Result<Taken> {
    let provider = rustls::crypto::ring::default_provider();
    provider.install_default().ok().context("one provider")?;
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()?;
    let path = match api {
        Api::OpenAi => "/v1/chat/completions",
        Api::Anthropic => "/v1/messages",
    };
    let (mut before, mut bytes) = (0.0, 0);
    for number in 0..ANSWERS {
        if number == 1 {
            (before, bytes) = (cpu()?, 0);
        }
        let request = client.post(format!("http://{server}{path}")).body("{}");
        let mut response = request.send().await?;
        while let Some(chunk) = response.chunk().await? {
            bytes += chunk.len();
        }
    }
    taken(before, bytes)
}

async fn product(api: Api, server: &str) -> anyhow::Result<Taken> {
    let mut config = model::Config::default();
    match api {
        Api::OpenAi => {
            config.kind = model::Kind::OpenAi("small".to_owned());
            config.openai = openai::Config {
                base_url: format!("http://{server}/v1"),
                ..openai::Config::default()
            };
        }
        Api::Anthropic => {
            config.kind = model::Kind::Anthropic("small".to_owned());
            config.anthropic = anthropic::Config {
                base_url: format!("http://{server}"),
                ..anthropic::Config::default()
            };
        }
    }
    let model = Model::build(&config)?;
    let mut before = 0.0;
    for number in 0..ANSWERS {
        if number == 1 {
            before = cpu()?;
        }
        let mut answer = model.stream(Request {
            system: "".into(),
            messages: vec![Message::User("Say it.".into())],
            tools: Arc::new([]),
        });
        let mut pieces = 0;
        while let Some(event) = answer.next().await {
            match event {
                Ok(ModelEvent::Text(_)) => pieces += 1,
                Ok(_) => {}
                Err(error) => bail!("{error}"),
            }
        }
        ensure!(pieces == PIECES, "{pieces} pieces came of {PIECES}");
    }
    taken(before, 0)
}

fn cpu() -> anyhow::Result<f64> {
    proc::cpu_seconds(std::process::id())
}

fn taken(before: f64, bytes: usize) -> anyhow::Result<Taken> {
    Ok(Taken {
        cpu: cpu()? - before,
        pieces: PIECES * (ANSWERS - 1),
        bytes,
    })
}
