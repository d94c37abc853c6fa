//! Several sources are one catalog.

use serde_json::json;

use super::*;

fn part(tables: &[(&str, &str)]) -> Arc<Part> {
    let tables: Vec<_> = tables
        .iter()
        .map(|(schema, name)| {
            json!({ "schema": schema, "name": name, "type": "TABLE",
                    "columns": [{ "name": "id", "type": "int" }, { "name": "next", "type": "int" }],
                    "foreign_keys": [
                        { "columns": ["next"], "references": tables[0].1, "to_columns": ["id"] }
                    ],
                    "lineage": { "status": "recorded", "upstream": [format!("{}.{}", tables[0].0, tables[0].1)] } })
        })
        .collect();
    let text = json!({ "format": 1, "name": "x", "tables": tables }).to_string();
    let source = Source::File("own.json".into());
    Arc::new(file::parse(&source, text.as_bytes(), Timestamp::UNIX_EPOCH).unwrap())
}

fn merged(parts: &[(&str, Arc<Part>)]) -> Catalog {
    let with_state = |(name, part): &(&str, Arc<Part>)| {
        let freshness = Arc::new(Freshness::new(part.as_of, None));
        (SourceState::new(name, part, freshness), Arc::clone(part))
    };
    merge::merge(&parts.iter().map(with_state).collect::<Vec<_>>())
}

fn labels(found: Found<'_>) -> Vec<&str> {
    match found {
        Found::One(table) => vec![table.label()],
        Found::Several(tables) => tables.into_iter().map(Table::label).collect(),
        Found::None(_) => vec![],
    }
}

#[test]
fn the_shortest_name_that_means_one_table_is_its_label() {
    let catalog = merged(&[
        (
            "erp",
            part(&[("public", "orders"), ("public", "items"), ("old", "stock")]),
        ),
        (
            "shop",
            part(&[("public", "orders"), ("web", "carts"), ("web", "stock")]),
        ),
    ]);
    let all: Vec<&str> = catalog.tables().map(Table::label).collect();
    assert_eq!(
        all,
        [
            "old.stock",
            "items",
            "erp.public.orders",
            "shop.public.orders",
            "carts",
            "web.stock"
        ]
    );
    for label in all {
        assert_eq!(labels(catalog.find(label)), [label]);
    }
    // Every longer name is understood too, in any case.
    for (asked, meant) in [
        ("public.items", vec!["items"]),
        ("erp.public.items", vec!["items"]),
        ("ERP.Public.ITEMS", vec!["items"]),
        ("shop.carts", vec!["carts"]),
        ("web.cart", vec!["carts"]),
        ("shop.orders", vec!["shop.public.orders"]),
        ("erp.stock", vec!["old.stock"]),
        (
            "public.orders",
            vec!["erp.public.orders", "shop.public.orders"],
        ),
        ("orders", vec!["erp.public.orders", "shop.public.orders"]),
        ("stock", vec!["old.stock", "web.stock"]),
        ("shop.public.items", vec![]),
    ] {
        assert_eq!(labels(catalog.find(asked)), meant, "{asked}");
    }
}

#[test]
fn keys_and_lineage_stay_within_a_source() {
    let catalog = merged(&[
        ("a", part(&[("s", "base"), ("s", "one")])),
        ("b", part(&[("s", "base"), ("s", "two")])),
    ]);
    for (name, base) in [("one", "a.s.base"), ("two", "b.s.base")] {
        let table = table(&catalog, name);
        let key = catalog.keys_from(table).next().unwrap();
        assert_eq!((key.from.label(), key.to.label()), (name, base));
        let up = lineage::reached(&catalog, table, lineage::Direction::Upstream);
        assert_eq!(
            up.iter()
                .map(|reached| reached.table.label())
                .collect::<Vec<_>>(),
            [base]
        );
    }
    let info = catalog.info();
    assert_eq!((info.tables, info.foreign_keys, info.columns), (4, 4, 8));
    assert_eq!(
        catalog
            .sources()
            .iter()
            .map(SourceState::name)
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
}

#[test]
fn a_name_that_reads_like_another_ones_is_told_with_its_schema() {
    let catalog = merged(&[("a", part(&[("public", "orders"), ("x", "public.orders")]))]);
    let all: Vec<&str> = catalog.tables().map(Table::label).collect();
    assert_eq!(all, ["orders", "x.public.orders"]);
    assert_eq!(labels(catalog.find("public.orders")), ["orders"]);
    assert_eq!(labels(catalog.find("x.public.orders")), ["x.public.orders"]);
}

#[test]
fn a_source_is_stale_after_a_failure_until_it_is_read_again() {
    let part = part(&[("s", "t")]);
    let freshness = Arc::new(Freshness::new(part.as_of, None));
    let state = SourceState::new("a", &part, Arc::clone(&freshness));
    assert!(!state.is_stale());
    freshness.fail();
    assert!(state.is_stale());
    assert_eq!(state.as_of(), Timestamp::UNIX_EPOCH);
    freshness.renew(Timestamp::MAX);
    assert!(!state.is_stale());
    assert_eq!(
        (state.as_of(), state.info().as_of),
        (Timestamp::MAX, Timestamp::MAX)
    );
    let waited = Freshness::new(part.as_of, Some(std::time::Duration::ZERO));
    std::thread::sleep(std::time::Duration::from_millis(2));
    assert!(SourceState::new("a", &part, Arc::new(waited)).is_stale());
}
