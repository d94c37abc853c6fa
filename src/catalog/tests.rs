mod demo;
mod large;
mod lenient;
mod loading;
mod queries;
mod sources;

use jiff::Timestamp;

use super::*;

/// The demo, which every other part is tried on too.
fn demo() -> Catalog {
    Catalog::demo().unwrap()
}

/// The catalog of a JSON value.
fn parse(file: &serde_json::Value) -> Result<Catalog, CatalogError> {
    let source = Source::File("own.json".into());
    let text = file.to_string();
    let part = file::parse(&source, text.as_bytes(), Timestamp::UNIX_EPOCH)?;
    Ok(Catalog::of("own", part))
}

fn table<'a>(catalog: &'a Catalog, name: &str) -> &'a Table {
    match catalog.find(name) {
        Found::One(table) => table,
        other => panic!("{name}: {other:?}"),
    }
}
