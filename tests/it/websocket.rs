//! The WebSocket protocol as `proto/websocket.md` says it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Client, TestApp};

fn types(frames: &[Value]) -> Vec<&str> {
    frames
        .iter()
        .map(|frame| frame["type"].as_str().unwrap())
        .collect()
}

fn content(frame: &Value) -> &str {
    frame["content"].as_str().unwrap()
}

#[tokio::test]
async fn a_turn_is_the_echo_then_partials_then_the_answer() {
    let app = TestApp::start().await;
    let mut client = app.chat("plain").await;
    let frames = client.asked("Hello").await;
    assert_eq!(content(&frames[0]), "Hello");
    assert_eq!(frames[0]["seq"], 1);
    let last = frames.last().unwrap();
    assert_eq!(last["type"], "agent");
    assert_eq!(
        content(last),
        "You asked me something, and this is the answer."
    );
    assert_eq!(last["seq"], 2);
    assert!(last.get("finish").is_none(), "only unusual ends are said");
    app.stop().await;
}

#[tokio::test]
async fn what_can_be_drawn_of_an_answer_is_there_again_in_a_replay() {
    let app = TestApp::start().await;
    let mut client = app.chat("drawn").await;
    let plain = client.asked("Hello").await;
    let frames = client.asked("tools").await;
    let last = frames.last().unwrap();
    let diagram = last["diagram"].as_str().unwrap();
    assert!(diagram.starts_with("erDiagram\n"), "{diagram}");
    assert_eq!(last["canvas_trigger"]["action"], "switch_view");
    assert_eq!(last["metrics"]["as_of"], json!("2026-11-20T04:30:00.000Z"));
    for key in ["diagram", "canvas_trigger", "metrics"] {
        assert!(plain.last().unwrap().get(key).is_none(), "no tool was used");
        let elsewhere = &frames[..frames.len() - 1];
        assert!(elsewhere.iter().all(|frame| frame.get(key).is_none()));
    }
    let mut again = Client::connect(app.http, "/ws/drawn?after=2", &[])
        .await
        .unwrap();
    // The log holds no partials: the echo, two tools, the answer.
    for _ in 0..3 {
        again.frame().await;
    }
    assert_eq!(again.frame().await, *last);
    app.stop().await;
}

#[tokio::test]
async fn tool_frames_come_where_the_tools_were_used() {
    let app = TestApp::start().await;
    let mut client = app.chat("tools").await;
    let frames = client.asked("tools").await;
    let before: Vec<&str> = types(&frames)
        .into_iter()
        .take_while(|&kind| kind != "tool")
        .collect();
    assert_eq!(
        before,
        ["user", "agent_partial"],
        "the text said before the tools is there first"
    );
    let tools: Vec<&Value> = frames
        .iter()
        .filter(|frame| frame["type"] == "tool")
        .collect();
    let mut names: Vec<&str> = tools
        .iter()
        .map(|tool| tool["tool_name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["list_tables", "search_columns"]);
    let list = tools
        .iter()
        .find(|tool| tool["tool_name"] == "list_tables")
        .unwrap();
    let tables: Value = serde_json::from_str(content(list)).unwrap();
    assert_eq!(tables[0]["type"], "FACT");
    let answer = content(frames.last().unwrap());
    assert_eq!(
        answer,
        "I will look.\n\nThere are facts, and there are columns in euro."
    );
    app.stop().await;
}

#[tokio::test]
async fn an_answer_that_comes_at_once_still_has_a_partial() {
    let app = TestApp::start().await;
    let mut client = app.chat("fast").await;
    for _ in 0..5 {
        let frames = client.asked("fast").await;
        assert!(types(&frames).contains(&"agent_partial"));
    }
    app.stop().await;
}

#[tokio::test]
async fn a_long_answer_is_conflated_and_whole() {
    let app = TestApp::start().await;
    let mut client = app.chat("long").await;
    let frames = client.asked("long").await;
    assert_eq!(content(frames.last().unwrap()).len(), 100_000);
    assert!(
        frames.len() < 200,
        "20,000 pieces are {} frames",
        frames.len()
    );
    app.stop().await;
}

#[tokio::test]
async fn questions_sent_at_once_are_answered_one_after_the_other() {
    let app = TestApp::start().await;
    let mut client = app.chat("queue").await;
    for question in ["slow", "tools", "third"] {
        client.ask(question).await;
    }
    for question in ["slow", "tools", "third"] {
        let frames = client.turn().await;
        assert_eq!(content(&frames[0]), question);
        assert_eq!(frames.last().unwrap()["type"], "agent");
    }
    app.stop().await;
}

#[tokio::test]
async fn every_connection_of_a_session_sees_every_turn() {
    let app = TestApp::start().await;
    let mut first = app.chat("shared").await;
    let mut second = app.chat("shared").await;
    // A frame sent and answered shows that the second connection is attached.
    second.send_json(json!({ "content": 1 })).await;
    second.frame().await;
    first.ask("slow").await;
    let (ours, theirs) = (first.turn().await, second.turn().await);
    assert_eq!(ours[0]["turn_id"], theirs[0]["turn_id"]);
    assert_eq!(ours.last(), theirs.last());
    app.stop().await;
}

#[tokio::test]
async fn a_connection_in_the_middle_of_a_turn_is_attached_to_it() {
    let app = TestApp::start().await;
    let mut first = app.chat("attach").await;
    first.ask("slow").await;
    while first.frame().await["type"] != "agent_partial" {}
    let mut late = app.chat("attach").await;
    let partial = late.frame().await;
    assert_eq!(partial["type"], "agent_partial");
    assert!(content(&partial).starts_with("slowly "));
    let mut last = partial;
    while last["type"] == "agent_partial" {
        last = late.frame().await;
    }
    assert_eq!(last["type"], "agent");
    app.stop().await;
}

#[tokio::test]
async fn a_turn_goes_on_without_its_client_and_is_there_afterwards() {
    let app = TestApp::start().await;
    let mut client = app.chat("gone").await;
    client.ask("slow").await;
    assert_eq!(client.frame().await["type"], "user");
    drop(client);
    let mut back = Client::connect(app.http, "/ws/gone?after=1", &[])
        .await
        .unwrap();
    let mut last = back.frame().await;
    while last["type"] == "agent_partial" {
        last = back.frame().await;
    }
    assert_eq!(last["type"], "agent");
    assert_eq!(content(&last), "slowly ".repeat(30));
    app.stop().await;
}

#[tokio::test]
async fn after_sends_the_log_from_that_position() {
    let app = TestApp::start().await;
    let mut client = app.chat("after").await;
    client.asked("tools").await;
    client.asked("Hello").await;
    let mut whole = Client::connect(app.http, "/ws/after?after=0", &[])
        .await
        .unwrap();
    let mut seen = vec![];
    for _ in 0..6 {
        seen.push(whole.frame().await);
    }
    assert_eq!(
        types(&seen),
        ["user", "tool", "tool", "agent", "user", "agent"]
    );
    assert!(whole.is_quiet(Duration::from_millis(100)).await);
    let last_seen = seen[3]["seq"].as_u64().unwrap();
    let path = format!("/ws/after?after={last_seen}");
    let mut rest = Client::connect(app.http, &path, &[]).await.unwrap();
    assert_eq!(rest.frame().await, seen[4]);
    assert_eq!(rest.frame().await, seen[5]);
    app.stop().await;
}

#[tokio::test]
async fn a_position_beyond_the_end_is_a_gap_and_the_log_follows() {
    let app = TestApp::start().await;
    let mut client = app.chat("gap").await;
    client.asked("Hello").await;
    let mut lost = Client::connect(app.http, "/ws/gap?after=99", &[])
        .await
        .unwrap();
    assert_eq!(lost.frame().await["type"], "gap");
    assert_eq!(lost.frame().await["type"], "user");
    assert_eq!(lost.frame().await["type"], "agent");
    app.stop().await;
}

#[tokio::test]
async fn the_same_id_never_runs_twice() {
    let app = TestApp::start().await;
    let mut client = app.chat("twice").await;
    let question = json!({ "content": "tools", "id": "q-1" });
    client.send_json(question.clone()).await;
    let first = client.turn().await;
    assert_eq!(first[0]["id"], "q-1");

    client.send_json(question.clone()).await;
    let again: Vec<Value> = vec![
        client.frame().await,
        client.frame().await,
        client.frame().await,
        client.frame().await,
    ];
    assert_eq!(types(&again), ["user", "tool", "tool", "agent"]);
    assert_eq!(again[0], first[0]);
    assert_eq!(again.last(), first.last());

    let mut elsewhere = app.chat("twice").await;
    elsewhere.send_json(question).await;
    assert_eq!(elsewhere.frame().await, first[0]);

    client
        .send_json(json!({ "content": "another", "id": "q-1" }))
        .await;
    let conflict = client.frame().await;
    assert_eq!(conflict["type"], "error");
    assert!(content(&conflict).contains("new id"), "{conflict}");
    assert_eq!(conflict["id"], "q-1");
    assert_eq!(
        client.asked("Hello").await[0]["seq"],
        7,
        "nothing else got into the log"
    );
    app.stop().await;
}

#[tokio::test]
async fn the_same_id_during_its_turn_is_answered_once() {
    let app = TestApp::start().await;
    let mut client = app.chat("twice-live").await;
    let question = json!({ "content": "slow", "id": "q" });
    client.send_json(question.clone()).await;
    while client.frame().await["type"] != "agent_partial" {}
    client.send_json(question).await;
    let mut last = client.frame().await;
    while last["type"] == "agent_partial" {
        last = client.frame().await;
    }
    assert_eq!(last["type"], "agent");
    assert!(client.is_quiet(Duration::from_millis(150)).await);
    app.stop().await;
}

#[tokio::test]
async fn cancel_ends_a_turn_with_the_text_so_far() {
    let app = TestApp::start().await;
    let mut client = app.chat("cancel").await;
    client.ask("hang").await;
    let mut frames = vec![client.frame().await, client.frame().await];
    client.send_json(json!({ "type": "cancel" })).await;
    frames.push(client.frame().await);
    assert_eq!(types(&frames), ["user", "agent_partial", "agent"]);
    assert_eq!(frames[2]["finish"], "cancelled");
    assert_eq!(content(&frames[2]), "I begin, and then");
    // Nothing runs: nothing happens, and the session is free.
    client.send_json(json!({ "type": "cancel" })).await;
    assert_eq!(client.asked("Hello").await.last().unwrap()["type"], "agent");
    app.stop().await;
}

#[tokio::test]
async fn a_failed_turn_ends_with_an_agent_error() {
    let app = TestApp::start().await;
    let mut client = app.chat("broken").await;
    let frames = client.asked("broken").await;
    let last = frames.last().unwrap();
    assert_eq!(last["type"], "error");
    assert_eq!(
        content(last),
        "Agent error: the model is overloaded. Ask again in a minute."
    );
    assert_eq!(client.asked("Hello").await.last().unwrap()["type"], "agent");
    app.stop().await;
}

#[tokio::test]
async fn a_model_that_calls_tools_for_ever_is_stopped() {
    let app = TestApp::with(|config| config.agent.max_steps = 3).await;
    let mut client = app.chat("steps").await;
    let frames = client.asked("for ever").await;
    assert_eq!(types(&frames), ["user", "tool", "tool", "tool", "error"]);
    assert!(content(&frames[4]).starts_with("Agent error: no answer after 3 steps"));
    app.stop().await;
}

#[tokio::test]
async fn an_unknown_tool_is_told_to_the_model_not_to_the_client() {
    let app = TestApp::start().await;
    let mut client = app.chat("unknown-tool").await;
    let frames = client.asked("bad tool").await;
    let tool: Value = serde_json::from_str(content(&frames[1])).unwrap();
    assert!(tool["error"].is_string(), "{tool}");
    assert_eq!(frames.last().unwrap()["type"], "agent");
    app.stop().await;
}

#[tokio::test]
async fn a_turn_has_a_time_limit() {
    let app = TestApp::with(|config| {
        config.agent.turn_timeout = Duration::from_millis(200);
    })
    .await;
    let mut client = app.chat("timeout").await;
    let frames = client.asked("hang").await;
    let last = frames.last().unwrap();
    assert!(
        content(last).starts_with("Agent error: the answer took longer"),
        "{last}"
    );
    app.stop().await;
}

#[tokio::test]
async fn the_rate_is_limited_per_session_over_all_its_connections() {
    let app = TestApp::start().await;
    let mut client = app.chat("rate").await;
    let mut second = app.chat("rate").await;
    for _ in 0..20 {
        assert_eq!(client.asked("Hello").await.last().unwrap()["type"], "agent");
    }
    client.ask("one more").await;
    let refused = client.frame().await;
    assert_eq!(refused["type"], "error");
    assert!(content(&refused).contains("try again in "), "{refused}");
    while second.frame().await["seq"] != 40 {}
    second.ask("one more").await;
    assert_eq!(second.frame().await["type"], "error");
    let mut neighbour = app.chat("rate-neighbour").await;
    assert_eq!(
        neighbour.asked("Hello").await.last().unwrap()["type"],
        "agent"
    );
    app.stop().await;
}

#[tokio::test]
async fn a_caller_s_trace_is_the_turn_s() {
    let app = TestApp::start().await;
    let mut client = app.chat("trace").await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    client
        .send_json(json!({ "content": "Hello", "traceparent": parent }))
        .await;
    assert_eq!(client.turn().await[0]["trace_id"], trace);
    client
        .send_json(json!({ "content": "Hello", "traceparent": "00-nonsense" }))
        .await;
    assert_ne!(client.turn().await[0]["trace_id"], trace);
    app.stop().await;
}

#[tokio::test]
async fn pings_come_in_silence_and_a_silent_client_is_given_up() {
    let app = TestApp::with(|config| {
        config.gateway.ping_interval = Duration::from_millis(50);
        config.gateway.silence_timeout = Duration::from_millis(300);
    })
    .await;
    let mut alive = app.chat("alive").await;
    let mut dead = app.chat("dead").await;
    for _ in 0..12 {
        // Reading answers the protocol's own pings.
        assert_eq!(alive.any_frame().await, json!({ "type": "ping" }));
    }
    // Not read until now: no pong was sent, so it has been dropped meanwhile.
    assert_eq!(dead.close_code().await, None);
    assert_eq!(alive.asked("Hello").await.last().unwrap()["type"], "agent");
    app.stop().await;
}

#[tokio::test]
async fn a_drain_lets_a_turn_end_and_then_says_going_away() {
    let app = TestApp::start().await;
    let mut busy = app.chat("drain-busy").await;
    let mut idle = app.chat("drain-idle").await;
    busy.ask("slow").await;
    assert_eq!(busy.frame().await["type"], "user");
    let draining = tokio::join!(app.stop(), async {
        assert_eq!(idle.close_code().await, Some(1001));
        let mut last = busy.frame().await;
        while last["type"] == "agent_partial" {
            last = busy.frame().await;
        }
        assert_eq!(last["type"], "agent");
        assert_eq!(busy.close_code().await, Some(1001));
    });
    let ((), ()) = draining;
}

#[tokio::test]
async fn a_restart_keeps_the_conversation() {
    let app = TestApp::start().await;
    let mut client = app.chat("restart").await;
    let before = client.asked("Hello").await;
    drop(client);
    let app = app.restart().await;
    let mut back = Client::connect(app.http, "/ws/restart?after=0", &[])
        .await
        .unwrap();
    assert_eq!(back.frame().await, before[0]);
    assert_eq!(
        back.frame().await["content"],
        before.last().unwrap()["content"]
    );
    app.stop().await;
}
