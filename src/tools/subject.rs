use super::reply::{Refusal, shorten};
use crate::catalog::{Catalog, Found, FoundSchema, Table};

/// The table a call is about.
pub(super) fn table<'a>(catalog: &'a Catalog, asked: &str) -> Result<&'a Table, Refusal> {
    let shown = shorten(asked, 80);
    if asked.trim().is_empty() {
        return Err(Refusal::new(
            "no table is named. Send the name of one; list_tables shows what there is",
        ));
    }
    match catalog.find(asked) {
        Found::One(table) => Ok(table),
        Found::Several(tables) => {
            let labels: Vec<&str> = tables.into_iter().map(Table::label).collect();
            Err(Refusal::with_candidates(
                format!(
                    "'{shown}' fits several tables: {}. Send one of these names",
                    labels.join(", ")
                ),
                labels,
            ))
        }
        Found::None(tables) => {
            let advice = if tables.is_empty() {
                "list_tables shows what there is"
            } else {
                "The candidates are the nearest names; list_tables shows what there is"
            };
            Err(Refusal::with_candidates(
                format!("no table is called '{shown}'. {advice}"),
                tables.into_iter().map(Table::label),
            ))
        }
    }
}

/// The schema a call is limited to.
pub(super) fn schema<'a>(catalog: &'a Catalog, asked: &str) -> Result<&'a str, Refusal> {
    match catalog.find_schema(asked) {
        FoundSchema::One(schema) => Ok(schema),
        FoundSchema::None(schemas) => Err(Refusal::with_candidates(
            format!(
                "no schema is called '{}'. Send one of the candidates, or leave the schema out",
                shorten(asked, 80)
            ),
            schemas,
        )),
    }
}
