//! What is told of a server that cannot be read: whose fault it is, and what to do.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::Instant;

use super::{OWNER, READER, config, open, open_with};
use crate::support::postgres::Postgres;
use crate::support::redis::free_port;

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn every_refusal_says_whose_fault_it_is() {
    let server = Postgres::start().await;
    server.add_demo().await;
    let forbid = "CREATE DATABASE closed; REVOKE CONNECT ON DATABASE closed FROM PUBLIC;
        CREATE ROLE sleeper NOLOGIN PASSWORD 'not-to-be-seen'";
    for statement in forbid.split(';') {
        server.run("postgres", statement).await;
    }
    let here = server.port;
    for (address, words) in [
        (
            server.url("reader:not-to-be-seen-and-wrong", "postgres"),
            "the server refuses the password, or does not know the role",
        ),
        (
            server.url("nobody_here:not-to-be-seen", "postgres"),
            "the server refuses the password, or does not know the role",
        ),
        (
            server.url("reader", "postgres"),
            "the server asks for a password. Set PGPASSWORD",
        ),
        (
            server.url(READER, "missing"),
            "the server has no such database: database \"missing\" does not exist",
        ),
        (server.url(READER, "closed"), "CONNECT on the database"),
        (
            server.url("sleeper:not-to-be-seen", "postgres"),
            "the server does not let this role in",
        ),
        (
            format!("postgres://reader@127.0.0.1:{}/postgres", free_port()),
            "nobody answers there: Connection refused",
        ),
        (
            format!("postgres://reader@no-such-host.invalid:{here}/postgres"),
            "no host has that name",
        ),
        (
            format!("postgres://reader@%2Fno%2Fsuch%2Ffolder:{here}/postgres"),
            "nobody answers there: No such file",
        ),
        (
            server.url(READER, "postgres?sslmode=require"),
            "the server has no TLS",
        ),
    ] {
        let told = open(&address).await.unwrap_err();
        assert!(told.contains(words), "{address}: {told}");
        assert!(told.contains("the catalog postgres://"), "{told}");
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_server_that_never_answers_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    for mode in ["disable", "prefer"] {
        let mut config = config(&format!(
            "postgres://reader@127.0.0.1:{port}/db?sslmode={mode}"
        ));
        config.postgres.connect_timeout = Duration::from_millis(300);
        let began = Instant::now();
        let told = open_with(&config).await.unwrap_err();
        assert!(told.contains("let nobody in for 300ms"), "{told}");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn a_server_of_another_kind_is_no_postgresql() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = other.local_addr().unwrap().port();
    let answering = async {
        loop {
            let (stream, _) = other.accept().await.unwrap();
            stream.readable().await.unwrap();
            let _ = stream.try_write(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    };
    let address = format!("postgres://reader@127.0.0.1:{port}/db?sslmode=disable");
    let told = tokio::select! {
        told = open(&address) => told.unwrap_err(),
        () = answering => unreachable!(),
    };
    assert!(told.contains("cannot be read"), "{told}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_query_that_takes_too_long_is_ended_by_the_server() {
    let server = Postgres::start().await;
    server.add_demo().await;
    let locker = server.client("postgres").await.unwrap();
    // Whoever asks for a comment now waits.
    let lock = "BEGIN; LOCK TABLE pg_catalog.pg_description IN ACCESS EXCLUSIVE MODE";
    locker.batch_execute(lock).await.unwrap();
    let mut config = config(&server.url(READER, "postgres"));
    config.postgres.statement_timeout = Duration::from_millis(300);
    let told = open_with(&config).await.unwrap_err();
    assert!(told.contains("Raise postgres.statement_timeout"), "{told}");
    locker.batch_execute("ROLLBACK").await.unwrap();
    open_with(&config).await.unwrap();
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_session_that_is_ended_under_way_is_told_as_such() {
    let server = Postgres::start().await;
    server.add_demo().await;
    let locker = server.client("postgres").await.unwrap();
    let lock = "BEGIN; LOCK TABLE pg_catalog.pg_description IN ACCESS EXCLUSIVE MODE";
    locker.batch_execute(lock).await.unwrap();
    let config = config(&server.url(READER, "postgres"));
    // A client of its own: within a transaction the sessions never change.
    let observer = server.client("postgres").await.unwrap();
    let end = async {
        let waiting = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'dragoman' AND wait_event_type = 'Lock'";
        while observer.query(waiting, &[]).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (read, ()) = tokio::join!(open_with(&config), end);
    let told = read.unwrap_err();
    // What the server says last does not always arrive before the connection is gone.
    let last_words = "the server serves nobody right now: terminating connection";
    let none = "the server closed the connection";
    assert!(told.contains(last_words) || told.contains(none), "{told}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_full_server_is_asked_again_later() {
    let server = Postgres::start().await;
    server.add_demo().await;
    server
        .run("postgres", "ALTER ROLE reader CONNECTION LIMIT 0")
        .await;
    let told = open(&server.url(READER, "postgres")).await.unwrap_err();
    assert!(told.contains("too many connections for role"), "{told}");
    assert!(told.contains("It is asked again later"), "{told}");
    open(&server.url(OWNER, "postgres")).await.unwrap();
}
