//! The demo mart in a database is the demo mart in its file, as far as a database knows it.

use std::time::{Duration, SystemTime};

use dragoman::catalog::{Catalog, LineageStatus, TableKind};

use super::{READER, columns, keys, names, open, table, upstream};
use crate::support::postgres::Postgres;

/// A type as PostgreSQL writes it.
fn written(data_type: &str) -> String {
    let (name, size) = data_type.split_at(data_type.find('(').unwrap_or(data_type.len()));
    let name = match name {
        "int" => "integer",
        "varchar" => "character varying",
        "char" => "character",
        "timestamp" => "timestamp without time zone",
        same => same,
    };
    format!("{name}{size}")
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn the_demo_is_read_table_by_table() {
    let server = Postgres::start().await;
    server.add_demo().await;
    let read = open(&server.url(READER, "postgres")).await.unwrap();
    let demo = Catalog::demo().unwrap();
    let expected: Vec<_> = demo
        .tables()
        .filter(|table| table.kind != TableKind::Source)
        .collect();
    let expected_names: Vec<String> = names(&demo)
        .into_iter()
        .filter(|name| !name.starts_with("SOURCE"))
        .collect();
    assert_eq!(names(&read), expected_names);
    assert_eq!(expected.len(), 21);
    for expected in expected {
        let name = expected.qualified_name();
        let found = table(&read, &name);
        assert_eq!(found.description, expected.description, "{name}");
        assert_eq!(found.primary_key, expected.primary_key, "{name}");
        assert_eq!(columns(found), columns(expected), "{name}");
        for (found, expected) in found.columns.iter().zip(&expected.columns) {
            let name = format!("{name}.{}", expected.name);
            assert_eq!(found.data_type, written(&expected.data_type), "{name}");
            assert_eq!(found.description, expected.description, "{name}");
            assert_eq!(found.nullable, expected.nullable, "{name}");
            assert_eq!(found.primary_key, expected.primary_key, "{name}");
        }
        assert_eq!(keys(&read, found), keys(&demo, expected), "{name}");
        if expected.kind == TableKind::View {
            assert_eq!(upstream(&read, found), upstream(&demo, expected), "{name}");
        } else {
            assert_eq!(found.origin, LineageStatus::NotRecorded, "{name}");
        }
        // What a database does not know is not made up.
        assert_eq!(found.owner, None);
        assert_eq!(found.grain, None);
        assert_eq!(found.refresh, None);
        assert_eq!(found.synonyms, [""; 0]);
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn the_catalog_is_as_of_now_and_called_like_the_database() {
    let server = Postgres::start().await;
    server.add_demo().await;
    let address = server.socket_url("reader", "postgres");
    let read = open(&address).await.unwrap();
    assert_eq!(read.sources()[0].name(), "postgres");
    assert_eq!(read.sources()[0].info().name, "postgres");
    let age = SystemTime::now()
        .duration_since(read.sources()[0].as_of().into())
        .unwrap();
    assert!(age < Duration::from_secs(20), "{age:?}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn the_session_is_named_and_gone_afterwards() {
    let server = Postgres::with(|_| {
        vec![
            "-c".to_owned(),
            "log_connections=on".to_owned(),
            "-c".to_owned(),
            "log_destination=csvlog".to_owned(),
            "-c".to_owned(),
            "logging_collector=on".to_owned(),
            "-c".to_owned(),
            "log_statement=all".to_owned(),
        ]
    })
    .await;
    server.add_demo().await;
    open(&server.url(READER, "postgres")).await.unwrap();
    let count = "SELECT count(*)::text FROM pg_stat_activity WHERE application_name = 'dragoman'";
    assert_eq!(server.ask("postgres", count).await, "0");
    let log = server.log();
    assert!(log.contains("application_name=dragoman"), "{log}");
    assert!(
        log.contains("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        "{log}"
    );
}
