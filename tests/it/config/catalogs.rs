//! The setting `catalog`: one source or several, each with a name.

use super::{Sources, environment};
use dragoman::catalog::Source;

fn named(sources: &Sources) -> Vec<(String, String)> {
    let config = sources.load().unwrap().config;
    let pair = |named: &dragoman::catalog::NamedSource| {
        (named.name.clone(), named.source.kind().to_owned())
    };
    config.catalog.sources.iter().map(pair).collect()
}

#[test]
fn a_source_is_written_alone_or_in_a_list() {
    let pair = |name: &str, kind: &str| (name.to_owned(), kind.to_owned());
    assert_eq!(named(&Sources::new()), [pair("demo", "demo")]);
    let one = Sources::new().file("catalog = \"c.json\"");
    assert_eq!(named(&one), [pair("c", "file")]);
    let several = Sources::new().file(
        "catalog = [\"c.json\", \"old = c/d.json\", \"dbt:shop/target/\", \"dbt:other\", \
         \"lake=postgres://me:s3cret@db.example:5433/dwh?sslmode=require\"]",
    );
    // What has a blank before the sign is a path: names have none.
    assert_eq!(
        named(&several),
        [
            pair("c", "file"),
            pair("d", "file"),
            pair("shop", "dbt"),
            pair("other", "dbt"),
            pair("lake", "postgres")
        ]
    );
    let variable = Sources::new().variable(
        "DRAGOMAN_CATALOG",
        "demo, postgresql://me@db.example/dwh,collibra:https://cat.example",
    );
    assert_eq!(
        named(&variable),
        [
            pair("demo", "demo"),
            pair("dwh", "postgres"),
            pair("cat_example", "collibra")
        ]
    );
    let loaded = variable.load().unwrap();
    assert_eq!(loaded.origin("catalog"), &environment("DRAGOMAN_CATALOG"));
    let folder = several.folder.path().join("shop/target");
    assert_eq!(
        several.load().unwrap().config.catalog.sources[2].source,
        Source::Dbt(folder)
    );
}

#[test]
fn what_is_shown_can_be_read_again_and_has_no_password() {
    let text = "catalog = [\"demo\", \"a=/data/c.json\", \"postgres://me:s3cret@db.example/dwh\"]";
    let shown = Sources::new().file(text).load().unwrap().show();
    let line = shown.lines().find(|line| line.starts_with("catalog = "));
    let line = line.unwrap();
    assert!(
        line.starts_with(
            "catalog = [\"demo\", \"a=/data/c.json\", \"postgres://me@db.example/dwh\"]"
        ),
        "{line}"
    );
    assert!(!shown.contains("s3cret"), "{shown}");
    assert_eq!(named(&Sources::new().file(line)).len(), 3);
}

#[test]
fn what_is_wrong_is_told_without_the_password() {
    for (value, advice) in [
        ("demo,demo", "two sources are called `demo`"),
        ("a/x.json,b/x.json", "`x2=…`"),
        ("", "the file is missing"),
        ("demo,", "the file is missing"),
        ("dbt:", "the file is missing"),
        ("mysql://h/db", "write demo, a JSON FILE, dbt:FOLDER"),
        ("collibra:http://h", "collibra:https://HOST"),
        ("postgres://me:s3cret@/db", "host"),
        (
            "x=demo,x=postgres://me:s3cret@h/db",
            "two sources are called `x`",
        ),
    ] {
        let refused = Sources::new().variable("DRAGOMAN_CATALOG", value).refused();
        assert!(refused.contains(advice), "{value}: {refused}");
        assert!(!refused.contains("s3cret"), "{refused}");
    }
    let many = vec!["demo"; 21].join(",");
    let refused = Sources::new().variable("DRAGOMAN_CATALOG", &many).refused();
    assert!(refused.contains("at most 20 sources"), "{refused}");
}
