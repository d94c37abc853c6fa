//! Whatever a name is made of, it is read, and answered for.

use std::time::Duration;

use dragoman::catalog::{Found, TableKind};
use dragoman::model;

use super::{OWNER, columns, config, keys, names, open, table, upstream};
use crate::support::TestApp;
use crate::support::postgres::Postgres;

/// A name as SQL writes it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn hostile_names_are_names() {
    let long = "n".repeat(63);
    let hostile = [
        "\"; DROP TABLE victim; --",
        "it's $1 $$ \\ % _",
        "two words",
        "with.dots.in.it",
        "🦀 emoji 表",
        "[click](javascript:alert(1)) **bold** `code` | pipe",
        "<script>alert(1)</script>",
        long.as_str(),
    ];
    let server = Postgres::start().await;
    server.run("postgres", "CREATE TABLE victim (id int)").await;
    for name in hostile {
        let name = quoted(name);
        let statements = format!(
            "CREATE SCHEMA {name};
             CREATE TABLE {name}.{name} ({name} int PRIMARY KEY, again int REFERENCES {name}.{name});
             CREATE VIEW {name}.view AS SELECT {name} FROM {name}.{name}"
        );
        server.run("postgres", &statements).await;
    }
    let read = open(&server.url(OWNER, "postgres")).await.unwrap();
    assert_eq!(read.tables().count(), 1 + 2 * hostile.len());
    for name in hostile {
        let qualified = format!("{name}.{name}");
        let found = table(&read, &qualified);
        assert_eq!((found.schema.as_str(), found.name.as_str()), (name, name));
        assert_eq!(columns(found), [name, "again"]);
        assert_eq!(found.primary_key, [name]);
        assert_eq!(keys(&read, found), [format!("again -> {qualified} {name}")]);
        let view = table(&read, &format!("{name}.view"));
        assert_eq!(upstream(&read, view).unwrap(), [qualified]);
    }
    assert_eq!(
        server
            .ask("postgres", "SELECT count(*)::text FROM victim")
            .await,
        "0"
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn names_that_differ_only_in_case_are_two_tables() {
    let server = Postgres::start().await;
    let twins = "
        CREATE TABLE orders (id int PRIMARY KEY);
        CREATE TABLE \"Orders\" (id int REFERENCES orders, \"ID\" text);
        COMMENT ON TABLE orders IS 'The small one.';
        COMMENT ON TABLE \"Orders\" IS 'The large one.';";
    server.run("postgres", twins).await;
    let address = server.url(OWNER, "postgres");
    let read = open(&address).await.unwrap();
    assert_eq!(names(&read), ["TABLE public.Orders", "TABLE public.orders"]);
    assert_eq!(columns(table(&read, "public.Orders")), ["id", "ID"]);
    assert_eq!(columns(table(&read, "public.orders")), ["id"]);
    assert_eq!(
        keys(&read, table(&read, "public.Orders")),
        ["id -> public.orders id"]
    );
    // A spelling that is neither means both.
    assert!(matches!(read.find("public.ORDERS"), Found::Several(_)));

    let app = TestApp::with(|all| {
        all.catalog = config(&address);
        all.model.kind = model::Kind::Guide;
        all.model.guide_pace = Duration::ZERO;
    })
    .await;
    let mut client = app.chat("twins").await;
    for (name, comment) in [("public.Orders", "large"), ("public.orders", "small")] {
        let frames = client.asked(&format!("Describe {name}")).await;
        let answer = frames.last().unwrap()["content"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(answer.contains(&format!("The {comment} one.")), "{answer}");
    }
    drop(client);
    app.stop().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn names_no_catalog_accepts_are_made_acceptable() {
    let server = Postgres::start().await;
    let statements = "
        CREATE TABLE \" padded \" (\" \" int, \" id \" int PRIMARY KEY, E_ int);
        CREATE TABLE child (parent int REFERENCES \" padded \");
        DO $$ BEGIN EXECUTE 'CREATE TABLE \"new' || chr(10) || 'line' || chr(27) || '\" (id int)'; END $$";
    server.run("postgres", statements).await;
    let read = open(&server.url(OWNER, "postgres")).await.unwrap();
    assert_eq!(
        names(&read),
        [
            "TABLE public.child",
            "TABLE public.new line",
            "TABLE public.padded"
        ]
    );
    let padded = table(&read, "padded");
    assert_eq!(padded.kind, TableKind::Table);
    assert_eq!(columns(padded), ["id", "e_"]);
    assert_eq!(padded.primary_key, ["id"]);
    assert_eq!(
        keys(&read, table(&read, "child")),
        ["parent -> public.padded id"]
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_database_without_an_encoding_is_read_as_far_as_it_goes() {
    let server = Postgres::start().await;
    server
        .run(
            "postgres",
            "CREATE DATABASE raw TEMPLATE template0 ENCODING 'SQL_ASCII'",
        )
        .await;
    let statements = "SET client_encoding = 'SQL_ASCII';
        CREATE TABLE plain (id int);
        COMMENT ON TABLE plain IS E'caf\\xe9'";
    server.run("raw", statements).await;
    let read = open(&server.url(OWNER, "raw")).await.unwrap();
    assert_eq!(
        table(&read, "plain").description.as_deref(),
        Some("caf\u{fffd}")
    );
}
