use std::collections::HashMap;

use super::*;
use crate::catalog::collibra::{Config, tables};
use crate::catalog::format::{Kind, Reference, Status, Table};

const COLUMN_OF: &str = "00000000-0000-0000-0000-000000007042";

/// A table, its column, and a file that the column is loaded from, as the server tells of them.
const TOLD: &str = r#"{
  "data": {
    "assets": [
      {
        "id": "t1", "fullName": "Systems>dwh>sales>fact_order", "displayName": "Orders",
        "type": { "id": "00000000-0000-0000-0000-000000031007", "name": "Table" }, "domain": { "name": "Catalog" },
        "stringAttributes": [
          { "stringValue": "<p>All &amp; every order</p>", "type": { "name": "Definition" } },
          { "stringValue": "", "type": { "name": "Description" } },
          { "stringValue": "new", "type": { "name": "Of no use" } }
        ],
        "numericAttributes": [{ "numericValue": 17.0, "type": { "name": "Number of Rows" } }],
        "booleanAttributes": [],
        "outgoingRelations": [],
        "incomingRelations": []
      },
      {
        "id": "c1", "fullName": "Systems>dwh>sales>fact_order>order_key(column)", "displayName": "order_key",
        "stringAttributes": [
          { "stringValue": "Text", "type": { "name": "Data Type" } },
          { "stringValue": "varchar(10)", "type": { "name": "Technical Data Type" } },
          { "stringValue": "true", "type": { "name": "Is Primary Key" } }
        ],
        "numericAttributes": [{ "numericValue": 1.0, "type": { "name": "Column Position" } }],
        "booleanAttributes": [{ "booleanValue": false, "type": { "name": "Is Nullable" } }],
        "outgoingRelations": [
          {
            "id": "r1", "type": { "id": "00000000-0000-0000-0000-000000007042", "role": "is part of" },
            "target": { "id": "t1", "fullName": "Systems>dwh>sales>fact_order", "displayName": "Orders" }
          },
          { "id": "r2", "type": { "id": "x", "role": "is represented by" }, "target": { "id": "t9" } },
          { "id": "r3", "type": { "id": "x", "role": null }, "target": null }
        ],
        "incomingRelations": [
          {
            "id": "r4", "type": { "id": "flows", "role": "targets" },
            "source": { "id": "s1", "fullName": "erp>in>orders.csv>KEY(column)", "displayName": "KEY" }
          }
        ]
      }
    ]
  }
}"#;

fn model() -> OperatingModel {
    let attributes = Config::default().attributes.into_iter().enumerate();
    OperatingModel {
        types: HashMap::new(),
        relations: HashMap::from([
            (COLUMN_OF.to_owned(), RelationOf::Column),
            ("flows".to_owned(), RelationOf::Lineage),
        ]),
        attributes: attributes
            .map(|(rank, (field, name))| (name, (field, rank)))
            .collect(),
    }
}

fn dump() -> Dump {
    let answer: Answer = serde_json::from_str(TOLD).unwrap();
    let mut dump = Dump::default();
    let kinds = [TypeOf::Table, TypeOf::Column];
    for (of, node) in kinds.into_iter().zip(answer.data.unwrap().assets) {
        take(&mut dump, &model(), of, node);
    }
    dump
}

fn table(tables: &[Table], kind: Kind) -> &Table {
    tables.iter().find(|table| table.kind == kind).unwrap()
}

#[test]
fn what_a_server_tells_becomes_tables() {
    let tables = tables::all(&dump()).tables;
    assert_eq!(tables.len(), 2);
    let orders = table(&tables, Kind::Fact);
    assert_eq!(
        (orders.schema.as_str(), orders.name.as_str()),
        ("sales", "fact_order")
    );
    assert_eq!(orders.synonyms, ["Orders"]);
    // The attribute that is preferred is empty.
    assert_eq!(orders.description.as_deref(), Some("All & every order"));
    assert_eq!(orders.primary_key, ["order_key"]);
    let column = &orders.columns[0];
    assert_eq!(
        (column.data_type.as_str(), column.nullable),
        ("varchar(10)", Some(false))
    );

    let source = table(&tables, Kind::Source);
    let lineage = orders.lineage.as_ref().unwrap();
    assert_eq!(
        (source.schema.as_str(), source.name.as_str()),
        ("in", "orders.csv")
    );
    assert_eq!(lineage.status, Status::Recorded);
    assert_eq!(lineage.upstream, [Reference::exact("in", "orders.csv")]);
}

#[test]
fn relations_that_no_setting_names_are_counted_by_their_role() {
    let unused = dump().unused;
    assert_eq!(
        unused.into_iter().collect::<Vec<_>>(),
        [("is represented by".to_owned(), 1)]
    );
}

#[test]
fn a_part_of_the_graph_is_not_taken_for_all_of_it() {
    let text =
        r#"{"data": {"assets": []}, "errors": [{"message": "Timed out", "path": ["assets", 0]}]}"#;
    let answer: Answer = serde_json::from_str(text).unwrap();
    assert_eq!(answer.errors[0].message, "Timed out");
}

#[test]
fn queries_have_as_many_ends_as_beginnings() {
    for query in [
        query(true),
        query(false),
        more_query("outgoingRelations", "target", ""),
        more_query(
            "incomingRelations",
            "source",
            ", type: { id: { in: $lineage } }",
        ),
    ] {
        for (open, close) in [('{', '}'), ('(', ')'), ('[', ']')] {
            assert_eq!(
                query.matches(open).count(),
                query.matches(close).count(),
                "{query}"
            );
        }
        // What is used is declared, and what is declared is used.
        for name in ["$limit", "$where", "$lineage", "$id", "$after"] {
            assert_ne!(query.matches(name).count(), 1, "{name} in {query}");
        }
    }
}
