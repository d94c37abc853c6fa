//! Nothing is read that the role may not read, and nothing less.

use dragoman::catalog::postgres::SchemaPattern;

use super::{OWNER, READER, columns, config, keys, names, open, open_with, table, upstream};
use crate::support::postgres::Postgres;

const MART: &str = "
CREATE SCHEMA mart;
CREATE TABLE mart.dim_supplier (id int PRIMARY KEY, name text, iban text);
CREATE TABLE mart.fact_order (
  number int, line int, supplier int REFERENCES mart.dim_supplier,
  PRIMARY KEY (number, line)
);
CREATE SCHEMA staging;
CREATE TABLE staging.raw_order (number int);
CREATE VIEW staging.clean_order AS SELECT * FROM staging.raw_order;
CREATE VIEW mart.orders AS SELECT o.number, s.name FROM mart.fact_order o JOIN mart.dim_supplier s ON s.id = o.supplier;
CREATE VIEW mart.all_orders AS SELECT number FROM mart.orders UNION ALL SELECT number FROM staging.clean_order;
CREATE VIEW staging.inner_orders AS SELECT number FROM mart.fact_order;
CREATE VIEW mart.outer_orders AS SELECT number FROM staging.inner_orders;
";

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn a_role_without_grants_sees_nothing_and_is_told_what_to_do() {
    let server = Postgres::start().await;
    server.run("postgres", MART).await;
    server.add_reader().await;
    let address = server.url(READER, "postgres");
    let told = open(&address).await.unwrap_err();
    assert!(
        told.contains("the role may read no table. GRANT USAGE ON SCHEMA"),
        "{told}"
    );

    // The right to look into a schema shows none of its tables.
    server
        .run("postgres", "GRANT USAGE ON SCHEMA mart TO reader")
        .await;
    assert_eq!(open(&address).await.unwrap_err(), told);
    // Nor does the right to a table in a schema that is closed.
    let grant =
        "REVOKE USAGE ON SCHEMA mart FROM reader; GRANT SELECT ON mart.dim_supplier TO reader";
    server.run("postgres", grant).await;
    assert_eq!(open(&address).await.unwrap_err(), told);

    server
        .run("postgres", "GRANT USAGE ON SCHEMA mart TO reader")
        .await;
    let read = open(&address).await.unwrap();
    assert_eq!(names(&read), ["DIMENSION mart.dim_supplier"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn rights_to_columns_show_these_columns() {
    let server = Postgres::start().await;
    server.run("postgres", MART).await;
    server.add_reader().await;
    let grant = "GRANT USAGE ON SCHEMA mart TO reader;
        GRANT SELECT (id, name) ON mart.dim_supplier TO reader;
        GRANT SELECT (number, supplier) ON mart.fact_order TO reader";
    server.run("postgres", grant).await;
    let read = open(&server.url(READER, "postgres")).await.unwrap();
    let (supplier, order) = (
        table(&read, "mart.dim_supplier"),
        table(&read, "mart.fact_order"),
    );
    assert_eq!(columns(supplier), ["id", "name"]);
    assert_eq!(columns(order), ["number", "supplier"]);
    assert_eq!(keys(&read, order), ["supplier -> mart.dim_supplier id"]);
    assert_eq!(supplier.primary_key, ["id"]);
    // Half a key identifies nothing.
    assert_eq!(order.primary_key, [""; 0]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn lineage_names_nothing_that_is_hidden() {
    let server = Postgres::start().await;
    server.run("postgres", MART).await;
    server.add_reader().await;
    let grant =
        "GRANT USAGE ON SCHEMA mart TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA mart TO reader";
    server.run("postgres", grant).await;
    let read = open(&server.url(READER, "postgres")).await.unwrap();
    let of = |name| upstream(&read, table(&read, name));
    assert_eq!(
        of("mart.orders").unwrap(),
        ["mart.dim_supplier", "mart.fact_order"]
    );
    // Through a view that is hidden to a table that is not.
    assert_eq!(of("mart.outer_orders").unwrap(), ["mart.fact_order"]);
    // A part would pass for the whole.
    assert_eq!(of("mart.all_orders"), None);

    let read = open(&server.url(OWNER, "postgres")).await.unwrap();
    let all = upstream(&read, table(&read, "mart.all_orders")).unwrap();
    assert_eq!(all, ["mart.orders", "staging.clean_order"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn only_the_schemas_that_are_named_are_read() {
    let server = Postgres::start().await;
    server.run("postgres", MART).await;
    let mut config = config(&server.url(OWNER, "postgres"));
    config.postgres.schemas = vec![SchemaPattern::parse("stag*").unwrap()];
    let read = open_with(&config).await.unwrap();
    assert_eq!(
        names(&read),
        [
            "VIEW staging.clean_order",
            "VIEW staging.inner_orders",
            "TABLE staging.raw_order"
        ]
    );
    config.postgres.schemas = vec![SchemaPattern::parse("pg_*").unwrap()];
    let told = open_with(&config).await.unwrap_err();
    assert!(told.contains("no schema fits postgres.schemas"), "{told}");
}
