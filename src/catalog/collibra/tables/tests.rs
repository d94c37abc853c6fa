use serde_json::{Value, json};

use super::*;
use crate::catalog::collibra::operating_model::OperatingModel;

fn model(attributes: &[(&str, Field)]) -> OperatingModel {
    let named = attributes.iter().enumerate();
    OperatingModel {
        attributes: named
            .map(|(rank, (name, field))| ((*name).to_owned(), (*field, rank)))
            .collect(),
        ..OperatingModel::default()
    }
}

fn every_field() -> OperatingModel {
    let fields: Vec<(&str, Field)> = Field::WORDS.to_vec();
    model(&fields)
}

/// A dump of these assets: id, type, full name, values by field.
fn dump(assets: &[(&str, TypeOf, &str, Value)]) -> Dump {
    let mut dump = Dump::default();
    for (id, of, full_name, values) in assets {
        let mut asset = Asset::new(*of, (*full_name).to_owned(), String::new());
        for (name, value) in values.as_object().unwrap() {
            asset.set(&every_field(), name, value);
        }
        dump.assets.insert((*id).to_owned(), asset);
    }
    dump
}

fn relate(dump: &mut Dump, of: RelationOf, source: &str, target: &str) {
    let end = |id: &str| super::super::dump::End {
        id: id.to_owned(),
        full_name: id.to_owned(),
        display_name: String::new(),
    };
    dump.relations.push(Relation {
        of,
        source: end(source),
        target: end(target),
    });
}

#[test]
fn columns_follow_their_numbers_and_find_their_table_by_name() {
    let said = dump(&[
        ("t", TypeOf::Table, "S>d>s>t", json!({})),
        (
            "a",
            TypeOf::Column,
            "S>d>s>t>a(column)",
            json!({ "position": "10" }),
        ),
        (
            "b",
            TypeOf::Column,
            "S>d>s>t>b(column)",
            json!({ "position": 2.0, "key": "2" }),
        ),
        (
            "c",
            TypeOf::Column,
            "S>d>s>t>c(column)",
            json!({ "key": 1, "nullable": "No" }),
        ),
        ("x", TypeOf::Column, "S>d>s>other>x(column)", json!({})),
    ]);
    let tables = all(&said).tables;
    assert_eq!(tables.len(), 1);
    let names: Vec<&str> = tables[0]
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(names, ["b", "a", "c"]);
    assert_eq!(tables[0].primary_key, ["c", "b"]);
    assert_eq!(tables[0].columns[2].nullable, Some(false));
    assert_eq!(
        tables[0].lineage.as_ref().unwrap().status,
        Status::NotRecorded
    );
}

#[test]
fn the_kind_is_what_is_said_or_what_the_name_says() {
    let kind_of = |of, name: &str, said: Value| {
        let said = dump(&[("t", of, name, json!({ "table_type": said }))]);
        all(&said).tables[0].kind
    };
    assert_eq!(
        kind_of(TypeOf::Table, "S>d>s>fact_x", json!(null)),
        Kind::Fact
    );
    assert_eq!(
        kind_of(TypeOf::Table, "S>d>s>DIM_X", json!("")),
        Kind::Dimension
    );
    assert_eq!(
        kind_of(TypeOf::Table, "S>d>s>x", json!("Dimension")),
        Kind::Dimension
    );
    assert_eq!(
        kind_of(TypeOf::Table, "S>d>s>fact_x", json!("table")),
        Kind::Table
    );
    assert_eq!(
        kind_of(TypeOf::View, "S>d>s>fact_x", json!("unknown word")),
        Kind::View
    );
    assert_eq!(kind_of(TypeOf::View, "S>d>s>x", json!("fact")), Kind::Fact);
}

#[test]
fn the_same_table_in_two_databases_is_told_apart() {
    let said = dump(&[
        ("a", TypeOf::Table, "S>one>s>t", json!({})),
        ("b", TypeOf::Table, "S>two>s>t", json!({})),
        ("c", TypeOf::Table, "S>two>s>u", json!({})),
    ]);
    let mut schemas: Vec<String> = all(&said)
        .tables
        .into_iter()
        .map(|table| table.schema)
        .collect();
    schemas.sort();
    assert_eq!(schemas, ["one.s", "s", "two.s"]);
}

#[test]
fn lineage_of_columns_is_that_of_their_tables_once() {
    let mut said = dump(&[
        ("t", TypeOf::Table, "S>d>s>t", json!({})),
        ("u", TypeOf::View, "S>d>s>u", json!({})),
        ("ta", TypeOf::Column, "S>d>s>t>a(column)", json!({})),
        ("tb", TypeOf::Column, "S>d>s>t>b(column)", json!({})),
        ("ua", TypeOf::Column, "S>d>s>u>a(column)", json!({})),
    ]);
    for (source, target) in [
        ("ta", "ua"),
        ("tb", "ua"),
        ("t", "u"),
        ("ua", "ua"),
        ("", "u"),
        ("ta", "?"),
    ] {
        relate(&mut said, RelationOf::Lineage, source, target);
    }
    let tables = all(&said).tables;
    let view = tables.iter().find(|table| table.name == "u").unwrap();
    let lineage = view.lineage.as_ref().unwrap();
    assert_eq!(lineage.upstream, [Reference::exact("s", "t")]);
    assert_eq!(tables.len(), 2);
}

#[test]
fn other_names_are_listed_once() {
    let said = dump(&[(
        "t",
        TypeOf::Table,
        "S>d>s>t",
        json!({ "synonyms": "<p>order, Bestellung; order</p>" }),
    )]);
    assert_eq!(all(&said).tables[0].synonyms, ["order", "Bestellung"]);
}
