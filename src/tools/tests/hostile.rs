use serde_json::json;

use super::*;

#[test]
fn an_ambiguous_or_unknown_name_gets_candidates() {
    let tools = tools();
    let several = refusal(&tools, "get_table_details", r#"{"table": "purchase"}"#);
    assert_eq!(
        several,
        json!({
            "error": "'purchase' fits several tables: fact_bs_purchase_order, \
                      fact_bs_purchase_requisition, fact_bs_purchase_order_item. \
                      Send one of these names",
            "candidates": ["fact_bs_purchase_order", "fact_bs_purchase_requisition",
                           "fact_bs_purchase_order_item"]
        })
    );
    let none = refusal(&tools, "get_lineage", r#"{"table": "supplier rating"}"#);
    assert!(
        none["error"]
            .as_str()
            .unwrap()
            .starts_with("no table is called 'supplier rating'")
    );
    let candidates = none["candidates"].as_array().unwrap();
    assert!((1..=5).contains(&candidates.len()) && candidates.contains(&json!("dimv_bs_supplier")));
    let unknown = refusal(&tools, "get_lineage", r#"{"table": "salary"}"#);
    assert!(
        unknown.get("candidates").is_none() && unknown["error"].to_string().contains("list_tables")
    );
    refusal(
        &tools,
        "find_relationships",
        r#"{"table": "supplier", "other": "purchase"}"#,
    );
    let schema = refusal(&tools, "list_tables", r#"{"schema": "sales"}"#);
    assert_eq!(
        schema["candidates"],
        json!(["dm_ba_purchase", "dm_bs_purchase", "source_systems"])
    );
}

#[test]
fn broken_arguments_are_explained() {
    let tools = tools();
    let long = format!("{{\"table\": \"{}\"}}", "x".repeat(257));
    let longest = format!("{{\"table\": \"{}\"}}", "x".repeat(9_000));
    let nested = "[".repeat(5_000);
    for (tool, arguments, problem) in [
        ("get_table_details", "", "missing field `table`"),
        ("get_table_details", "{}", "missing field `table`"),
        (
            "get_table_details",
            "{\"table\": \"x",
            "are not JSON (EOF while parsing a string at line 1",
        ),
        ("get_table_details", "null", "are not an object"),
        ("get_table_details", "[\"supplier\"]", "are not an object"),
        (
            "get_table_details",
            "{\"table\": 5}",
            "invalid type: integer `5`, expected a string",
        ),
        (
            "get_table_details",
            "{\"table\": null}",
            "invalid type: null",
        ),
        (
            "get_table_details",
            "{\"table\": \" \"}",
            "no table is named",
        ),
        (
            "get_table_details",
            "{\"tabel\": \"x\"}",
            "unknown field `tabel`, expected `table`",
        ),
        (
            "get_table_details",
            &long,
            "more than 256 characters in 'table'",
        ),
        ("get_table_details", &longest, "longer than 8192 bytes"),
        (
            "get_table_details",
            &nested,
            "are not JSON (recursion limit",
        ),
        (
            "list_tables",
            "{\"type\": \"CUBE\"}",
            "there is no type 'CUBE'",
        ),
        ("list_tables", "{\"limit\": 5}", "unknown field `limit`"),
        (
            "list_tables",
            "{\"type\": [\"FACT\"]}",
            "invalid type: sequence",
        ),
        (
            "search_columns",
            "{\"pattern\": \" \"}",
            "the pattern is empty",
        ),
        (
            "get_lineage",
            "{\"table\": \"supplier\", \"direction\": \"up\"}",
            "no direction 'up'",
        ),
        ("drop_tables", "{}", "there is no tool 'drop_tables'"),
        ("list_table", "{}", "Did you mean list_tables?"),
        ("", "", "the tools are"),
    ] {
        let refusal = refusal(&tools, tool, arguments);
        let error = refusal["error"].as_str().unwrap();
        assert!(
            error.to_lowercase().contains(&problem.to_lowercase()),
            "{error}: {problem}"
        );
        assert!(error.len() < 700, "{error}");
    }
    let wildcard = json!({ "pattern": "*".repeat(129) }).to_string();
    let error = refusal(&tools, "search_columns", &wildcard);
    assert!(
        error["error"].to_string().contains("1 to 128 characters"),
        "{error}"
    );
}

#[test]
fn no_arguments_and_empty_ones_are_the_same() {
    let tools = tools();
    let plain = call(&tools, "list_tables", "{}");
    for arguments in [
        "",
        "  ",
        "{\"schema\": null}",
        "{\"schema\": \"\", \"type\": \" \", \"name\": null}",
    ] {
        assert_eq!(call(&tools, "list_tables", arguments), plain, "{arguments}");
    }
}

/// Names are data: whatever they are, they come back as they are.
#[test]
fn hostile_names_come_back_unchanged() {
    let hostile = [
        "\"; DROP TABLE users; --",
        "{curly} [square]",
        "🦀 crab",
        "**bold** [link](javascript:alert(1))",
        "<script>alert(1)</script>",
        "back`tick` \\ back\\slash",
        "a.b.c",
        "مرحبا",
        "'",
    ];
    let tables: Vec<Value> = hostile
        .iter()
        .map(|name| {
            json!({ "schema": "s \"x\"", "name": name, "type": "TABLE",
                    "description": format!("About {name}"),
                    "columns": [{ "name": name, "type": name }],
                    "foreign_keys": [{ "columns": [name], "references": hostile[0],
                                       "to_columns": [hostile[0]] }],
                    "lineage": { "status": "recorded", "upstream": [hostile[1]] } })
        })
        .collect();
    let tools = own(&json!({ "format": 1, "name": "hostile", "tables": tables }));
    assert_eq!(
        answer(&tools, "list_tables", json!({}))
            .as_array()
            .unwrap()
            .len(),
        hostile.len()
    );
    for name in hostile {
        let details = answer(&tools, "get_table_details", json!({ "table": name }));
        assert_eq!(details["name"], name);
        assert_eq!(details["columns"][0]["name"], name);
        let qualified = format!("s \"x\".{name}");
        let details = answer(&tools, "get_table_details", json!({ "table": qualified }));
        assert_eq!(details["name"], name);
        let joined = answer(
            &tools,
            "find_relationships",
            json!({ "table": name, "other": hostile[0] }),
        );
        assert_eq!(joined["to"], hostile[0]);
        assert_eq!(joined["paths"].as_array().unwrap().len(), 1);
        let lineage = answer(
            &tools,
            "get_lineage",
            json!({ "table": name, "direction": "upstream" }),
        );
        assert_eq!(lineage["table"], name);
    }
    let found = answer(&tools, "search_columns", json!({ "pattern": "*<script>*" }));
    assert_eq!(found["total"], 1);
    // Unknown ones are quoted, and the quotation is bounded.
    for asked in ["\u{0}\u{1b}[31m", "\"}]}", "\u{202e}", &"ž".repeat(256)] {
        let arguments = json!({ "table": asked }).to_string();
        assert!(
            refusal(&tools, "get_table_details", &arguments)
                .to_string()
                .len()
                < 700
        );
    }
}

#[test]
fn answers_about_a_large_catalog_are_bounded() {
    const TABLES: usize = 20_000;
    let long = "ž".repeat(60);
    let text = "Dlhý popis. ".repeat(300);
    let tables: Vec<Value> = (0..TABLES)
        .map(|place| {
            // One wide table in the middle that everything refers to and is made from.
            let columns: Vec<Value> = (0..if place == 0 { 1_000 } else { 2 })
                .map(|column| {
                    let description = (place == 0).then_some(&text);
                    let name = format!("column_{column}");
                    json!({ "name": name, "type": "int", "description": description })
                })
                .collect();
            let first = format!("fact_bs_{long}_t0");
            json!({ "schema": format!("s{}", place % 3), "type": "FACT",
                    "name": format!("fact_bs_{long}_t{place}"),
                    "description": text.get(..200).unwrap(),
                    "columns": columns,
                    "foreign_keys": [{ "columns": ["column_0"], "references": first,
                                       "to_columns": ["column_0"] }],
                    "lineage": { "status": "recorded", "upstream": [first] } })
        })
        .collect();
    let tools = own(&json!({ "format": 1, "name": "large", "tables": tables }));
    for (tool, arguments, most) in [
        ("list_tables", json!({}), 41),
        ("list_tables", json!({ "name": "fact" }), 41),
        ("get_table_details", json!({ "table": "t0" }), 25),
        ("find_relationships", json!({ "table": "t0" }), 25),
        (
            "find_relationships",
            json!({ "table": "t1", "other": "t19999" }),
            25,
        ),
        ("search_columns", json!({ "pattern": "column" }), 25),
        ("search_columns", json!({ "pattern": "popis" }), 25),
        ("search_columns", json!({ "pattern": "*_1" }), 25),
        ("get_lineage", json!({ "table": "t0" }), 25),
    ] {
        let result = call(&tools, tool, &arguments.to_string());
        assert!(!result.failed, "{tool} {arguments}: {}", result.content);
        assert!(
            result.content.len() < most * 1024,
            "{tool} {arguments}: {}",
            result.content.len()
        );
        assert!(
            result.content.len() > 500,
            "{tool} {arguments}: {}",
            result.content
        );
    }
    let listed = answer(&tools, "list_tables", json!({}));
    let (last, shown) = listed.as_array().unwrap().split_last().unwrap();
    assert!(shown.len() > 40);
    assert_eq!(last["omitted"], json!(TABLES - shown.len()));
    assert!(last["hint"].is_string());
    let details = answer(&tools, "get_table_details", json!({ "table": "t0" }));
    let shown = details["columns"].as_array().unwrap().len();
    assert_eq!(details["omitted_columns"], json!(1_000 - shown));
    let ambiguous = refusal(&tools, "get_table_details", r#"{"table": "fact"}"#);
    assert_eq!(ambiguous["candidates"].as_array().unwrap().len(), 10);
}

fn own(file: &Value) -> Tools {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.json");
    std::fs::write(&path, file.to_string()).unwrap();
    Tools::new(Arc::new(Catalog::of_file(&path).unwrap()))
}
