//! The setting `catalog`: one source or several, each with a name.

use super::{Sources, environment};
use dragoman::catalog::Source;
use dragoman::secret::Secret;

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

#[test]
fn the_password_of_postgresql_comes_from_its_usual_variable_and_is_not_shown() {
    let sources = Sources::new().variable("PGPASSWORD", " s3cret ");
    let loaded = sources.load().unwrap();
    assert_eq!(
        loaded.config.catalog.postgres.password,
        Some(Secret::new(" s3cret "))
    );
    assert_eq!(
        loaded.origin("postgres.password"),
        &environment("PGPASSWORD")
    );
    let shown = loaded.show();
    assert!(
        shown.contains("\n# postgres.password = \"(not shown)\""),
        "{shown}"
    );
    assert!(!shown.contains("s3cret"), "{shown}");

    let ours = sources.variable("DRAGOMAN_POSTGRES_PASSWORD", "other");
    let password = ours.load().unwrap().config.catalog.postgres.password;
    assert_eq!(password, Some(Secret::new("other")));
}

#[test]
fn what_is_wrong_with_postgresql_says_what_is_accepted() {
    let many = vec!["dm_*"; 101].join(",");
    let long = "s3cret".repeat(200);
    for (name, value, advice) in [
        ("SCHEMAS", "a,,b", "a pattern has 1 to 128 characters"),
        ("SCHEMAS", many.as_str(), "at most 100 names"),
        ("PASSWORD", long.as_str(), "at most 1,024 bytes"),
        ("PASSWORD", "(not shown)", "write the password itself"),
        ("CA_FILE", "~/ca.pem", "write the whole path"),
        ("CONNECT_TIMEOUT", "0s", "100ms to 10m"),
    ] {
        let name = format!("DRAGOMAN_POSTGRES_{name}");
        let refused = Sources::new().variable(&name, value).refused();
        assert!(refused.contains(advice), "{name}: {refused}");
        assert!(!refused.contains("s3cret"), "{refused}");
    }
}

#[test]
fn what_is_named_for_a_word_replaces_its_default_and_no_other() {
    let loaded = Sources::new()
        .file("[collibra]\ntypes = [\"table=Table\", \"table=File\", \"view=\"]\n")
        .variable("DRAGOMAN_COLLIBRA_ATTRIBUTES", "owner=Data Owner")
        .load()
        .unwrap();
    let shown = loaded.show();
    let line = |key: &str| shown.lines().find(|line| line.starts_with(key)).unwrap();
    let column = "00000000-0000-0000-0000-000000031008";
    assert!(
        line("collibra.types ").contains(&format!(
            "[\"table=Table\", \"table=File\", \"view=\", \"column={column}\"]"
        )),
        "{shown}"
    );
    let attributes = line("collibra.attributes ");
    assert!(
        attributes.contains("\"description=Description\", \"description=Definition\""),
        "{attributes}"
    );
    assert!(attributes.contains("\"owner=Data Owner\""), "{attributes}");
    for (key, value, advice) in [
        ("TYPES", "tables=Table", "table=, view=, column="),
        ("TYPES", "table", "table=NAME"),
        ("DOMAINS", "Catalog", "write ids like"),
        ("USERNAME", "me:s3cret", "without a colon"),
        ("PAGE_SIZE", "1001", "1 to 1000"),
    ] {
        let variable = format!("DRAGOMAN_COLLIBRA_{key}");
        let refused = Sources::new().variable(&variable, value).refused();
        assert!(refused.contains(advice), "{key}: {refused}");
    }
}

#[test]
fn who_reads_collibra_signs_in_as_one_account() {
    let collibra = |keys: &[(&str, &str)]| {
        let sources = Sources::new().variable("DRAGOMAN_CATALOG", "collibra:https://cat.example");
        keys.iter().fold(sources, |sources, (key, value)| {
            sources.variable(&format!("DRAGOMAN_COLLIBRA_{key}"), value)
        })
    };
    let client = [("CLIENT_ID", "c"), ("CLIENT_SECRET", "s3cret")];
    let user = [("USERNAME", "u"), ("PASSWORD", "s3cret")];
    for (keys, advice) in [
        (&client[..1], "a client signs in with both"),
        (&client[1..], "a client signs in with both"),
        (&user[..1], "a user signs in with both"),
        (&[client, user].concat()[..], "not as both"),
    ] {
        let refused = collibra(keys).refused();
        assert!(refused.contains(advice), "{refused}");
        assert!(!refused.contains("s3cret"), "{refused}");
    }
    for keys in [&client[..], &user[..]] {
        let shown = collibra(keys).load().unwrap().show();
        assert!(!shown.contains("s3cret"), "{shown}");
    }
    // Nobody else has to know a secret.
    let lonely = Sources::new().variable("DRAGOMAN_COLLIBRA_CLIENT_ID", "c");
    assert!(lonely.load().is_ok());
}
