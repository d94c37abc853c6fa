//! What bad input gets: an answer that says what to do, while a neighbour notices nothing.

use std::time::Duration;

use futures_util::SinkExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};

use crate::support::{Client, TestApp};

/// Another client of the same process, in the middle of a turn while something bad happens.
struct Neighbour(Client);

impl Neighbour {
    async fn new(app: &TestApp) -> Self {
        let mut client = app.chat("neighbour").await;
        client.ask("slow").await;
        Self(client)
    }

    async fn noticed_nothing(mut self) {
        let frames = self.0.turn().await;
        assert_eq!(frames.last().unwrap()["content"], "slowly ".repeat(30));
    }
}

async fn error_of(client: &mut Client, message: Message) -> String {
    client.send(message).await;
    let frame = client.frame().await;
    assert_eq!(frame["type"], "error", "{frame}");
    frame["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn frames_that_cannot_be_taken_are_answered_and_the_connection_stays() {
    let app = TestApp::start().await;
    let neighbour = Neighbour::new(&app).await;
    let mut client = app.chat("bad-frames").await;
    let text = |text: &str| Message::text(text.to_owned());
    for bad in ["nonsense", "", "{\"content\": \"x\"", "{'content': 'x'}"] {
        assert_eq!(
            error_of(&mut client, text(bad)).await,
            "Invalid JSON format",
            "{bad}"
        );
    }
    for bad in ["[]", "5", "\"List all tables\"", "null"] {
        let error = error_of(&mut client, text(bad)).await;
        assert!(
            error.starts_with("Invalid JSON format: a frame is an object"),
            "{bad}: {error}"
        );
    }
    for bad in ["5", "true", "[\"x\"]", "{\"a\":1}"] {
        let error = error_of(&mut client, text(&format!("{{\"content\": {bad}}}"))).await;
        assert_eq!(error, "Invalid frame: content must be a string");
    }
    let error = error_of(&mut client, Message::binary(vec![1, 2, 3])).await;
    assert!(error.contains("text frame"), "{error}");
    let long = json!({ "content": "x".repeat(17_000) }).to_string();
    let error = error_of(&mut client, text(&long)).await;
    assert!(error.contains("16384"), "{error}");
    let blank = error_of(&mut client, text("{\"content\": \"  \"}")).await;
    assert!(blank.contains("white space"), "{blank}");

    for ignored in [
        "{}",
        "{\"content\": \"\"}",
        "{\"content\": null}",
        "{\"type\": \"pong\"}",
    ] {
        client.send(text(ignored)).await;
    }
    assert!(
        client.is_quiet(Duration::from_millis(100)).await,
        "ignored, no reply"
    );
    let frames = client.asked("Hello").await;
    assert_eq!(frames[0]["seq"], 1, "nothing bad got into the log");
    neighbour.noticed_nothing().await;
    app.stop().await;
}

#[tokio::test]
async fn a_frame_over_its_limit_closes_with_1009() {
    let app = TestApp::start().await;
    let neighbour = Neighbour::new(&app).await;
    for size in [64 * 1024 + 1, 1024 * 1024] {
        let mut client = app.chat("too-large").await;
        let _ = client.socket.send(Message::text("x".repeat(size))).await;
        assert_eq!(client.close_code().await, Some(1009), "{size} bytes");
    }
    // The limit itself is taken: it is only no JSON.
    let mut client = app.chat("just-fits").await;
    let largest = Message::text("x".repeat(64 * 1024));
    assert_eq!(error_of(&mut client, largest).await, "Invalid JSON format");
    neighbour.noticed_nothing().await;
    app.stop().await;
}

#[tokio::test]
async fn a_fragmented_question_is_one_question() {
    let app = TestApp::start().await;
    let mut client = app.chat("fragments").await;
    let fragment = |opcode, is_final, payload: &str| {
        let header = FrameHeader {
            is_final,
            opcode: OpCode::Data(opcode),
            ..FrameHeader::default()
        };
        Message::Frame(Frame::from_payload(
            header,
            payload.to_owned().into_bytes().into(),
        ))
    };
    client
        .send(fragment(Data::Text, false, "{\"content\":"))
        .await;
    client.send(fragment(Data::Continue, false, " \"Hel")).await;
    client.send(fragment(Data::Continue, true, "lo\"}")).await;
    assert_eq!(client.turn().await[0]["content"], "Hello");
    app.stop().await;
}

#[tokio::test]
async fn text_that_is_not_utf_8_closes_with_1007() {
    let app = TestApp::start().await;
    let neighbour = Neighbour::new(&app).await;
    let mut client = app.chat("not-utf8").await;
    let header = FrameHeader {
        opcode: OpCode::Data(Data::Text),
        ..FrameHeader::default()
    };
    let frame = Frame::from_payload(header, vec![b'"', 0xff, 0xfe, b'"'].into());
    client.send(Message::Frame(frame)).await;
    assert_eq!(client.close_code().await, Some(1007));
    neighbour.noticed_nothing().await;
    app.stop().await;
}

#[tokio::test]
async fn a_session_id_that_is_none_closes_with_4001_after_the_upgrade() {
    let app = TestApp::start().await;
    let too_long = "x".repeat(65);
    for bad in ["", "a%20b", "a.b", "a/b", "%C3%A4", "..%2f", &too_long] {
        let mut client = Client::connect(app.http, &format!("/ws/{bad}"), &[])
            .await
            .unwrap();
        assert_eq!(client.close_code().await, Some(4001), "{bad:?}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_foreign_origin_closes_with_4003_after_the_upgrade() {
    let app = TestApp::start().await;
    for foreign in ["https://evil.test", "null", "http://localhost:3001"] {
        let headers = [("origin", foreign)];
        let mut client = Client::connect(app.http, "/ws/origin", &headers)
            .await
            .unwrap();
        assert_eq!(client.close_code().await, Some(4003), "{foreign}");
    }
    let own = format!("http://{}", app.http);
    for allowed in ["http://localhost:3000", "http://localhost:5173", &own] {
        let headers = [("origin", allowed)];
        let mut client = Client::connect(app.http, "/ws/origin", &headers)
            .await
            .unwrap();
        assert_eq!(
            client.asked("Hello").await.last().unwrap()["type"],
            "agent",
            "{allowed}"
        );
        // As a browser does, it answers the ping that follows: the answer was seen.
        assert!(client.is_quiet(Duration::from_millis(100)).await);
    }
    app.stop().await;
}

#[tokio::test]
async fn a_position_that_is_no_number_closes_with_1008() {
    let app = TestApp::start().await;
    let mut client = Client::connect(app.http, "/ws/a?after=yesterday", &[])
        .await
        .unwrap();
    assert_eq!(client.close_code().await, Some(1008));
    app.stop().await;
}

#[tokio::test]
async fn more_connections_than_allowed_close_with_1013() {
    let app = TestApp::with(|config| config.gateway.connections = 2).await;
    let first = app.chat("one").await;
    let mut second = app.chat("two").await;
    assert_eq!(app.chat("three").await.close_code().await, Some(1013));
    assert_eq!(second.asked("Hello").await.last().unwrap()["type"], "agent");
    drop(first);
    for _ in 0..100 {
        let mut third = app.chat("three").await;
        third.ask("Hello").await;
        if third.any_type().await == Some("user".to_owned()) {
            return app.stop().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("a place was not given back");
}

#[tokio::test]
async fn a_client_that_stops_reading_is_given_up_and_its_turn_is_kept() {
    let app = TestApp::with(|config| {
        config.gateway.write_timeout = Duration::from_millis(300);
        config.gateway.partial_interval = Duration::ZERO;
    })
    .await;
    let neighbour = Neighbour::new(&app).await;
    let mut stalled = Client::with_small_buffer(app.http, "/ws/stalled").await;
    stalled.ask("long").await;
    // Not a byte is read: the socket's buffers fill, the deadline passes.
    let mut gone = false;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if stalled
            .socket
            .send(Message::Pong(vec![].into()))
            .await
            .is_err()
        {
            gone = true;
            break;
        }
    }
    assert!(gone, "the stalled client is still connected");
    let mut back = Client::connect(app.http, "/ws/stalled?after=0", &[])
        .await
        .unwrap();
    assert_eq!(back.frame().await["type"], "user");
    let answer = back.frame().await;
    assert_eq!(answer["content"].as_str().unwrap().len(), 100_000);
    neighbour.noticed_nothing().await;
    app.stop().await;
}

#[tokio::test]
async fn a_client_that_vanishes_takes_nothing_with_it() {
    let app = TestApp::start().await;
    let neighbour = Neighbour::new(&app).await;
    for _ in 0..20 {
        let mut client = app.chat("vanishing").await;
        client
            .send_json(json!({ "content": "Hello", "id": "once" }))
            .await;
        // No close frame, no goodbye.
        drop(client);
    }
    neighbour.noticed_nothing().await;
    let mut back = Client::connect(app.http, "/ws/vanishing?after=0", &[])
        .await
        .unwrap();
    back.send_json(json!({ "content": "Hello", "id": "once" }))
        .await;
    assert_eq!(back.frame().await["seq"], 1);
    app.stop().await;
}

#[tokio::test]
async fn plain_http_gets_a_sentence() {
    let app = TestApp::start().await;
    let get = async |path: &str| {
        let mut stream = TcpStream::connect(app.http).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let answer = get("/ws/x").await;
    assert!(answer.starts_with("HTTP/1.1 426"), "{answer}");
    assert!(answer.contains("WebSocket client"), "{answer}");
    let answer = get("/nothing").await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert!(get("/healthz").await.ends_with("ok\n"));
    assert!(get("/readyz").await.ends_with("ready\n"));
    let page = get("/").await;
    assert!(
        page.contains("<!doctype html>") && page.contains("content-security-policy"),
        "{page}"
    );
    app.stop().await;
}

#[tokio::test]
async fn what_is_said_is_never_markup_nor_a_way_out_of_the_frame() {
    let app = TestApp::start().await;
    let mut client = app.chat("hostile").await;
    for hostile in [
        "<script>alert(1)</script>",
        "\"}{\"",
        "\u{0}\u{7}\u{202e}",
        "\u{1f469}\u{200d}\u{1f4bb}\\u0000",
    ] {
        let frames = client.asked(hostile).await;
        assert_eq!(frames[0]["content"], Value::from(hostile));
    }
    app.stop().await;
}
