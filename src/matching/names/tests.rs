use super::*;
use crate::matching::Words;

/// The names of the demo mart.
const MART: [&str; 32] = [
    "dimv_bs_date",
    "dimv_bs_currency",
    "dimv_bs_company",
    "dimv_bs_plant",
    "dimv_bs_supplier_group",
    "dimv_bs_supplier",
    "dimv_bs_material_group",
    "dimv_bs_material",
    "dimv_bs_buyer",
    "dimv_bs_purchasing_group",
    "dimv_bs_contract",
    "fact_bs_exchange_rate",
    "fact_bs_purchase_requisition",
    "fact_bs_purchase_order",
    "fact_bs_purchase_order_item",
    "fact_bs_goods_receipt",
    "fact_bs_supplier_invoice",
    "fact_bs_delivery_performance",
    "factv_ba_supplier_spend",
    "factv_ba_open_orders",
    "factv_ba_three_way_match",
    "src_sap_ekko",
    "src_sap_ekpo",
    "src_sap_eket",
    "src_sap_ekbe",
    "src_sap_lfa1",
    "src_sap_mara",
    "src_sap_t023",
    "src_sap_t001w",
    "src_sap_rbkp",
    "src_ariba_contract",
    "src_ecb_fx",
];

fn several(names: &Names, phrase: &str) -> Vec<String> {
    match names.best(phrase) {
        Matches::Several(names) => names.into_iter().map(ToOwned::to_owned).collect(),
        other => panic!("{phrase}: {other:?}"),
    }
}

#[test]
fn a_name_is_itself_in_any_case() {
    let names = Names::new(MART);
    for phrase in [
        "fact_bs_purchase_order",
        "FACT_BS_Purchase_Order",
        " fact_bs_purchase_order ",
    ] {
        assert_eq!(
            names.best(phrase),
            Matches::Exact("fact_bs_purchase_order"),
            "{phrase}"
        );
    }
}

#[test]
fn half_names_plurals_and_typing_errors_find_the_one_that_is_meant() {
    let names = Names::new(MART);
    for (phrase, name) in [
        ("supplier", "dimv_bs_supplier"),
        ("Suppliers", "dimv_bs_supplier"),
        ("suplier", "dimv_bs_supplier"),
        ("supplierr", "dimv_bs_supplier"),
        ("bs_supplier", "dimv_bs_supplier"),
        ("dimv supplier", "dimv_bs_supplier"),
        ("supplier group", "dimv_bs_supplier_group"),
        ("group supplier", "dimv_bs_supplier_group"),
        ("suplier grup", "dimv_bs_supplier_group"),
        ("purchase order", "fact_bs_purchase_order"),
        ("purchase orders", "fact_bs_purchase_order"),
        ("purchase-order", "fact_bs_purchase_order"),
        ("PurchaseOrder", "fact_bs_purchase_order"),
        ("purchaseorder", "fact_bs_purchase_order"),
        ("factbspurchaseorder", "fact_bs_purchase_order"),
        ("fact purchase order", "fact_bs_purchase_order"),
        ("purchase order item", "fact_bs_purchase_order_item"),
        ("purchase order items", "fact_bs_purchase_order_item"),
        ("order items", "fact_bs_purchase_order_item"),
        ("purch ord item", "fact_bs_purchase_order_item"),
        ("goods receipts", "fact_bs_goods_receipt"),
        ("goodsreceipt", "fact_bs_goods_receipt"),
        ("goods reciept", "fact_bs_goods_receipt"),
        ("requisition", "fact_bs_purchase_requisition"),
        ("invoices", "fact_bs_supplier_invoice"),
        ("companies", "dimv_bs_company"),
        ("deliveries", "fact_bs_delivery_performance"),
        ("three-way match", "factv_ba_three_way_match"),
        ("open orders", "factv_ba_open_orders"),
        ("contract", "dimv_bs_contract"),
        ("ariba contract", "src_ariba_contract"),
        ("EKKO", "src_sap_ekko"),
        ("T001W", "src_sap_t001w"),
        ("materiál", "dimv_bs_material"),
    ] {
        assert_eq!(names.best(phrase), Matches::Clear(name), "{phrase}");
    }
}

#[test]
fn what_fits_several_names_is_not_decided() {
    let names = Names::new(MART);
    let purchase = several(&names, "purchase");
    assert_eq!(
        purchase,
        [
            "fact_bs_purchase_order",
            "fact_bs_purchase_requisition",
            "fact_bs_purchase_order_item"
        ]
    );
    assert!(several(&names, "purch").contains(&"dimv_bs_purchasing_group".to_owned()));
    let order = several(&names, "order");
    assert!(
        order.contains(&"factv_ba_open_orders".to_owned()),
        "{order:?}"
    );
    assert_eq!(several(&names, "group").len(), 3);
    assert_eq!(several(&names, "dimv").len(), Names::MOST_CANDIDATES);
}

#[test]
fn what_fits_nothing_gets_the_nearest_and_no_guess() {
    let names = Names::new(MART);
    for (phrase, near) in [
        ("supplier rating", "dimv_bs_supplier"),
        ("purchase calendar", "fact_bs_purchase_order"),
        ("contracting", "dimv_bs_contract"),
    ] {
        match names.best(phrase) {
            Matches::None { nearest } => {
                assert_eq!(nearest.first(), Some(&near), "{phrase}: {nearest:?}");
                assert!(nearest.len() <= Names::MOST_NEAREST);
            }
            other => panic!("{phrase}: {other:?}"),
        }
    }
    for phrase in [
        "customer",
        "salary",
        "data",
        "",
        "  ",
        "🦀",
        "\"; DROP TABLE x; --",
        "表",
    ] {
        assert!(
            matches!(names.best(phrase), Matches::None { .. }),
            "{phrase}"
        );
    }
}

#[test]
fn leading_words_are_learned_from_the_names() {
    let own = Names::new([
        "xq1_zz_alpha",
        "xq1_zz_beta",
        "xq1_zz_gamma",
        "other_alpha",
        "alpha_beta_x",
    ]);
    assert_eq!(own.best("alpha"), Matches::Clear("xq1_zz_alpha"));
    // Words are not codes, however many names begin with them.
    let words = Names::new([
        "customer_address",
        "customer_order",
        "customer_group",
        "web_order",
    ]);
    assert!(matches!(words.best("order"), Matches::Several(_)));
}

#[test]
fn a_name_that_others_add_to_is_the_one_that_is_meant() {
    let names = Names::new(["fact_sales", "fact_sales_line", "dim_customer"]);
    assert_eq!(names.best("sales"), Matches::Clear("fact_sales"));
    assert_eq!(names.best("sales lines"), Matches::Clear("fact_sales_line"));
}

#[test]
fn names_that_differ_in_case_only_are_kept_apart() {
    let names = Names::new(["Orders", "orders"]);
    assert_eq!(names.best("orders"), Matches::Exact("orders"));
    assert_eq!(names.best("Orders"), Matches::Exact("Orders"));
    assert_eq!(
        names.best("ORDERS"),
        Matches::Several(vec!["Orders", "orders"])
    );
}

#[test]
fn a_name_given_twice_is_one_name() {
    let names = Names::new(["fact_sales", "fact_sales"]);
    assert_eq!(names.best("sales"), Matches::Clear("fact_sales"));
    assert_eq!(names.best("fact_sales"), Matches::Exact("fact_sales"));
}

#[test]
fn synonyms_name_what_they_are_given_to() {
    let names = Names::with_synonyms([
        ("dimv_bs_supplier", vec!["dodávateľ", "vendor"]),
        ("dimv_bs_supplier_group", vec!["skupina dodávateľov"]),
        ("fact_bs_purchase_order", vec!["objednávka", "PO"]),
        (
            "fact_bs_purchase_order_item",
            vec!["položka objednávky", "PO item"],
        ),
    ]);
    for (phrase, name) in [
        ("dodavatel", "dimv_bs_supplier"),
        ("dodávateľa", "dimv_bs_supplier"),
        ("Vendors", "dimv_bs_supplier"),
        ("skupina dodavatelov", "dimv_bs_supplier_group"),
        ("objednavky", "fact_bs_purchase_order"),
        ("po", "fact_bs_purchase_order"),
        ("PO items", "fact_bs_purchase_order_item"),
        ("polozky objednavky", "fact_bs_purchase_order_item"),
    ] {
        assert_eq!(names.best(phrase), Matches::Clear(name), "{phrase}");
    }
}

#[test]
fn words_no_name_has_are_corrected() {
    let names = Words::new(["supplier_name", "contact_email", "order_number"]);
    assert_eq!(
        names.corrected("suplier name").as_deref(),
        Some("supplier name")
    );
    assert_eq!(names.corrected("supplier name"), None);
    assert_eq!(names.corrected("salary"), None);
}

#[test]
fn any_text_and_many_names_are_taken() {
    let mut many: Vec<String> = (0..100_000)
        .map(|number| format!("fact_bs_t{number}_order"))
        .collect();
    many.push("dimv_bs_supplier".to_owned());
    let names = Names::new(&many);
    assert_eq!(names.best("suplier"), Matches::Clear("dimv_bs_supplier"));
    assert_eq!(several(&names, "order").len(), Names::MOST_CANDIDATES);
    assert!(matches!(
        names.best(&"order ".repeat(10_000)),
        Matches::None { .. }
    ));
    assert!(matches!(
        names.best(&"x".repeat(100_000)),
        Matches::None { .. }
    ));
    assert!(matches!(
        names.best("zzz customer order"),
        Matches::None { .. }
    ));
    assert!(matches!(Names::default().best("x"), Matches::None { .. }));
    assert!(matches!(
        Names::new([""; 3]).best("x"),
        Matches::None { .. }
    ));
}
