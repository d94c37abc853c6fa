//! A catalog read from a real PostgreSQL server.

mod demo;
mod names;
mod outage;
mod rights;
mod secure;
mod shapes;
mod trouble;

use std::sync::Arc;

use dragoman::catalog::lineage::{Direction, reached};
use dragoman::catalog::{
    Catalog, Config, Found, Keeper, LineageStatus, NamedSource, Source, Table, postgres,
};

/// Who may read what it was granted.
const READER: &str = "reader:not-to-be-seen";
/// Who may do everything.
const OWNER: &str = "owner:not-to-be-seen";

fn config(address: &str) -> Config {
    let address = postgres::Address::parse(address).unwrap();
    Config::of(vec![NamedSource::new(Source::Postgres(address))])
}

async fn open_with(config: &Config) -> Result<Arc<Catalog>, String> {
    match Keeper::open(config).await {
        Ok(keeper) => Ok(keeper.handle().current()),
        Err(error) => {
            let told = format!("{error} {error:?}");
            assert!(!told.contains("not-to-be-seen"), "{told}");
            Err(error.to_string())
        }
    }
}

async fn open(address: &str) -> Result<Arc<Catalog>, String> {
    open_with(&config(address)).await
}

fn table<'a>(catalog: &'a Catalog, name: &str) -> &'a Table {
    match catalog.find(name) {
        Found::One(table) => table,
        other => panic!("{name}: {other:?}"),
    }
}

/// `TYPE schema.name` of every table, in the catalog's order.
fn names(catalog: &Catalog) -> Vec<String> {
    catalog
        .tables()
        .map(|table| format!("{} {}", table.kind.as_str(), table.qualified_name()))
        .collect()
}

fn columns(table: &Table) -> Vec<&str> {
    table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect()
}

/// `a,b -> schema.table c,d` of every foreign key of a table, sorted.
fn keys(catalog: &Catalog, table: &Table) -> Vec<String> {
    let mut keys: Vec<String> = catalog
        .keys_from(table)
        .map(|key| {
            let (from, to) = (key.from_columns.join(","), key.to_columns.join(","));
            format!("{from} -> {} {to}", key.to.qualified_name())
        })
        .collect();
    keys.sort();
    keys
}

/// What a table is made from, sorted; nothing if that is not recorded.
fn upstream(catalog: &Catalog, table: &Table) -> Option<Vec<String>> {
    let reached = reached(catalog, table, Direction::Upstream);
    let next = reached.iter().filter(|reached| reached.distance == 1);
    let mut names: Vec<String> = next.map(|reached| reached.table.qualified_name()).collect();
    names.sort();
    match table.origin {
        LineageStatus::Recorded => Some(names),
        LineageStatus::Generated => panic!("PostgreSQL does not say so"),
        LineageStatus::NotRecorded => {
            assert_eq!(names, [""; 0], "not recorded, and yet there");
            None
        }
    }
}
