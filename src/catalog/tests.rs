mod demo;
mod large;
mod loading;
mod queries;

use super::*;

/// The demo, which every other part is tried on too.
fn demo() -> Catalog {
    Catalog::demo().unwrap()
}

/// The catalog of a JSON value.
fn parse(file: &serde_json::Value) -> Result<Catalog, CatalogError> {
    file::parse(
        &Source::File("own.json".into()),
        file.to_string().as_bytes(),
        Timestamp::UNIX_EPOCH,
    )
}

fn table<'a>(catalog: &'a Catalog, name: &str) -> &'a Table {
    match catalog.find(name) {
        Found::One(table) => table,
        other => panic!("{name}: {other:?}"),
    }
}
