//! The names of tables and schemas, as tools have told them, and what a mention in a question means
//! among them.

use std::collections::{HashMap, HashSet};

use super::glossary;
use super::results::{ListedTable, TableList};
use super::words::Word;
use crate::matching::{self, Matches};

/// Longest mention that is looked for in parts, in words: there are many parts of a long one.
const MAX_PARTED: usize = 8;

/// Tables and schemas by name. A table whose name is in two schemas is called `schema.name`, one that is in two sources
/// `source.schema.name`.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) tables: Vec<ListedTable>,
    /// In the order of the list, each once.
    pub(super) schemas: Vec<String>,
    /// There are tables that are not in this list.
    pub(super) is_partial: bool,
    matching: matching::Names,
    vocabulary: HashSet<String>,
}

/// What a mention means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    Table(String),
    /// A column of a table, written as `table.column`.
    Column {
        table: String,
        column: String,
    },
    Schema(String),
    Several(Vec<String>),
    /// As far as the glossary can tell. Tools may know better: catalogs have synonyms.
    Perhaps(Vec<String>),
    Nothing {
        nearest: Vec<String>,
    },
}

// === impl Names ===

impl Names {
    pub(super) fn new(lists: impl IntoIterator<Item = TableList>) -> Self {
        let mut names = Self::default();
        let mut seen = HashSet::new();
        let mut uses: HashMap<String, usize> = HashMap::new();
        for list in lists {
            names.is_partial |= list.omitted > 0;
            for table in list.tables {
                if !names.schemas.contains(&table.schema) && !table.schema.is_empty() {
                    names.schemas.push(table.schema.clone());
                }
                let qualified = format!("{}.{}", table.schema, table.name);
                if seen.insert((table.source.clone(), qualified.clone())) {
                    *uses.entry(table.name.clone()).or_default() += 1;
                    *uses.entry(qualified).or_default() += 1;
                    names.tables.push(table);
                }
            }
        }
        for table in &mut names.tables {
            let is_shared = |name: &str| uses.get(name).is_some_and(|uses| *uses > 1);
            let qualified = format!("{}.{}", table.schema, table.name);
            match &table.source {
                Some(source) if is_shared(&qualified) => {
                    table.name = format!("{source}.{qualified}");
                }
                _ if is_shared(&table.name) => table.name = qualified,
                _ => {}
            }
        }
        names.vocabulary = names
            .tables
            .iter()
            .flat_map(|table| matching::tokens(&table.name))
            .collect();
        names.matching = matching::Names::new(names.tables.iter().map(|table| &table.name));
        names
    }

    /// What a table is called here: with its schema if another schema has one of that name, with its source if another
    /// source has that one too.
    pub(super) fn label(&self, source: Option<&str>, schema: &str, name: &str) -> String {
        let qualified = format!("{schema}.{name}");
        let in_source = source.map(|source| format!("{source}.{qualified}"));
        let known = |name: &String| self.tables.iter().any(|table| table.name == *name);
        let longer = in_source.into_iter().chain([qualified]);
        longer
            .into_iter()
            .find(|name| known(name))
            .unwrap_or_else(|| name.to_owned())
    }

    /// The schema `text` means, if there is one.
    pub(super) fn schema_like(&self, text: &str) -> Option<String> {
        match matching::Names::new(&self.schemas).best(text) {
            Matches::Exact(schema) | Matches::Clear(schema) => Some(schema.to_owned()),
            Matches::Several(_) | Matches::None { .. } => None,
        }
    }

    /// Whether names are made of this word, or of what it means in English.
    pub(super) fn has_word(&self, word: &Word) -> bool {
        self.vocabulary.contains(&word.folded)
            || word
                .folded
                .strip_suffix('s')
                .is_some_and(|singular| self.vocabulary.contains(singular))
            || glossary::english(&word.folded).is_some()
    }

    /// What a mention means; two tables if it holds the names of two.
    pub(super) fn meanings(&self, mention: &str) -> Vec<Meaning> {
        let whole = self.meaning(mention);
        if !matches!(whole, Meaning::Nothing { .. }) {
            return vec![whole];
        }
        let words: Vec<&str> = mention.split_whitespace().collect();
        if words.len() > MAX_PARTED {
            return vec![whole];
        }
        self.two_tables(&words)
            .or_else(|| self.part(&words).map(|meaning| vec![meaning]))
            .unwrap_or_else(|| vec![whole])
    }

    /// The table that the first or last words of a phrase name, and the other words.
    pub(super) fn table_in(&self, phrase: &str) -> Option<(String, String)> {
        let words: Vec<&str> = phrase.split_whitespace().take(MAX_PARTED).collect();
        let split = |at: usize| words.split_at_checked(at);
        let sides = (1..words.len()).rev().filter_map(split);
        sides
            .flat_map(|(left, right)| [(left, right), (right, left)])
            .find_map(|(name, rest)| match self.meaning(&name.join(" ")) {
                Meaning::Table(table) => Some((table, rest.join(" "))),
                _ => None,
            })
    }

    fn meaning(&self, mention: &str) -> Meaning {
        if let Some(schema) = self.schema(mention) {
            return Meaning::Schema(schema.to_owned());
        }
        if let Some(meaning) = self.qualified(mention) {
            return meaning;
        }
        // Words of the glossary first: English names that merely resemble a Slovak word are not
        // meant by it.
        let translated = glossary::translate(mention).map(|english| self.best(&english));
        match translated {
            Some(Meaning::Table(table)) => Meaning::Table(table),
            Some(Meaning::Several(tables)) => Meaning::Perhaps(tables),
            _ => self.best(mention),
        }
    }

    fn best(&self, phrase: &str) -> Meaning {
        let owned = |names: Vec<&str>| names.into_iter().map(ToOwned::to_owned).collect();
        match self.matching.best(phrase) {
            // What merely resembles a name may be another one that the list leaves out: the tools
            // know all of them.
            Matches::Clear(name) if self.is_partial => Meaning::Nothing {
                nearest: vec![name.to_owned()],
            },
            Matches::Several(names) if self.is_partial => Meaning::Nothing {
                nearest: owned(names),
            },
            Matches::Exact(name) | Matches::Clear(name) => Meaning::Table(name.to_owned()),
            Matches::Several(names) => Meaning::Several(owned(names)),
            Matches::None { nearest } => Meaning::Nothing {
                nearest: owned(nearest),
            },
        }
    }

    fn schema(&self, mention: &str) -> Option<&str> {
        let folded = matching::fold(mention);
        self.schemas
            .iter()
            .find(|schema| matching::fold(schema) == folded)
            .map(String::as_str)
    }

    /// `schema.table`, `table.column` and `schema.table.column`.
    fn qualified(&self, mention: &str) -> Option<Meaning> {
        let (qualifier, name) = mention.rsplit_once('.')?;
        if let Matches::Exact(label) = self.matching.best(mention) {
            return Some(Meaning::Table(label.to_owned()));
        }
        if self.schema(qualifier).is_some() {
            return Some(self.best(name));
        }
        let table = qualifier
            .rsplit_once('.')
            .map_or(qualifier, |(_, table)| table);
        match self.best(table) {
            Meaning::Table(table) => Some(Meaning::Column {
                table,
                column: name.to_owned(),
            }),
            _ => None,
        }
    }

    fn two_tables(&self, words: &[&str]) -> Option<Vec<Meaning>> {
        (1..words.len()).find_map(|at| {
            let (left, right) = words.split_at_checked(at)?;
            let sides = [left, right].map(|side| self.meaning(&side.join(" ")));
            sides
                .iter()
                .all(|side| matches!(side, Meaning::Table(_)))
                .then(|| sides.to_vec())
        })
    }

    /// The longest part of a mention that means something; the rest is words this lexicon does not
    /// have.
    fn part(&self, words: &[&str]) -> Option<Meaning> {
        (1..words.len()).rev().find_map(|length| {
            words
                .windows(length)
                .map(|part| self.meaning(&part.join(" ")))
                .find(|meaning| !matches!(meaning, Meaning::Nothing { .. }))
        })
    }
}
