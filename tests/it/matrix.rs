//! Every case of the mock model, and what becomes of it: what the model gives, what people are told, how often it is asked.
//! `tests/run models` shows the table. `matrix/rows.rs` says what is right.

mod bad_answers;
mod keys;
mod leaving;
mod rows;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use dragoman::mock_model::Cases;
use dragoman::model::{self, Message, Model, ModelEvent, Request, Secret, anthropic, openai};
use dragoman::rpc::proto::event::Body;
use dragoman::rpc::proto::{ListEventsRequest, Usage};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use tokio::time::timeout;

use crate::support::model_server::ModelServer;
use crate::support::{PATIENCE, TestApp};
use rows::{Expected, ROWS};

const KEY: &str = "sk-not-to-be-seen";
/// Events of a model that is heard out; who says more is endless.
const EVENTS: usize = 1_000;
/// How much of what people are told stands in the table, in characters.
const SHOWN: usize = 100;

/// Which API a model is asked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    OpenAi,
    Anthropic,
}

const APIS: [Api; 2] = [Api::OpenAi, Api::Anthropic];

/// What became of a case.
#[derive(Debug)]
struct Seen {
    /// What the model gave: `text`, `call` and `usage`, each once for several, and how it ended.
    events: String,
    /// How often the server was asked for that.
    asked: usize,
    /// Tokens the model counted.
    tokens: Option<(u64, u64)>,
    /// The types of a turn's frames, partials once.
    frames: String,
    /// What people are told at its end.
    told: String,
    /// How often the server was asked in the turn.
    asked_in_turn: usize,
    /// What the turn used up, if it was answered.
    usage: Option<Usage>,
}

/// Settings with short times, so that what is too long is so soon.
fn config(api: Api, case: &str, server: &ModelServer) -> model::Config {
    let kind = match api {
        Api::OpenAi => model::Kind::OpenAi(case.to_owned()),
        Api::Anthropic => model::Kind::Anthropic(case.to_owned()),
    };
    let mut config = model::Config {
        kind,
        openai: hasty(openai::Config::default()),
        anthropic: hasty(anthropic::Config::default()),
        ..model::Config::default()
    };
    config.openai.base_url = server.url();
    config.anthropic.base_url = format!("http://{}", server.address);
    config
}

fn hasty<Dialect>(config: model::HttpConfig<Dialect>) -> model::HttpConfig<Dialect> {
    model::HttpConfig {
        api_key: Some(Secret::new(KEY)),
        header_timeout: Duration::from_secs(2),
        idle_timeout: Duration::from_secs(2),
        total_timeout: Duration::from_secs(10),
        retries: 1,
        retry_pause: Duration::from_millis(400),
        ..config
    }
}

fn request() -> Request {
    Request {
        system: "".into(),
        messages: vec![Message::User("Which tables are there?".into())],
        tools: Arc::new([]),
    }
}

async fn see(api: Api, case: &str) -> Seen {
    let server = ModelServer::with_cases().await;
    let (events, tokens) = events(api, case, &server).await;
    let asked = server.asked().len();
    let server = ModelServer::with_cases().await;
    let (frames, told, usage) = turn(api, case, &server).await;
    Seen {
        events,
        asked,
        tokens,
        frames,
        told,
        asked_in_turn: server.asked().len(),
        usage,
    }
}

/// What the model itself gives.
async fn events(api: Api, case: &str, server: &ModelServer) -> (String, Option<(u64, u64)>) {
    let model = Model::build(&config(api, case, server)).unwrap();
    let mut stream = model.stream(request()).take(EVENTS);
    let (mut words, mut tokens, mut calls) = (vec![], None, 0);
    while let Some(event) = timeout(PATIENCE, stream.next()).await.expect("in time") {
        let word = match event {
            Ok(ModelEvent::Text(_)) => "text".to_owned(),
            Ok(ModelEvent::ToolCall(_)) => {
                calls += 1;
                "calls".to_owned()
            }
            Ok(ModelEvent::Usage {
                input_tokens,
                output_tokens,
                ..
            }) => {
                tokens = Some((input_tokens, output_tokens));
                continue;
            }
            Ok(ModelEvent::End(end)) => format!("{end:?}"),
            Err(error) => {
                assert!(!error.to_string().contains("not-to-be-seen"), "{error}");
                format!("error: {}", error.kind.as_str())
            }
        };
        if words.last() != Some(&word) {
            words.push(word);
        }
    }
    let words = words
        .join(", ")
        .replace("calls", &format!("calls: {calls}"));
    (words, tokens)
}

/// What a browser is shown of a whole turn, and what the turn used up.
async fn turn(api: Api, case: &str, server: &ModelServer) -> (String, String, Option<Usage>) {
    let model = config(api, case, server);
    let app = TestApp::with(|config| config.model = model).await;
    let mut client = app.chat("rehearsal").await;
    let frames = client.asked("Which tables are there?").await;
    drop(client);
    let shown = Value::from(frames.clone()).to_string();
    assert!(
        !shown.contains("not-to-be-seen") && !shown.contains("sk-mock"),
        "{shown}"
    );
    let request = ListEventsRequest {
        session_id: "rehearsal".to_owned(),
        ..ListEventsRequest::default()
    };
    let events = app.grpc().await.list_events(request).await.unwrap();
    let last = events
        .into_inner()
        .events
        .pop()
        .and_then(|event| event.body);
    let usage = match last {
        Some(Body::Agent(answer)) => answer.usage,
        _ => None,
    };
    app.stop().await;
    let mut types: Vec<&str> = frames
        .iter()
        .map(|frame| frame["type"].as_str().unwrap())
        .collect();
    types.dedup();
    let told = frames.last().unwrap()["content"].as_str().unwrap();
    (types.join(", "), told.to_owned(), usage)
}

/// What is not as it should be.
fn compare(seen: &Seen, expected: &Expected) -> Vec<String> {
    let mut wrong = vec![];
    let mut check = |what: &str, is: &dyn std::fmt::Debug, holds: bool| {
        if !holds {
            wrong.push(format!("{what}: {is:?}"));
        }
    };
    check("events", &seen.events, seen.events == expected.events);
    check("asked", &seen.asked, seen.asked == expected.asked);
    // An answer that ends before its first partial has left needs none.
    let at_once = expected.frames.replace("agent_partial, agent", "agent");
    let shown = seen.frames == expected.frames || seen.frames == at_once;
    check("frames", &seen.frames, shown);
    check("told", &seen.told, seen.told.contains(expected.told));
    check(
        "asked in the turn",
        &seen.asked_in_turn,
        seen.asked_in_turn == expected.asked_in_turn,
    );
    let counts =
        |tokens: Option<(u64, u64)>| tokens.is_some_and(|(read, written)| read > 0 && written > 0);
    check(
        "tokens",
        &seen.tokens,
        counts(seen.tokens) == expected.counts,
    );
    let used = seen.usage.as_ref();
    let used = used.map(|usage| (usage.input_tokens, usage.output_tokens));
    // A turn that fails has no answer to write its tokens on.
    let holds = used.is_none() || counts(used) == expected.is_used;
    check("usage of the turn", &seen.usage, holds);
    wrong
}

/// A line of the table for people: what the model gave by each API; what the last one told, and how often it was asked again,
/// which is the same for all.
fn line(case: &str, seen: &[Seen]) -> String {
    let mut line = format!("| {case} |");
    for seen in seen {
        write!(line, " {} |", seen.events).unwrap();
    }
    let last = seen.last().expect("an API");
    let told = last.told.lines().next().unwrap_or_default();
    let shown: String = told.chars().take(SHOWN).collect();
    let more = if shown.len() < told.len() { "…" } else { "" };
    write!(line, " {shown}{more} | {} |", last.asked - 1).unwrap();
    line
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_ends_as_it_should() {
    let names: BTreeSet<_> = Cases::built_in()
        .unwrap()
        .list()
        .map(|(name, _)| name.to_owned())
        .collect();
    let rows: BTreeSet<_> = ROWS.iter().map(|row| row.case.to_owned()).collect();
    assert_eq!(
        rows, names,
        "every case has its row, and every row its case"
    );

    let looked = ROWS.iter().map(|row| async move {
        let mut seen = vec![];
        for api in APIS {
            seen.push(see(api, row.case).await);
        }
        (row, seen)
    });
    let looked: Vec<_> = stream::iter(looked).buffered(16).collect().await;
    println!("| case | OpenAI | Anthropic | what people are told | retried |");
    println!("|---|---|---|---|---|");
    let mut wrong = vec![];
    for (row, seen) in &looked {
        println!("{}", line(row.case, seen));
        for (api, seen) in APIS.iter().zip(seen) {
            let expected = row.of(*api);
            for what in compare(seen, expected) {
                wrong.push(format!(
                    "{} {api:?}: {what}\n    expected {expected:?}",
                    row.case
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
