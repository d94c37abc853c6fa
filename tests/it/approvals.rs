//! Tool calls that wait until somebody allows them, over both protocols.

use std::time::Duration;

use dragoman::config::Config;
use dragoman::rpc::proto::converse_request::Request as Say;
use dragoman::rpc::proto::converse_response::Response as Said;
use dragoman::rpc::proto::event::Body;
use dragoman::rpc::proto::{
    ConverseRequest, ConverseResponse, Decide, DecideApprovalRequest, Decision, Open, Question,
};
use dragoman::tools::ToolPatterns;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use crate::support::process::Process;
use crate::support::{Client, PATIENCE, TestApp};

/// One of the two tools that the script's `tools` calls has to be allowed.
fn asks(config: &mut Config) {
    let patterns = ToolPatterns::new(vec!["search_*".to_owned()]);
    config.agent.ask = patterns.unwrap();
}

fn kind(frame: &Value) -> &str {
    frame["type"].as_str().unwrap()
}

fn kinds(frames: &[Value]) -> Vec<&str> {
    let kinds = frames.iter().map(kind);
    kinds.filter(|kind| *kind != "agent_partial").collect()
}

/// Reads up to the frame with which a call asks to be allowed.
async fn approval(client: &mut Client) -> Value {
    loop {
        let frame = client.frame().await;
        match kind(&frame) {
            "approval" => return frame,
            "agent" | "error" => panic!("{frame:#}"),
            _ => {}
        }
    }
}

/// Reads up to the next final frame.
async fn rest(client: &mut Client) -> Vec<Value> {
    let mut frames = vec![];
    loop {
        frames.push(client.frame().await);
        if ["agent", "error"].contains(&kind(frames.last().unwrap())) {
            return frames;
        }
    }
}

async fn approve(client: &mut Client, call_id: &Value, approved: bool) {
    let frame = json!({ "type": "approve", "call_id": call_id, "approved": approved });
    client.send_json(frame).await;
}

fn result_of<'a>(frames: &'a [Value], tool: &str) -> &'a str {
    let result = frames.iter().find(|frame| frame["tool_name"] == tool);
    result.unwrap()["content"].as_str().unwrap()
}

#[tokio::test]
async fn an_approved_call_is_run_and_others_do_not_wait_for_it() {
    let app = TestApp::with(asks).await;
    let (mut client, mut other) = (app.chat("approve").await, app.chat("approve").await);
    client.ask("tools").await;
    let asked = approval(&mut client).await;
    assert_eq!(asked["tool_name"], "search_columns");
    assert_eq!(asked["arguments"], r#"{"pattern":"*_eur"}"#);
    assert_eq!(asked["text_offset"], "I will look.".len());
    assert!(asked["expires_at"].as_str().unwrap().ends_with('Z'));
    let ran = client.frame().await;
    assert_eq!(
        (kind(&ran), &ran["tool_name"]),
        ("tool", &json!("list_tables"))
    );
    assert!(client.is_quiet(Duration::from_millis(300)).await);

    // Anybody of the session may say it.
    assert_eq!(approval(&mut other).await, asked);
    approve(&mut other, &asked["call_id"], true).await;
    let frames = rest(&mut client).await;
    assert_eq!(kinds(&frames), ["approval_decision", "tool", "agent"]);
    assert_eq!(frames[0]["decision"], "approved");
    assert_eq!(frames[0]["call_id"], asked["call_id"]);
    assert!(!result_of(&frames, "search_columns").contains("error"));
    assert_eq!(kinds(&rest(&mut other).await)[1..], kinds(&frames));

    // The same again is no news, and something else comes too late, also when the turn is over.
    approve(&mut client, &asked["call_id"], true).await;
    assert!(client.is_quiet(Duration::from_millis(200)).await);
    approve(&mut client, &asked["call_id"], false).await;
    let refused = client.frame().await;
    assert_eq!(kind(&refused), "error");
    assert_eq!(refused["call_id"], asked["call_id"]);
    assert!(
        refused.get("turn_id").is_none() && refused.get("id").is_none(),
        "{refused}"
    );
    assert!(
        refused["content"]
            .as_str()
            .unwrap()
            .contains("allowed already"),
        "{refused}"
    );
    app.stop().await;
}

#[tokio::test]
async fn a_denied_call_is_not_run_and_the_turn_goes_on() {
    let app = TestApp::with(asks).await;
    let mut client = app.chat("deny").await;
    client.ask("tools").await;
    let asked = approval(&mut client).await;
    approve(&mut client, &asked["call_id"], false).await;
    let frames = rest(&mut client).await;
    let denied = frames
        .iter()
        .find(|frame| kind(frame) == "approval_decision");
    assert_eq!(denied.unwrap()["decision"], "denied");
    let result = result_of(&frames, "search_columns");
    assert!(
        result.contains("the user did not allow this call"),
        "{result}"
    );
    assert_eq!(kind(frames.last().unwrap()), "agent");
    app.stop().await;
}

#[tokio::test]
async fn nobody_there_is_a_no_and_costs_the_turn_no_time() {
    let app = TestApp::with(|config| {
        asks(config);
        config.agent.approval_timeout = Duration::from_millis(1_500);
        config.agent.turn_timeout = Duration::from_secs(1);
    })
    .await;
    let mut client = app.chat("nobody").await;
    client.ask("tools").await;
    let asked = approval(&mut client).await;
    let since = Instant::now();
    let frames = rest(&mut client).await;
    assert!(
        since.elapsed() > Duration::from_millis(1_300),
        "{:?}",
        since.elapsed()
    );
    let late = frames
        .iter()
        .find(|frame| kind(frame) == "approval_decision");
    assert_eq!(late.unwrap()["decision"], "timed_out");
    assert!(result_of(&frames, "search_columns").contains("did not allow this call within 1 s"));
    assert_eq!(kind(frames.last().unwrap()), "agent", "{frames:#?}");
    approve(&mut client, &asked["call_id"], true).await;
    let refused = client.frame().await;
    assert!(
        refused["content"].as_str().unwrap().contains("in time"),
        "{refused}"
    );
    app.stop().await;
}

#[tokio::test]
async fn a_cancel_ends_a_turn_that_waits_and_the_question_with_it() {
    let app = TestApp::with(asks).await;
    let mut client = app.chat("cancel").await;
    client.ask("tools").await;
    let asked = approval(&mut client).await;
    client.send_json(json!({ "type": "cancel" })).await;
    let frames = rest(&mut client).await;
    assert_eq!(frames.last().unwrap()["finish"], "cancelled");
    assert!(
        !kinds(&frames).contains(&"approval_decision"),
        "{frames:#?}"
    );
    approve(&mut client, &asked["call_id"], true).await;
    let refused = client.frame().await;
    assert!(
        refused["content"]
            .as_str()
            .unwrap()
            .contains("No such call"),
        "{refused}"
    );
    // Nothing of it is left in the next turn.
    assert_eq!(kind(client.asked("Hello").await.last().unwrap()), "agent");
    app.stop().await;
}

#[tokio::test]
async fn who_comes_later_is_asked_too_with_a_position_and_without() {
    let app = TestApp::with(asks).await;
    let mut client = app.chat("later").await;
    client.ask("tools").await;
    let asked = approval(&mut client).await;
    assert_eq!(kind(&client.frame().await), "tool");
    drop(client);

    let mut live = app.chat("later").await;
    assert_eq!(live.frame().await, asked);
    let partial = live.frame().await;
    assert_eq!(
        (kind(&partial), &partial["content"]),
        ("agent_partial", &json!("I will look."))
    );
    let path = "/ws/later?after=0";
    let mut whole = Client::connect(app.http, path, &[]).await.unwrap();
    let mut first = vec![];
    while first.last().is_none_or(|frame| kind(frame) != "tool") {
        first.push(whole.frame().await);
    }
    assert_eq!(kinds(&first), ["user", "approval", "tool"]);
    let path = format!("/ws/later?after={}", asked["seq"]);
    let mut behind = Client::connect(app.http, &path, &[]).await.unwrap();
    while kind(&behind.frame().await) != "tool" {}

    approve(&mut live, &asked["call_id"], true).await;
    for client in [&mut live, &mut whole, &mut behind] {
        let frames = rest(client).await;
        assert_eq!(kinds(&frames), ["approval_decision", "tool", "agent"]);
    }
    // What was decided is not asked again. The end may be owed to the one who was cut.
    let mut after = app.chat("later").await;
    while let Ok(frame) = timeout(Duration::from_millis(200), after.frame()).await {
        assert_eq!(kind(&frame), "agent");
    }
    let mut again = Client::connect(app.http, "/ws/later?after=0", &[])
        .await
        .unwrap();
    let frames = rest(&mut again).await;
    let log = [
        "user",
        "approval",
        "tool",
        "approval_decision",
        "tool",
        "agent",
    ];
    assert_eq!(kinds(&frames), log);
    app.stop().await;
}

#[tokio::test]
async fn each_of_several_calls_is_asked_for_and_decided_by_itself() {
    let app = TestApp::with(|config| {
        config.agent.ask = ToolPatterns::new(vec!["*".to_owned()]).unwrap();
    })
    .await;
    let mut client = app.chat("several").await;
    client.ask("tools").await;
    let (first, second) = (approval(&mut client).await, approval(&mut client).await);
    assert_eq!(first["tool_name"], "list_tables");
    assert_eq!(second["tool_name"], "search_columns");
    assert!(client.is_quiet(Duration::from_millis(200)).await);
    approve(&mut client, &second["call_id"], true).await;
    let decided = client.frame().await;
    assert_eq!(decided["call_id"], second["call_id"]);
    assert_eq!(client.frame().await["tool_name"], "search_columns");
    approve(&mut client, &first["call_id"], false).await;
    let frames = rest(&mut client).await;
    assert!(result_of(&frames, "list_tables").contains("did not allow"));
    app.stop().await;
}

#[tokio::test]
async fn a_decision_that_cannot_be_taken_is_refused_and_changes_nothing() {
    let app = TestApp::with(asks).await;
    let (mut client, mut other) = (app.chat("bad").await, app.chat("bad-other").await);
    client.ask("tools").await;
    let asked = approval(&mut client).await;
    client.frame().await;
    let call_id = asked["call_id"].clone();
    let turn = "0e4c1f9a5d8b4c0f9a7e6d5c4b3a2910";
    for (frame, says) in [
        (json!({ "approved": true }), "call_id"),
        (json!({ "call_id": 7, "approved": true }), "call_id"),
        (
            json!({ "call_id": call_id }),
            "approved must be true or false",
        ),
        (
            json!({ "call_id": call_id, "approved": "yes" }),
            "approved must be",
        ),
        (
            json!({ "call_id": call_id, "approved": 1 }),
            "approved must be",
        ),
        (
            json!({ "call_id": call_id, "approved": true, "turn_id": "x" }),
            "turn id",
        ),
        (
            json!({ "call_id": call_id, "approved": true, "turn_id": turn }),
            "No such call",
        ),
        (
            json!({ "call_id": "another", "approved": true }),
            "No such call",
        ),
        (
            json!({ "call_id": "x".repeat(1_000), "approved": true }),
            "256 bytes",
        ),
    ] {
        let mut frame = frame;
        frame["type"] = json!("approve");
        client.send_json(frame.clone()).await;
        let refused = client.frame().await;
        assert_eq!(kind(&refused), "error", "{frame}");
        assert!(refused.get("turn_id").is_none(), "{refused}");
        assert!(
            refused["content"].as_str().unwrap().contains(says),
            "{frame}: {refused}"
        );
    }
    // The call of another session.
    approve(&mut other, &call_id, true).await;
    assert!(
        other.frame().await["content"]
            .as_str()
            .unwrap()
            .contains("No such call")
    );
    approve(&mut client, &call_id, true).await;
    assert_eq!(
        kinds(&rest(&mut client).await),
        ["approval_decision", "tool", "agent"]
    );
    app.stop().await;
}

/// A conversation over gRPC.
struct Conversation {
    requests: mpsc::Sender<ConverseRequest>,
    responses: Streaming<ConverseResponse>,
}

impl Conversation {
    async fn open(app: &TestApp, session: &str) -> Self {
        let (requests, receiver) = mpsc::channel(16);
        let call = ReceiverStream::new(receiver);
        let conversation = Self {
            responses: app.grpc().await.converse(call).await.unwrap().into_inner(),
            requests,
        };
        let open = Open {
            session_id: session.to_owned(),
            ..Open::default()
        };
        conversation.say(Say::Open(open)).await;
        conversation
    }

    async fn say(&self, request: Say) {
        let request = Some(request);
        self.requests
            .send(ConverseRequest { request })
            .await
            .unwrap();
    }

    async fn said(&mut self) -> Said {
        let response = timeout(PATIENCE, self.responses.message()).await.unwrap();
        response.unwrap().unwrap().response.unwrap()
    }

    /// Reads up to the event with which a call asks to be allowed: turn and call.
    async fn asked(&mut self) -> (String, String) {
        loop {
            if let Said::Event(event) = self.said().await
                && let Some(Body::ApprovalRequest(request)) = event.body
            {
                return (event.turn_id, request.call_id);
            }
        }
    }

    /// The answer to a decision, or the decision's event.
    async fn decided(&mut self) -> Said {
        loop {
            match self.said().await {
                said @ (Said::Decided(_) | Said::Rejected(_)) => return said,
                _ => {}
            }
        }
    }
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

#[tokio::test]
async fn over_grpc_a_decision_is_acknowledged_and_the_first_one_counts() {
    let app = TestApp::with(asks).await;
    let mut stream = Conversation::open(&app, "grpc").await;
    stream
        .say(Say::Ask(Question {
            content: "tools".to_owned(),
            ..Question::default()
        }))
        .await;
    let (turn_id, call_id) = stream.asked().await;
    // Another stream that comes in the middle is asked as well, though the request is before its start.
    let mut late = Conversation::open(&app, "grpc").await;
    assert_eq!(late.asked().await, (turn_id.clone(), call_id.clone()));

    let decide = |approved, call_id: &str| Decide {
        turn_id: String::new(),
        call_id: call_id.to_owned(),
        approved,
    };
    late.say(Say::Decide(decide(true, "another"))).await;
    let Said::Rejected(rejected) = late.decided().await else {
        panic!("taken")
    };
    assert_eq!(
        (rejected.call_id.as_str(), rejected.request_id.as_str()),
        ("another", "")
    );
    assert_eq!(rejected.status.unwrap().code, Code::NotFound as i32);
    late.say(Say::Decide(decide(false, &call_id))).await;
    let Said::Decided(decided) = late.decided().await else {
        panic!("refused")
    };
    assert_eq!((&decided.turn_id, &decided.call_id), (&turn_id, &call_id));
    assert_eq!(decided.decision(), Decision::Denied);

    let mut client = app.grpc().await;
    let request = |approved| DecideApprovalRequest {
        session_id: "grpc".to_owned(),
        turn_id: turn_id.clone(),
        call_id: call_id.clone(),
        approved,
    };
    let again = client.decide_approval(request(false)).await.unwrap();
    assert_eq!(again.into_inner().decision(), Decision::Denied);
    let otherwise = client.decide_approval(request(true)).await.unwrap_err();
    assert_eq!(otherwise.code(), Code::FailedPrecondition);
    assert_eq!(reason(&otherwise), "ALREADY_DECIDED");
    let unknown = DecideApprovalRequest {
        call_id: "another".to_owned(),
        ..request(true)
    };
    let unknown = client.decide_approval(unknown).await.unwrap_err();
    assert_eq!(
        (unknown.code(), reason(&unknown).as_str()),
        (Code::NotFound, "NOT_WAITING")
    );
    let empty = DecideApprovalRequest {
        call_id: String::new(),
        ..request(true)
    };
    let empty = client.decide_approval(empty).await.unwrap_err();
    assert_eq!(empty.code(), Code::InvalidArgument);
    app.stop().await;
}

#[tokio::test]
async fn a_unary_call_allows_what_a_websocket_client_asked_for() {
    let app = TestApp::with(asks).await;
    let mut client = app.chat("unary").await;
    client.ask("tools").await;
    let asked = approval(&mut client).await;
    let request = DecideApprovalRequest {
        session_id: "unary".to_owned(),
        turn_id: String::new(),
        call_id: asked["call_id"].as_str().unwrap().to_owned(),
        approved: true,
    };
    let decided = app.grpc().await.decide_approval(request).await.unwrap();
    assert_eq!(
        decided.get_ref().turn_id,
        asked["turn_id"].as_str().unwrap()
    );
    assert_eq!(decided.get_ref().decision(), Decision::Approved);
    assert!(kinds(&rest(&mut client).await).contains(&"approval_decision"));
    app.stop().await;
}

#[tokio::test]
async fn a_process_that_is_killed_takes_the_question_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let setting = [("DRAGOMAN_TOOLS_ASK", "search_columns")];
    let process = Process::start(folder.path(), &[], &setting).await;
    let mut client = process.chat("/ws/killed").await;
    client.ask("tools").await;
    let asked = approval(&mut client).await;
    process.kill().await;

    let process = Process::start(folder.path(), &[], &setting).await;
    let mut client = process.chat("/ws/killed?after=0").await;
    let frames = rest(&mut client).await;
    assert_eq!(kind(frames.last().unwrap()), "error", "{frames:#?}");
    assert!(kinds(&frames).contains(&"approval"));
    approve(&mut client, &asked["call_id"], true).await;
    let refused = client.frame().await;
    assert!(
        refused["content"]
            .as_str()
            .unwrap()
            .contains("No such call"),
        "{refused}"
    );
    assert_eq!(kind(client.asked("Hello").await.last().unwrap()), "agent");
    process.signal("TERM").await;
    assert_eq!(process.ended().await.code, Some(0));
}
