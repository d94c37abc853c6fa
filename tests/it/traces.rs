//! One turn is one trace: what the real binary sends to an OTLP receiver.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

use crate::support::process::Process;

/// Keeps what it is sent.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    spans: Arc<Mutex<Vec<Span>>>,
    /// Names of metrics.
    metrics: Arc<Mutex<BTreeSet<String>>>,
}

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let metrics = request.into_inner().resource_metrics.into_iter();
        let metrics = metrics
            .flat_map(|resource| resource.scope_metrics)
            .flat_map(|scope| scope.metrics);
        let names = metrics.map(|metric| metric.name);
        self.metrics.lock().unwrap().extend(names);
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let spans = request.into_inner().resource_spans.into_iter();
        let spans = spans
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans);
        self.spans.lock().unwrap().extend(spans);
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Receiver {
    /// It receives as long as the returned set is kept.
    pub(crate) async fn start() -> (Self, String, JoinSet<Result<(), tonic::transport::Error>>) {
        let receiver = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(receiver.clone()))
            .add_service(MetricsServiceServer::new(receiver.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        let mut tasks = JoinSet::new();
        tasks.spawn(server);
        (receiver, endpoint, tasks)
    }

    /// The spans of this name, in the order they began.
    pub(crate) fn named(&self, name: &str) -> Vec<Span> {
        let mut spans = self.spans.lock().unwrap().clone();
        spans.retain(|span| span.name == name);
        spans.sort_by_key(|span| span.start_time_unix_nano);
        spans
    }

    /// The spans of one trace by id; each parent among them but the root's.
    pub(crate) fn tree(&self, trace: &str) -> Vec<Span> {
        let spans = self.spans.lock().unwrap();
        spans
            .iter()
            .filter(|span| hex(&span.trace_id) == trace)
            .cloned()
            .collect()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// `child < parent` for every span, sorted.
pub(crate) fn edges(spans: &[Span]) -> Vec<String> {
    let names: BTreeMap<&[u8], &str> = spans
        .iter()
        .map(|span| (span.span_id.as_slice(), span.name.as_str()))
        .collect();
    let mut edges: Vec<String> = spans
        .iter()
        .map(|span| {
            let parent = names.get(span.parent_span_id.as_slice()).copied();
            format!("{} < {}", span.name, parent.unwrap_or("(outside)"))
        })
        .collect();
    edges.sort();
    edges
}

pub(crate) fn attribute(span: &Span, key: &str) -> Option<String> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let found = span
        .attributes
        .iter()
        .find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        other => Some(format!("{other:?}")),
    }
}

#[tokio::test]
async fn every_turn_is_one_connected_tree_whatever_its_end() {
    let (receiver, endpoint, _receiving) = Receiver::start().await;
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(
        folder.path(),
        &[],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ],
    )
    .await;
    let mut client = process.chat("/ws/traced").await;

    // A caller's trace, two tools.
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let caller = "b7ad6b7169203331";
    client
        .send_json(json!({ "content": "tools", "traceparent": format!("00-{trace}-{caller}-01") }))
        .await;
    let with_tools = client.turn().await;
    assert_eq!(with_tools[0]["trace_id"], trace);
    let failed = client.asked("broken").await;
    client.ask("hang").await;
    let cancelled = client.frame().await;
    client.frame().await;
    client.send_json(json!({ "type": "cancel" })).await;
    client.frame().await;
    // The client leaves; the turn goes on until the process is told to stop at once.
    let mut leaving = process.chat("/ws/leaving").await;
    leaving.ask("hang").await;
    let left = leaving.frame().await;
    leaving.frame().await;
    drop(leaving);
    tokio::time::sleep(Duration::from_millis(300)).await;
    process.signal("TERM").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    process.signal("TERM").await;
    let ended = process.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let rpc = "dragoman.chat.v1.Chat/Converse";
    let tree = receiver.tree(trace);
    assert_eq!(
        edges(&tree),
        [
            "chat scripted < invoke_agent explorer".to_owned(),
            "chat scripted < invoke_agent explorer".to_owned(),
            format!("{rpc} < {rpc}"),
            format!("{rpc} < websocket turn"),
            "execute_tool list_tables < invoke_agent explorer".to_owned(),
            "execute_tool search_columns < invoke_agent explorer".to_owned(),
            format!("invoke_agent explorer < {rpc}"),
            "websocket turn < (outside)".to_owned(),
        ]
    );
    let root = tree
        .iter()
        .find(|span| span.name == "websocket turn")
        .unwrap();
    assert_eq!(hex(&root.parent_span_id), caller);
    assert!(attribute(root, "dragoman.turn.time_to_first_partial").is_some());
    assert_eq!(attribute(root, "gen_ai.conversation.id").unwrap(), "traced");
    let agent = tree
        .iter()
        .find(|span| span.name.starts_with("invoke_agent"))
        .unwrap();
    assert_eq!(
        attribute(agent, "dragoman.turn.id").unwrap(),
        with_tools[0]["turn_id"]
    );
    let all = format!("{tree:?}");
    assert!(!all.contains("There are facts"), "answers are not recorded");

    let tree_of = |frame: &serde_json::Value| receiver.tree(frame["trace_id"].as_str().unwrap());
    let connected = |tree: &[Span], errors: &[(&str, &str)]| {
        assert_eq!(tree.len(), 5, "{:#?}", edges(tree));
        let outside = edges(tree)
            .iter()
            .filter(|edge| edge.contains("(outside)"))
            .count();
        assert_eq!(outside, 1, "one root: {:#?}", edges(tree));
        for span in tree {
            assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
            let expected = errors.iter().find(|(name, _)| span.name.starts_with(name));
            let error = attribute(span, "error.type");
            assert_eq!(
                error.as_deref(),
                expected.map(|(_, error)| *error),
                "{}",
                span.name
            );
        }
    };
    connected(
        &tree_of(&failed[0]),
        &[
            ("chat", "server"),
            ("invoke_agent", "model"),
            ("dragoman", "model"),
            ("websocket", "model"),
        ],
    );
    connected(&tree_of(&cancelled), &[]);
    let tree = tree_of(&left);
    assert_eq!(
        edges(&tree)
            .iter()
            .filter(|edge| edge.contains("(outside)"))
            .count(),
        1
    );
    let root = tree
        .iter()
        .find(|span| span.name == "websocket turn")
        .unwrap();
    assert_eq!(attribute(root, "error.type").unwrap(), "client_gone");
    let agent = tree
        .iter()
        .find(|span| span.name.starts_with("invoke_agent"))
        .unwrap();
    assert_eq!(attribute(agent, "error.type").unwrap(), "interrupted");
}

#[tokio::test]
async fn a_collector_that_is_not_there_disturbs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")];
    let process = Process::start(folder.path(), &[], &endpoint).await;
    let mut client = process.chat("/ws/untraced").await;
    assert_eq!(client.asked("tools").await.last().unwrap()["type"], "agent");
    process.signal("TERM").await;
    assert_eq!(process.ended().await.code, Some(0));
}

#[tokio::test]
async fn metrics_are_sent_to_an_endpoint_of_their_own() {
    let (receiver, endpoint, _receiving) = Receiver::start().await;
    let folder = tempfile::tempdir().unwrap();
    let environment = [("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &*endpoint)];
    let process = Process::start(folder.path(), &[], &environment).await;
    process.chat("/ws/measured").await.asked("tools").await;
    process.signal("TERM").await;
    assert_eq!(process.ended().await.code, Some(0));
    let sent = receiver.metrics.lock().unwrap().clone();
    assert!(
        sent.contains("gen_ai.client.inference.duration"),
        "{sent:?}"
    );
    assert_eq!(receiver.spans.lock().unwrap().len(), 0);
}
