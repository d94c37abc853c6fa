//! What is sent, and when.

use std::time::Duration;

use dragoman::model::{End, ModelEvent, Secret, anthropic};
use http::{HeaderMap, HeaderValue};

use super::wire::text;
use super::{ask, build, config, request, text_of};
use crate::support::model_server::ModelServer;

#[tokio::test]
async fn an_answer_comes_with_its_usage() {
    let server = ModelServer::start([text("There are ", "17.")]).await;
    let events = ask(anthropic::Config {
        api_key: Some(Secret::new("sk-ant-1")),
        ..config(&server)
    })
    .await;
    assert_eq!(text_of(&events), "There are 17.");
    let usage = ModelEvent::Usage {
        input_tokens: 2_311,
        cached_tokens: 2_000,
        output_tokens: 7,
    };
    assert_eq!(events[2..], [Ok(usage), Ok(ModelEvent::End(End::Stop))]);
    let asked = &server.asked()[0];
    assert_eq!(asked.line(), "POST /v1/messages HTTP/1.1");
    for (name, value) in [
        ("x-api-key", "sk-ant-1"),
        ("anthropic-version", "2023-06-01"),
        ("authorization", ""),
        ("accept", "text/event-stream"),
    ] {
        assert_eq!(asked.header(name), value, "{name}");
    }
    assert_eq!(asked.body["model"], "small");
    assert_eq!(asked.body["max_tokens"], 16_000);
    assert_eq!(asked.body["stream"], true);
    assert_eq!(asked.body["system"][0]["text"], "You are a guide.");
    assert_eq!(asked.body["messages"][0]["role"], "user");
}

#[tokio::test]
async fn nothing_is_sent_before_somebody_wants_it() {
    let server = ModelServer::start([]).await;
    drop(build(config(&server)).stream(request()));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_gateway_may_want_its_key_elsewhere() {
    let server = ModelServer::start([text("o", "k")]).await;
    let mut headers = HeaderMap::new();
    let token = HeaderValue::from_static("Bearer not-to-be-seen");
    headers.insert("authorization", token);
    headers.insert("anthropic-beta", HeaderValue::from_static("some-day"));
    let gateway = anthropic::Config {
        base_url: format!("http://{}/anthropic/v1", server.address),
        headers,
        ..config(&server)
    };
    assert_eq!(text_of(&ask(gateway).await), "ok");
    let asked = &server.asked()[0];
    assert_eq!(asked.line(), "POST /anthropic/v1/messages HTTP/1.1");
    assert_eq!(asked.header("authorization"), "Bearer not-to-be-seen");
    assert_eq!(asked.header("anthropic-beta"), "some-day");
    assert_eq!(asked.header("x-api-key"), "");
}
