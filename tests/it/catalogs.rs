//! Where the catalog comes from, seen from outside: several sources at once, and sources that change, break and recover
//! while dragoman runs.

mod postgres;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::process::{Ended, Process, command, run};
use crate::support::{Client, PATIENCE};
use crate::traces::{Receiver, hex};

/// A catalog of these tables, each with one column.
fn catalog(tables: &[(&str, &str)]) -> String {
    let tables: Vec<Value> = tables
        .iter()
        .map(|(schema, name)| {
            json!({ "schema": schema, "name": name, "type": "TABLE",
                    "description": format!("All about {name}"),
                    "columns": [{ "name": format!("{name}_id"), "type": "int" }] })
        })
        .collect();
    json!({ "format": 1, "name": "own", "as_of": "2026-11-20", "tables": tables }).to_string()
}

/// Starts with these sources, and the guide to answer.
async fn serve(folder: &Path, sources: &str) -> Process {
    let arguments = ["--model", "guide", "--catalog", sources];
    Process::start(folder, &arguments, &[("DRAGOMAN_GUIDE_PACE", "0s")]).await
}

/// What is answered in a new session, and what the tools said.
async fn answer(process: &Process, question: &str) -> (String, Vec<Value>) {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let mut client: Client = process.chat(&format!("/ws/catalogs-{number}")).await;
    let frames = client.asked(question).await;
    let results = frames.iter().filter(|frame| frame["type"] == "tool");
    let results =
        results.map(|frame| serde_json::from_str(frame["content"].as_str().unwrap()).unwrap());
    let last = frames.last().unwrap();
    assert_eq!(last["type"], "agent", "{last}");
    (
        last["content"].as_str().unwrap().to_owned(),
        results.collect(),
    )
}

/// Asks until the answer is as expected.
async fn until(process: &Process, question: &str, expected: impl Fn(&str) -> bool) -> Vec<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (answer, results) = answer(process, question).await;
        if expected(&answer) {
            return results;
        }
        assert!(Instant::now() < deadline, "still: {answer}");
        sleep(Duration::from_millis(200)).await;
    }
}

async fn stopped(process: Process) -> String {
    process.signal("TERM").await;
    let ended: Ended = process.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stderr
}

#[tokio::test]
async fn a_file_is_read_again_when_it_changes_and_a_broken_one_leaves_what_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.json");
    std::fs::write(&file, catalog(&[("s", "orders")])).unwrap();
    let process = serve(folder.path(), file.to_str().unwrap()).await;
    let (first, results) = answer(&process, "Describe the table orders").await;
    assert!(first.contains("All about orders"), "{first}");
    assert!(!first.contains("may be out of date"), "{first}");
    let details = results.last().unwrap();
    assert_eq!(
        (
            &details["source"],
            &details["as_of"],
            details.get("is_stale")
        ),
        (&json!("c"), &json!("2026-11-20T00:00:00Z"), None)
    );

    std::fs::write(&file, catalog(&[("s", "orders"), ("s", "invoices")])).unwrap();
    until(&process, "Describe the table invoices", |text| {
        text.contains("All about invoices")
    })
    .await;

    std::fs::write(&file, "{ \"format\": 1, ").unwrap();
    let results = until(&process, "Describe the table invoices", |text| {
        assert!(text.contains("All about invoices"), "{text}");
        text.contains("may be out of date") && text.contains("2026-11-20")
    })
    .await;
    assert_eq!(results.last().unwrap()["is_stale"], true);
    // Nobody says it at every look.
    sleep(Duration::from_secs(5)).await;

    std::fs::remove_file(&file).unwrap();
    sleep(Duration::from_secs(5)).await;
    std::fs::write(&file, catalog(&[("s", "receipts")])).unwrap();
    let results = until(&process, "Describe the table receipts", |text| {
        text.contains("All about receipts")
    })
    .await;
    assert_eq!(results.last().unwrap().get("is_stale"), None);
    let (gone, _) = answer(&process, "Describe the table invoices").await;
    assert!(!gone.contains("All about invoices"), "{gone}");

    let log = stopped(process).await;
    for (line, times) in [
        ("the catalog cannot be read again", 2),
        ("is not JSON", 1),
        ("No such file", 1),
        ("the catalog can be read again", 1),
        ("the catalog changed: own: 2 tables", 1),
        ("the catalog changed: own: 1 tables", 1),
    ] {
        assert_eq!(log.matches(line).count(), times, "{line}: {log}");
    }
}

#[tokio::test]
async fn two_sources_are_one_catalog() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("a.json"),
        catalog(&[("s", "orders"), ("s", "carts")]),
    )
    .unwrap();
    std::fs::write(
        folder.path().join("b.json"),
        catalog(&[("s", "orders"), ("s", "stock")]),
    )
    .unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let sources = format!("shop={},{}", path("a.json"), path("b.json"));
    let process = serve(folder.path(), &sources).await;

    let (list, results) = answer(&process, "List all tables").await;
    assert!(
        ["orders", "carts", "stock"]
            .iter()
            .all(|name| list.contains(name)),
        "{list}"
    );
    let rows = results[0].as_array().unwrap();
    let listed: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| {
            (
                row["source"].as_str().unwrap(),
                row["name"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        listed,
        [
            ("shop", "carts"),
            ("shop", "orders"),
            ("b", "orders"),
            ("b", "stock")
        ]
    );
    let (carts, results) = answer(&process, "Describe the table carts").await;
    assert!(carts.contains("All about carts"), "{carts}");
    assert_eq!(results.last().unwrap()["source"], "shop");
    let (which, _) = answer(&process, "Describe the table orders").await;
    assert!(
        which.contains("shop.s.orders") && which.contains("b.s.orders"),
        "{which}"
    );
    let (one, results) = answer(&process, "Describe the table b.s.orders").await;
    assert!(one.contains("All about orders"), "{one}");
    assert_eq!(results.last().unwrap()["source"], "b");

    let log = stopped(process).await;
    assert!(log.contains("catalog shop: own: 2 tables"), "{log}");
    assert!(log.contains("catalog b: own: 2 tables"), "{log}");
}

#[tokio::test]
async fn one_source_that_cannot_be_read_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    for (sources, said) in [
        (
            "demo,/no/such/file.json",
            "/no/such/file.json cannot be read",
        ),
        (
            "demo,dbt:/no/such/folder",
            "/no/such/folder is not a folder",
        ),
        (
            &format!("dbt:{}", folder.path().display()),
            "has no manifest.json",
        ),
        ("demo,demo", "two sources are called `demo`"),
    ] {
        let mut command = command(folder.path());
        command.args([
            "--http",
            "127.0.0.1:0",
            "--grpc",
            "127.0.0.1:0",
            "--catalog",
            sources,
        ]);
        let ended = run(command).await;
        assert_ne!(ended.code, Some(0));
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn every_reading_is_a_trace_and_says_why_it_failed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.json");
    std::fs::write(&file, catalog(&[("s", "orders")])).unwrap();
    let (receiver, endpoint, _serving) = Receiver::start().await;
    let arguments = ["--model", "guide", "--catalog", file.to_str().unwrap()];
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    let process = Process::start(folder.path(), &arguments, &environment).await;
    std::fs::write(&file, "nothing").unwrap();
    sleep(Duration::from_secs(6)).await;
    stopped(process).await;
    let spans = receiver.named("catalog load");
    let [start, again] = spans.as_slice() else {
        panic!("{spans:#?}");
    };
    assert_ne!(hex(&start.trace_id), hex(&again.trace_id));
    let attribute = |span: &opentelemetry_proto::tonic::trace::v1::Span, key: &str| {
        let attributes = &mut span.attributes.iter();
        let found = attributes.find(|attribute| attribute.key == key);
        found.map(|attribute| format!("{:?}", attribute.value))
    };
    for span in &spans {
        assert!(span.parent_span_id.is_empty(), "{span:#?}");
        assert!(
            attribute(span, "dragoman.catalog.source")
                .unwrap()
                .contains("\"c\"")
        );
    }
    assert_eq!(attribute(start, "error.type"), None);
    assert!(
        attribute(start, "dragoman.catalog.tables")
            .unwrap()
            .contains("IntValue(1)")
    );
    assert!(
        attribute(again, "error.type")
            .unwrap()
            .contains("\"syntax\"")
    );
}
