use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::catalog::Catalog;
use crate::chat::ToolCall;

struct Place {
    tools: Tools,
    _folder: Option<tempfile::TempDir>,
}

impl Place {
    fn demo() -> Self {
        Self {
            tools: Tools::new(Arc::new(Catalog::demo().unwrap())),
            _folder: None,
        }
    }

    fn of(tables: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.json");
        let file = json!({ "format": 1, "name": "test", "as_of": "2026-11-20T04:30:00.5Z", "tables": tables });
        std::fs::write(&path, file.to_string()).unwrap();
        Self {
            tools: Tools::new(Arc::new(Catalog::of_file(&path).unwrap())),
            _folder: Some(folder),
        }
    }

    fn run(&self, name: &str, arguments: Value) -> ToolResult {
        self.tools.run(&ToolCall {
            id: "1".into(),
            name: name.into(),
            arguments: arguments.to_string().into(),
        })
    }

    fn draw(&self, calls: &[(&str, Value)]) -> Drawing {
        let results: Vec<ToolResult> = calls
            .iter()
            .map(|(name, arguments)| self.run(name, arguments.clone()))
            .collect();
        self.tools.drawing(&results).unwrap()
    }
}

fn mermaid(drawing: &Drawing) -> Vec<String> {
    let text = &drawing.diagram.as_ref().unwrap().mermaid;
    text.lines()
        .map(|line| line.trim_start().to_owned())
        .collect()
}

fn assert_has(lines: &[String], wanted: &[&str]) {
    for line in wanted {
        assert!(
            lines.iter().any(|other| other == line),
            "no `{line}` in {lines:#?}"
        );
    }
}

#[test]
fn a_table_is_drawn_with_its_columns_and_its_neighbours_with_their_keys() {
    let drawing = Place::demo().draw(&[
        ("list_tables", json!({})),
        (
            "get_table_details",
            json!({ "table": "fact_bs_purchase_order_item" }),
        ),
    ]);
    let lines = mermaid(&drawing);
    assert_eq!(lines[0], "erDiagram");
    assert_has(
        &lines,
        &[
            "fact_bs_purchase_order_item {",
            "fact_bs_purchase_order_item }o--|| fact_bs_purchase_order : \"order_number\"",
            "varchar(10) order_number PK, FK",
            "fact_bs_purchase_order {",
            "dimv_bs_material {",
        ],
    );
    assert!(
        !lines.iter().any(|line| line.contains("material_name")),
        "{lines:#?}"
    );
    let canvas = drawing.canvas.unwrap();
    assert_eq!(canvas.view, Some(CanvasView::ErDiagram));
    assert_eq!(
        canvas.entity.as_deref(),
        Some("fact_bs_purchase_order_item")
    );
    assert_eq!(
        &*canvas.reason,
        "The answer is about fact_bs_purchase_order_item."
    );
    let metrics = drawing.metrics.unwrap();
    assert_eq!(metrics.schema.as_deref(), Some("dm_bs_purchase"));
    assert!(
        metrics
            .quality
            .is_some_and(|quality| (90..100).contains(&quality)),
        "{metrics:?}"
    );
}

#[test]
fn a_lineage_is_drawn_as_what_feeds_what() {
    let drawing = Place::demo().draw(&[(
        "get_lineage",
        json!({ "table": "fact_bs_purchase_order", "direction": "upstream" }),
    )]);
    let lines = mermaid(&drawing);
    assert_has(
        &lines,
        &["src_sap_ekko }o..o{ fact_bs_purchase_order : feeds"],
    );
    assert_eq!(
        drawing.canvas.unwrap().view,
        Some(CanvasView::RelationshipGraph)
    );
}

#[test]
fn a_list_is_a_list_and_too_long_a_one_is_not_drawn() {
    let place = Place::demo();
    let drawing = place.draw(&[("list_tables", json!({ "type": "FACT" }))]);
    let canvas = drawing.canvas.clone().unwrap();
    assert_eq!(
        (canvas.view, canvas.entity),
        (Some(CanvasView::TableList), None)
    );
    assert!(mermaid(&drawing).len() > 5);
    let tables =
        (0..200).map(|n| json!({ "schema": "s", "name": format!("t{n}"), "type": "TABLE" }));
    let many = Place::of(tables.collect());
    let drawing = many.draw(&[("list_tables", json!({}))]);
    assert_eq!(drawing.diagram, None);
    assert_eq!(
        &*drawing.canvas.unwrap().reason,
        "The answer is about a list of 200 tables."
    );
    let metrics = drawing.metrics.unwrap();
    assert_eq!(
        (metrics.tables, metrics.schema.as_deref()),
        (200, Some("s"))
    );
    assert_eq!(metrics.quality, Some(0));
}

#[test]
fn what_is_not_ours_or_failed_is_not_drawn() {
    let place = Place::demo();
    let foreign = ToolResult {
        call_id: "1".into(),
        name: "weather".into(),
        content: r#"{"name":"dimv_bs_date","schema":"dm_bs_purchase","columns":[]}"#.into(),
        failed: false,
    };
    let failed = place.run(
        "get_table_details",
        json!({ "table": "nonsense nobody has" }),
    );
    assert!(failed.failed);
    assert_eq!(place.tools.drawing(&[]), None);
    assert_eq!(place.tools.drawing(&[foreign, failed]), None);
    let damaged = ToolResult {
        call_id: "1".into(),
        name: "get_lineage".into(),
        content: "{".into(),
        failed: false,
    };
    let drawing = place.tools.drawing(&[damaged]).unwrap();
    assert_eq!(
        (drawing.diagram, drawing.canvas.unwrap().view),
        (None, None)
    );
}

#[test]
fn cardinalities_are_those_of_the_keys() {
    let column =
        |name: &str, nullable: bool| json!({ "name": name, "type": "int", "nullable": nullable });
    let key =
        |column: &str| json!({ "columns": [column], "references": "s.hub", "to_columns": ["id"] });
    let place = Place::of(json!([
        { "schema": "s", "name": "hub", "type": "TABLE", "primary_key": ["id"], "columns": [column("id", false)] },
        { "schema": "s", "name": "must", "type": "TABLE", "columns": [column("a", false)], "foreign_keys": [key("a")] },
        { "schema": "s", "name": "may", "type": "TABLE", "columns": [column("a", true)], "foreign_keys": [key("a")] },
        { "schema": "s", "name": "half", "type": "TABLE", "primary_key": ["a"], "columns": [column("a", false)],
          "foreign_keys": [key("a")] },
        { "schema": "s", "name": "part", "type": "TABLE", "primary_key": ["a", "b"],
          "columns": [column("a", false), column("b", false)], "foreign_keys": [key("a")] },
    ]));
    let lines = mermaid(&place.draw(&[("find_relationships", json!({ "table": "hub" }))]));
    assert_has(
        &lines,
        &[
            "must }o..|| hub : \"a\"",
            "may }o..o| hub : \"a\"",
            "half |o--|| hub : \"a\"",
            "part }o--|| hub : \"a\"",
        ],
    );
}

#[test]
fn different_names_are_different_entities() {
    let names = [
        "table_1",
        "table_2",
        "a b",
        "a-b",
        "a.b",
        "a_b",
        "A B",
        "end",
        "END",
        "end_",
        "\"",
        "\"\"",
        "é",
        "e",
        "😀",
        "%%",
        "---",
        "]",
        "}",
        "#34;",
        "#quot;",
        "direction TB",
        "C4Container",
        "__proto__",
        "constructor",
        "a  b",
        "PK",
    ];
    let tables = names.map(|name| json!({ "schema": "s", "name": name, "type": "TABLE" }));
    let place = Place::of(json!(tables));
    let drawing = place.draw(&[("list_tables", json!({}))]);
    let lines = mermaid(&drawing);
    assert_eq!(lines.len(), names.len() + 1, "{lines:#?}");
    let entity = |line: &String| line.split('[').next().unwrap().to_owned();
    let entities: BTreeSet<String> = lines.iter().skip(1).map(entity).collect();
    assert_eq!(entities.len(), names.len(), "{entities:?}");
    let labels: BTreeSet<&String> = lines.iter().skip(1).collect();
    assert_eq!(labels.len(), names.len());
}

#[test]
fn what_is_too_much_is_left_out_and_counted() {
    let long = |n: usize| format!("{n:03}{}", "\u{1F600}".repeat(190));
    let columns: Vec<Value> = (0..300)
        .map(|n| json!({ "name": long(n), "type": long(n) }))
        .collect();
    let hub = json!({ "schema": "s", "name": "hub", "type": "TABLE", "primary_key": [long(299)], "columns": columns });
    let spokes = (0..200).map(|n| {
        json!({ "schema": "s", "name": long(n), "type": "TABLE", "columns": [{ "name": long(0), "type": "int" }],
            "foreign_keys": [{ "columns": [long(0)], "references": "s.hub", "to_columns": [long(299)] }] })
    });
    let place = Place::of(std::iter::once(hub).chain(spokes).collect());
    let drawing = place.draw(&[("get_table_details", json!({ "table": "hub" }))]);
    let text = Arc::clone(&drawing.diagram.as_ref().unwrap().mermaid);
    assert!(text.len() <= Diagram::MERMAID_BYTES, "{}", text.len());
    let lines = mermaid(&drawing);
    assert!(
        lines[1].starts_with("accDescr: Too large to be drawn whole"),
        "{}",
        lines[1]
    );
    assert!(lines.iter().any(|line| line == "hub {"));
    assert!(
        lines.iter().any(|line| line.contains(" PK")),
        "the key is kept"
    );
    assert!(
        lines.iter().any(|line| line.starts_with("more columns \"")),
        "{lines:#?}"
    );
}
