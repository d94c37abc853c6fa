use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::given;
use super::provenance::{Provenance, source_of};
use super::reply::{self, Refusal, shorten};
use super::subject;
use crate::catalog::Catalog;
use crate::catalog::search::{self, Hits, Sought, Within};
use crate::matching::Wildcard;

pub(super) const DESCRIPTION: &str = "Finds columns by their name or description, in all \
    tables or in one table or schema. Give words that must all be there, or a pattern with * \
    for any text and ? for one character. The best come first: names before descriptions. \
    total counts all that fit, also those left out of the list.";

const MOST: usize = 80;
const BYTES: usize = 22 * 1024;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// Words such as "supplier name", or a pattern such as "*_key".
    pattern: String,
    /// Only columns of this table.
    #[serde(default)]
    #[schemars(with = "String")]
    table: Option<String>,
    /// Only columns of tables in this schema.
    #[serde(default)]
    #[schemars(with = "String")]
    schema: Option<String>,
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    pattern: &'a str,
    total: usize,
    columns: Vec<Hit<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    omitted: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(flatten)]
    provenance: Provenance,
}

#[derive(Debug, Serialize)]
struct Hit<'a> {
    table: &'a str,
    schema: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    column: &'a str,
    r#type: Cow<'a, str>,
    description: Option<Cow<'a, str>>,
}

pub(super) fn run(catalog: &Catalog, arguments: Arguments) -> Result<String, Refusal> {
    let pattern = arguments.pattern.trim();
    if pattern.is_empty() {
        return Err(Refusal::new(
            "the pattern is empty. Send words, or a pattern such as *_key; * finds every column",
        ));
    }
    let within = Within {
        table: given(arguments.table.as_ref())
            .map(|asked| subject::table(catalog, asked))
            .transpose()?,
        schema: given(arguments.schema.as_ref())
            .map(|asked| subject::schema(catalog, asked))
            .transpose()?,
    };
    let (hits, note) = find(catalog, pattern, within)?;
    let columns = hits.columns.iter().map(|(table, column)| Hit {
        table: &table.name,
        schema: &table.schema,
        source: source_of(catalog, table),
        column: &column.name,
        r#type: shorten(&column.data_type, 100),
        description: column.description.as_deref().map(|text| shorten(text, 160)),
    });
    let columns = reply::part(columns, MOST, BYTES).items;
    let omitted = hits.total - columns.len();
    reply::json(&Answer {
        pattern,
        total: hits.total,
        columns,
        omitted: (omitted > 0).then_some(omitted),
        note,
        provenance: match within.table {
            Some(table) => Provenance::of_tables(catalog, [table]),
            None => Provenance::of_all(catalog),
        },
    })
}

/// What fits, or else what fits the words that were probably meant, with a note on that.
fn find<'a>(
    catalog: &'a Catalog,
    pattern: &str,
    within: Within<'_>,
) -> Result<(Hits<'a>, Option<String>), Refusal> {
    if Wildcard::is_pattern(pattern) {
        let wildcard = Wildcard::new(pattern).map_err(|error| Refusal::new(error.to_string()))?;
        let sought = Sought::Wildcard(wildcard);
        return Ok((search::columns(catalog, &sought, within, MOST), None));
    }
    let hits = search::columns(catalog, &Sought::words(pattern), within, MOST);
    if hits.total > 0 {
        return Ok((hits, None));
    }
    let Some(corrected) = search::corrected(catalog, pattern, within) else {
        return Ok((hits, None));
    };
    let hits = search::columns(catalog, &Sought::words(&corrected), within, MOST);
    let note =
        (hits.total > 0).then(|| format!("No column fits '{pattern}'. These fit '{corrected}'."));
    Ok((hits, note))
}
