use std::collections::BTreeSet;

use crate::matching::{Matches, Names, fold, tokens};

use super::{Catalog, SourceState, Table};

/// Words around a name, folded: English, Slovak, Czech.
const FILLING: [&str; 10] = [
    "a", "an", "the", "table", "tables", "view", "tabulka", "tabulky", "tabulke", "tabulku",
];
/// So many dots of a name are tried as the one between schema and table.
const MOST_DOTS: usize = 8;

/// What a word for a table means.
#[derive(Debug, PartialEq)]
pub enum Found<'a> {
    /// This table.
    One(&'a Table),
    /// Any of these, the likeliest first.
    Several(Vec<&'a Table>),
    /// None; these are the nearest.
    None(Vec<&'a Table>),
}

/// What a word for a schema means.
#[derive(Debug, PartialEq, Eq)]
pub enum FoundSchema<'a> {
    /// This schema.
    One(&'a str),
    /// None, or not one alone; these may be meant.
    None(Vec<&'a str>),
}

impl Catalog {
    /// The table a person or a model means: `schema.table`, a bare name, half a name, a synonym, or
    /// one with a typing error.
    pub fn find(&self, text: &str) -> Found<'_> {
        let text = text.trim();
        if let Some(found) = self.qualified(text) {
            return found;
        }
        let matches = self.names.best(text);
        if !matches!(matches, Matches::Exact(_))
            && let Some(found) = self.in_place(text)
        {
            return found;
        }
        match matches {
            Matches::Exact(name) | Matches::Clear(name) => one_or_several(self.called(&[name])),
            Matches::Several(names) => one_or_several(self.called(&names)),
            Matches::None { nearest } => self
                .without_filling(text)
                .unwrap_or_else(|| Found::None(self.called(&nearest))),
        }
    }

    /// The table with exactly this [`Table::label`].
    pub fn labelled(&self, label: &str) -> Option<&Table> {
        let names = halves(label).map(|(_, name)| name);
        std::iter::once(label)
            .chain(names)
            .flat_map(|name| self.called_in_any_case(name))
            .find(|table| table.label() == label)
    }

    /// The table of exactly this name in this schema; without a source, of the first that has one.
    pub fn placed(&self, source: Option<&str>, schema: &str, name: &str) -> Option<&Table> {
        self.called_in_any_case(name).find(|table| {
            table.name == name
                && table.schema == schema
                && source.is_none_or(|source| self.source_name(table) == Some(source))
        })
    }

    /// The schema a person or a model means.
    pub fn find_schema(&self, text: &str) -> FoundSchema<'_> {
        match self.schemas.best(text) {
            Matches::Exact(schema) | Matches::Clear(schema) => FoundSchema::One(schema),
            Matches::Several(schemas) => FoundSchema::None(schemas),
            Matches::None { nearest } if nearest.is_empty() => {
                let tables = self.tables.iter();
                let schemas: BTreeSet<&str> = tables.map(|table| table.schema.as_str()).collect();
                FoundSchema::None(schemas.into_iter().take(Names::MOST_CANDIDATES).collect())
            }
            Matches::None { nearest } => FoundSchema::None(nearest),
        }
    }

    /// The table that `schema.table` or `source.schema.table` names, in any case. Every part may have dots in it.
    fn qualified(&self, text: &str) -> Option<Found<'_>> {
        let mut same = Vec::new();
        let mut alike = Vec::new();
        for (before, name) in halves(text) {
            for table in self.called_in_any_case(name) {
                let fits = self.is_in(table, before);
                if fits && table.name == name {
                    same.push(table);
                } else if fits || self.is_in_any_case(table, before) {
                    alike.push(table);
                }
            }
        }
        let mut tables = if same.is_empty() { alike } else { same };
        tables.truncate(Names::MOST_CANDIDATES);
        (!tables.is_empty()).then(|| one_or_several(tables))
    }

    /// Whether a table is in this schema, or this schema of this source.
    fn is_in(&self, table: &Table, place: &str) -> bool {
        table.schema == place
            || self.source_name(table).is_some_and(|source| {
                let rest = place.strip_prefix(source);
                rest.and_then(|rest| rest.strip_prefix('.')) == Some(&table.schema)
            })
    }

    fn is_in_any_case(&self, table: &Table, place: &str) -> bool {
        let (place, schema) = (fold(place), fold(&table.schema));
        place == schema
            || self
                .source_name(table)
                .is_some_and(|source| place == format!("{}.{schema}", fold(source)))
    }

    fn source_name(&self, table: &Table) -> Option<&str> {
        self.source(table).map(SourceState::name)
    }

    /// `schema.half a name`, or a source before that: the name is matched, and only tables in the schema or the source
    /// count.
    fn in_place(&self, text: &str) -> Option<Found<'_>> {
        let (place, name) = text.split_once('.')?;
        let names = match self.names.best(name) {
            Matches::Exact(name) | Matches::Clear(name) => vec![name],
            Matches::Several(names) => names,
            Matches::None { .. } => return None,
        };
        let in_source = |table: &&Table| {
            self.source_name(table)
                .is_some_and(|source| fold(source) == fold(place))
        };
        let tables = match self.find_schema(place) {
            FoundSchema::One(schema) => self.called_where(&names, |table| table.schema == schema),
            FoundSchema::None(_) => self.called_where(&names, in_source),
        };
        (!tables.is_empty()).then(|| one_or_several(tables))
    }

    /// The table of a phrase that also has words which name none.
    fn without_filling(&self, text: &str) -> Option<Found<'_>> {
        let mut words = tokens(text);
        let all = words.len();
        words.retain(|word| !FILLING.contains(&word.as_str()));
        if words.len() == all {
            return None;
        }
        match self.names.best(&words.join(" ")) {
            Matches::Exact(name) | Matches::Clear(name) => {
                Some(one_or_several(self.called(&[name])))
            }
            Matches::Several(names) => Some(one_or_several(self.called(&names))),
            Matches::None { .. } => None,
        }
    }

    /// The tables of these names, each of which is one of ours.
    fn called(&self, names: &[&str]) -> Vec<&Table> {
        self.called_where(names, |_| true)
    }

    fn called_where<'a>(
        &'a self,
        names: &[&str],
        fits: impl Fn(&&'a Table) -> bool,
    ) -> Vec<&'a Table> {
        names
            .iter()
            .flat_map(|name| {
                self.called_in_any_case(name)
                    .filter(move |table| table.name == **name)
            })
            .filter(fits)
            .take(Names::MOST_CANDIDATES)
            .collect()
    }

    fn called_in_any_case(&self, name: &str) -> impl Iterator<Item = &Table> {
        self.by_name
            .get(&fold(name))
            .into_iter()
            .flatten()
            .filter_map(|id| self.table(*id))
    }
}

/// What stands before and after each dot.
fn halves(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let dots = text.match_indices('.').take(MOST_DOTS);
    dots.filter_map(|(dot, _)| Some((text.get(..dot)?, text.get(dot + 1..)?)))
}

fn one_or_several(tables: Vec<&Table>) -> Found<'_> {
    match tables.as_slice() {
        [only] => Found::One(only),
        _ => Found::Several(tables),
    }
}
