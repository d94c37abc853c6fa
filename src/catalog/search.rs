//! Search for columns by words or by a pattern.

use std::collections::HashMap;

use super::{Catalog, Column, Table};
use crate::matching::{Wildcard, Words, contains_folded, fold, singular, tokens};

/// What to look for.
#[derive(Debug, Clone)]
pub enum Sought {
    /// A pattern that fits the whole name or the whole description.
    Wildcard(Wildcard),
    /// Words that are all in the name or all in the description.
    Words(Vec<String>),
}

/// Where to look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Within<'a> {
    /// Only in this table.
    pub table: Option<&'a Table>,
    /// Only in this schema.
    pub schema: Option<&'a str>,
}

/// What was found.
#[derive(Debug)]
pub struct Hits<'a> {
    /// How many columns fit.
    pub total: usize,
    /// The best ones: same name first, then names with the words, then descriptions.
    pub columns: Vec<(&'a Table, &'a Column)>,
}

/// How well a column fits. The order is the order of the hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    Name,
    WordsOfName,
    PartOfName,
    Description,
}

// === impl Sought ===

impl Sought {
    /// Words, whatever they are.
    pub fn words(text: &str) -> Self {
        Self::Words(
            tokens(text)
                .iter()
                .map(|word| singular(word).to_owned())
                .collect(),
        )
    }

    fn in_name(&self, name: &str) -> Option<Rank> {
        match self {
            Self::Wildcard(wildcard) => wildcard.fits(name).then_some(Rank::WordsOfName),
            Self::Words(words) => {
                let words_of_name = tokens(name);
                let mut have = words_of_name.iter().map(|word| singular(word));
                if have.clone().eq(words.iter().map(String::as_str)) {
                    return Some(Rank::Name);
                }
                if words.iter().all(|word| have.clone().any(|one| one == word)) {
                    return Some(Rank::WordsOfName);
                }
                let joined: String = have.by_ref().collect();
                let folded = fold(name);
                let part = |word: &String| folded.contains(word.as_str());
                (words.iter().all(part) || joined.contains(&words.concat()))
                    .then_some(Rank::PartOfName)
            }
        }
    }

    fn in_description(&self, description: &str) -> bool {
        match self {
            Self::Wildcard(wildcard) => wildcard.fits(description),
            Self::Words(words) => {
                let mut words = words.iter();
                words.all(|word| contains_folded(description, word))
            }
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Words(words) if words.is_empty())
    }
}

/// The columns that fit, at most `limit` of them.
pub fn columns<'a>(
    catalog: &'a Catalog,
    sought: &Sought,
    within: Within<'_>,
    limit: usize,
) -> Hits<'a> {
    let mut total = 0;
    let mut ranked: [Vec<(&Table, &Column)>; 4] = Default::default();
    // Names repeat: of a hundred thousand columns a few thousand are called differently.
    let mut known: HashMap<&str, Option<Rank>> = HashMap::new();
    for (table, column) in all(catalog, within).filter(|_| !sought.is_empty()) {
        let in_name = *known
            .entry(&column.name)
            .or_insert_with(|| sought.in_name(&column.name));
        let in_description = || {
            let description = column.description.as_ref()?;
            sought
                .in_description(description)
                .then_some(Rank::Description)
        };
        let Some(rank) = in_name.or_else(in_description) else {
            continue;
        };
        total += 1;
        let [name, words, part, description] = &mut ranked;
        let hits = match rank {
            Rank::Name => name,
            Rank::WordsOfName => words,
            Rank::PartOfName => part,
            Rank::Description => description,
        };
        if hits.len() < limit {
            hits.push((table, column));
        }
    }
    let columns = ranked.into_iter().flatten().take(limit).collect();
    Hits { total, columns }
}

/// The words a person probably meant, if some of theirs are in no column's name: of the table, or else of any table.
pub fn corrected(catalog: &Catalog, text: &str, within: Within<'_>) -> Option<String> {
    match within.table {
        Some(table) => Words::new(table.columns.iter().map(|column| &column.name)).corrected(text),
        None => catalog.column_words.corrected(text),
    }
}

fn all<'a>(
    catalog: &'a Catalog,
    within: Within<'_>,
) -> impl Iterator<Item = (&'a Table, &'a Column)> {
    catalog
        .tables()
        .filter(move |table| {
            within.table.is_none_or(|only| only == *table)
                && within.schema.is_none_or(|only| only == table.schema)
        })
        .flat_map(|table| table.columns.iter().map(move |column| (table, column)))
}
