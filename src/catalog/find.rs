use crate::matching::{Matches, Names, fold, tokens};

use super::{Catalog, Table};

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
            && let Some(found) = self.in_schema(text)
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

    /// The schema a person or a model means.
    pub fn find_schema(&self, text: &str) -> FoundSchema<'_> {
        match self.schemas.best(text) {
            Matches::Exact(schema) | Matches::Clear(schema) => FoundSchema::One(schema),
            Matches::Several(schemas) => FoundSchema::None(schemas),
            Matches::None { nearest } if nearest.is_empty() => {
                let mut schemas: Vec<&str> = self
                    .tables
                    .iter()
                    .map(|table| table.schema.as_str())
                    .collect();
                schemas.dedup();
                schemas.truncate(Names::MOST_CANDIDATES);
                FoundSchema::None(schemas)
            }
            Matches::None { nearest } => FoundSchema::None(nearest),
        }
    }

    /// The table `schema.table` names, in any case. Both parts may have dots in them.
    fn qualified(&self, text: &str) -> Option<Found<'_>> {
        let mut alike = Vec::new();
        for (dot, _) in text.match_indices('.').take(MOST_DOTS) {
            let (schema, name) = (text.get(..dot)?, text.get(dot + 1..)?);
            for table in self.called_in_any_case(name) {
                if table.schema == schema && table.name == name {
                    return Some(Found::One(table));
                }
                if fold(&table.schema) == fold(schema) {
                    alike.push(table);
                }
            }
        }
        (!alike.is_empty()).then(|| one_or_several(alike))
    }

    /// `schema.half a name`: the name is matched, and only tables in the schema count.
    fn in_schema(&self, text: &str) -> Option<Found<'_>> {
        let (schema, name) = text.split_once('.')?;
        let FoundSchema::One(schema) = self.find_schema(schema) else {
            return None;
        };
        let mut tables = match self.names.best(name) {
            Matches::Exact(name) | Matches::Clear(name) => self.called(&[name]),
            Matches::Several(names) => self.called(&names),
            Matches::None { .. } => return None,
        };
        tables.retain(|table| table.schema == schema);
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
        names
            .iter()
            .flat_map(|name| {
                self.called_in_any_case(name)
                    .filter(move |table| table.name == **name)
            })
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

fn one_or_several(tables: Vec<&Table>) -> Found<'_> {
    match tables.as_slice() {
        [only] => Found::One(only),
        _ => Found::Several(tables),
    }
}
