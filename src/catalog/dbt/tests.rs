//! Over the artefacts of `tests/dbt/tiny`, as dbt wrote them: `tests/dbt/fixture.py` makes them.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::catalog::format::{Kind, Reference, Status, Table};

const MANIFEST: &str = include_str!("tests/manifest.json");
const CATALOG: &str = include_str!("tests/catalog.json");

/// A folder with these artefacts in it; `Null` for one that is not there.
fn folder(manifest: &Value, catalog: &Value) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, artefact) in FILES.into_iter().zip([manifest, catalog]) {
        if !artefact.is_null() {
            fs::write(folder.path().join(name), artefact.to_string()).unwrap();
        }
    }
    folder
}

fn artefacts() -> (Value, Value) {
    let parse = |text| serde_json::from_str(text).unwrap();
    (parse(MANIFEST), parse(CATALOG))
}

fn read_both(manifest: &Value, catalog: &Value) -> Result<format::File, DbtError> {
    read(folder(manifest, catalog).path())
}

fn tiny() -> format::File {
    let (manifest, catalog) = artefacts();
    read_both(&manifest, &catalog).unwrap()
}

fn table<'a>(file: &'a format::File, name: &str) -> &'a Table {
    let mut tables = file.tables.iter();
    tables.find(|table| table.name == name).unwrap()
}

fn columns(table: &Table) -> Vec<(&str, &str)> {
    let columns = table.columns.iter();
    columns
        .map(|column| (column.name.as_str(), column.data_type.as_str()))
        .collect()
}

#[test]
fn relations_are_tables_and_nothing_else_is() {
    let file = tiny();
    let mut named: Vec<(&str, &str, Kind)> = file
        .tables
        .iter()
        .map(|table| (table.schema.as_str(), table.name.as_str(), table.kind))
        .collect();
    named.sort_by_key(|(schema, name, _)| (*schema, *name));
    assert_eq!(
        named,
        [
            ("main", "customer_year", Kind::Dimension),
            ("main", "customers", Kind::Table),
            ("main", "customers_then", Kind::Table),
            ("main", "fct_orders", Kind::Fact),
            ("main", "today", Kind::Table),
            ("main_reports", "orders_per_year", Kind::View),
            ("raw", "Orders; DROP TABLE x", Kind::Source),
        ]
    );
    assert_eq!(file.name, "tiny");
    let generated_at = artefacts().1["metadata"]["generated_at"].clone();
    assert_eq!(json!(file.as_of), generated_at);
}

#[test]
fn columns_are_those_of_the_database_with_what_the_project_says_of_them() {
    let file = tiny();
    let orders = table(&file, "fct_orders");
    assert_eq!(
        columns(orders),
        [
            ("order_id", "INTEGER"),
            ("customer_id", "INTEGER"),
            ("the **amount**", "DECIMAL(9,2)")
        ]
    );
    let [number, customer, amount] = orders.columns.as_slice() else {
        panic!("{orders:?}");
    };
    assert_eq!(number.description.as_deref(), Some("Number of the order"));
    assert_eq!(
        (
            customer.description.as_deref(),
            amount.description.as_deref()
        ),
        (None, None)
    );
    assert_eq!((number.nullable, customer.nullable), (Some(false), None));
    assert_eq!(orders.description.as_deref(), Some("One row per order"));
    assert_eq!(orders.grain.as_deref(), Some("one row per order"));
    assert_eq!(orders.owner.as_deref(), Some("Sales, sales@example.com"));
    assert_eq!(orders.synonyms, ["objednávky", "42"]);
    let year = table(&file, "customer_year");
    assert_eq!(year.owner.as_deref(), Some("Ann, Bob"));
    assert_eq!(year.columns[1].nullable, Some(false), "by a constraint");
}

#[test]
fn tests_and_constraints_are_keys() {
    let file = tiny();
    let key = |table: &Table, place: usize| {
        let key = &table.foreign_keys[place];
        (
            key.columns.join(","),
            key.references.to_string(),
            key.to_columns.join(","),
        )
    };
    let to = |column: &str| {
        (
            column.to_owned(),
            "main.customers".to_owned(),
            "customer_id".to_owned(),
        )
    };
    let orders = table(&file, "fct_orders");
    assert_eq!(
        (orders.primary_key.clone(), orders.foreign_keys.len()),
        (vec!["order_id".into()], 1)
    );
    assert_eq!(key(orders, 0), to("customer_id"));
    let customers = table(&file, "customers");
    assert_eq!(
        key(customers, 0),
        to("referrer_id"),
        "a table that refers to itself"
    );
    let year = table(&file, "customer_year");
    assert_eq!(year.primary_key, ["customer_id", "year"]);
    assert_eq!(
        (year.foreign_keys.len(), key(year, 0)),
        (1, to("customer_id"))
    );
}

#[test]
fn lineage_goes_through_what_is_no_table() {
    let file = tiny();
    let upstream = |name: &str| {
        let lineage = table(&file, name).lineage.as_ref().unwrap();
        let mut names: Vec<String> = lineage.upstream.iter().map(Reference::to_string).collect();
        names.sort();
        (lineage.status, names.join(" "))
    };
    let recorded = |names: &str| (Status::Recorded, names.to_owned());
    assert_eq!(
        upstream("orders_per_year"),
        recorded("main.customers main.fct_orders")
    );
    assert_eq!(upstream("fct_orders"), recorded("raw.Orders; DROP TABLE x"));
    assert_eq!(upstream("customers_then"), recorded("main.customers"));
    assert_eq!(upstream("customers"), recorded(""));
    assert_eq!(upstream("Orders; DROP TABLE x"), recorded(""));
    assert_eq!(upstream("today"), (Status::NotRecorded, String::new()));
    assert_eq!(
        table(&file, "orders_per_year").consumers,
        ["Board report (dashboard)"]
    );
    assert_eq!(
        table(&file, "fct_orders").consumers,
        ["mailer (application)"]
    );
}

#[test]
fn a_table_that_only_a_key_refers_to_is_no_origin() {
    let (mut manifest, catalog) = artefacts();
    let origins = |manifest: &Value| {
        let file = read_both(manifest, &catalog).unwrap();
        let year = table(&file, "customer_year");
        (
            year.lineage.as_ref().unwrap().upstream.len(),
            year.foreign_keys.len(),
        )
    };
    assert_eq!(origins(&manifest), (1, 1), "the query and the key");
    let refs = manifest["nodes"]["model.tiny.customer_year"]["refs"].as_array_mut();
    assert_eq!(refs.unwrap().drain(1..).count(), 1);
    assert_eq!(origins(&manifest), (0, 1), "the key only");
}

#[test]
fn names_in_another_case_are_the_same() {
    let (manifest, mut catalog) = artefacts();
    // As Snowflake does it.
    let relation = &mut catalog["nodes"]["model.tiny.fct_orders"]["columns"];
    *relation = json!({ "ORDER_ID": { "name": "ORDER_ID", "type": "NUMBER", "index": 1 },
                        "CUSTOMER_ID": { "name": "CUSTOMER_ID", "type": "NUMBER", "index": 2 } });
    let file = read_both(&manifest, &catalog).unwrap();
    let orders = table(&file, "fct_orders");
    assert_eq!(
        columns(orders),
        [("ORDER_ID", "NUMBER"), ("CUSTOMER_ID", "NUMBER")]
    );
    assert_eq!(orders.primary_key, ["ORDER_ID"]);
    assert_eq!(orders.foreign_keys[0].columns, ["CUSTOMER_ID"]);
    assert_eq!(
        orders.columns[0].description.as_deref(),
        Some("Number of the order")
    );
}

#[test]
fn without_a_catalog_documented_columns_have_to_do() {
    let (manifest, _) = artefacts();
    let file = read_both(&manifest, &Value::Null).unwrap();
    assert_eq!(
        columns(table(&file, "fct_orders")),
        [
            ("customer_id", ""),
            ("not_there_any_more", ""),
            ("order_id", "")
        ]
    );
    assert_eq!(json!(file.as_of), manifest["metadata"]["generated_at"]);
}

#[test]
fn the_same_name_in_two_databases_is_two_tables() {
    let (mut manifest, catalog) = artefacts();
    let mut other = manifest["nodes"]["model.tiny.today"].clone();
    other["database"] = json!("other");
    manifest["nodes"]["model.tiny.today2"] = other;
    let file = read_both(&manifest, &catalog).unwrap();
    let mut schemas: Vec<&str> = file
        .tables
        .iter()
        .filter(|table| table.name == "today")
        .map(|table| table.schema.as_str())
        .collect();
    schemas.sort_unstable();
    assert_eq!(schemas, ["other.main", "tiny.main"]);
}

#[test]
fn what_people_may_write_as_they_like_does_no_harm() {
    let (mut manifest, catalog) = artefacts();
    let node = &mut manifest["nodes"]["model.tiny.today"];
    for meta in [
        json!(null),
        json!([1]),
        json!("text"),
        json!({ "owner": { "a": 1 }, "synonyms": 3 }),
    ] {
        node["meta"] = meta.clone();
        node["config"]["meta"] = meta;
        node["description"] = json!("x".repeat(10 << 20));
    }
    manifest["parent_map"]["model.tiny.kept_orders"] = json!(["model.tiny.kept_again", "gone"]);
    manifest["nodes"]["analysis.tiny.x"] =
        json!({ "resource_type": "something_new", "columns": null });
    let file = read_both(&manifest, &catalog).unwrap();
    assert_eq!(file.tables.len(), 7);
    assert_eq!(table(&file, "today").owner, None);
}

#[test]
fn what_cannot_be_read_says_which_file_and_what_to_do() {
    let (manifest, catalog) = artefacts();
    let refused =
        |manifest: &Value, catalog: &Value| read_both(manifest, catalog).unwrap_err().to_string();
    let version = |artefact: &Value, version: &str| {
        let mut artefact = artefact.clone();
        artefact["metadata"]["dbt_schema_version"] = json!(version);
        artefact
    };
    let newer = version(
        &manifest,
        "https://schemas.getdbt.com/dbt/manifest/v13.json",
    );
    let message = refused(&newer, &catalog);
    assert!(
        message.contains("manifest.json") && message.contains("v13"),
        "{message}"
    );
    assert!(message.contains("v10 to v12"), "{message}");
    let older = version(
        &manifest,
        "https://schemas.getdbt.com/dbt/manifest/v10.json",
    );
    assert!(read_both(&older, &catalog).is_ok());
    let swapped = refused(&catalog, &catalog);
    assert!(
        swapped.contains("manifest.json") && swapped.contains("catalog/v1"),
        "{swapped}"
    );
    assert!(refused(&json!({}), &catalog).contains("of no version"));
    let mut broken = catalog.clone();
    broken["nodes"] = json!(3);
    let message = refused(&manifest, &broken);
    assert!(
        message.contains("catalog.json is not what dbt writes"),
        "{message}"
    );
    assert!(message.contains("dbt docs generate"), "{message}");

    let empty = refused(&Value::Null, &Value::Null);
    assert!(
        empty.contains("has no manifest.json") && empty.contains("target"),
        "{empty}"
    );
    let mut bare = manifest.clone();
    (bare["nodes"], bare["sources"]) = (json!({}), json!({}));
    assert!(refused(&bare, &catalog).contains("no model, seed, snapshot or source"));
    let gone = read(Path::new("/no/such/folder")).unwrap_err().to_string();
    assert!(gone.contains("/no/such/folder is not a folder"), "{gone}");

    let folder = folder(&manifest, &catalog);
    let cut = &MANIFEST[..MANIFEST.len() / 2];
    fs::write(folder.path().join("manifest.json"), cut).unwrap();
    let message = read(folder.path()).unwrap_err().to_string();
    assert!(
        message.contains("manifest.json is not what dbt writes"),
        "{message}"
    );
    fs::remove_file(folder.path().join("manifest.json")).unwrap();
    fs::create_dir(folder.path().join("manifest.json")).unwrap();
    let message = read(folder.path()).unwrap_err().to_string();
    assert!(message.contains("it is not a file"), "{message}");
}
