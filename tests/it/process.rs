//! Start, stop and kill of the real binary.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::process::{Ended, Process, command, run};

fn content(frame: &Value) -> &str {
    frame["content"].as_str().unwrap()
}

#[tokio::test]
async fn kill_during_an_answer_seals_the_turn_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[], &[]).await;
    let mut client = process.chat("/ws/killed").await;
    let whole = client.asked("tools").await;
    client.ask("hang").await;
    assert_eq!(client.frame().await["type"], "user");
    assert_eq!(client.frame().await["type"], "agent_partial");
    process.kill().await;

    let process = Process::start(folder.path(), &[], &[]).await;
    let mut client = process.chat("/ws/killed?after=0").await;
    let mut log = vec![];
    for _ in 0..6 {
        log.push(client.frame().await);
    }
    let before: Vec<&Value> = whole
        .iter()
        .filter(|frame| frame.get("seq").is_some())
        .collect();
    assert_eq!(log.iter().take(4).collect::<Vec<_>>(), before);
    assert_eq!(content(&log[4]), "hang");
    assert_eq!(log[5]["type"], "error");
    assert!(content(&log[5]).starts_with("Agent error: "), "{}", log[5]);
    assert!(
        content(&log[5]).to_lowercase().contains("ask again"),
        "{}",
        log[5]
    );
    assert_eq!(log[5]["turn_id"], log[4]["turn_id"]);
    assert_eq!(client.asked("Hello").await.last().unwrap()["type"], "agent");
    process.signal("TERM").await;
    assert_eq!(process.ended().await.code, Some(0));
}

#[tokio::test]
async fn the_first_signal_lets_a_turn_end_and_the_second_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[], &[]).await;
    let mut client = process.chat("/ws/polite").await;
    client.ask("slow").await;
    client.frame().await;
    process.signal("TERM").await;
    let mut last = client.frame().await;
    while last["type"] == "agent_partial" {
        last = client.frame().await;
    }
    assert_eq!(last["type"], "agent");
    assert_eq!(client.close_code().await, Some(1001));
    assert_eq!(process.ended().await.code, Some(0));

    let process = Process::start(folder.path(), &[], &[]).await;
    let mut client = process.chat("/ws/hurried").await;
    client.ask("hang").await;
    client.frame().await;
    client.frame().await;
    // However close they come.
    process.signal("TERM").await;
    process.signal("INT").await;
    let last = client.frame().await;
    assert_eq!(last["type"], "error", "sealed before the end: {last}");
    assert_eq!(client.close_code().await, Some(1001));
    let ended = process.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test]
async fn one_store_has_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[], &[]).await;
    let second = refused(folder.path(), &[]).await;
    assert!(
        second.stderr.contains("in use by another dragoman"),
        "{}",
        second.stderr
    );
    let mut client = process.chat("/ws/still-here").await;
    assert_eq!(client.asked("Hello").await.last().unwrap()["type"], "agent");
}

/// Starts with `arguments`, which must fail at once with one clear sentence.
async fn refused(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = command(folder);
    command
        .args(["--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"])
        .args(arguments);
    let ended = run(command).await;
    assert_ne!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    ended
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for key in ["http", "grpc"] {
        let mut command = command(folder.path());
        let other = if key == "http" { "--grpc" } else { "--http" };
        command.args([&format!("--{key}"), &address, other, "127.0.0.1:0"]);
        let ended = run(command).await;
        assert_eq!(ended.code, Some(1));
        let expected = format!("cannot listen on {address}: choose another address with --{key}");
        assert!(ended.stderr.contains(&expected), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_catalog_that_cannot_be_read_says_where_it_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let missing = refused(folder.path(), &["--catalog", "/no/such/catalog.json"]).await;
    assert!(
        missing.stderr.contains("/no/such/catalog.json"),
        "{}",
        missing.stderr
    );
    assert_eq!(
        missing.stderr.matches("No such file").count(),
        1,
        "told once: {}",
        missing.stderr
    );
    let file = folder.path().join("catalog.json");
    let path = file.to_str().unwrap();
    std::fs::write(&file, "not JSON").unwrap();
    let nonsense = refused(folder.path(), &["--catalog", path]).await;
    assert!(nonsense.stderr.contains("line 1"), "{}", nonsense.stderr);
}

#[tokio::test]
async fn a_store_that_is_none_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "these are my notes, not a database").unwrap();
    let store = format!("sqlite:{}", text.display());
    let foreign = refused(folder.path(), &["--store", &store]).await;
    assert!(foreign.stderr.contains("notes.txt"), "{}", foreign.stderr);
    assert_eq!(
        std::fs::read_to_string(&text).unwrap(),
        "these are my notes, not a database"
    );
    let below_a_file = format!("sqlite:{}/sessions.db", text.display());
    let impossible = refused(folder.path(), &["--store", &below_a_file]).await;
    assert!(
        impossible.stderr.contains("notes.txt"),
        "{}",
        impossible.stderr
    );
}

#[tokio::test]
async fn out_of_file_descriptors_it_waits_and_then_serves_again() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[], &[]).await;
    let mut client = process.chat("/ws/before").await;
    process.limit_open_files(48).await;
    let mut crowd = vec![];
    for address in [process.http, process.grpc].into_iter().cycle().take(120) {
        crowd.push(tokio::net::TcpStream::connect(address).await.unwrap());
    }
    let before = process.cpu_ticks();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let used = process.cpu_ticks() - before;
    assert!(used < 40, "{used} of 200 ticks: it does not wait");
    assert_eq!(client.asked("Hello").await.last().unwrap()["type"], "agent");
    drop(crowd);
    let mut late = process.chat("/ws/after").await;
    assert_eq!(late.asked("Hello").await.last().unwrap()["type"], "agent");
}

#[tokio::test]
async fn an_idle_connection_costs_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &[], &[]).await;
    let mut idle = vec![];
    for number in 0..50 {
        idle.push(process.chat(&format!("/ws/warm-{number}")).await);
    }
    let before = process.resident_kib();
    for number in 0..500 {
        idle.push(process.chat(&format!("/ws/idle-{number}")).await);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let each = (process.resident_kib() - before) / 500;
    // 18 KiB in a build without optimization; 36 with the gRPC library's own buffers, 130 more with the WebSocket's.
    assert!(each < 28, "{each} KiB");
}
