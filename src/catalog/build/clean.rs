//! What nobody here wrote is taken as it is: what cannot be used is shortened or left out, and counted.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::mem;

use super::limits;
use crate::catalog::format::{Column, File, ForeignKey, Reference, Status, Table};

/// What a schema is called that has no name.
const NO_SCHEMA: &str = "default";
/// What a type is called that nobody recorded.
const NO_TYPE: &str = "unknown";

/// How many parts of a source could not be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::catalog) struct Cleaned {
    /// Left out: no name, a name twice, or too many.
    pub(in crate::catalog) tables: usize,
    /// Left out for the same reasons.
    pub(in crate::catalog) columns: usize,
    /// Primary and foreign keys left out: a column or a table of theirs is not there.
    pub(in crate::catalog) keys: usize,
    /// Origins left out: there is no such table.
    pub(in crate::catalog) origins: usize,
    /// Names and texts shortened, or without their control characters.
    pub(in crate::catalog) texts: usize,
}

/// Where the tables are, by schema and name.
type Places = HashMap<(String, String), usize>;

/// Makes a file right.
pub(super) fn clean(file: &mut File) -> Cleaned {
    let mut cleaned = Cleaned::default();
    cleaned.name(&mut file.name);
    if file.name.is_empty() {
        NO_SCHEMA.clone_into(&mut file.name);
    }
    let mut places = Places::new();
    let mut tables = Vec::with_capacity(file.tables.len());
    for mut table in mem::take(&mut file.tables) {
        cleaned.table(&mut table);
        let id = (table.schema.clone(), table.name.clone());
        if table.name.is_empty() || tables.len() >= limits::TABLES || places.contains_key(&id) {
            cleaned.tables += 1;
            continue;
        }
        places.insert(id, tables.len());
        tables.push(table);
    }
    for place in 0..tables.len() {
        cleaned.references(&mut tables, &places, place);
    }
    file.tables = tables;
    cleaned
}

// === impl Cleaned ===

impl Cleaned {
    /// Says what is missing, if anything is.
    pub(in crate::catalog) fn warn(&self, source: &str) {
        if *self != Self::default() {
            tracing::warn!(source, "not all of the catalog could be used: {self}");
        }
    }

    fn table(&mut self, table: &mut Table) {
        self.name(&mut table.schema);
        if table.schema.is_empty() {
            NO_SCHEMA.clone_into(&mut table.schema);
        }
        self.name(&mut table.name);
        for text in [
            &mut table.description,
            &mut table.grain,
            &mut table.owner,
            &mut table.refresh,
        ] {
            self.optional_text(text);
        }
        for synonym in &mut table.synonyms {
            self.name(synonym);
        }
        table.synonyms.retain(|synonym| !synonym.is_empty());
        table.synonyms.truncate(limits::SYNONYMS);
        for consumer in &mut table.consumers {
            self.name(consumer);
        }
        table.consumers.retain(|consumer| !consumer.is_empty());
        table.consumers.truncate(limits::CONSUMERS);
        let mut names = HashSet::with_capacity(table.columns.len());
        for mut column in mem::take(&mut table.columns) {
            self.column(&mut column);
            let usable = !column.name.is_empty() && names.len() < limits::COLUMNS;
            if usable && names.insert(column.name.clone()) {
                table.columns.push(column);
            } else {
                self.columns += 1;
            }
        }
        self.names(&mut table.primary_key);
        let mut key = HashSet::new();
        table
            .primary_key
            .retain(|column| key.insert(column.clone()));
        if !table
            .primary_key
            .iter()
            .all(|column| names.contains(column))
        {
            table.primary_key.clear();
            self.keys += 1;
        }
    }

    fn column(&mut self, column: &mut Column) {
        self.name(&mut column.name);
        self.text(&mut column.data_type);
        if column.data_type.is_empty() {
            NO_TYPE.clone_into(&mut column.data_type);
        }
        self.optional_text(&mut column.description);
    }

    /// The keys and origins of the table at `place`.
    fn references(&mut self, tables: &mut [Table], places: &Places, place: usize) {
        let Some(table) = tables.get_mut(place) else {
            return;
        };
        let (mut keys, mut lineage) = (mem::take(&mut table.foreign_keys), table.lineage.take());
        let listed = keys.len();
        let mut seen = HashSet::new();
        keys.retain_mut(|key| {
            self.names(&mut key.columns);
            self.names(&mut key.to_columns);
            self.reference(&mut key.references);
            let target = place_of(&key.references, places);
            let fits = |(from, to): (&Table, &Table)| fits(key, from, to);
            let usable = tables.get(place).zip(target.and_then(|to| tables.get(to)));
            usable.is_some_and(fits)
                && seen.len() < limits::FOREIGN_KEYS
                && seen.insert((key.columns.clone(), target, key.to_columns.clone()))
        });
        self.keys += listed - keys.len();
        if let Some(lineage) = &mut lineage {
            let mut seen = HashSet::new();
            lineage.upstream.retain_mut(|origin| {
                self.reference(origin);
                let target = place_of(origin, places);
                self.origins += usize::from(target.is_none());
                target.is_some_and(|target| seen.insert(target))
            });
            if !lineage.upstream.is_empty() {
                lineage.status = Status::Recorded;
            }
        }
        if let Some(table) = tables.get_mut(place) {
            table.foreign_keys = keys;
            table.lineage = lineage;
        }
    }

    fn reference(&mut self, reference: &mut Reference) {
        let Reference::Exact { schema, name } = reference else {
            return;
        };
        // The same is done to the table itself, and counted there.
        let counted = self.texts;
        self.name(schema);
        if schema.is_empty() {
            NO_SCHEMA.clone_into(schema);
        }
        self.name(name);
        self.texts = counted;
    }

    /// The names of columns, which were counted with the columns.
    fn names(&mut self, names: &mut [String]) {
        let counted = self.texts;
        for name in names {
            self.name(name);
        }
        self.texts = counted;
    }

    fn name(&mut self, name: &mut String) {
        self.replace(name, limits::NAME, |letter| letter.is_control());
    }

    fn text(&mut self, text: &mut String) {
        self.replace(text, limits::TEXT, limits::controls);
    }

    fn optional_text(&mut self, text: &mut Option<String>) {
        if let Some(some) = text {
            self.text(some);
        }
        if text.as_ref().is_some_and(String::is_empty) {
            *text = None;
        }
    }

    fn replace(&mut self, text: &mut String, most: usize, is_bad: fn(char) -> bool) {
        if let Cow::Owned(better) = better(text, most, is_bad) {
            self.texts += usize::from(!better.is_empty());
            *text = better;
        }
    }
}

/// The text in one piece without spaces around it, with blanks for bad characters, and not too long.
fn better(text: &str, most: usize, is_bad: fn(char) -> bool) -> Cow<'_, str> {
    let is_short = text.len() <= most || text.chars().nth(most).is_none();
    if is_short && text.trim() == text && !text.chars().any(is_bad) {
        return Cow::Borrowed(text);
    }
    let start: String = text
        .trim()
        .chars()
        .map(|letter| if is_bad(letter) { ' ' } else { letter })
        .take(most)
        .collect();
    Cow::Owned(start.trim().to_owned())
}

fn place_of(reference: &Reference, places: &Places) -> Option<usize> {
    let Reference::Exact { schema, name } = reference else {
        return None;
    };
    places.get(&(schema.clone(), name.clone())).copied()
}

fn fits(key: &ForeignKey, from: &Table, to: &Table) -> bool {
    let has = |table: &Table, name: &String| table.columns.iter().any(|one| one.name == *name);
    !key.columns.is_empty()
        && key.columns.len() == key.to_columns.len()
        && key.columns.iter().all(|column| has(from, column))
        && key.to_columns.iter().all(|column| has(to, column))
}

impl fmt::Display for Cleaned {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} tables, {} columns, {} keys and {} origins are left out, {} names and texts are shortened or cleaned",
            self.tables, self.columns, self.keys, self.origins, self.texts
        )
    }
}
