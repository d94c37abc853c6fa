//! Whole turns through the product, with a model behind HTTP.

use dragoman::model;
use serde_json::{Value, json};

use super::config;
use super::wire::{calls, error, text};
use crate::support::TestApp;
use crate::support::model_server::ModelServer;
use crate::support::process::Process;
use crate::traces::{Receiver, attribute, edges, hex};

#[tokio::test]
async fn a_turn_with_a_tool_call() {
    let server = ModelServer::start([
        calls("toolu_1", "list_tables", r#"{"type": "FACT"}"#),
        text("There is ", "one fact table, or more."),
        text("I told you ", "a moment ago, there is at least one."),
    ])
    .await;
    let app = TestApp::with(|settings| {
        settings.model = model::Config {
            kind: model::Kind::Anthropic("small".to_owned()),
            anthropic: config(&server),
            ..model::Config::default()
        };
    })
    .await;
    let mut client = app.chat("with-a-tool").await;
    let frames = client.asked("Which fact tables are there?").await;
    let told: Vec<_> = frames.iter().map(ToString::to_string).collect();
    assert!(!told.concat().contains("secret thought"), "{told:#?}");
    assert_eq!(
        frames.last().unwrap()["content"],
        "Let me look that up.\n\nThere is one fact table, or more."
    );
    client.asked("And now?").await;

    let asked = server.asked();
    let [first, second, third] = asked.as_slice() else {
        panic!("{asked:#?}");
    };
    let tools = first.body["tools"].as_array().unwrap();
    let lineage = tools.iter().find(|tool| tool["name"] == "get_lineage");
    assert_eq!(lineage.unwrap()["input_schema"]["type"], "object");
    let kept = json!({ "type": "ephemeral" });
    let messages = second.body["messages"].as_array().unwrap();
    assert_eq!(messages[1]["content"][0]["text"], "Let me look that up.");
    let expected = json!({ "type": "tool_use", "id": "toolu_1", "name": "list_tables", "input": { "type": "FACT" } });
    assert_eq!(messages[1]["content"][1], expected);
    let result = &messages[2]["content"][0];
    assert_eq!(
        (&messages[2]["role"], &result["type"]),
        (&json!("user"), &json!("tool_result"))
    );
    assert_eq!(result["tool_use_id"], "toolu_1");
    assert!(result["content"].as_str().unwrap().contains("fact_"));

    // Marks: after the system prompt, and after the newest message, wherever that is by now.
    for asked in &asked {
        assert_eq!(asked.body["system"][0]["cache_control"], kept);
        let messages = asked.body["messages"].as_array().unwrap();
        let newest = messages.last().unwrap()["content"].as_array().unwrap();
        assert_eq!(newest.last().unwrap()["cache_control"], kept);
        assert_eq!(asked.body.to_string().matches("cache_control").count(), 2);
    }
    // All that is before a mark is sent again as it was, or nothing is found there.
    let before = |body: &Value, count: usize| {
        let mut messages = body["messages"].as_array().unwrap()[..count].to_vec();
        for part in messages
            .iter_mut()
            .flat_map(|message| message["content"].as_array_mut().unwrap())
        {
            part.as_object_mut().unwrap().remove("cache_control");
        }
        (body["system"].clone(), body["tools"].clone(), messages)
    };
    assert_eq!(before(&first.body, 1), before(&second.body, 1));
    let roles: Vec<_> = third.body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant", "user"]);
    drop(client);
    app.stop().await;
}

/// The gateway's trace reaches the model: the header on the wire names the span of the request to it.
#[tokio::test]
async fn one_trace_from_the_browser_to_the_model() {
    let (receiver, endpoint, _receiving) = Receiver::start().await;
    let server = ModelServer::start([
        error(
            529,
            "overloaded_error",
            "Overloaded",
            "retry-after: 0.02\r\n",
        ),
        text("There are ", "some tables, as you can see above."),
    ])
    .await;
    let folder = tempfile::tempdir().unwrap();
    let base_url = format!("http://{}", server.address);
    let process = Process::start(
        folder.path(),
        &["--model", "anthropic:small"],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
            ("ANTHROPIC_BASE_URL", &base_url),
            ("ANTHROPIC_API_KEY", "sk-ant-not-to-be-seen"),
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

    let tree = receiver.tree(&trace);
    let chat = tree.iter().find(|span| span.name == "chat small");
    let chat = chat.unwrap_or_else(|| panic!("{:#?}", edges(&tree)));
    let sent = format!("00-{trace}-{}-01", hex(&chat.span_id));
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    for asked in &asked {
        assert_eq!(asked.header("traceparent"), sent);
    }
    assert_eq!(chat.events[0].name, "dragoman.model.retry");
    let port = format!("IntValue({})", server.address.port());
    for (key, value) in [
        ("gen_ai.provider.name", "anthropic"),
        ("gen_ai.request.model", "small"),
        ("gen_ai.response.model", "small-2026"),
        ("gen_ai.response.id", "msg_01"),
        ("server.address", "127.0.0.1"),
        ("server.port", &port),
        ("dragoman.model.attempts", "IntValue(2)"),
        ("gen_ai.usage.input_tokens", "IntValue(2311)"),
        ("gen_ai.usage.cache_read.input_tokens", "IntValue(2000)"),
        ("gen_ai.usage.cache_write.input_tokens", "IntValue(300)"),
        ("gen_ai.usage.output_tokens", "IntValue(7)"),
    ] {
        assert_eq!(attribute(chat, key).as_deref(), Some(value), "{key}");
    }
    let reasons = attribute(chat, "gen_ai.response.finish_reasons").unwrap();
    assert!(reasons.contains("end_turn"), "{reasons}");
    assert!(!format!("{tree:?}").contains("not-to-be-seen"));
}
