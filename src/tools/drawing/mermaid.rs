//! Writes an `erDiagram`, <https://mermaid.js.org/syntax/entityRelationshipDiagram.html>.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::seen::{Columns, Seen, Shown};
use super::words;
use crate::catalog::{Column, Key, Table};

/// Longest label of a table, of a column, of a relationship, in characters.
const LABEL: usize = 120;
/// Longest title.
const TITLE: usize = 300;

/// How much is drawn. What is more is left out, and the diagram says how much that is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Tables.
    pub(super) tables: usize,
    /// Columns of a table, those of keys first.
    pub(super) columns: usize,
    /// Relationships.
    pub(super) relationships: usize,
}

/// The diagram as it is written.
struct Writer<'a> {
    seen: &'a Seen<'a>,
    limits: Limits,
    /// The tables that are drawn, each with its name in the diagram.
    entities: Vec<(Cow<'a, str>, &'a Shown<'a>)>,
    text: String,
}

/// What a column is in keys.
#[derive(Debug, Clone, Copy)]
struct Marks {
    primary: bool,
    foreign: bool,
}

/// Columns of a table.
struct Selection<'a> {
    drawn: Vec<(&'a Column, Marks)>,
    left_out: usize,
}

/// The diagram; its first lines are a title and what is left out.
pub(super) fn write(seen: &Seen<'_>, limits: Limits) -> String {
    let shown = seen.tables.iter().take(limits.tables);
    let entities = shown
        .enumerate()
        .map(|(place, shown)| (entity(seen, place, shown.table), shown));
    let writer = Writer {
        seen,
        limits,
        entities: entities.collect(),
        text: String::from("erDiagram\n"),
    };
    writer.diagram()
}

/// The name of a table in the diagram: its own, or one nothing else is called.
fn entity<'a>(seen: &Seen<'_>, place: usize, table: &'a Table) -> Cow<'a, str> {
    if words::is_name(table.label()) {
        return Cow::Borrowed(table.label());
    }
    let mut name = format!("table_{}", place + 1);
    while seen.tables.iter().any(|shown| shown.table.label() == name) {
        name.push('_');
    }
    Cow::Owned(name)
}

// === impl Writer ===

impl Writer<'_> {
    fn diagram(mut self) -> String {
        let lines = self.relationships();
        let drawn = lines.len().min(self.limits.relationships);
        self.head(lines.len() - drawn);
        for line in lines.iter().take(drawn) {
            self.line(line);
        }
        for (name, shown) in std::mem::take(&mut self.entities) {
            self.entity(&name, shown);
        }
        self.text
    }

    fn head(&mut self, relationships: usize) {
        let tables = self.seen.tables.len() - self.entities.len();
        if tables == 0 && relationships == 0 {
            return;
        }
        let left_out = format!(
            "Too large to be drawn whole: {tables} more tables and {relationships} more relationships are not shown"
        );
        let left_out = words::quoted(&left_out, TITLE);
        self.line(&format!("accDescr: {}", left_out.trim_matches('"')));
    }

    /// All relationships of the tables that are drawn.
    fn relationships(&self) -> Vec<String> {
        let lineage = self
            .seen
            .lineage
            .iter()
            .filter_map(|(upstream, downstream)| {
                let (from, to) = (self.name(upstream)?, self.name(downstream)?);
                // How many rows of one go into a row of the other is not known.
                Some(format!("{from} }}o..o{{ {to} : feeds"))
            });
        let keys = self.seen.keys.iter().filter_map(|key| {
            let (from, to) = (self.name(key.from)?, self.name(key.to)?);
            let columns = words::quoted(&key.from_columns.join(", "), LABEL);
            Some(format!("{from} {} {to} : {columns}", cardinality(key)))
        });
        lineage.chain(keys).collect()
    }

    fn entity(&mut self, name: &str, shown: &Shown<'_>) {
        let table = shown.table;
        let columns = self.columns(shown);
        let label = if name == table.label() {
            String::new()
        } else {
            format!("[{}]", words::quoted(table.label(), LABEL))
        };
        if columns.drawn.is_empty() {
            return self.line(&format!("{name}{label}"));
        }
        self.line(&format!("{name}{label} {{"));
        for (number, (column, marks)) in (1..).zip(&columns.drawn) {
            self.line(&attribute(number, column, *marks));
        }
        if columns.left_out > 0 {
            let left_out = columns.left_out;
            self.line(&format!("  more columns \"{left_out} are not shown\""));
        }
        self.line("}");
    }

    /// The columns of a table that are drawn, in its order.
    fn columns<'t>(&self, shown: &Shown<'t>) -> Selection<'t> {
        let table = shown.table;
        let refers: BTreeSet<&str> =
            names(self.seen.catalog.keys_from(table), |key| key.from_columns);
        let from_here = self
            .seen
            .keys
            .iter()
            .filter(|key| key.from == table)
            .copied();
        let to_here = self.seen.keys.iter().filter(|key| key.to == table).copied();
        let mut joined = names(from_here, |key| key.from_columns);
        joined.extend(names(to_here, |key| key.to_columns));
        let is_wanted = |column: &Column| match &shown.columns {
            Columns::All => true,
            Columns::Name => false,
            Columns::Keys(found) => {
                column.primary_key
                    || joined.contains(&*column.name)
                    || found.contains(&&*column.name)
            }
        };
        let mut wanted: Vec<(usize, &Column, Marks)> = table
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| is_wanted(column))
            .map(|(place, column)| {
                let marks = Marks {
                    primary: column.primary_key,
                    foreign: refers.contains(&*column.name),
                };
                (place, column, marks)
            })
            .collect();
        let left_out = wanted.len().saturating_sub(self.limits.columns);
        if left_out > 0 {
            wanted.sort_by_key(|(_, _, marks)| !(marks.primary || marks.foreign));
            wanted.truncate(self.limits.columns);
            wanted.sort_by_key(|(place, _, _)| *place);
        }
        let drawn = wanted.into_iter().map(|(_, column, marks)| (column, marks));
        Selection {
            drawn: drawn.collect(),
            left_out,
        }
    }

    fn name(&self, table: &Table) -> Option<&str> {
        let mut entities = self.entities.iter();
        let (name, _) = entities.find(|(_, shown)| shown.table == table)?;
        Some(name)
    }

    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "  {line}");
    }
}

fn names<'k>(
    keys: impl Iterator<Item = Key<'k>>,
    columns: fn(&Key<'k>) -> &'k [String],
) -> BTreeSet<&'k str> {
    keys.flat_map(|key| columns(&key))
        .map(String::as_str)
        .collect()
}

/// How many rows of the table that refers belong to one of the other, and the other way round. A solid line is a key
/// that is part of what identifies the row.
fn cardinality(key: &Key<'_>) -> String {
    let of = |name: &String| {
        key.from
            .columns
            .iter()
            .find(|column| *column.name == **name)
    };
    let columns = || key.from_columns.iter().filter_map(of);
    let identifies = columns().all(|column| column.primary_key);
    let is_whole_key = identifies && key.from_columns.len() == key.from.primary_key.len();
    let many = if is_whole_key { "|o" } else { "}o" };
    let line = if identifies { "--" } else { ".." };
    let one = if columns().any(|column| column.nullable) {
        "o|"
    } else {
        "||"
    };
    format!("{many}{line}{one}")
}

/// A row of a table. What Mermaid's words cannot say of the name and the type stands in the comment.
fn attribute(number: usize, column: &Column, marks: Marks) -> String {
    let name = words::attribute(&column.name, &format!("column_{number}"));
    let data_type = words::data_type(&column.data_type);
    let mut comment: Vec<&str> = Vec::new();
    if *name != *column.name {
        comment.push(&column.name);
    }
    if *data_type != *column.data_type && !column.data_type.is_empty() {
        comment.push(&column.data_type);
    }
    let mut line = format!("  {data_type} {name}");
    line.push_str(match (marks.primary, marks.foreign) {
        (true, true) => " PK, FK",
        (true, false) => " PK",
        (false, true) => " FK",
        (false, false) => "",
    });
    if !comment.is_empty() {
        line.push(' ');
        line.push_str(&words::quoted(&comment.join(", "), LABEL));
    }
    line
}
