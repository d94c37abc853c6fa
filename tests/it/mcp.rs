//! A call of an MCP server's tool in the trace of its turn. What else servers do is tested in Python, with real ones.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

use crate::support::process::Process;
use crate::traces::{Receiver, attribute, edges, hex};

/// What the server was asked, with the `traceparent` of the request's head.
type Asked = Arc<Mutex<Vec<(Value, Option<String>)>>>;

/// Two tools: one answers, one fails.
async fn answer(State(asked): State<Asked>, headers: HeaderMap, body: String) -> Response {
    let request: Value = serde_json::from_str(&body).unwrap();
    let traceparent = headers
        .get("traceparent")
        .map(|value| value.to_str().unwrap().to_owned());
    asked.lock().unwrap().push((request.clone(), traceparent));
    let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
    let text = |text: &str| json!([{"type": "text", "text": text}]);
    let result = match request["method"].as_str().unwrap() {
        "initialize" => json!({
            "protocolVersion": request["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "wiki", "version": "1"},
        }),
        "tools/list" => json!({"tools": [tool("search"), tool("break")]}),
        "tools/call" if request["params"]["name"] == "search" => json!({"content": text("found")}),
        "tools/call" => json!({"content": text("a secret reason"), "isError": true}),
        _ => return StatusCode::ACCEPTED.into_response(),
    };
    let answer = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
    ([("content-type", "application/json")], answer.to_string()).into_response()
}

#[tokio::test]
async fn a_call_is_a_span_below_its_tool_and_goes_on_at_the_server() {
    let asked = Asked::default();
    let server = axum::Router::new()
        .route("/mcp", post(answer))
        .with_state(Arc::clone(&asked));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, server).await });
    let (receiver, endpoint, _receiving) = Receiver::start().await;

    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("calls.json");
    let call = |name: &str| json!({"call": {"name": name, "arguments": {"words": "x"}}});
    let steps = json!([[call("wiki__search"), call("wiki__break")], [{"text": "Done."}]]);
    let scenarios = json!({"scenarios": [{"steps": steps}]});
    std::fs::write(&script, scenarios.to_string()).unwrap();
    let process = Process::start(
        folder.path(),
        &["--model", &format!("scripted:{}", script.display())],
        &[
            (
                "DRAGOMAN_MCP_WIKI_URL",
                &format!("http://127.0.0.1:{port}/mcp"),
            ),
            ("DRAGOMAN_MCP_WIKI_TOOLS", "*"),
            ("DRAGOMAN_MCP_WIKI_REQUIRED", "true"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ],
    )
    .await;
    let mut client = process.chat("/ws/wiki").await;
    let frames = client.asked("Search.").await;
    assert_eq!(frames.last().unwrap()["type"], "agent");
    let contents: Vec<&str> = frames
        .iter()
        .filter(|frame| frame["type"] == "tool")
        .map(|frame| frame["content"].as_str().unwrap())
        .collect();
    assert!(contents.contains(&r#"{"text":"found"}"#), "{contents:?}");
    assert!(
        contents.contains(&r#"{"error":"a secret reason"}"#),
        "{contents:?}"
    );
    process.signal("TERM").await;
    let ended = process.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("MCP servers: wiki (2 tools)"),
        "{}",
        ended.stderr
    );

    let tree = receiver.tree(frames[0]["trace_id"].as_str().unwrap());
    let edges = edges(&tree);
    for edge in [
        "execute_tool wiki__search < invoke_agent explorer",
        "tools/call search < execute_tool wiki__search",
        "tools/call break < execute_tool wiki__break",
    ] {
        assert!(
            edges.iter().any(|found| found == edge),
            "{edge} in {edges:#?}"
        );
    }
    let asked = asked.lock().unwrap();
    for (name, error) in [("search", None), ("break", Some("tool_error"))] {
        let name = format!("tools/call {name}");
        let span = tree.iter().find(|span| span.name == name).unwrap();
        assert_eq!(attribute(span, "mcp.method.name").unwrap(), "tools/call");
        assert_eq!(attribute(span, "server.address").unwrap(), "127.0.0.1");
        assert_eq!(attribute(span, "error.type").as_deref(), error);
        let traceparent = format!("00-{}-{}-01", hex(&span.trace_id), hex(&span.span_id));
        let sent = asked
            .iter()
            .find(|(request, _)| request["params"]["_meta"]["traceparent"] == traceparent.as_str());
        let (_, header) = sent.unwrap_or_else(|| panic!("{traceparent} in {asked:#?}"));
        assert_eq!(header.as_deref(), Some(&*traceparent));
    }
    assert!(
        !format!("{tree:?}").contains("secret"),
        "contents are not recorded"
    );
}
