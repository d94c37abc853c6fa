//! What servers do wrong, and what becomes of it.

use std::time::Duration;

use dragoman::model::{End, ErrorKind, ModelEvent, Secret, openai};
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::time::Instant;

use super::{ask, build, config, request, text_of};
use crate::support::model_server::{
    ModelServer, Step, answer, calls, chunk, end, error, event, says, stream_head, text,
};

const STOP: &str =
    "data: {\"choices\":[{\"delta\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}";

/// The kind and the message of the error that this reply ends in, and how often the server was asked.
async fn refused(replies: Vec<Vec<Step>>, retries: usize) -> (ErrorKind, String, usize) {
    let server = ModelServer::start(replies).await;
    let config = openai::Config {
        retries,
        api_key: Some(Secret::new("sk-not-to-be-seen")),
        ..config(&server)
    };
    let events = ask(config).await;
    let last = events.last().unwrap().clone().unwrap_err();
    assert!(!last.message.contains("not-to-be-seen"), "{last}");
    assert!(last.message.chars().count() < 400, "{last}");
    (last.kind, last.message, server.asked().len())
}

async fn kind(reply: Vec<Step>) -> ErrorKind {
    refused(vec![reply], 0).await.0
}

#[tokio::test]
async fn a_rate_limit_is_waited_for() {
    let limited = error(
        429,
        "rate_limit_exceeded",
        "slow down",
        "retry-after-ms: 40\r\nretry-after: 9\r\n",
    );
    let server = ModelServer::start([limited, text("o", "k")]).await;
    let start = Instant::now();
    let events = ask(openai::Config {
        retries: 1,
        ..config(&server)
    })
    .await;
    assert_eq!(text_of(&events), "ok");
    assert_eq!(server.asked().len(), 2);
    assert!(start.elapsed() >= Duration::from_millis(40));
}

#[tokio::test]
async fn what_does_not_pass_is_not_tried_again() {
    let quota = || {
        error(
            429,
            "insufficient_quota",
            "You exceeded your current quota",
            "retry-after-ms: 1\r\n",
        )
    };
    let (kind, message, asked) = refused(vec![quota(), quota()], 3).await;
    assert_eq!((kind, asked), (ErrorKind::QuotaExhausted, 1));
    assert!(message.contains("nothing left to spend"), "{message}");

    let key = error(
        401,
        "invalid_api_key",
        "Incorrect API key: sk-not-to-be-seen",
        "",
    );
    let (kind, message, asked) = refused(vec![key], 3).await;
    assert_eq!((kind, asked), (ErrorKind::Auth, 1));
    assert!(message.contains("openai.api_key"), "{message}");

    let long = error(
        400,
        "context_length_exceeded",
        "maximum context length is 8192 tokens",
        "",
    );
    let (kind, message, asked) = refused(vec![long], 3).await;
    assert_eq!((kind, asked), (ErrorKind::ContextLength, 1));
    assert!(message.contains("Start a new one"), "{message}");

    // A server that says when, and says it too late.
    let late = error(
        429,
        "rate_limit_exceeded",
        "slow down",
        "retry-after: 60\r\n",
    );
    assert_eq!(refused(vec![late], 3).await.2, 1);
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again_until_the_retries_are_over() {
    let failing = || error(500, "server_error", "it broke near sk-not-to-be-seen", "");
    let (kind, message, asked) = refused(vec![failing(), failing(), failing(), failing()], 2).await;
    assert_eq!((kind, asked), (ErrorKind::Server, 3));
    assert!(message.contains("it broke near …"), "{message}");
    let html = || answer(502, "text/html", "", "<html>Bad Gateway</html>");
    let (kind, message, asked) = refused(vec![html(), html()], 1).await;
    assert_eq!((kind, asked), (ErrorKind::Server, 2));
    assert!(
        message.contains("status 502") && !message.contains('<'),
        "{message}"
    );
}

#[tokio::test]
async fn a_good_status_without_a_stream_is_an_error() {
    let json = |body: &str| answer(200, "application/json", "", body);
    assert_eq!(
        kind(json(
            r#"{"error":{"message":"upstream failed","code":503}}"#
        ))
        .await,
        ErrorKind::Overloaded
    );
    assert_eq!(
        kind(json(r#"{"choices":[{"message":{"content":"hi"}}]}"#)).await,
        ErrorKind::Protocol
    );
    assert_eq!(
        kind(answer(200, "text/html", "", "<html>Sign in</html>")).await,
        ErrorKind::Protocol
    );
    assert_eq!(
        kind(answer(307, "text/plain", "location: /elsewhere\r\n", "")).await,
        ErrorKind::Protocol
    );
}

#[tokio::test]
async fn a_server_that_hangs_is_left_in_time() {
    let server = ModelServer::start([vec![Step::Hang]]).await;
    let hasty = openai::Config {
        header_timeout: Duration::from_millis(100),
        ..config(&server)
    };
    let events = ask(hasty).await;
    assert_eq!(events[0].as_ref().unwrap_err().kind, ErrorKind::Timeout);
    server.left().await;

    let server = ModelServer::start([vec![stream_head(), says("And then"), Step::Hang]]).await;
    let hasty = openai::Config {
        idle_timeout: Duration::from_millis(100),
        retries: 3,
        ..config(&server)
    };
    let events = ask(hasty).await;
    assert_eq!(text_of(&events), "And then");
    assert_eq!(events[1].as_ref().unwrap_err().kind, ErrorKind::Timeout);
    server.left().await;
    assert_eq!(
        server.asked().len(),
        1,
        "what was shown is not asked for again"
    );
}

#[tokio::test]
async fn signs_of_life_do_not_keep_a_request_for_ever() {
    let alive = || {
        [
            Step::Send(b": keep-alive\n\n".to_vec()),
            Step::Wait(Duration::from_millis(30)),
        ]
    };
    let mut reply = vec![stream_head()];
    reply.extend((0..100).flat_map(|_| alive()));
    let server = ModelServer::start([reply]).await;
    let hasty = openai::Config {
        idle_timeout: Duration::from_millis(200),
        total_timeout: Duration::from_millis(400),
        ..config(&server)
    };
    let start = Instant::now();
    let events = ask(hasty).await;
    assert_eq!(events[0].as_ref().unwrap_err().kind, ErrorKind::Timeout);
    assert!(start.elapsed() >= Duration::from_millis(400));
}

#[tokio::test]
async fn a_slow_first_word_is_waited_for() {
    let alive = || {
        [
            Step::Send(b": keep-alive\n\n".to_vec()),
            Step::Wait(Duration::from_millis(100)),
        ]
    };
    let mut reply = vec![stream_head()];
    reply.extend((0..4).flat_map(|_| alive()));
    reply.extend(text("o", "k").split_off(1));
    let server = ModelServer::start([reply]).await;
    let patient = openai::Config {
        idle_timeout: Duration::from_millis(300),
        ..config(&server)
    };
    assert_eq!(text_of(&ask(patient).await), "ok");
}

#[tokio::test]
async fn a_stream_that_is_cut_is_an_error_and_is_asked_for_again_only_if_nothing_was_said() {
    let cut = || vec![stream_head(), says("Half an ans")];
    assert_eq!(kind(cut()).await, ErrorKind::Truncated);
    assert_eq!(refused(vec![cut(), text("o", "k")], 3).await.2, 1);
    let chunked = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n5\r\ndata:".to_vec();
    assert_eq!(kind(vec![Step::Send(chunked)]).await, ErrorKind::Transport);

    let server = ModelServer::start([vec![stream_head()], text("o", "k")]).await;
    let events = ask(openai::Config {
        retries: 1,
        ..config(&server)
    })
    .await;
    assert_eq!(text_of(&events), "ok");
}

#[tokio::test]
async fn what_is_odd_but_whole_is_an_answer() {
    let send = |text: &str| Step::Send(text.as_bytes().to_vec());
    // No mark of the end; a byte order mark, CRLF, comments and unknown fields; a connection that stays open.
    for reply in [
        vec![stream_head(), says("ok"), chunk(json!({}), Some("stop"))],
        vec![
            stream_head(),
            send(&format!(
                "\u{feff}: hello\r\n\r\n{STOP}\r\nid: 1\r\n\r\ndata: [DONE]\r\n\r\n"
            )),
        ],
        vec![
            stream_head(),
            send(&format!("{STOP}\n\ndata: [DONE]\n\n")),
            Step::Hang,
        ],
        vec![stream_head(), send(&format!("{STOP}\n\n")), Step::Hang],
    ] {
        let server = ModelServer::start([reply]).await;
        let events = ask(config(&server)).await;
        assert_eq!(text_of(&events), "ok");
        assert_eq!(events.last(), Some(&Ok(ModelEvent::End(End::Stop))));
    }
}

#[tokio::test]
async fn calls_with_one_index_are_two_calls() {
    let mut reply = calls("a", "list_tables", "{\"type\":\"FACT\"}");
    let second = calls("b", "get_lineage", "{\"table\":\"t\"}");
    // Before the first one's reason for the end: the pieces of the second.
    reply.splice(4..4, second[1..4].to_vec());
    let server = ModelServer::start([reply]).await;
    let events = ask(config(&server)).await;
    let names = events.iter().filter_map(|event| match event {
        Ok(ModelEvent::ToolCall(call)) => Some((call.name.as_ref(), call.arguments.as_ref())),
        _ => None,
    });
    let expected = [
        ("list_tables", "{\"type\":\"FACT\"}"),
        ("get_lineage", "{\"table\":\"t\"}"),
    ];
    assert_eq!(names.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn one_large_event_is_read_and_one_without_end_is_not() {
    let large = "x".repeat(2 * 1024 * 1024);
    let server = ModelServer::start([text(&large, "!")]).await;
    assert_eq!(text_of(&ask(config(&server)).await).len(), large.len() + 1);

    let endless = vec![b'x'; 1024 * 1024];
    let mut reply = vec![stream_head()];
    reply.extend((0..20).map(|_| Step::Send(endless.clone())));
    assert_eq!(kind(reply).await, ErrorKind::Protocol);
}

#[tokio::test]
async fn an_error_in_the_middle_is_told_after_what_was_said() {
    let broken = json!({ "error": { "message": "overloaded", "type": "overloaded_error" } });
    let named = Step::Send(format!("event: error\ndata: {broken}\n\n").into_bytes());
    for failure in [event(&broken), named] {
        let mut reply = vec![stream_head(), says("Half"), failure];
        reply.extend(end());
        let server = ModelServer::start([reply]).await;
        let events = ask(openai::Config {
            retries: 2,
            ..config(&server)
        })
        .await;
        assert_eq!(text_of(&events), "Half");
        assert_eq!(events[1].as_ref().unwrap_err().kind, ErrorKind::Overloaded);
        assert_eq!((events.len(), server.asked().len()), (2, 1));
    }
}

#[tokio::test]
async fn who_leaves_closes_the_connection_at_once() {
    // In the middle of the answer, and before it begins.
    for reply in [
        vec![stream_head(), says("And"), Step::Hang],
        vec![Step::Hang],
    ] {
        let begins = reply.len() > 1;
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

#[tokio::test]
async fn a_server_that_is_not_there_is_told_with_its_name() {
    let server = ModelServer::start([]).await;
    let gone = openai::Config {
        // Bound and dropped: nothing listens there now.
        base_url: format!(
            "http://{}/v1",
            std::net::TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
        ),
        ..config(&server)
    };
    let events = ask(gone).await;
    let error = events[0].as_ref().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Transport);
    assert!(
        error.message.contains("refused") && error.message.contains("openai.base_url"),
        "{error}"
    );
}
