use super::*;

const HIDDEN_TABLE: u32 = 90;
const HIDDEN_VIEW: u32 = 91;

/// Tables and views with a column `id` each, by object id, kind and name.
fn tables(relations: &[(u32, &str, &str)]) -> Tables {
    let mut tables = Tables::default();
    for (oid, kind, name) in relations {
        tables.add(Relation {
            oid: *oid,
            schema: "s".to_owned(),
            name: (*name).to_owned(),
            kind: (*kind).to_owned(),
            comment: None,
        });
        let column = Column {
            name: "id".to_owned(),
            ..Column::default()
        };
        tables.add_column(*oid, column);
    }
    tables
}

fn origin(view: u32, source: Option<u32>, root: Option<u32>) -> Origin {
    Origin { view, source, root }
}

fn key(from: u32, columns: &[&str], to: Option<u32>, to_columns: &[&str]) -> Key {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    Key {
        from,
        columns: names(columns),
        to,
        to_root: None,
        to_columns: names(to_columns),
    }
}

/// The origins of the table called `name`, if they are known.
fn upstream(tables: Tables, name: &str) -> Option<Vec<String>> {
    let tables = tables.finish();
    let table = tables.iter().find(|table| table.name == name).unwrap();
    let lineage = table.lineage.as_ref()?;
    assert_eq!(lineage.status, Status::Recorded);
    Some(lineage.upstream.iter().map(ToString::to_string).collect())
}

#[test]
fn names_tell_facts_and_dimensions() {
    for (relkind, name, expected) in [
        ("r", "fact_sales", Kind::Fact),
        ("p", "FACTV_SALES", Kind::Fact),
        ("r", "FactSales", Kind::Fact),
        ("r", "fct_orders", Kind::Fact),
        ("r", "dim_date", Kind::Dimension),
        ("r", "DimDate", Kind::Dimension),
        ("r", "dimv_bs_date", Kind::Dimension),
        ("v", "fact_sales", Kind::View),
        ("m", "dim_date", Kind::View),
        ("f", "fact_sales", Kind::Source),
        ("r", "factory", Kind::Table),
        ("r", "dimension_date", Kind::Dimension),
        ("r", "Factory", Kind::Table),
        ("r", "sales_fact", Kind::Table),
        ("r", "", Kind::Table),
        ("r", "ř", Kind::Table),
    ] {
        assert_eq!(kind(relkind, name), expected, "{relkind} {name}");
    }
}

#[test]
fn a_view_is_seen_through_to_what_may_be_read() {
    let mut made = tables(&[(1, "v", "view"), (2, "r", "b"), (3, "p", "a")]);
    made.add_origin(origin(1, Some(2), None));
    made.add_origin(origin(1, Some(HIDDEN_VIEW), None));
    made.add_origin(origin(HIDDEN_VIEW, Some(2), None));
    // A partition of `a`.
    made.add_origin(origin(HIDDEN_VIEW, Some(30), Some(3)));
    assert_eq!(upstream(made, "view").unwrap(), ["s.a", "s.b"]);
}

#[test]
fn a_part_of_the_lineage_does_not_pass_for_the_whole() {
    let relations = [(1, "v", "view"), (2, "r", "table")];
    let mut hidden = tables(&relations);
    hidden.add_origin(origin(1, Some(2), None));
    hidden.add_origin(origin(1, Some(HIDDEN_TABLE), None));
    assert_eq!(upstream(hidden, "view"), None);

    let mut function = tables(&relations);
    function.add_origin(origin(1, Some(2), None));
    function.add_origin(origin(1, None, None));
    assert_eq!(upstream(function, "view"), None);

    assert_eq!(upstream(tables(&relations), "view"), None);
    assert_eq!(upstream(tables(&relations), "table"), None);
}

#[test]
fn views_that_refer_to_each_other_end() {
    let mut made = tables(&[(1, "v", "view"), (2, "r", "table")]);
    made.add_origin(origin(1, Some(HIDDEN_VIEW), None));
    made.add_origin(origin(HIDDEN_VIEW, Some(1), None));
    made.add_origin(origin(HIDDEN_VIEW, Some(HIDDEN_VIEW), None));
    made.add_origin(origin(HIDDEN_VIEW, Some(2), None));
    assert_eq!(upstream(made, "view").unwrap(), ["s.table"]);
}

#[test]
fn a_foreign_table_comes_from_nowhere_in_here() {
    let made = tables(&[(1, "f", "remote")]);
    assert_eq!(upstream(made, "remote").unwrap(), [""; 0]);
}

#[test]
fn a_key_is_known_only_with_all_its_columns() {
    let mut made = tables(&[(1, "r", "a"), (2, "r", "b")]);
    made.add_key(key(1, &["id", "hidden"], None, &[]));
    made.add_key(key(2, &["id"], None, &[]));
    made.add_key(key(1, &["id"], Some(2), &["id"]));
    made.add_key(key(1, &["id"], Some(2), &["id"]));
    made.add_key(key(1, &["hidden"], Some(2), &["id"]));
    made.add_key(key(1, &["id"], Some(2), &["hidden"]));
    made.add_key(key(1, &["id"], Some(HIDDEN_TABLE), &["id"]));
    made.add_key(key(HIDDEN_TABLE, &["id"], Some(1), &["id"]));
    let tables = made.finish();
    assert_eq!(tables[0].primary_key, [""; 0]);
    assert_eq!(tables[1].primary_key, ["id"]);
    assert_eq!(tables[0].foreign_keys.len(), 1);
    assert_eq!(tables[0].foreign_keys[0].references.to_string(), "s.b");
}
