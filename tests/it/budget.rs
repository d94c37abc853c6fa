//! How many tokens a conversation, a turn and a day may have, and what they cost.

use std::time::Duration;

use dragoman::config::Config;
use dragoman::mock_model::Asked;
use dragoman::model::{self, openai};
use dragoman::rpc::proto;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::model_server::{ModelServer, Step, calls, error, text};

const TOO_LONG: &str = "This model's maximum context length is 8192 tokens.";

async fn app(server: &ModelServer, change: impl FnOnce(&mut Config)) -> TestApp {
    TestApp::with(|config| {
        config.model = model::Config {
            kind: model::Kind::OpenAi("small".to_owned()),
            openai: openai::Config {
                base_url: server.url(),
                ..openai::Config::default()
            },
            ..model::Config::default()
        };
        change(config);
    })
    .await
}

fn too_long() -> Vec<Step> {
    error(400, "context_length_exceeded", TOO_LONG, "")
}

fn answer() -> Vec<Step> {
    text("This is an answer, ", "one of many.")
}

fn roles(asked: &Asked) -> Vec<&str> {
    let messages = asked.body["messages"].as_array().unwrap();
    let roles = messages.iter().map(|message| &message["role"]);
    roles.map(|role| role.as_str().unwrap()).collect()
}

fn last(frames: &[Value]) -> (&str, &str) {
    let last = frames.last().unwrap();
    (
        last["type"].as_str().unwrap(),
        last["content"].as_str().unwrap(),
    )
}

#[tokio::test]
async fn a_conversation_the_model_finds_too_long_is_asked_again_with_less_of_it() {
    let server = ModelServer::start([
        answer(),
        calls("call_1", "list_tables", "{}"),
        answer(),
        too_long(),
        answer(),
    ])
    .await;
    let app = app(&server, |_| {}).await;
    let mut client = app.chat("long").await;
    client.asked("One").await;
    client.asked("Two").await;
    let frames = client.asked("Three").await;
    assert_eq!(last(&frames).0, "agent", "{frames:#?}");
    let asked = server.asked();
    let (whole, less) = (&asked[3], &asked[4]);
    let all = ["system", "user", "assistant", "user", "assistant", "tool"];
    assert_eq!(roles(whole), [&all[..], &["assistant", "user"]].concat());
    let length = |asked: &Asked| asked.body["messages"].to_string().len();
    assert!(length(less) < length(whole) / 2 + 4_000, "{less:#?}");
    assert_eq!(roles(less).last(), Some(&"user"));
    let question = less.body["messages"].as_array().unwrap().last().unwrap();
    assert_eq!(question["content"], "Three");
    drop(client);
    app.stop().await;
}

#[tokio::test]
async fn a_question_that_is_too_long_by_itself_is_said_to_be() {
    let server = ModelServer::start([too_long(), too_long(), too_long(), too_long()]).await;
    let app = app(&server, |_| {}).await;
    let mut client = app.chat("too-long").await;
    let frames = client.asked(&"word ".repeat(2_000)).await;
    let (kind, message) = last(&frames);
    assert_eq!(kind, "error");
    assert!(message.contains("too long"), "{message}");
    // There was nothing to leave out: to ask again would have been no use.
    assert_eq!(server.asked().len(), 1);
    drop(client);
    app.stop().await;
}

#[tokio::test]
async fn a_request_is_no_longer_than_allowed_without_being_told() {
    let server = ModelServer::start([
        calls("call_1", "list_tables", r#"{"type": "FACT"}"#),
        answer(),
        answer(),
    ])
    .await;
    let app = app(&server, |config| config.agent.history_tokens = 300).await;
    let mut client = app.chat("short-memory").await;
    client.asked("One").await;
    client.asked("Two").await;
    let asked = server.asked();
    let messages = asked[2].body["messages"].as_array().unwrap();
    assert_eq!(messages[1]["content"], "One");
    let result = messages[3]["content"].as_str().unwrap();
    assert!(
        result.contains("shortened") && result.len() < 1_000,
        "{result}"
    );
    drop(client);
    app.stop().await;
}

#[tokio::test]
async fn a_turn_ends_when_it_has_used_up_its_tokens() {
    let server = ModelServer::start([
        calls("call_1", "list_tables", "{}"),
        calls("call_2", "list_tables", "{}"),
        answer(),
    ])
    .await;
    // Each request reads 11 and writes 7.
    let app = app(&server, |config| config.agent.turn_tokens = 36).await;
    let mut client = app.chat("spends").await;
    let frames = client.asked("Hello").await;
    let (kind, message) = last(&frames);
    assert_eq!(kind, "error");
    assert!(message.contains("no answer within 36 tokens"), "{message}");
    assert_eq!(server.asked().len(), 2);
    drop(client);
    app.stop().await;
}

#[tokio::test]
async fn who_has_used_up_the_day_gets_no_new_turn_but_old_ones_again() {
    let server = ModelServer::start([answer(), answer()]).await;
    let app = app(&server, |config| config.limits.daily_tokens = 18).await;
    let mut client = app.chat("today").await;
    let question = json!({ "content": "Hello", "id": "first" });
    client.send_json(question.clone()).await;
    assert_eq!(last(&client.turn().await).0, "agent");
    client.ask("And now?").await;
    let refused = client.frame().await;
    assert_eq!(refused["type"], "error");
    let message = refused["content"].as_str().unwrap();
    assert!(
        message.contains("18 tokens were used up today"),
        "{message}"
    );
    // In another session too.
    let mut other = app.chat("today-too").await;
    other.ask("Hello").await;
    assert_eq!(other.frame().await["type"], "error");
    client.send_json(question).await;
    assert_eq!(last(&client.turn().await).0, "agent");
    assert_eq!(server.asked().len(), 1);
    drop((client, other));
    app.stop().await;
}

#[tokio::test]
async fn a_day_that_is_used_up_is_a_quota_with_the_time_it_comes_back() {
    let server = ModelServer::start([answer()]).await;
    let app = app(&server, |config| config.limits.daily_tokens = 1).await;
    let ask = |session: &str| proto::AskRequest {
        session_id: session.to_owned(),
        question: Some(proto::Question {
            content: "Hello".to_owned(),
            ..proto::Question::default()
        }),
    };
    let mut stream = app.grpc().await.ask(ask("a")).await.unwrap().into_inner();
    while stream.message().await.unwrap().is_some() {}
    let status = app.grpc().await.ask(ask("b")).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::ResourceExhausted);
    let details = tonic_types::StatusExt::get_error_details(&status);
    assert_eq!(details.error_info().unwrap().reason, "DAILY_TOKENS");
    let retry_after = details.retry_info().unwrap().retry_delay.unwrap();
    assert!(retry_after <= Duration::from_hours(24), "{retry_after:?}");
    app.stop().await;
}

#[tokio::test]
async fn a_turn_tells_what_it_cost() {
    let server = ModelServer::start([calls("call_1", "list_tables", "{}"), answer()]).await;
    let app = app(&server, |config| {
        config.agent.prices.input = 250_000;
        config.agent.prices.output = 2_000_000;
    })
    .await;
    let mut client = app.chat("costs").await;
    client.asked("Hello").await;
    let request = proto::ListEventsRequest {
        session_id: "costs".to_owned(),
        ..proto::ListEventsRequest::default()
    };
    let events = app.grpc().await.list_events(request).await.unwrap();
    let events = events.into_inner().events;
    let Some(proto::event::Body::Agent(agent)) = events.last().unwrap().body.clone() else {
        panic!("{events:#?}");
    };
    let usage = agent.usage.unwrap();
    // Twice 11 tokens at 0.25 and 7 at 2 a million, each request rounded up to a millionth.
    assert_eq!((usage.input_tokens, usage.output_tokens), (22, 14));
    assert_eq!(usage.cost_micros, 34);
    drop(client);
    app.stop().await;
}

/// What a turn used up is on `/metrics`; the test has a model of its own, as all tests share the metrics.
#[tokio::test]
async fn tokens_and_costs_are_measured() {
    let server = ModelServer::start([
        calls("call_1", "list_tables", "{}"),
        answer(),
        error(401, "invalid_api_key", "no", ""),
    ])
    .await;
    let app = app(&server, |config| {
        config.model.kind = model::Kind::OpenAi("measured".to_owned());
        config.agent.prices.input = 1_000_000_000;
    })
    .await;
    let mut client = app.chat("measured").await;
    client.asked("Hello").await;
    client.asked("Hello again").await;
    let metrics = crate::support::get(app.http, "/metrics").await;
    let value = |name: &str, with: &str| {
        let line = metrics.lines().find(|line| {
            line.starts_with(&format!("{name}{{"))
                && line.contains("gen_ai_request_model=\"measured\"")
                && line.contains(with)
        });
        let line = line.unwrap_or_else(|| panic!("no {name}: {metrics}"));
        line.rsplit(' ').next().unwrap().to_owned()
    };
    let inference = "gen_ai_client_inference";
    assert_eq!(
        value(&format!("{inference}_operation_input_tokens_sum"), ""),
        "22"
    );
    assert_eq!(
        value(&format!("{inference}_operation_output_tokens_sum"), ""),
        "14"
    );
    assert_eq!(
        value(&format!("{inference}_operation_input_tokens_count"), ""),
        "2"
    );
    assert_eq!(value("dragoman_model_cost_total", ""), "0.022");
    let failed = value(
        &format!("{inference}_duration_seconds_count"),
        "error_type=\"auth\"",
    );
    assert_eq!(failed, "1");
    drop(client);
    app.stop().await;
}
