use serde_json::{Value, json};

use super::*;
use crate::catalog::joins::shortest;
use crate::catalog::lineage::{Direction, Reached, reached};
use crate::catalog::search::{Sought, Within, columns, corrected};
use crate::matching::Wildcard;

fn steps(catalog: &Catalog, from: &str, to: &str) -> Vec<String> {
    shortest(catalog, table(catalog, from), table(catalog, to))
        .paths
        .into_iter()
        .map(|path| {
            path.iter()
                .map(|key| {
                    format!(
                        "{}({})>{}",
                        key.from.label(),
                        key.from_columns.join(","),
                        key.to.label()
                    )
                })
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

fn names(reached: &[Reached<'_>]) -> Vec<(String, u32, Vec<String>)> {
    reached
        .iter()
        .map(|reached| {
            let via = reached.via.iter().map(|table| table.name.clone()).collect();
            (reached.table.name.clone(), reached.distance, via)
        })
        .collect()
}

#[test]
fn tables_are_joined_over_recorded_keys() {
    let catalog = demo();
    assert_eq!(
        steps(&catalog, "fact_bs_purchase_order", "dimv_bs_supplier"),
        ["fact_bs_purchase_order(supplier_key)>dimv_bs_supplier"]
    );
    // Both days of an invoice.
    assert_eq!(
        steps(&catalog, "fact_bs_supplier_invoice", "dimv_bs_date").len(),
        2
    );
    // Other tables are as near over shared plants and days. The one that multiplies no rows comes
    // first.
    let paths = steps(&catalog, "fact_bs_goods_receipt", "dimv_bs_supplier");
    assert_eq!(
        paths[0],
        "fact_bs_goods_receipt(order_number,order_item)>fact_bs_purchase_order_item \
         fact_bs_purchase_order_item(order_number)>fact_bs_purchase_order \
         fact_bs_purchase_order(supplier_key)>dimv_bs_supplier"
    );
    assert_eq!(paths.len(), joins::MOST_PATHS);
    assert_eq!(
        steps(&catalog, "dimv_bs_material_group", "dimv_bs_material_group"),
        ["dimv_bs_material_group(parent_material_group_key)>dimv_bs_material_group"]
    );
    assert!(steps(&catalog, "dimv_bs_supplier", "dimv_bs_supplier").is_empty());
}

/// The views have key columns, but no recorded keys.
#[test]
fn no_join_is_invented_for_views() {
    let catalog = demo();
    assert!(steps(&catalog, "factv_ba_open_orders", "fact_bs_purchase_order").is_empty());
}

#[test]
fn a_path_has_at_most_four_keys_and_the_shortest_win() {
    let chain = |length: usize| {
        let tables: Vec<Value> = (0..=length)
            .map(|place| {
                let next = format!("t{}", place + 1);
                let keys = if place < length {
                    json!([{ "columns": ["id"], "references": next, "to_columns": ["id"] }])
                } else {
                    json!([])
                };
                json!({
                    "schema": "s", "name": format!("t{place}"), "type": "TABLE",
                    "columns": [{ "name": "id", "type": "int" }],
                    "foreign_keys": keys
                })
            })
            .collect();
        parse(&json!({ "format": 1, "name": "chain", "tables": tables })).unwrap()
    };
    let four = chain(4);
    assert_eq!(steps(&four, "t0", "t4").len(), 1);
    assert_eq!(
        steps(&four, "t4", "t0").len(),
        1,
        "keys are followed both ways"
    );
    let five = chain(5);
    assert!(steps(&five, "t0", "t5").is_empty());
}

#[test]
fn equally_short_paths_are_bounded() {
    let id = json!([{ "name": "id", "type": "int" }]);
    let mut tables = vec![
        json!({ "schema": "s", "name": "a", "type": "TABLE", "columns": id }),
        json!({ "schema": "s", "name": "b", "type": "TABLE", "columns": id }),
    ];
    tables.extend((0..500).map(|place| {
        json!({ "schema": "s", "name": format!("bridge{place}"), "type": "TABLE",
                "columns": [{ "name": "id", "type": "int" }],
                "foreign_keys": [
                    { "columns": ["id"], "references": "a", "to_columns": ["id"] },
                    { "columns": ["id"], "references": "b", "to_columns": ["id"] }
                ] })
    }));
    let catalog = parse(&json!({ "format": 1, "name": "wide", "tables": tables })).unwrap();
    let paths = shortest(&catalog, table(&catalog, "a"), table(&catalog, "b"));
    assert_eq!(paths.paths.len(), joins::MOST_PATHS);
    assert!(paths.more);
}

#[test]
fn lineage_has_distances_and_the_way() {
    let catalog = demo();
    let up = reached(
        &catalog,
        table(&catalog, "fact_bs_supplier_invoice"),
        Direction::Upstream,
    );
    assert_eq!(
        names(&up),
        [
            ("src_sap_rbkp".to_owned(), 1, vec![]),
            ("fact_bs_exchange_rate".to_owned(), 1, vec![]),
            (
                "src_ecb_fx".to_owned(),
                2,
                vec!["fact_bs_exchange_rate".to_owned()]
            ),
        ]
    );
    let down = reached(
        &catalog,
        table(&catalog, "src_sap_ekko"),
        Direction::Downstream,
    );
    let nearest: Vec<&str> = down
        .iter()
        .filter(|reached| reached.distance == 1)
        .map(|reached| reached.table.label())
        .collect();
    assert_eq!(
        nearest,
        [
            "fact_bs_purchase_order",
            "dimv_bs_buyer",
            "dimv_bs_purchasing_group"
        ]
    );
    let spend = down
        .iter()
        .find(|reached| reached.table.name == "factv_ba_supplier_spend")
        .unwrap();
    assert_eq!((spend.distance, spend.via.len()), (2, 1));
    assert!(
        reached(
            &catalog,
            table(&catalog, "dimv_bs_date"),
            Direction::Upstream
        )
        .is_empty()
    );
}

#[test]
fn lineage_in_a_circle_ends() {
    let made_from = |name: &str, upstream: &[&str]| {
        json!({ "schema": "s", "name": name, "type": "TABLE",
                "lineage": { "status": "recorded", "upstream": upstream } })
    };
    let catalog = parse(&json!({ "format": 1, "name": "circle", "tables": [
        made_from("a", &["b", "a"]), made_from("b", &["c"]), made_from("c", &["a", "b"])
    ] }))
    .unwrap();
    for direction in [Direction::Upstream, Direction::Downstream] {
        let reached = reached(&catalog, table(&catalog, "a"), direction);
        assert_eq!(reached.len(), 2, "{direction:?}");
    }
}

#[test]
fn columns_are_found_by_name_before_description() {
    let catalog = demo();
    let found = |text: &str| -> Vec<String> {
        columns(&catalog, &Sought::words(text), Within::default(), 100)
            .columns
            .iter()
            .map(|(table, column)| format!("{}.{}", table.name, column.name))
            .collect()
    };
    assert_eq!(
        found("email")[..2],
        ["dimv_bs_buyer.email", "dimv_bs_supplier.contact_email"]
    );
    assert_eq!(found("Contact-Emails"), ["dimv_bs_supplier.contact_email"]);
    assert_eq!(
        found("ontimerate"),
        ["fact_bs_delivery_performance.on_time_rate"]
    );
    // Only descriptions say so.
    assert_eq!(
        found("personal data"),
        [
            "dimv_bs_buyer.buyer_name",
            "dimv_bs_buyer.email",
            "dimv_bs_supplier.contact_email"
        ]
    );
    assert!(found("salary").is_empty() && found("").is_empty() && found("🦀").is_empty());
}

#[test]
fn a_search_keeps_to_its_table_and_schema_and_counts_all() {
    let catalog = demo();
    let key = Sought::Wildcard(Wildcard::new("*_KEY").unwrap());
    let hits = columns(&catalog, &key, Within::default(), 5);
    assert_eq!((hits.columns.len(), hits.total), (5, 38));
    let within = Within {
        table: Some(table(&catalog, "dimv_bs_plant")),
        schema: None,
    };
    assert_eq!(columns(&catalog, &key, within, 5).total, 2);
    let within = Within {
        table: None,
        schema: Some("dm_ba_purchase"),
    };
    assert_eq!(columns(&catalog, &key, within, 5).total, 2);
}

#[test]
fn a_misspelled_search_can_be_corrected() {
    let catalog = demo();
    let within = Within::default();
    assert_eq!(corrected(&catalog, "suplier nme", within), None);
    assert_eq!(
        corrected(&catalog, "suplier name", within).as_deref(),
        Some("supplier name")
    );
}
