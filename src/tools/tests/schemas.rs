use serde_json::json;

use super::*;

#[test]
fn schemas_are_in_one_piece_and_closed() {
    let specs = tools().specs();
    assert_eq!(
        specs.iter().map(|spec| &*spec.name).collect::<Vec<_>>(),
        [
            "list_tables",
            "get_table_details",
            "find_relationships",
            "search_columns",
            "get_lineage"
        ]
    );
    for spec in specs.iter() {
        let schema = &spec.parameters;
        assert_eq!(schema["type"], "object", "{schema}");
        assert_eq!(schema["additionalProperties"], false, "{schema}");
        let text = schema.to_string();
        for absent in ["$schema", "$defs", "$ref", "\"title\"", "null"] {
            assert!(!text.contains(absent), "{absent} in {text}");
        }
        for (name, property) in schema["properties"].as_object().unwrap() {
            assert_eq!(property["type"], "string", "{name}");
            assert!(property["description"].is_string(), "{name}");
        }
        assert!(spec.description.len() > 80 && !spec.description.contains("  "));
    }
}

#[test]
fn the_schema_of_a_tool_says_what_is_required_and_what_may_be_said() {
    let specs = tools().specs();
    let lineage = &specs[4].parameters;
    assert_eq!(lineage["required"], json!(["table"]));
    assert_eq!(
        lineage["properties"]["direction"]["enum"],
        json!(["upstream", "downstream", "both"])
    );
    let list = &specs[0].parameters;
    assert!(list.get("required").is_none());
    assert_eq!(
        list["properties"]["type"]["enum"],
        json!(["FACT", "DIMENSION", "VIEW", "TABLE", "SOURCE"])
    );
}

/// The examples in error messages must work themselves.
#[test]
fn the_examples_are_calls_that_work() {
    let tools = tools();
    for tool in Tool::ALL {
        for example in tool.example().split(" or ") {
            let arguments = example
                .replacen("<name>", "supplier", 1)
                .replace("<name>", "purchase order");
            let result = call(&tools, tool.name(), &arguments);
            assert!(!result.failed, "{arguments}: {}", result.content);
        }
    }
}
