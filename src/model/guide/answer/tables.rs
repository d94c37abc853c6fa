//! Lists and counts of tables, columns and schemas.

use serde_json::{Map, Value, json};

use super::super::language::Language;
use super::super::markdown::{code, plain};
use super::super::phrases::Noun;
use super::super::question::Kind;
use super::super::results::{ListedTable, TableList};
use super::super::turn::Tool;
use super::target::Target;
use super::{Interruption, Task, Written};

/// Most tables listed.
const MAX_LISTED: usize = 60;
/// In which order kinds are told.
const KINDS: [Noun; 5] = [
    Noun::FactTable,
    Noun::Dimension,
    Noun::View,
    Noun::Source,
    Noun::Table,
];

impl Task<'_> {
    pub(super) fn list(&self, kind: Option<Kind>) -> Written {
        if let Some(subject) = self.reading.subjects.first() {
            // "Show the supplier table", "what dimensions does X have": one table is meant.
            self.target_of(subject)?;
            return if kind.is_some() {
                self.relate()
            } else {
                self.describe(&[])
            };
        }
        let language = self.language;
        let noun = Noun::from(kind);
        let list = self.tables(kind)?;
        if list.tables.is_empty() {
            return Ok(self.none_found(noun));
        }
        let total = list.tables.len() + list.omitted;
        let mut lines: Vec<String> = (1..)
            .zip(list.tables.iter().take(MAX_LISTED))
            .map(|(number, table)| {
                format!("{number}. {} ({})", plain(&table.name), plain(&table.kind))
            })
            .collect();
        let hidden = total - lines.len();
        if hidden > 0 {
            lines.push(String::new());
            lines.push(language.more(hidden));
        }
        let plural = language.noun(5, noun);
        let filter = self.filter();
        let lead = language.pick(
            format!("Here are the available {plural}{filter}:"),
            format!("Tu sú dostupné {}{filter}:", language.noun(2, noun)),
            format!("Tady jsou dostupné {}{filter}:", language.noun(2, noun)),
        );
        let sum = sum(language, total, noun, &list);
        Ok(format!("{lead}\n\n{}\n\n{sum}", lines.join("\n")))
    }

    pub(super) fn schemas(&self) -> Written {
        let language = self.language;
        let list: TableList = self.call(Tool::ListTables, json!({}))?;
        let mut schemas: Vec<(&str, usize)> = Vec::new();
        for table in &list.tables {
            match schemas.iter_mut().find(|(name, _)| *name == table.schema) {
                Some((_, tables)) => *tables += 1,
                None => schemas.push((&table.schema, 1)),
            }
        }
        let lead = language.count(schemas.len(), Noun::Schema);
        let are = language.are(schemas.len());
        let lines: Vec<String> = schemas
            .iter()
            .take(MAX_LISTED)
            .map(|(name, tables)| {
                format!("- {}: {}", code(name), language.count(*tables, Noun::Table))
            })
            .collect();
        let hidden = schemas.len() - lines.len();
        let rest = if hidden > 0 {
            format!("\n\n{}", language.more(hidden))
        } else {
            String::new()
        };
        let lead = language.pick(
            format!("The catalog has {lead}:"),
            format!("V katalógu {are} {lead}:"),
            format!("V katalogu {are} {lead}:"),
        );
        Ok(format!("{lead}\n\n{}{rest}", lines.join("\n")))
    }

    pub(super) fn count_tables(&self, kind: Option<Kind>) -> Written {
        let language = self.language;
        let noun = Noun::from(kind);
        let list = self.tables(kind)?;
        let total = list.tables.len() + list.omitted;
        if total == 0 {
            return Ok(self.none_found(noun));
        }
        let are = language.are(total);
        let counted = format!("**{}**{}", language.count(total, noun), self.filter());
        let lead = language.pick(
            format!("The catalog has {counted}"),
            format!("V katalógu {are} {counted}"),
            format!("V katalogu {are} {counted}"),
        );
        let parts = parts(language, &list);
        let few = total <= 12 && list.omitted == 0;
        let end = match (parts, few) {
            (Some(parts), _) => format!(": {parts}."),
            (None, false) => ".".to_owned(),
            (None, true) => {
                let names: Vec<String> =
                    list.tables.iter().map(|table| code(&table.name)).collect();
                format!(": {}.", language.and(&names))
            }
        };
        Ok(lead + &end)
    }

    pub(super) fn count_columns(&self) -> Written {
        let language = self.language;
        if self.reading.subjects.is_empty() {
            let list: TableList = self.call(Tool::ListTables, json!({}))?;
            let columns = language.count(
                list.tables.iter().map(|table| table.columns).sum(),
                Noun::Column,
            );
            let tables = list.tables.len();
            let at_least = if list.omitted > 0 {
                language.pick("at least ", "najmenej ", "nejméně ")
            } else {
                ""
            };
            return Ok(language.pick(
                format!(
                    "The {} listed in the catalog have {at_least}**{columns}**.",
                    language.count(tables, Noun::Table)
                ),
                format!("Tabuľky v katalógu ({tables}) majú spolu {at_least}**{columns}**."),
                format!("Tabulky v katalogu ({tables}) mají dohromady {at_least}**{columns}**."),
            ));
        }
        self.each(|target| self.count_columns_of(target))
    }

    fn count_columns_of(&self, target: &Target) -> Written {
        let language = self.language;
        let details = self.details(&target.table)?;
        let columns = language.count(
            details.columns.len() + details.omitted_columns,
            Noun::Column,
        );
        let keys = details.primary_key.len();
        let key_names: Vec<String> = details.primary_key.iter().map(|key| code(key)).collect();
        let name = code(&details.name);
        let key = match keys {
            0 => String::new(),
            _ => language.pick(
                format!("; its primary key is {}", language.and(&key_names)),
                format!("; primárny kľúč je {}", language.and(&key_names)),
                format!("; primární klíč je {}", language.and(&key_names)),
            ),
        };
        Ok(language.pick(
            format!("{name} has **{columns}**{key}."),
            format!("{name} má **{columns}**{key}."),
            format!("{name} má **{columns}**{key}."),
        ))
    }

    /// The tables that fit what the question says.
    fn tables(&self, kind: Option<Kind>) -> Result<TableList, Interruption> {
        let mut arguments = Map::new();
        if let Some(kind) = kind {
            arguments.insert("type".to_owned(), json!(kind.tool_name()));
        }
        if let Some(asked) = &self.reading.schema {
            let Some(schema) = self.names.schema_like(asked) else {
                return Err(Interruption::Instead(self.no_such_schema(asked)));
            };
            arguments.insert("schema".to_owned(), json!(schema));
        }
        if let Some(phrase) = &self.reading.phrase {
            let english = super::super::glossary::translate(phrase);
            arguments.insert("name".to_owned(), json!(english.as_ref().unwrap_or(phrase)));
        }
        self.call(Tool::ListTables, Value::Object(arguments))
    }

    /// What the list is limited to.
    fn filter(&self) -> String {
        let language = self.language;
        let mut filter = String::new();
        if let Some(schema) = &self.reading.schema {
            filter.push_str(language.pick(" in schema ", " v schéme ", " ve schématu "));
            filter.push_str(&code(schema));
        }
        if let Some(phrase) = &self.reading.phrase {
            filter.push_str(language.pick(" for ", " pre ", " pro "));
            filter.push_str(&code(phrase));
        }
        filter
    }

    fn none_found(&self, noun: Noun) -> String {
        let language = self.language;
        let (noun, filter) = (language.noun(5, noun), self.filter());
        language.pick(
            format!("The catalog has no {noun}{filter}."),
            format!("Katalóg nemá žiadne záznamy{filter} (0 {noun})."),
            format!("Katalog nemá žádné záznamy{filter} (0 {noun})."),
        )
    }

    fn no_such_schema(&self, asked: &str) -> String {
        let asked = code(asked);
        let known = self.names.schemas.iter().take(MAX_LISTED);
        let schemas: Vec<String> = known.map(|name| code(name)).collect();
        let schemas = self.language.and(&schemas);
        self.language.pick(
            format!("The catalog has no schema {asked}. Its schemas are {schemas}."),
            format!("Katalóg nemá schému {asked}. Jeho schémy sú {schemas}."),
            format!("Katalog nemá schéma {asked}. Jeho schémata jsou {schemas}."),
        )
    }
}

/// `28 tables: 7 fact tables, 11 dimensions and 3 views.`
fn sum(language: Language, total: usize, noun: Noun, list: &TableList) -> String {
    let count = language.count(total, noun);
    match parts(language, list) {
        Some(parts) => format!("{count}: {parts}."),
        None => format!("{count}."),
    }
}

/// How many there are of each kind, if there is more than one kind and none is left out.
fn parts(language: Language, list: &TableList) -> Option<String> {
    let kind = |table: &ListedTable| Noun::of_type(&table.kind);
    let parts: Vec<String> = KINDS
        .into_iter()
        .filter_map(|noun| {
            let number = list
                .tables
                .iter()
                .filter(|table| kind(table) == noun)
                .count();
            (number > 0).then(|| language.count(number, noun))
        })
        .collect();
    (parts.len() > 1 && list.omitted == 0).then(|| language.and(&parts))
}

// === impl Kind ===

impl Kind {
    fn tool_name(self) -> &'static str {
        match self {
            Self::Fact => "FACT",
            Self::Dimension => "DIMENSION",
            Self::View => "VIEW",
            Self::Source => "SOURCE",
        }
    }
}
