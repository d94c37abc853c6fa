//! What goes wrong between a connection and its turns: questions sent twice, drains, floods, a store that fails.

use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::support::{Client, PATIENCE, TestApp};

/// How long nothing comes when nothing more comes.
const QUIET: Duration = Duration::from_millis(250);

/// Every frame until it is quiet. Each turn must have one beginning and one end.
async fn whole_turns(client: &mut Client) -> Vec<Value> {
    let mut frames: Vec<Value> = vec![];
    let mut running = false;
    loop {
        // A turn that runs, or has to come, is waited for; only then silence is an end.
        let awaited = running || frames.is_empty();
        let patience = if awaited { PATIENCE } else { QUIET };
        let Ok(frame) = timeout(patience, client.frame()).await else {
            break;
        };
        match frame["type"].as_str().unwrap() {
            "user" => assert!(
                !std::mem::replace(&mut running, true),
                "{frames:#?} {frame}"
            ),
            "agent" => assert!(
                std::mem::replace(&mut running, false),
                "{frames:#?} {frame}"
            ),
            "agent_partial" | "tool" => assert!(running, "{frames:#?} {frame}"),
            other => panic!("{other}: {frame}"),
        }
        frames.push(frame);
    }
    assert!(!running, "{frames:#?}");
    frames
}

#[tokio::test]
async fn a_question_sent_again_while_its_turn_ends_is_answered_in_whole_turns() {
    let app = TestApp::start().await;
    for round in 0..40_u64 {
        let session = format!("race-{round}");
        let mut client = app.chat(&session).await;
        let question = json!({ "content": "tools", "id": "q" });
        client.send_json(question.clone()).await;
        tokio::time::sleep(Duration::from_millis(60 + round * 2)).await;
        client.send_json(question).await;
        whole_turns(&mut client).await;
    }
    app.stop().await;
}

#[tokio::test]
async fn a_question_sent_again_while_it_waits_is_answered_once() {
    let app = TestApp::start().await;
    let mut client = app.chat("waits").await;
    client.ask("slow").await;
    assert_eq!(client.frame().await["type"], "user");
    let question = json!({ "content": "tools", "id": "q" });
    client.send_json(question.clone()).await;
    client.send_json(question).await;
    while client.frame().await["type"] != "agent" {}
    let frames = whole_turns(&mut client).await;
    let finals = frames.iter().filter(|frame| frame["type"] == "agent");
    assert_eq!(finals.count(), 1, "{frames:#?}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_waits_when_the_service_drains_is_refused() {
    let app = TestApp::start().await;
    let mut client = app.chat("drain-waiting").await;
    client.ask("slow").await;
    assert_eq!(client.frame().await["type"], "user");
    client
        .send_json(json!({ "content": "Hello", "id": "waits" }))
        .await;
    client.send_json(json!({ "content": 1 })).await;
    while client.frame().await["type"] != "error" {}
    let seen = async {
        // At once: somebody else could answer it while the turn goes on here.
        let (mut refused, mut answered) = (0, false);
        while !answered {
            let frame = client.frame().await;
            if frame["type"] == "error" {
                assert_eq!(frame["id"], "waits");
                refused += 1;
            }
            answered = frame["type"] == "agent";
        }
        assert_eq!(refused, 1);
        assert_eq!(client.close_code().await, Some(1001));
    };
    let (stopped, ()) = tokio::join!(timeout(PATIENCE, app.stop()), seen);
    stopped.expect("it stops");
}

#[tokio::test]
async fn a_client_that_closes_is_answered() {
    let app = TestApp::start().await;
    let mut client = app.chat("polite").await;
    client.asked("Hello").await;
    let close = CloseFrame {
        code: CloseCode::Normal,
        reason: "".into(),
    };
    client.send(Message::Close(Some(close))).await;
    assert_eq!(client.close_code().await, Some(1000));
    app.stop().await;
}

#[tokio::test]
async fn a_flood_of_pings_whose_answers_are_not_read_is_not_taken() {
    let app = TestApp::start().await;
    let mut client = Client::with_small_buffer(app.http, "/ws/pings").await;
    // Ping frames of 125 bytes, masked with zeros.
    let mut pings = vec![];
    for _ in 0..1_000 {
        pings.extend([0x89, 0x80 | 0x7d, 0, 0, 0, 0]);
        pings.extend([b'x'; 125]);
    }
    let (socket, mut sent) = (client.socket.get_mut(), 0);
    while let Ok(Ok(())) = timeout(Duration::from_secs(1), socket.write_all(&pings)).await {
        sent += pings.len();
        assert!(sent < 64 << 20, "it takes as much as it is sent");
    }
    drop(client);
    let mut neighbour = app.chat("neighbour").await;
    assert_eq!(
        neighbour.asked("Hello").await.last().unwrap()["type"],
        "agent"
    );
    app.stop().await;
}

#[tokio::test]
async fn a_store_that_fails_is_an_internal_error_and_works_again_when_repaired() {
    let app = TestApp::start().await;
    let mut client = app.chat("broken-store").await;
    client.asked("Hello").await;
    let shell = Connection::open(app.folder().join("sessions.db")).unwrap();
    shell
        .execute_batch("ALTER TABLE session RENAME TO lost")
        .unwrap();
    client.ask("Hello").await;
    let refused = client.frame().await;
    assert_eq!(refused["type"], "error");
    assert!(
        refused["content"].as_str().unwrap().contains("try again"),
        "{refused}"
    );
    let mut late = app.chat("broken-store").await;
    assert_eq!(
        late.close_code().await,
        Some(1011),
        "1001 would have it back at once"
    );
    shell
        .execute_batch("ALTER TABLE lost RENAME TO session")
        .unwrap();
    assert_eq!(client.asked("Hello").await[0]["seq"], 3);
    app.stop().await;
}

#[tokio::test]
async fn a_store_that_is_locked_for_a_while_delays_and_loses_nothing() {
    let app = TestApp::start().await;
    let mut client = app.chat("locked-store").await;
    client.ask("slow").await;
    assert_eq!(client.frame().await["type"], "user");
    let shell = Connection::open(app.folder().join("sessions.db")).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Text is seen all the same; the end of the turn has to wait.
    let mut text = 0;
    while let Ok(frame) = timeout(Duration::from_secs(7), client.frame()).await {
        assert_eq!(frame["type"], "agent_partial");
        text = frame["content"].as_str().unwrap().len();
    }
    assert_eq!(text, "slowly ".len() * 30);
    shell.execute_batch("COMMIT").unwrap();
    let last = client.frame().await;
    assert_eq!((&last["type"], &last["seq"]), (&json!("agent"), &json!(2)));
    assert_eq!(client.asked("Hello").await.last().unwrap()["type"], "agent");
    app.stop().await;
}
