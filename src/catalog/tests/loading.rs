use std::fs;

use serde_json::{Value, json};

use super::*;

fn two_tables() -> Value {
    json!({
        "format": 1,
        "name": "own",
        "tables": [
            { "schema": "a", "name": "orders", "type": "FACT", "primary_key": ["id"],
              "columns": [{ "name": "id", "type": "int" }, { "name": "customer", "type": "int" }],
              "foreign_keys": [
                  { "columns": ["customer"], "references": "a.customers", "to_columns": ["id"] }
              ],
              "lineage": { "status": "recorded", "upstream": ["customers"] } },
            { "schema": "a", "name": "customers", "type": "DIMENSION",
              "columns": [{ "name": "id", "type": "int" }] }
        ]
    })
}

/// Changes the value at a JSON pointer.
fn with(pointer: &str, value: Value) -> Value {
    let mut file = two_tables();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    match file.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[field.parse::<usize>().unwrap()] = value,
        Value::Object(fields) => drop(fields.insert(field.to_owned(), value)),
        other => panic!("{other}"),
    }
    file
}

#[test]
fn the_example_of_the_format_can_be_loaded() {
    let text = include_str!("../format.md");
    let example = text
        .split("```json")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let catalog = parse(&serde_json::from_str(example).unwrap()).unwrap();
    let info = catalog.info();
    assert_eq!(
        (
            info.tables,
            info.sources,
            info.foreign_keys,
            info.lineage_edges
        ),
        (2, 1, 1, 1)
    );
    let customer = table(&catalog, "zakaznik");
    assert_eq!(customer.name, "dim_customer");
    assert_eq!(
        customer
            .columns
            .iter()
            .map(|column| column.nullable)
            .collect::<Vec<_>>(),
        [false, false]
    );
}

#[test]
fn contradictions_are_named_with_their_place() {
    parse(&two_tables()).unwrap();
    let key = "/tables/0/foreign_keys/0";
    for (file, at, problem) in [
        (with("/format", json!(2)), "format", "reads format 1, not 2"),
        (with("/name", json!("")), "name", "the name is empty"),
        (
            with("/as_of", json!("yesterday")),
            "as_of",
            "2026-11-20T04:30:00Z",
        ),
        (with("/tables", json!([])), "tables", "there is no table"),
        (
            with("/tables/1/name", json!("orders")),
            "tables[1].name",
            "two tables called 'orders'",
        ),
        (
            with("/tables/1/name", json!("a\u{7}b")),
            "tables[1].name",
            "control characters",
        ),
        (
            with("/tables/1/name", json!("x".repeat(201))),
            "tables[1].name",
            "more than 200",
        ),
        (
            with("/tables/1/schema", json!(" a")),
            "tables[1].schema",
            "spaces around",
        ),
        (
            with("/tables/1/owner", json!(" ")),
            "tables[1].owner",
            "empty",
        ),
        (
            with("/tables/1/description", json!("\u{1b}[31m")),
            "tables[1].description",
            "control characters",
        ),
        (
            with("/tables/1/description", json!("x".repeat(4_001))),
            "tables[1].description",
            "more than 4000",
        ),
        (
            with("/tables/1/synonyms", json!(vec!["x"; 51])),
            "tables[1].synonyms",
            "there are 51 of them, and at most 50",
        ),
        (
            with("/tables/0/columns/1/name", json!("id")),
            "tables[0].columns[1].name",
            "two columns called 'id'",
        ),
        (
            with("/tables/0/columns/1/type", json!("")),
            "tables[0].columns[1].type",
            "empty",
        ),
        (
            with("/tables/0/primary_key/0", json!("idd")),
            "tables[0].primary_key[0]",
            "no column 'idd'",
        ),
        (
            with("/tables/0/primary_key", json!(["id", "id"])),
            "tables[0].primary_key[1]",
            "listed twice",
        ),
        (
            with(&format!("{key}/references"), json!("a.customer")),
            "tables[0].foreign_keys[0].references",
            "no table 'a.customer'. Did you mean 'a.customers'?",
        ),
        (
            with(&format!("{key}/columns"), json!(["custommer"])),
            "tables[0].foreign_keys[0].columns[0]",
            "no column 'custommer'. Did you mean 'customer'?",
        ),
        (
            with(&format!("{key}/to_columns"), json!(["key"])),
            "tables[0].foreign_keys[0].to_columns[0]",
            "'a.customers' has no column 'key'",
        ),
        (
            with(&format!("{key}/columns"), json!(["customer", "id"])),
            "tables[0].foreign_keys[0]",
            "2 columns refer to 1",
        ),
        (
            with(&format!("{key}/columns"), json!([])),
            "tables[0].foreign_keys[0].columns",
            "at least one column",
        ),
        (
            with("/tables/0/foreign_keys", {
                let key = two_tables()["tables"][0]["foreign_keys"][0].clone();
                json!([key, key])
            }),
            "tables[0].foreign_keys[1]",
            "listed twice",
        ),
        (
            with("/tables/0/lineage/upstream/0", json!("stage.raw")),
            "tables[0].lineage.upstream[0]",
            "no table 'stage.raw'",
        ),
        (
            with(
                "/tables/0/lineage/upstream",
                json!(["customers", "a.customers"]),
            ),
            "tables[0].lineage.upstream[1]",
            "listed twice",
        ),
        (
            with("/tables/0/lineage/status", json!("generated")),
            "tables[0].lineage.upstream",
            "the status is not \"recorded\"",
        ),
    ] {
        let error = parse(&file).unwrap_err();
        assert!(
            matches!(&error, CatalogError::Content { at: place, .. } if place == at),
            "{error} is not at {at}"
        );
        let message = error.to_string();
        assert!(
            message.contains("own.json") && message.contains(problem),
            "{message}: {problem}"
        );
    }
}

#[test]
fn a_bare_name_in_two_other_schemas_must_be_qualified() {
    let mut file = with("/tables/0/foreign_keys/0/references", json!("customers"));
    file["tables"][1]["schema"] = json!("b");
    let mut other = file["tables"][1].clone();
    other["schema"] = json!("c");
    file["tables"].as_array_mut().unwrap().push(other);
    let error = parse(&file).unwrap_err().to_string();
    assert!(
        error.contains("several schemas have a table called 'customers'"),
        "{error}"
    );
    // One of the own schema is the one that is meant.
    file["tables"][1]["schema"] = json!("a");
    let catalog = parse(&file).unwrap();
    let key = catalog.keys_from(table(&catalog, "orders")).next().unwrap();
    assert_eq!(key.to.label(), "a.customers");
    assert!(matches!(catalog.find("customers"), Found::Several(tables) if tables.len() == 2));
    assert_eq!(table(&catalog, "C.Customers").label(), "c.customers");
    assert_eq!(table(&catalog, "c.customer").label(), "c.customers");
}

#[test]
fn what_is_no_json_or_no_catalog_is_named_with_line_and_column() {
    let config = Source::File("own.json".into());
    let load = |text: &[u8]| file::parse(&config, text, Timestamp::UNIX_EPOCH).unwrap_err();
    for text in [
        &b""[..],
        b"{",
        b"[1,",
        b"{\"format\": 1,}",
        b"\xff\xfe",
        b"hello",
    ] {
        let error = load(text);
        assert!(matches!(error, CatalogError::Syntax { .. }), "{error}");
        let message = error.to_string();
        assert!(
            message.contains("own.json is not JSON") && message.contains("line 1"),
            "{message}"
        );
    }
    for (text, problem) in [
        ("{\"format\": \"one\"}", "invalid type: string \"one\""),
        (
            "{\n \"format\": 1, \"nmae\": \"x\"}",
            "unknown field `nmae`",
        ),
        ("{\"format\": 1, \"tables\": []}", "missing field `name`"),
        ("[]", "expected struct"),
        (
            "{\"format\": 1, \"name\": \"x\", \"tables\": [{\"type\": \"CUBE\"}]}",
            "unknown variant `CUBE`",
        ),
    ] {
        let error = load(text.as_bytes());
        assert!(matches!(error, CatalogError::Format { .. }), "{error}");
        let message = error.to_string();
        assert!(
            message.contains(problem) && message.contains("line "),
            "{message}"
        );
    }
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    load(nested.as_bytes());
}

#[test]
fn files_that_cannot_be_read_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let error = |path: &std::path::Path| Catalog::of_file(path).unwrap_err();
    let missing = error(&folder.path().join("none.json"));
    assert!(matches!(missing, CatalogError::Unreadable { .. }));
    let message = missing.to_string();
    assert!(
        message.contains("none.json") && message.contains("No such file"),
        "{message}"
    );
    assert!(matches!(
        error(folder.path()),
        CatalogError::NotAFile { .. }
    ));

    let large = folder.path().join("large.json");
    fs::File::create(&large)
        .unwrap()
        .set_len(file::MAX_BYTES + 1)
        .unwrap();
    let message = error(&large).to_string();
    assert!(message.contains("longer than 512 MiB"), "{message}");
}

#[test]
fn a_file_without_a_time_has_the_one_it_was_changed_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.json");
    fs::write(&path, format!("\u{feff}{}", two_tables())).unwrap();
    let changed = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(400_000);
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(changed)
        .unwrap();
    let catalog = Catalog::of_file(&path).unwrap();
    assert_eq!(catalog.info().as_of, Timestamp::try_from(changed).unwrap());

    let day = parse(&with("/as_of", json!("2026-11-20"))).unwrap();
    assert_eq!(day.info().as_of.to_string(), "2026-11-20T00:00:00Z");
}
