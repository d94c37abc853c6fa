use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::given;
use super::provenance::{self, Stale, source_of};
use super::reply::{self, Part, Refusal, shorten};
use super::subject;
use crate::catalog::{Catalog, Found, Table, TableKind};
use crate::matching::{Wildcard, fold, singular, tokens};

pub(super) const DESCRIPTION: &str = "Lists the tables of the data catalog: name, schema, \
    type, what it holds and how many columns it has. Use it to see what there is, to count \
    tables, or to find a table whose name is not known. Sources outside the warehouse are \
    listed only with type SOURCE. An empty list means that no table fits all filters, not \
    that there are no tables. A long list ends with an element that says how many are left \
    out, and one with is_stale names a source that may be out of date.";

/// Most tables of an answer.
const MOST: usize = 200;
/// Room for them, in bytes. Twice that of other answers: a list of everything is what people ask
/// for first.
const BYTES: usize = 40 * 1024;
/// Lists longer than this have short descriptions.
const LONG_LIST: usize = 60;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// Only tables of this schema.
    #[serde(default)]
    #[schemars(with = "String")]
    schema: Option<String>,
    /// Only tables of this type.
    #[serde(default, rename = "type")]
    #[schemars(with = "String", extend("enum" = TableKind::ALL.map(TableKind::as_str)))]
    kind: Option<String>,
    /// Only tables whose name has these words, or fits this pattern with * and ?.
    #[serde(default)]
    #[schemars(with = "String")]
    name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Element<'a> {
    Table {
        name: &'a str,
        schema: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        source: Option<&'a str>,
        r#type: &'static str,
        description: Option<String>,
        columns: usize,
    },
    Omitted {
        omitted: usize,
        hint: String,
    },
    Stale(Stale<'a>),
}

pub(super) fn run(catalog: &Catalog, arguments: Arguments) -> Result<String, Refusal> {
    let schema = given(arguments.schema.as_ref())
        .map(|asked| subject::schema(catalog, asked))
        .transpose()?;
    let kind = given(arguments.kind.as_ref()).map(kind).transpose()?;
    let listed: Vec<&Table> = catalog
        .tables()
        .filter(|table| schema.is_none_or(|schema| table.schema == schema))
        .filter(|table| match kind {
            Some(kind) => table.kind == kind,
            None => table.kind != TableKind::Source,
        })
        .collect();
    let listed = match given(arguments.name.as_ref()) {
        Some(name) => named(catalog, listed, name)?,
        None => listed,
    };
    let characters = if listed.len() > LONG_LIST { 60 } else { 160 };
    let elements = listed.iter().map(|table| Element::Table {
        name: &table.name,
        schema: &table.schema,
        source: source_of(catalog, table),
        r#type: table.kind.as_str(),
        description: table
            .description
            .as_deref()
            .map(|text| shorten(first_sentence(text), characters).into_owned()),
        columns: table.columns.len(),
    });
    let Part { mut items, omitted } = reply::part(elements, MOST, BYTES);
    if let Some(omitted) = omitted {
        let hint = "Ask again with schema, type or name to see fewer".to_owned();
        items.push(Element::Omitted { omitted, hint });
    }
    items.extend(provenance::stale(catalog).map(Element::Stale));
    reply::json(&items)
}

fn kind(asked: &str) -> Result<TableKind, Refusal> {
    let folded = fold(asked);
    let asked_for = |kind: &TableKind| fold(kind.as_str()) == singular(&folded);
    TableKind::ALL.into_iter().find(asked_for).ok_or_else(|| {
        Refusal::with_candidates(
            format!(
                "there is no type '{}'. Send one of the candidates, or leave the type out",
                shorten(asked, 80)
            ),
            TableKind::ALL.map(TableKind::as_str),
        )
    })
}

/// The tables that a pattern fits, or that have all the words; if none has, the ones that are
/// probably meant.
fn named<'a>(
    catalog: &'a Catalog,
    listed: Vec<&'a Table>,
    name: &str,
) -> Result<Vec<&'a Table>, Refusal> {
    if Wildcard::is_pattern(name) {
        let wildcard = Wildcard::new(name).map_err(|error| Refusal::new(error.to_string()))?;
        let fits =
            |table: &&Table| wildcard.fits(&table.name) || wildcard.fits(&table.qualified_name());
        return Ok(listed.into_iter().filter(fits).collect());
    }
    let words = tokens(name);
    let has_words = |table: &&Table| {
        let folded = fold(&table.name);
        words.iter().all(|word| folded.contains(singular(word)))
    };
    let fitting: Vec<&Table> = listed.iter().copied().filter(has_words).collect();
    if !fitting.is_empty() && !words.is_empty() {
        return Ok(fitting);
    }
    let meant = match catalog.find(name) {
        Found::One(table) => vec![table],
        Found::Several(tables) => tables,
        Found::None(_) => Vec::new(),
    };
    Ok(listed
        .into_iter()
        .filter(|table| meant.contains(table))
        .collect())
}

fn first_sentence(text: &str) -> &str {
    let text = text.lines().next().unwrap_or_default();
    text.split_once(". ").map_or(text, |(first, _)| first)
}
