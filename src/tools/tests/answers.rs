use serde_json::json;

use super::*;

#[test]
fn a_result_belongs_to_its_call() {
    let result = call(&tools(), "list_tables", "");
    assert_eq!(
        (&*result.call_id, &*result.name, result.failed),
        ("call-1", "list_tables", false)
    );
}

#[test]
fn tables_are_listed_in_order_and_sources_only_on_request() {
    let tools = tools();
    let all = answer(&tools, "list_tables", json!({}));
    let listed = all.as_array().unwrap();
    assert_eq!(listed.len(), 21);
    let columns: u64 = listed
        .iter()
        .map(|table| table["columns"].as_u64().unwrap())
        .sum();
    assert_eq!(columns, 155);
    assert_eq!(
        listed[0],
        json!({ "name": "factv_ba_open_orders", "schema": "dm_ba_purchase", "type": "VIEW",
                "description":
                    "Order items that still wait for goods, with the days they are late.",
                "columns": 5 })
    );
    let keys: Vec<(&str, usize, &str)> = listed
        .iter()
        .map(|table| {
            let order = ["FACT", "DIMENSION", "VIEW", "TABLE", "SOURCE"];
            let kind = order
                .iter()
                .position(|kind| table["type"] == *kind)
                .unwrap();
            (
                table["schema"].as_str().unwrap(),
                kind,
                table["name"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(keys.is_sorted(), "{keys:?}");

    for (kind, count) in [
        ("FACT", 7),
        ("facts", 7),
        ("Dimensions", 11),
        ("view", 3),
        ("TABLE", 0),
        ("sources", 11),
        ("", 21),
    ] {
        let listed = answer(&tools, "list_tables", json!({ "type": kind }));
        assert_eq!(listed.as_array().unwrap().len(), count, "{kind}");
    }
    let schema = answer(&tools, "list_tables", json!({ "schema": "DM_BS_PURCHASE" }));
    assert_eq!(schema.as_array().unwrap().len(), 18);
    let both = answer(
        &tools,
        "list_tables",
        json!({ "schema": "dm_bs_purchase", "type": "fact" }),
    );
    assert_eq!(both.as_array().unwrap().len(), 7);
}

#[test]
fn tables_are_listed_by_words_and_patterns() {
    let tools = tools();
    for (name, listed) in [
        ("supplier group", vec!["dimv_bs_supplier_group"]),
        (
            "*group",
            vec![
                "dimv_bs_material_group",
                "dimv_bs_purchasing_group",
                "dimv_bs_supplier_group",
            ],
        ),
        (
            "dm_ba_*",
            vec![
                "factv_ba_open_orders",
                "factv_ba_supplier_spend",
                "factv_ba_three_way_match",
            ],
        ),
        ("zmluvy", vec!["dimv_bs_contract"]),
        ("requisiton", vec!["fact_bs_purchase_requisition"]),
        ("salary", vec![]),
        ("🦀", vec![]),
    ] {
        let answer = answer(&tools, "list_tables", json!({ "name": name }));
        assert_eq!(names(&answer, "name"), listed, "{name}");
    }
}

#[test]
fn details_hold_all_of_a_table() {
    let tools = tools();
    let details = answer(
        &tools,
        "get_table_details",
        json!({ "table": "fact_bs_goods_receipt" }),
    );
    assert_eq!(details["schema"], "dm_bs_purchase");
    assert_eq!(details["type"], "FACT");
    assert_eq!(details["grain"], "one row per goods receipt posting");
    assert_eq!(details["owner"], "Inbound Logistics Reporting");
    assert_eq!(details["as_of"], "2026-11-20T04:30:00Z");
    assert_eq!(
        details["primary_key"],
        json!(["material_document", "material_document_item"])
    );
    assert_eq!(details["columns"].as_array().unwrap().len(), 9);
    assert_eq!(
        details["columns"][2],
        json!({ "name": "order_number", "type": "varchar(10)",
                "description": "Order the goods were ordered with",
                "nullable": false, "primary_key": false,
                "references": "fact_bs_purchase_order_item.order_number" })
    );
    // A gap is a null, not a missing key.
    assert_eq!(details["columns"][8]["name"], "movement_type");
    assert_eq!(details["columns"][8].get("description"), Some(&Value::Null));
    assert_eq!(
        details["references"][2],
        json!({ "columns": ["order_number", "order_item"], "table": "fact_bs_purchase_order_item",
                "to_columns": ["order_number", "order_item"] })
    );
    assert_eq!(details["referenced_by"], json!([]));
    assert!(details.get("asked").is_none() && details.get("omitted_columns").is_none());

    let item = answer(
        &tools,
        "get_table_details",
        json!({ "table": "order items" }),
    );
    assert_eq!(item["asked"], "order items");
    assert_eq!(item["name"], "fact_bs_purchase_order_item");
    assert_eq!(
        item["columns"][0]["references"],
        "fact_bs_purchase_order.order_number"
    );
    assert_eq!(
        names(&item["referenced_by"], "table"),
        ["fact_bs_goods_receipt", "fact_bs_supplier_invoice"]
    );
    let group = answer(
        &tools,
        "get_table_details",
        json!({ "table": "purchasing group" }),
    );
    assert_eq!(group.get("owner"), Some(&Value::Null));
}

#[test]
fn relationships_of_one_table_go_both_ways() {
    let tools = tools();
    let answer = answer(&tools, "find_relationships", json!({ "table": "suplier" }));
    assert_eq!(
        (&answer["table"], &answer["asked"]),
        (&json!("dimv_bs_supplier"), &json!("suplier"))
    );
    let relationships = answer["relationships"].as_array().unwrap();
    assert_eq!(relationships.len(), 5);
    assert_eq!(
        relationships[0],
        json!({ "from_table": "dimv_bs_supplier", "from_columns": ["supplier_group_key"],
                "to_table": "dimv_bs_supplier_group", "to_columns": ["supplier_group_key"] })
    );
    assert!(
        relationships[1..]
            .iter()
            .all(|key| key["to_table"] == "dimv_bs_supplier")
    );
}

#[test]
fn a_key_of_a_table_to_itself_is_one_relationship() {
    let answer = answer(
        &tools(),
        "find_relationships",
        json!({ "table": "material group" }),
    );
    let itself = |key: &&Value| key["from_table"] == key["to_table"];
    assert_eq!(
        answer["relationships"]
            .as_array()
            .unwrap()
            .iter()
            .filter(itself)
            .count(),
        1
    );
}

#[test]
fn two_tables_are_joined_over_a_third() {
    let tools = tools();
    let paths = answer(
        &tools,
        "find_relationships",
        json!({ "table": "purchase order item", "other": "supplier" }),
    );
    assert_eq!(paths["from"], "fact_bs_purchase_order_item");
    assert_eq!(paths["to"], "dimv_bs_supplier");
    assert_eq!(paths["asked_other"], "supplier");
    assert_eq!(
        paths["paths"][0],
        json!({ "length": 2, "joins": [
            { "from_table": "fact_bs_purchase_order_item", "from_columns": ["order_number"],
              "to_table": "fact_bs_purchase_order", "to_columns": ["order_number"] },
            { "from_table": "fact_bs_purchase_order", "from_columns": ["supplier_key"],
              "to_table": "dimv_bs_supplier", "to_columns": ["supplier_key"] }
        ] })
    );
    // The other way round the keys keep their direction and change their order.
    let back = answer(
        &tools,
        "find_relationships",
        json!({ "table": "supplier", "other": "purchase order item" }),
    );
    let tables: Vec<&Value> = back["paths"][0]["joins"]
        .as_array()
        .unwrap()
        .iter()
        .map(|join| &join["from_table"])
        .collect();
    assert_eq!(
        tables,
        ["fact_bs_purchase_order", "fact_bs_purchase_order_item"]
    );

    let none = answer(
        &tools,
        "find_relationships",
        json!({ "table": "open orders", "other": "supplier" }),
    );
    assert_eq!(none["paths"], json!([]));
    assert!(
        none["note"]
            .as_str()
            .unwrap()
            .contains("recorded foreign keys"),
        "{none}"
    );
}

#[test]
fn columns_are_found_with_their_tables() {
    let tools = tools();
    let found = answer(&tools, "search_columns", json!({ "pattern": "*email*" }));
    assert_eq!(found["total"], 2);
    assert_eq!(
        found["columns"][0],
        json!({ "table": "dimv_bs_buyer", "schema": "dm_bs_purchase", "column": "email",
                "type": "varchar(120)", "description": "Mail address at work. Personal data" })
    );
    let keys = answer(
        &tools,
        "search_columns",
        json!({ "pattern": "key", "table": "purchase order", "schema": "dm_bs_purchase" }),
    );
    assert_eq!(keys["total"], 5);
    let misspelled = answer(
        &tools,
        "search_columns",
        json!({ "pattern": "suplier_name" }),
    );
    assert!(
        misspelled["note"]
            .as_str()
            .unwrap()
            .contains("'supplier name'"),
        "{misspelled}"
    );
    assert_eq!(misspelled["columns"][0]["column"], "supplier_name");
    let many = answer(&tools, "search_columns", json!({ "pattern": "*" }));
    assert_eq!(many["total"], 155);
    let shown = many["columns"].as_array().unwrap().len();
    assert_eq!(many["omitted"], json!(155 - shown));
    let none = answer(&tools, "search_columns", json!({ "pattern": "salary" }));
    assert_eq!((&none["total"], &none["columns"]), (&json!(0), &json!([])));
}

#[test]
fn lineage_goes_up_and_down() {
    let tools = tools();
    let up = answer(
        &tools,
        "get_lineage",
        json!({ "table": "supplier spend", "direction": "upstream" }),
    );
    assert_eq!(up["recorded"], true);
    assert_eq!(up["downstream"], json!([]));
    assert!(up.get("note").is_none(), "{up}");
    let upstream = up["upstream"].as_array().unwrap();
    assert!(
        upstream
            .iter()
            .take(4)
            .all(|table| table["distance"] == 1 && table["via"] == json!([]))
    );
    let mara = upstream
        .iter()
        .find(|table| table["table"] == "src_sap_mara")
        .unwrap();
    assert_eq!(
        *mara,
        json!({ "table": "src_sap_mara", "type": "SOURCE", "distance": 2,
                "via": ["dimv_bs_material"] })
    );
    let down = answer(
        &tools,
        "get_lineage",
        json!({ "table": "src_ecb_fx", "direction": "DOWNSTREAM" }),
    );
    assert_eq!(down["direction"], "downstream");
    assert_eq!(down["upstream"], json!([]));
    assert!(names(&down["downstream"], "table").contains(&"factv_ba_three_way_match".to_owned()));
    let both = answer(&tools, "get_lineage", json!({ "table": "goods receipt" }));
    assert_eq!(both["direction"], "both");
    assert_eq!(names(&both["upstream"], "table"), ["src_sap_ekbe"]);
    assert_eq!(
        names(&both["downstream"], "table"),
        [
            "factv_ba_open_orders",
            "factv_ba_three_way_match",
            "fact_bs_delivery_performance"
        ]
    );
}

#[test]
fn what_is_not_recorded_is_said_to_be_not_recorded() {
    let tools = tools();
    for (arguments, recorded, note) in [
        (
            json!({ "table": "company" }),
            false,
            "Where dimv_bs_company comes from is not recorded in the catalog. \
             No table is recorded as made from dimv_bs_company.",
        ),
        (
            json!({ "table": "company", "direction": "downstream" }),
            false,
            "No table is recorded as made from dimv_bs_company.",
        ),
        (
            json!({ "table": "calendar", "direction": "upstream" }),
            true,
            "dimv_bs_date is generated: it is made from no other table.",
        ),
        (
            json!({ "table": "ekko", "direction": "upstream" }),
            true,
            "src_sap_ekko is a source: nothing before it is recorded.",
        ),
    ] {
        let lineage = answer(&tools, "get_lineage", arguments);
        assert_eq!(lineage["recorded"], recorded, "{lineage}");
        assert_eq!(lineage["note"], note);
        assert_eq!(lineage["upstream"], json!([]));
    }
}
