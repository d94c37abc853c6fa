use serde_json::{Value, json};

use super::*;
use crate::catalog::joins::shortest;
use crate::catalog::lineage::{Direction, reached};
use crate::catalog::search::{Sought, Within, columns};

/// A warehouse of 20,000 tables, each referring to the one before and made from it.
#[test]
fn a_large_catalog_answers() {
    const TABLES: usize = 20_000;
    let tables: Vec<Value> = (0..TABLES)
        .map(|place| {
            let before = format!("fact_bs_t{}", place.saturating_sub(1));
            json!({
                "schema": format!("s{}", place % 7),
                "name": format!("fact_bs_t{place}"),
                "type": "FACT",
                "columns": [
                    { "name": "id", "type": "int" },
                    { "name": "parent_id", "type": "int" }
                ],
                "foreign_keys": [
                    { "columns": ["parent_id"], "references": before, "to_columns": ["id"] }
                ],
                "lineage": { "status": "recorded", "upstream": [before] }
            })
        })
        .collect();
    let catalog = parse(&json!({ "format": 1, "name": "large", "tables": tables })).unwrap();
    assert_eq!(catalog.info().foreign_keys, TABLES);
    let (first, last) = (table(&catalog, "fact_bs_t0"), table(&catalog, "t19999"));
    assert_eq!(
        reached(&catalog, last, Direction::Upstream).len(),
        TABLES - 1
    );
    assert_eq!(
        reached(&catalog, first, Direction::Downstream).len(),
        TABLES - 1
    );
    assert!(shortest(&catalog, first, last).paths.is_empty());
    let hits = columns(&catalog, &Sought::words("id"), Within::default(), 10);
    assert_eq!((hits.total, hits.columns.len()), (2 * TABLES, 10));
    assert!(matches!(catalog.find("fact"), Found::Several(_)));
    assert!(matches!(catalog.find("customer"), Found::None(_)));
}
