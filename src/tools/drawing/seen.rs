//! Which tables a turn was about, as the results of its tools say.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::catalog::{Catalog, Key, Table};
use crate::chat::ToolResult;
use crate::tools::Tool;

/// Longest list that is drawn.
const MOST_LISTED: usize = 30;
/// Most tables that are looked up.
const MOST_TABLES: usize = 300;

/// What a turn was about.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) catalog: &'a Catalog,
    /// The tool that says most about what was asked.
    pub(super) tool: Tool,
    /// The tables that were asked for, in this order; each is also among `tables`.
    pub(super) subjects: Vec<&'a Table>,
    /// The tables that were asked for or listed, also those of a list too long to be drawn.
    pub(super) scope: Vec<&'a Table>,
    /// What is drawn, the most important first.
    pub(super) tables: Vec<Shown<'a>>,
    /// Keys to draw; their tables are among `tables`.
    pub(super) keys: Vec<Key<'a>>,
    /// Which table is made from which: upstream, downstream.
    pub(super) lineage: Vec<(&'a Table, &'a Table)>,
    /// How many tables were listed.
    pub(super) listed: usize,
}

/// A table to draw.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) table: &'a Table,
    pub(super) columns: Columns<'a>,
}

/// Which columns of a table are drawn.
#[derive(Debug)]
pub(super) enum Columns<'a> {
    All,
    /// Those of keys, and these.
    Keys(Vec<&'a str>),
    /// None.
    Name,
}

#[derive(Deserialize)]
struct Details {
    schema: String,
    name: String,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Element {
    name: Option<String>,
    schema: Option<String>,
    source: Option<String>,
    omitted: Option<usize>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Related {
    Between {
        from: String,
        to: String,
        paths: Vec<Path>,
    },
    Direct {
        table: String,
    },
}

#[derive(Deserialize)]
struct Path {
    joins: Vec<Join>,
}

#[derive(Deserialize)]
struct Join {
    from_table: String,
    from_columns: Vec<String>,
    to_table: String,
}

#[derive(Deserialize)]
struct Search {
    columns: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    schema: String,
    table: String,
    column: String,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Lineage {
    table: String,
    upstream: Vec<Step>,
    downstream: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    table: String,
    via: Vec<String>,
}

// === impl Seen ===

impl<'a> Seen<'a> {
    /// Reads the results; `None` if none of them is an answer of a tool of ours.
    pub(super) fn read(catalog: &'a Catalog, results: &[ToolResult]) -> Option<Self> {
        let answers = results.iter().filter(|result| !result.failed);
        let answers =
            answers.filter_map(|result| Some((Tool::named(&result.name)?, &*result.content)));
        let answers: Vec<(Tool, &str)> = answers.collect();
        let tool = answers
            .iter()
            .map(|(tool, _)| *tool)
            .max_by_key(|tool| telling(*tool))?;
        let mut seen = Self {
            catalog,
            tool,
            subjects: Vec::new(),
            scope: Vec::new(),
            tables: Vec::new(),
            keys: Vec::new(),
            lineage: Vec::new(),
            listed: 0,
        };
        // Lists and searches are how models find what they are asked for: once they have it, only that is drawn. Who
        // describes a table also says where it comes from, but in a picture of keys that would only confuse.
        let is_found = telling(tool) > telling(Tool::SearchColumns);
        let is_lineage = tool == Tool::GetLineage;
        for (tool, content) in answers {
            match tool {
                Tool::ListTables if !is_found => seen.list(content),
                Tool::SearchColumns if !is_found => seen.search(content),
                Tool::GetTableDetails => seen.details(content),
                Tool::FindRelationships => seen.relationships(content),
                Tool::GetLineage if is_lineage => seen.lineage(content),
                Tool::ListTables | Tool::SearchColumns | Tool::GetLineage => {}
            }
        }
        if !is_found {
            seen.keys_within();
        }
        seen.subjects_first();
        Some(seen)
    }

    fn details(&mut self, content: &str) {
        let Some(details) = read::<Details>(content) else {
            return;
        };
        let Some(table) = self.find(details.source.as_deref(), &details.schema, &details.name)
        else {
            return;
        };
        self.subject(table);
        if let Some(shown) = self.shown(table) {
            shown.columns = Columns::All;
        }
        self.keys_of(table);
    }

    fn relationships(&mut self, content: &str) {
        match read::<Related>(content) {
            None => {}
            Some(Related::Direct { table }) => {
                let Some(table) = self.labelled(&table) else {
                    return;
                };
                self.subject(table);
                self.keys_of(table);
            }
            Some(Related::Between { from, to, paths }) => {
                for table in [from, to] {
                    if let Some(table) = self.labelled(&table) {
                        self.subject(table);
                    }
                }
                for join in paths.iter().flat_map(|path| &path.joins) {
                    self.join(join);
                }
            }
        }
    }

    fn join(&mut self, join: &Join) {
        let Some(from) = self.labelled(&join.from_table) else {
            return;
        };
        let mut keys = self.catalog.keys_from(from);
        let same = |key: &Key<'_>| {
            key.to.label() == join.to_table && *key.from_columns == *join.from_columns
        };
        if let Some(key) = keys.find(same) {
            self.key(key);
        }
    }

    fn lineage(&mut self, content: &str) {
        let Some(lineage) = read::<Lineage>(content) else {
            return;
        };
        let Some(subject) = self.labelled(&lineage.table) else {
            return;
        };
        self.subject(subject);
        for step in &lineage.upstream {
            for (far, near) in self.edges(subject, step) {
                self.flow(far, near);
            }
        }
        for step in &lineage.downstream {
            for (far, near) in self.edges(subject, step) {
                self.flow(near, far);
            }
        }
    }

    /// A table of a lineage, with each that is one step nearer to the subject.
    fn edges(&self, subject: &'a Table, step: &Step) -> Vec<(&'a Table, &'a Table)> {
        let Some(far) = self.labelled(&step.table) else {
            return Vec::new();
        };
        if step.via.is_empty() {
            return vec![(far, subject)];
        }
        let near = step.via.iter().filter_map(|near| self.labelled(near));
        near.map(|near| (far, near)).collect()
    }

    fn flow(&mut self, upstream: &'a Table, downstream: &'a Table) {
        self.show(upstream);
        self.show(downstream);
        if !self.lineage.contains(&(upstream, downstream)) {
            self.lineage.push((upstream, downstream));
        }
    }

    fn list(&mut self, content: &str) {
        let Some(elements) = read::<Vec<Element>>(content) else {
            return;
        };
        let omitted: usize = elements.iter().filter_map(|element| element.omitted).sum();
        let tables: Vec<(Option<&str>, &str, &str)> = elements
            .iter()
            .filter_map(|element| {
                let (schema, name) = (element.schema.as_deref()?, element.name.as_deref()?);
                Some((element.source.as_deref(), schema, name))
            })
            .collect();
        self.listed += tables.len() + omitted;
        let is_short = tables.len() + omitted <= MOST_LISTED;
        for (source, schema, name) in tables {
            match self.find(source, schema, name) {
                Some(table) if is_short => self.subject(table),
                Some(table) => self.scope.push(table),
                None => {}
            }
        }
    }

    fn search(&mut self, content: &str) {
        let Some(search) = read::<Search>(content) else {
            return;
        };
        for hit in search.columns {
            let Some(table) = self.find(hit.source.as_deref(), &hit.schema, &hit.table) else {
                continue;
            };
            let column = table
                .columns
                .iter()
                .find(|column| *column.name == *hit.column);
            self.subject(table);
            if let (Some(column), Some(shown)) = (column, self.shown(table))
                && let Columns::Keys(found) = &mut shown.columns
            {
                found.push(&column.name);
            }
        }
    }

    /// The keys between the tables that are drawn.
    fn keys_within(&mut self) {
        let tables: Vec<&Table> = self.tables.iter().map(|shown| shown.table).collect();
        for table in &tables {
            for key in self.catalog.keys_from(table) {
                if tables.contains(&key.to) {
                    self.key(key);
                }
            }
        }
    }

    fn keys_of(&mut self, table: &'a Table) {
        for key in self
            .catalog
            .keys_from(table)
            .chain(self.catalog.keys_to(table))
        {
            self.key(key);
        }
    }

    fn key(&mut self, key: Key<'a>) {
        let same = |other: &Key<'_>| {
            other.from == key.from && other.to == key.to && other.from_columns == key.from_columns
        };
        if self.tables.len() >= MOST_TABLES || self.keys.iter().any(same) {
            return;
        }
        self.show(key.from);
        self.show(key.to);
        self.keys.push(key);
    }

    fn subject(&mut self, table: &'a Table) {
        if !self.subjects.contains(&table) {
            self.subjects.push(table);
            self.scope.push(table);
        }
        self.show(table);
    }

    fn show(&mut self, table: &'a Table) {
        if self.shown(table).is_none() {
            self.tables.push(Shown {
                table,
                columns: if self.tool == Tool::GetLineage {
                    Columns::Name
                } else {
                    Columns::Keys(Vec::new())
                },
            });
        }
    }

    fn shown(&mut self, table: &Table) -> Option<&mut Shown<'a>> {
        self.tables.iter_mut().find(|shown| shown.table == table)
    }

    fn subjects_first(&mut self) {
        let subjects = &self.subjects;
        self.tables.sort_by_key(|shown| {
            subjects
                .iter()
                .position(|table| *table == shown.table)
                .unwrap_or(usize::MAX)
        });
    }

    fn labelled(&self, label: &str) -> Option<&'a Table> {
        self.catalog.labelled(label)
    }

    fn find(&self, source: Option<&str>, schema: &str, name: &str) -> Option<&'a Table> {
        self.catalog.placed(source, schema, name)
    }
}

/// How much the use of a tool says about what was asked.
fn telling(tool: Tool) -> u8 {
    match tool {
        Tool::ListTables => 0,
        Tool::SearchColumns => 1,
        Tool::GetLineage => 2,
        Tool::GetTableDetails => 3,
        Tool::FindRelationships => 4,
    }
}

fn read<T: DeserializeOwned>(content: &str) -> Option<T> {
    serde_json::from_str(content).ok()
}
