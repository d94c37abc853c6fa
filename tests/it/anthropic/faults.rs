//! What servers do wrong, and what becomes of it. The loop is that of the other API: what is particular to this one is here.

use std::time::Duration;

use dragoman::model::{End, ErrorKind, ModelEvent, Secret, anthropic};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use tokio::time::Instant;

use super::wire::{end, error, event, says, start, text};
use super::{ask, build, config, request, text_of};
use crate::support::model_server::{ModelServer, Step, answer, stream_head};

/// The kind and the message of the error that these replies end in, and how often the server was asked.
async fn refused(replies: Vec<Vec<Step>>, retries: usize) -> (ErrorKind, String, usize) {
    let server = ModelServer::start(replies).await;
    let mut headers = HeaderMap::new();
    let token = HeaderValue::from_static("Bearer also-not-to-be-seen");
    headers.insert("x-gateway", token);
    let config = anthropic::Config {
        retries,
        api_key: Some(Secret::new("sk-ant-not-to-be-seen")),
        headers,
        ..config(&server)
    };
    let events = ask(config).await;
    let last = events.last().unwrap().clone().unwrap_err();
    assert!(!last.message.contains("not-to-be-seen"), "{last}");
    assert!(last.message.chars().count() < 400, "{last}");
    (last.kind, last.message, server.asked().len())
}

#[tokio::test]
async fn what_passes_is_waited_for() {
    for busy in [
        error(
            429,
            "rate_limit_error",
            "slow down",
            "retry-after: 0.05\r\n",
        ),
        error(
            529,
            "overloaded_error",
            "Overloaded",
            "retry-after: 0.05\r\n",
        ),
        error(500, "api_error", "Internal server error", ""),
    ] {
        let server = ModelServer::start([busy, text("o", "k")]).await;
        let start = Instant::now();
        let events = ask(anthropic::Config {
            retries: 1,
            ..config(&server)
        })
        .await;
        assert_eq!(text_of(&events), "ok");
        assert_eq!(server.asked().len(), 2);
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn what_does_not_pass_is_not_tried_again_and_says_what_to_do() {
    for (reply, expected, words) in [
        (
            error(
                401,
                "authentication_error",
                "invalid x-api-key sk-ant-not-to-be-seen",
                "",
            ),
            ErrorKind::Auth,
            "anthropic.api_key",
        ),
        (
            error(
                400,
                "invalid_request_error",
                "Your credit balance is too low to access the Anthropic API.",
                "",
            ),
            ErrorKind::QuotaExhausted,
            "nothing left to spend",
        ),
        (
            error(
                400,
                "invalid_request_error",
                "prompt is too long: 210000 tokens > 200000 maximum",
                "",
            ),
            ErrorKind::ContextLength,
            "Start a new one",
        ),
        (
            error(404, "not_found_error", "model: small", ""),
            ErrorKind::NotFound,
            "--model and anthropic.base_url",
        ),
        (
            error(
                400,
                "invalid_request_error",
                "max_tokens: 16000 > 8192, with also-not-to-be-seen",
                "",
            ),
            ErrorKind::BadRequest,
            "max_tokens: 16000 > 8192",
        ),
        (
            answer(
                200,
                "application/json",
                "",
                r#"{"type":"message","content":[]}"#,
            ),
            ErrorKind::Protocol,
            "anthropic.base_url",
        ),
    ] {
        let (kind, message, asked) = refused(vec![reply], 3).await;
        assert_eq!((kind, asked), (expected, 1), "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn an_error_in_the_stream_is_asked_again_only_if_nothing_was_said() {
    let broken = json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } });
    let at_once = [start(), vec![event(&broken)]].concat();
    let server = ModelServer::start([at_once, text("o", "k")]).await;
    let events = ask(anthropic::Config {
        retries: 1,
        ..config(&server)
    })
    .await;
    assert_eq!(text_of(&events), "ok");

    let later = [start(), vec![says("Half"), event(&broken)], end("end_turn")].concat();
    let server = ModelServer::start([later]).await;
    let events = ask(anthropic::Config {
        retries: 2,
        ..config(&server)
    })
    .await;
    assert_eq!(text_of(&events), "Half");
    assert_eq!(events[1].as_ref().unwrap_err().kind, ErrorKind::Overloaded);
    assert_eq!((events.len(), server.asked().len()), (2, 1));
}

#[tokio::test]
async fn a_stream_that_is_cut_or_silent_is_an_error() {
    let cut = [start(), vec![says("Half an ans")]].concat();
    assert_eq!(refused(vec![cut], 3).await.0, ErrorKind::Truncated);
    let silent = [start(), vec![says("And then"), Step::Hang]].concat();
    let server = ModelServer::start([silent]).await;
    let hasty = anthropic::Config {
        idle_timeout: Duration::from_millis(100),
        ..config(&server)
    };
    let events = ask(hasty).await;
    assert_eq!(events[1].as_ref().unwrap_err().kind, ErrorKind::Timeout);
    server.left().await;
}

#[tokio::test]
async fn pings_do_not_keep_a_request_for_ever() {
    let alive = || {
        [
            event(&json!({ "type": "ping" })),
            Step::Wait(Duration::from_millis(30)),
        ]
    };
    let mut reply = start();
    reply.extend((0..100).flat_map(|_| alive()));
    let server = ModelServer::start([reply]).await;
    let hasty = anthropic::Config {
        idle_timeout: Duration::from_millis(200),
        total_timeout: Duration::from_millis(400),
        ..config(&server)
    };
    let events = ask(hasty).await;
    assert_eq!(events[0].as_ref().unwrap_err().kind, ErrorKind::Timeout);
}

#[tokio::test]
async fn an_end_without_its_mark_is_an_end() {
    let mut reply = [start(), vec![says("ok")], end("end_turn")].concat();
    reply.pop();
    let open = [reply.clone(), vec![Step::Hang]].concat();
    for reply in [reply, open] {
        let server = ModelServer::start([reply]).await;
        let events = ask(config(&server)).await;
        assert_eq!(text_of(&events), "ok");
        assert_eq!(events.last(), Some(&Ok(ModelEvent::End(End::Stop))));
    }
}

#[tokio::test]
async fn a_refusal_is_an_error_after_what_was_said() {
    let reply = [start(), vec![says("I")], end("refusal")].concat();
    assert_eq!(refused(vec![reply], 3).await.0, ErrorKind::ContentFilter);
}

#[tokio::test]
async fn who_leaves_closes_the_connection_at_once() {
    let begun = [start(), vec![says("And"), Step::Hang]].concat();
    for (reply, begins) in [
        (begun, true),
        (vec![Step::Hang], false),
        (vec![stream_head(), Step::Hang], false),
    ] {
        let server = ModelServer::start([reply]).await;
        let mut stream = build(config(&server)).stream(request());
        if begins {
            assert!(stream.next().await.unwrap().is_ok());
        } else {
            let waiting = tokio::time::timeout(Duration::from_millis(200), stream.next());
            assert!(waiting.await.is_err());
        }
        let start = Instant::now();
        drop(stream);
        server.left().await;
        assert!(
            start.elapsed() < Duration::from_millis(500),
            "{:?}",
            start.elapsed()
        );
    }
}
