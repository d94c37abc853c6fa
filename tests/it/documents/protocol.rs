//! `proto/websocket.md`: its client frames are taken, its server frames look like the real ones, and none is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dragoman::tools::ToolPatterns;
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

/// Keys of a frame and the types of their values; what `type` says is part of the shape.
type Shape = BTreeMap<String, String>;

fn shape(frame: &Value) -> Shape {
    let kind = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let keys = frame.as_object().unwrap().iter();
    keys.map(|(key, value)| {
        let is_word = key == "type" || key == "finish";
        let shown = if is_word {
            value.to_string()
        } else {
            kind(value).to_owned()
        };
        (key.clone(), shown)
    })
    .collect()
}

/// The examples in code fences of that kind.
fn examples(kind: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/proto/websocket.md"));
    let text = text.unwrap();
    let fence = format!("```json {kind}\n");
    let examples: Vec<Value> = text
        .split(&fence)
        .skip(1)
        .map(|rest| serde_json::from_str(rest.split("```").next().unwrap()).expect("JSON"))
        .collect();
    let fences = |kind| text.matches(&format!("```json{kind}\n")).count();
    let known = fences(" client") + fences(" server") + fences(" server dragoman.v1.delta");
    assert_eq!(text.matches("```json").count(), known);
    assert!(!examples.is_empty());
    examples
}

#[tokio::test]
async fn client_frames_of_the_document_are_taken() {
    let app = TestApp::start().await;
    for (index, example) in examples("client").into_iter().enumerate() {
        let mut client = app.chat(&format!("document-{index}")).await;
        client.send_json(example.clone()).await;
        if example.get("content").is_some() {
            let frames = client.turn().await;
            assert_eq!(frames[0]["content"], example["content"]);
            if let Some(id) = example.get("id") {
                assert_eq!(&frames[0]["id"], id);
                let trace = frames[0]["trace_id"].as_str().unwrap();
                assert!(example["traceparent"].as_str().unwrap().contains(trace));
            }
        } else if example["type"] == "approve" {
            // It is taken, and nothing waits.
            let refused = client.frame().await;
            assert_eq!(refused["call_id"], example["call_id"], "{refused}");
        } else {
            assert!(
                client.is_quiet(Duration::from_millis(50)).await,
                "{example}"
            );
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn server_frames_of_the_document_are_the_real_ones() {
    let app = TestApp::with(|config| {
        config.gateway.ping_interval = Duration::from_millis(100);
        config.limits.rate_questions = 5;
        config.agent.approval_timeout = Duration::from_secs(2);
        config.agent.ask = ToolPatterns::new(vec!["search_*".to_owned()]).unwrap();
    })
    .await;
    let mut client = app.chat("document").await;
    let mut real = vec![client.any_frame().await];
    client
        .send_json(json!({ "content": "tools", "id": "1" }))
        .await;
    let mut call = Value::Null;
    for approved in [true, false] {
        while call.is_null() {
            let frame = client.frame().await;
            if frame["type"] == "approval" {
                call.clone_from(&frame["call_id"]);
            }
            real.push(frame);
        }
        client
            .send_json(json!({ "type": "approve", "call_id": call, "approved": approved }))
            .await;
    }
    while real.last().unwrap()["type"] != "agent" {
        real.push(client.frame().await);
    }
    real.extend(client.asked("broken").await);
    client.ask("hang").await;
    real.push(client.frame().await);
    client.frame().await;
    client
        .send_json(json!({ "content": "tools", "id": "2" }))
        .await;
    real.push(client.frame().await);
    client.send_json(json!({ "type": "cancel" })).await;
    real.push(client.frame().await);
    real.extend(client.turn().await);
    client.send_json(json!([])).await;
    real.push(client.frame().await);
    real.extend(client.asked("Hello").await);
    client.ask("one too many").await;
    real.push(client.frame().await);
    let mut lost = Client::connect(app.http, "/ws/document?after=1000", &[])
        .await
        .unwrap();
    real.push(lost.frame().await);

    let real: BTreeSet<Shape> = real.iter().map(shape).collect();
    let documented: BTreeSet<Shape> = examples("server").iter().map(shape).collect();
    let invented: Vec<_> = documented.difference(&real).collect();
    let missing: Vec<_> = real.difference(&documented).collect();
    assert!(
        invented.is_empty(),
        "in the document, not in reality: {invented:#?}"
    );
    assert!(
        missing.is_empty(),
        "in reality, not in the document: {missing:#?}"
    );
    app.stop().await;
}

/// The only example that is for clients of the subprotocol.
#[tokio::test]
async fn the_frame_of_the_subprotocol_is_the_real_one_and_no_other_differs() {
    let app = TestApp::start().await;
    let mut plain = app.chat("document").await;
    let offered = [("sec-websocket-protocol", "else, dragoman.v1.delta")];
    // The client library refuses a server that does not choose what it offered.
    let mut client = Client::connect(app.http, "/ws/document", &offered)
        .await
        .unwrap();
    client.ask("tools").await;
    let (mut text, mut real, mut rest) = (String::new(), BTreeSet::new(), vec![]);
    while rest
        .last()
        .is_none_or(|last: &Value| last["type"] != "agent")
    {
        let frame = client.frame().await;
        match (frame["delta"].as_str(), frame["type"].as_str()) {
            (Some(delta), _) => {
                assert!(!text.is_empty(), "the first partial is a delta");
                text.push_str(delta);
                real.insert(shape(&frame));
            }
            (None, Some("agent_partial")) => {
                assert_eq!(text, "", "a second partial has the whole text");
                frame["content"].as_str().unwrap().clone_into(&mut text);
            }
            _ => rest.push(frame),
        }
    }
    let documented: BTreeSet<Shape> = examples("server dragoman.v1.delta")
        .iter()
        .map(shape)
        .collect();
    assert_eq!(real, documented);
    let answer = rest.last().unwrap()["content"].as_str().unwrap();
    assert!(answer.starts_with(&text));
    let mut others = plain.turn().await;
    others.retain(|frame| frame["type"] != "agent_partial");
    assert_eq!(others, rest);
    app.stop().await;
}
