//! Whole turns through the product, with a model behind HTTP.

use std::time::Duration;

use dragoman::model::{self, openai};
use serde_json::json;

use super::config;
use crate::support::TestApp;
use crate::support::model_server::{ModelServer, Step, calls, error, says, stream_head, text};
use crate::support::process::Process;
use crate::traces::{Receiver, attribute, edges, hex};

async fn app(server: &ModelServer, change: impl FnOnce(&mut openai::Config)) -> TestApp {
    let mut openai = config(server);
    change(&mut openai);
    TestApp::with(|config| {
        config.model = model::Config {
            kind: model::Kind::OpenAi("small".to_owned()),
            openai,
            ..model::Config::default()
        };
    })
    .await
}

#[tokio::test]
async fn a_turn_with_a_tool_call() {
    let server = ModelServer::start([
        calls("call_1", "list_tables", r#"{"type": "FACT"}"#),
        text("There is ", "one fact table, or more."),
        text("I told you ", "a moment ago, there is at least one."),
    ])
    .await;
    let app = app(&server, |openai| {
        openai.api_key = Some(model::Secret::new("sk-1"));
    })
    .await;
    let mut client = app.chat("with-a-tool").await;
    let frames = client.asked("Which fact tables are there?").await;
    let kinds: Vec<_> = frames
        .iter()
        .map(|frame| frame["type"].as_str().unwrap())
        .collect();
    assert!(kinds.starts_with(&["user", "tool"]), "{kinds:?}");
    assert_eq!(
        frames.last().unwrap()["content"],
        "There is one fact table, or more."
    );
    let result = frames
        .iter()
        .find(|frame| frame["tool_name"] == "list_tables");
    assert!(
        result.unwrap()["content"]
            .as_str()
            .unwrap()
            .contains("fact_"),
        "{frames:#?}"
    );

    client.asked("And now?").await;
    let asked = server.asked();
    let [first, second, third] = asked.as_slice() else {
        panic!("{asked:#?}");
    };
    assert_eq!(first.header("authorization"), "Bearer sk-1");
    assert_eq!(first.body["model"], "small");
    assert_eq!(first.body["stream_options"]["include_usage"], true);
    let tools: Vec<_> = first.body["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["function"]["name"])
        .collect();
    assert!(
        tools.contains(&&json!("get_lineage")) && tools.len() >= 5,
        "{tools:?}"
    );
    let [system, question] = first.body["messages"].as_array().unwrap().as_slice() else {
        panic!("{first:#?}");
    };
    assert_eq!(system["role"], "system");
    let prompt = system["content"].as_str().unwrap();
    for words in ["language of the question", "Never invent", "not recorded"] {
        assert!(prompt.contains(words), "{words}");
    }
    assert_eq!(
        question,
        &json!({ "role": "user", "content": "Which fact tables are there?" })
    );
    let messages = second.body["messages"].as_array().unwrap();
    assert_eq!(messages[2]["tool_calls"][0]["id"], "call_1");
    assert_eq!(
        messages[2]["tool_calls"][0]["function"]["arguments"],
        r#"{"type": "FACT"}"#
    );
    assert_eq!(messages[3]["role"], "tool");
    assert_eq!(messages[3]["tool_call_id"], "call_1");
    assert!(messages[3]["content"].as_str().unwrap().contains("fact_"));
    // The turn before, with its call and its answer.
    let roles: Vec<_> = third.body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect();
    assert_eq!(
        roles,
        ["system", "user", "assistant", "tool", "assistant", "user"]
    );
    drop(client);
    app.stop().await;
}

#[tokio::test]
async fn a_failure_is_an_error_that_says_what_to_do() {
    let server = ModelServer::start([
        error(
            401,
            "invalid_api_key",
            "Incorrect API key provided: sk-1",
            "",
        ),
        vec![
            stream_head(),
            says("The first half of an answer that is long enough to be shown."),
        ],
    ])
    .await;
    let app = app(&server, |_| {}).await;
    let mut client = app.chat("fails").await;
    let frames = client.asked("Hello").await;
    let last = frames.last().unwrap();
    assert_eq!(last["type"], "error");
    let content = last["content"].as_str().unwrap();
    assert!(
        content.contains("does not accept the key") && !content.contains("sk-1"),
        "{content}"
    );
    let frames = client.asked("Hello again").await;
    assert!(frames.iter().any(|frame| frame["type"] == "agent_partial"));
    let content = frames.last().unwrap()["content"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(content.contains("cut before its end"), "{content}");
    drop(client);
    app.stop().await;
}

#[tokio::test]
async fn cancel_closes_the_connection_to_the_model() {
    let server =
        ModelServer::start([vec![stream_head(), says("I begin, and then"), Step::Hang]]).await;
    let app = app(&server, |openai| {
        openai.idle_timeout = Duration::from_secs(20);
    })
    .await;
    let mut client = app.chat("cancels").await;
    client.ask("Hello").await;
    while client.frame().await["type"] != "agent_partial" {}
    client.send_json(json!({ "type": "cancel" })).await;
    server.left().await;
    let last = client.frame().await;
    assert_eq!(last["type"], "agent", "{last}");
    drop(client);
    app.stop().await;
}

/// The gateway's trace reaches the model: the header on the wire names the span of the request to it.
#[tokio::test]
async fn one_trace_from_the_browser_to_the_model() {
    let (receiver, endpoint, _receiving) = Receiver::start().await;
    let server = ModelServer::start([
        error(
            429,
            "rate_limit_exceeded",
            "slow down",
            "retry-after-ms: 20\r\n",
        ),
        calls("call_1", "list_tables", "{}"),
        text("There are ", "some tables, as you can see above."),
    ])
    .await;
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(
        folder.path(),
        &["--model", "openai:small"],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
            ("OPENAI_BASE_URL", &server.url()),
            ("OPENAI_API_KEY", "sk-not-to-be-seen"),
        ],
    )
    .await;
    let mut client = process.chat("/ws/traced").await;
    let frames = client.asked("Which tables are there?").await;
    let trace = frames[0]["trace_id"].as_str().unwrap().to_owned();
    drop(client);
    process.signal("TERM").await;
    let ended = process.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("not-to-be-seen"));
    let line = "the model is asked again";
    assert!(ended.stderr.contains(line), "{}", ended.stderr);

    let tree = receiver.tree(&trace);
    let chats = edges(&tree);
    let chats = chats
        .iter()
        .filter(|edge| *edge == "chat small < invoke_agent explorer");
    assert_eq!(chats.count(), 2, "{:#?}", edges(&tree));
    let spans: Vec<_> = tree
        .iter()
        .filter(|span| span.name == "chat small")
        .collect();
    let asked = server.asked();
    let sent: Vec<_> = asked
        .iter()
        .map(|asked| asked.header("traceparent"))
        .collect();
    let of = |id: &[u8]| format!("00-{trace}-{}-01", hex(id));
    let (first, second) = match spans.as_slice() {
        [one, other] if of(&one.span_id) == sent[0] => (*one, *other),
        [one, other] => (*other, *one),
        _ => panic!("two requests"),
    };
    let expected = [of(&first.span_id), of(&first.span_id), of(&second.span_id)];
    assert_eq!(sent, expected, "one span for both attempts");
    let retries: Vec<_> = first
        .events
        .iter()
        .map(|event| event.name.as_str())
        .collect();
    assert_eq!(retries, ["dragoman.model.retry"]);
    assert_eq!(
        attribute(first, "dragoman.model.attempts").unwrap(),
        "IntValue(2)"
    );
    for (key, value) in [
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "small"),
        ("gen_ai.response.model", "small-2026"),
        ("gen_ai.response.id", "chatcmpl-1"),
        ("server.address", "127.0.0.1"),
    ] {
        assert_eq!(attribute(second, key).as_deref(), Some(value));
    }
    let port = format!("IntValue({})", server.address.port());
    assert_eq!(attribute(second, "server.port").unwrap(), port);
    assert_eq!(
        attribute(second, "gen_ai.usage.output_tokens").unwrap(),
        "IntValue(7)"
    );
    let reasons = attribute(second, "gen_ai.response.finish_reasons").unwrap();
    assert!(reasons.contains("stop"), "{reasons}");
    assert!(!format!("{tree:?}").contains("not-to-be-seen"));
}
