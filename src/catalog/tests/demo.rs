use super::*;

#[test]
fn the_demo_is_the_mart_it_says_it_is() {
    let info = demo().info();
    assert_eq!(
        info,
        Info {
            name: "Procurement mart (demo)".to_owned(),
            as_of: "2026-11-20T04:30:00Z".parse().unwrap(),
            tables: 21,
            facts: 7,
            dimensions: 11,
            views: 3,
            sources: 11,
            columns: 155,
            foreign_keys: 35,
            lineage_edges: 33,
        }
    );
}

/// The gaps that `format.md` names, and no others.
#[test]
fn the_gaps_of_the_demo_are_the_deliberate_ones() {
    let catalog = demo();
    let tables = || {
        catalog
            .tables()
            .filter(|table| table.kind != TableKind::Source)
    };
    let missing = |lacks: fn(&Table) -> bool| -> Vec<&str> {
        tables()
            .filter(|table| lacks(table))
            .map(Table::label)
            .collect()
    };
    assert_eq!(
        missing(|table| table.origin == LineageStatus::NotRecorded),
        ["dimv_bs_company"]
    );
    assert_eq!(
        missing(|table| table.origin == LineageStatus::Generated),
        ["dimv_bs_date"]
    );
    assert_eq!(
        missing(|table| table.owner.is_none()),
        ["dimv_bs_purchasing_group"]
    );
    assert_eq!(
        missing(|table| table.refresh.is_none()),
        ["dimv_bs_contract"]
    );
    assert!(missing(|table| table.description.is_none()).is_empty());
    assert!(missing(|table| table.grain.is_none()).is_empty());
    assert!(missing(|table| table.synonyms.is_empty()).is_empty());
    let undescribed: Vec<String> = tables()
        .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
        .filter(|(_, column)| column.description.is_none())
        .map(|(table, column)| format!("{}.{}", table.name, column.name))
        .collect();
    assert_eq!(
        undescribed,
        [
            "fact_bs_goods_receipt.movement_type",
            "fact_bs_purchase_order.order_tax_amount",
            "dimv_bs_buyer.buyer_code",
            "dimv_bs_material.material_type",
            "dimv_bs_supplier.region",
        ]
    );
    let format = include_str!("../format.md");
    for gap in undescribed {
        assert!(
            format.contains(&gap),
            "format.md does not name the gap {gap}"
        );
    }
}

#[test]
fn composite_keys_keep_their_order() {
    let catalog = demo();
    for name in ["fact_bs_goods_receipt", "fact_bs_supplier_invoice"] {
        let key = catalog
            .keys_from(table(&catalog, name))
            .find(|key| key.from_columns.len() > 1)
            .unwrap();
        assert_eq!(key.to.name, "fact_bs_purchase_order_item");
        assert_eq!(key.from_columns, ["order_number", "order_item"]);
        assert_eq!(key.to_columns, ["order_number", "order_item"]);
    }
}

#[test]
fn every_table_is_found_by_its_name_and_by_each_of_its_synonyms() {
    let catalog = demo();
    for wanted in catalog.tables() {
        for name in [
            wanted.name.clone(),
            wanted.qualified_name(),
            wanted.name.to_uppercase(),
        ] {
            assert_eq!(catalog.find(&name), Found::One(wanted), "{name}");
        }
        for synonym in &wanted.synonyms {
            assert_eq!(catalog.find(synonym), Found::One(wanted), "{synonym}");
        }
    }
}

#[test]
fn people_find_tables_in_their_words() {
    let catalog = demo();
    for (text, name) in [
        ("suplier", "dimv_bs_supplier"),
        ("dodavatelov", "dimv_bs_supplier"),
        ("dodavatele", "dimv_bs_supplier"),
        ("objednávkach", "fact_bs_purchase_order"),
        ("položky objednávky", "fact_bs_purchase_order_item"),
        ("purchase order item", "fact_bs_purchase_order_item"),
        ("faktúr", "fact_bs_supplier_invoice"),
        ("purchase order", "fact_bs_purchase_order"),
        ("dm_bs_purchase.supplier", "dimv_bs_supplier"),
        ("DM_BA_PURCHASE.open orders", "factv_ba_open_orders"),
        ("the supplier table", "dimv_bs_supplier"),
        ("tabuľka zmlúv", "dimv_bs_contract"),
    ] {
        assert_eq!(table(&catalog, text).name, name, "{text}");
    }
    assert!(matches!(catalog.find("purchase"), Found::Several(tables) if tables.len() == 3));
    assert_eq!(catalog.find("salary"), Found::None(Vec::new()));
}
