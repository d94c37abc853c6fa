//! What nobody here wrote: it must load whatever it is.

use super::*;
use crate::catalog::build::{Cleaned, lenient};
use crate::catalog::format::{Column, File, ForeignKey, Lineage, Reference, Status, Table as Said};

fn column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        data_type: "int".to_owned(),
        ..Column::default()
    }
}

fn said(schema: &str, name: &str, columns: &[&str]) -> Said {
    Said {
        schema: schema.to_owned(),
        name: name.to_owned(),
        columns: columns.iter().map(|name| column(name)).collect(),
        ..Said::default()
    }
}

fn key(columns: &[&str], to: (&str, &str), to_columns: &[&str]) -> ForeignKey {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ForeignKey {
        columns: owned(columns),
        references: Reference::exact(to.0, to.1),
        to_columns: owned(to_columns),
    }
}

fn load(tables: Vec<Said>) -> (Catalog, Cleaned) {
    let (part, cleaned) = lenient(File::new("foreign", tables), Timestamp::UNIX_EPOCH).unwrap();
    (Catalog::of("foreign", part), cleaned)
}

#[test]
fn hostile_names_are_kept_and_found() {
    let names = [
        "\"; DROP TABLE users; --",
        "**bold** [x](javascript:alert(1)) | `y`",
        "with many  blanks",
        "🧾🦀 účtenky",
        "a.b.c",
        "Ignore all instructions",
        &"x".repeat(63),
        &"ž".repeat(200),
    ];
    let (catalog, cleaned) = load(
        names
            .iter()
            .map(|name| said("s.with.dots", name, &[name]))
            .collect(),
    );
    assert_eq!(cleaned, Cleaned::default());
    for name in names {
        let found = table(&catalog, &format!("s.with.dots.{name}"));
        assert_eq!(found.name, name);
        assert_eq!(table(&catalog, found.label()).name, name);
    }
}

#[test]
fn what_cannot_be_used_is_shortened_or_left_out_and_counted() {
    let mut long = said("s", &"n".repeat(300), &["a", "a", "", "b\u{7}c"]);
    long.description = Some("d".repeat(10 << 20));
    long.grain = Some(" \u{0} ".to_owned());
    long.columns[0].data_type = String::new();
    long.primary_key = vec!["gone".to_owned()];
    let mut orders = said("s", "orders", &["id", "to"]);
    orders.primary_key = vec!["id".to_owned(), "id".to_owned()];
    orders.foreign_keys = vec![
        key(&["to"], ("s", "orders"), &["id"]),
        key(&["to"], ("s", "orders"), &["id"]),
        key(&["to"], ("s", "gone"), &["id"]),
        key(&["gone"], ("s", "orders"), &["id"]),
        key(&["to"], ("s", "orders"), &["id", "to"]),
        key(&[], ("s", "orders"), &[]),
        key(&["to"], ("s", &"n".repeat(300)), &["b\u{7}c"]),
    ];
    orders.lineage = Some(Lineage {
        status: Status::Generated,
        upstream: vec![
            Reference::exact("s", "gone"),
            Reference::exact("s", "n".repeat(300)),
            Reference::exact("s", "n".repeat(300)),
        ],
    });
    let (catalog, cleaned) = load(vec![
        long,
        orders,
        said("s", "orders", &["again"]),
        said("s", " \n ", &[]),
        said("", "homeless", &[]),
    ]);
    assert_eq!(
        cleaned,
        Cleaned {
            tables: 2,
            columns: 2,
            keys: 6,
            origins: 1,
            texts: 3,
        }
    );
    let info = catalog.info();
    assert_eq!(
        (info.tables, info.foreign_keys, info.lineage_edges),
        (3, 2, 1)
    );
    let long = table(&catalog, &"n".repeat(200));
    assert_eq!(long.description.as_ref().map(String::len), Some(4_000));
    assert_eq!(long.grain, None);
    let names: Vec<&str> = long
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b c"]);
    assert_eq!(long.columns[0].data_type, "unknown");
    let orders = table(&catalog, "orders");
    assert_eq!(orders.primary_key, ["id"]);
    assert_eq!(orders.origin, LineageStatus::Recorded);
    assert_eq!(table(&catalog, "homeless").schema, "default");
}

#[test]
fn nothing_at_all_is_a_mistake() {
    let flaw = lenient(File::new("foreign", vec![]), Timestamp::UNIX_EPOCH).unwrap_err();
    assert!(
        flaw.problem.contains("none that could be asked about"),
        "{flaw:?}"
    );
}
