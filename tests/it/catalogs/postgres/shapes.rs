//! What databases have besides plain tables.

use dragoman::catalog::TableKind;

use super::{OWNER, READER, columns, keys, names, open, table, upstream};
use crate::support::postgres::Postgres;

async fn read(statements: &str) -> (Postgres, std::sync::Arc<dragoman::catalog::Catalog>) {
    let server = Postgres::start().await;
    server.run("postgres", statements).await;
    let catalog = open(&server.url(OWNER, "postgres")).await.unwrap();
    (server, catalog)
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn composite_keys_keep_their_order() {
    let (_server, read) = read(
        "CREATE TABLE parent (a int, b int, c int, PRIMARY KEY (c, a), UNIQUE (a, b));
         CREATE TABLE child (
           x int, y int, z int,
           FOREIGN KEY (y, x) REFERENCES parent (c, a),
           CONSTRAINT again FOREIGN KEY (y, x) REFERENCES parent (c, a),
           FOREIGN KEY (z, x) REFERENCES parent (b, a)
         );
         ALTER TABLE parent ADD CONSTRAINT to_child FOREIGN KEY (a) REFERENCES parent (a) NOT VALID"
            .replace("UNIQUE (a, b)", "UNIQUE (a), UNIQUE (a, b)")
            .as_str(),
    )
    .await;
    assert_eq!(table(&read, "parent").primary_key, ["c", "a"]);
    assert_eq!(
        keys(&read, table(&read, "child")),
        ["y,x -> public.parent c,a", "z,x -> public.parent b,a"]
    );
    assert_eq!(
        keys(&read, table(&read, "parent")),
        ["a -> public.parent a"]
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn materialized_views_are_views() {
    let (_server, read) = read(
        "CREATE TABLE fact_sale (day date, amount numeric);
         CREATE MATERIALIZED VIEW fact_month AS SELECT date_trunc('month', day) AS month, sum(amount) FROM fact_sale GROUP BY 1;
         COMMENT ON MATERIALIZED VIEW fact_month IS 'Sales of a month';
         CREATE VIEW report AS SELECT * FROM fact_month",
    )
    .await;
    let month = table(&read, "fact_month");
    assert_eq!(month.kind, TableKind::View);
    assert_eq!(month.description.as_deref(), Some("Sales of a month"));
    assert_eq!(upstream(&read, month).unwrap(), ["public.fact_sale"]);
    assert_eq!(
        upstream(&read, table(&read, "report")).unwrap(),
        ["public.fact_month"]
    );
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn partitions_are_their_table() {
    let (server, read) = read(
        "CREATE TABLE dim_day (day date PRIMARY KEY);
         CREATE TABLE fact_sale (day date REFERENCES dim_day, id int, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
         CREATE TABLE fact_sale_2025 PARTITION OF fact_sale FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
         CREATE TABLE fact_sale_2026 PARTITION OF fact_sale FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
           PARTITION BY RANGE (id);
         CREATE TABLE fact_sale_2026_1 PARTITION OF fact_sale_2026 FOR VALUES FROM (0) TO (1000);
         CREATE TABLE fact_return (day date, id int, FOREIGN KEY (day, id) REFERENCES fact_sale);
         CREATE VIEW newest AS SELECT * FROM fact_sale_2026_1",
    )
    .await;
    assert_eq!(
        names(&read),
        [
            "FACT public.fact_return",
            "FACT public.fact_sale",
            "DIMENSION public.dim_day",
            "VIEW public.newest"
        ]
    );
    assert_eq!(
        keys(&read, table(&read, "fact_return")),
        ["day,id -> public.fact_sale day,id"]
    );
    assert_eq!(
        keys(&read, table(&read, "fact_sale")),
        ["day -> public.dim_day day"]
    );
    assert_eq!(
        upstream(&read, table(&read, "newest")).unwrap(),
        ["public.fact_sale"]
    );

    // Whoever may read only a partition sees the partition.
    server.add_reader().await;
    let grant = "GRANT SELECT ON fact_sale_2025, dim_day TO reader";
    server.run("postgres", grant).await;
    let read = open(&server.url(READER, "postgres")).await.unwrap();
    let part = table(&read, "fact_sale_2025");
    assert_eq!(read.tables().count(), 2);
    assert_eq!(part.primary_key, ["day", "id"]);
    assert_eq!(keys(&read, part), ["day -> public.dim_day day"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn what_nobody_records_is_not_recorded() {
    let (_server, read) = read(
        "CREATE TABLE base (id int);
         CREATE FUNCTION rows_of() RETURNS SETOF base LANGUAGE sql AS 'SELECT * FROM base';
         CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql AS 'SELECT 2 * $1';
         CREATE VIEW over_function AS SELECT r.id FROM rows_of() r JOIN base USING (id);
         CREATE VIEW over_system AS SELECT relname FROM pg_class;
         CREATE VIEW calendar AS SELECT * FROM generate_series(1, 7) AS day;
         CREATE VIEW doubled AS SELECT twice(id) AS id FROM base;
         CREATE TABLE copied AS SELECT * FROM base",
    )
    .await;
    let of = |name| upstream(&read, table(&read, name));
    assert_eq!(of("over_function"), None);
    assert_eq!(of("over_system"), None);
    assert_eq!(of("calendar"), None);
    assert_eq!(of("copied"), None);
    assert_eq!(of("base"), None);
    // A function of values is part of the query.
    assert_eq!(of("doubled").unwrap(), ["public.base"]);
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn columns_are_as_the_server_writes_them() {
    let (_server, read) = read(
        "CREATE SCHEMA types;
         CREATE DOMAIN types.amount AS numeric(12,2) NOT NULL;
         CREATE TYPE types.mood AS ENUM ('good', 'bad');
         CREATE TABLE thing (
           gone int, a types.amount, m types.mood[], t timestamptz(3), s varchar(12) NOT NULL,
           i interval day to second, g int GENERATED ALWAYS AS IDENTITY
         );
         ALTER TABLE thing DROP COLUMN gone;
         COMMENT ON COLUMN thing.s IS '  ';
         COMMENT ON TABLE thing IS E'Two\\nlines\\x07';
         DO $$ BEGIN EXECUTE format('COMMENT ON COLUMN thing.g IS %L', repeat('🦀', 5000)); END $$",
    )
    .await;
    let thing = table(&read, "thing");
    let written: Vec<(&str, &str, bool)> = thing
        .columns
        .iter()
        .map(|column| {
            (
                column.name.as_str(),
                column.data_type.as_str(),
                column.nullable,
            )
        })
        .collect();
    assert_eq!(
        written,
        [
            ("a", "types.amount", false),
            ("m", "types.mood[]", true),
            ("t", "timestamp(3) with time zone", true),
            ("s", "character varying(12)", false),
            ("i", "interval day to second", true),
            ("g", "integer", false),
        ]
    );
    assert_eq!(thing.columns[3].description, None);
    let long = thing.columns[5].description.as_ref().unwrap();
    assert_eq!(long.chars().count(), 4_000);
    assert_eq!(thing.description.as_deref(), Some("Two\nlines"));
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn foreign_tables_are_sources_and_extensions_are_no_data() {
    let (_server, read) = read(
        "CREATE FOREIGN DATA WRAPPER nothing;
         CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing;
         CREATE FOREIGN TABLE remote (id int) SERVER elsewhere;
         CREATE SEQUENCE counter;
         CREATE TEMPORARY TABLE mine (id int);
         CREATE TABLE plpgsql_thing (id int);
         ALTER EXTENSION plpgsql ADD TABLE plpgsql_thing;
         CREATE TABLE empty ();
         CREATE VIEW local AS SELECT id FROM remote",
    )
    .await;
    assert_eq!(
        names(&read),
        [
            "VIEW public.local",
            "TABLE public.empty",
            "SOURCE public.remote"
        ]
    );
    let remote = table(&read, "remote");
    assert_eq!(columns(remote), ["id"]);
    assert_eq!(upstream(&read, remote).unwrap(), [""; 0]);
    assert_eq!(
        upstream(&read, table(&read, "local")).unwrap(),
        ["public.remote"]
    );
}
