//! Columns found by words or a pattern.

use serde_json::json;

use super::super::markdown::{code, code_cell, text};
use super::super::phrases::Noun;
use super::super::reading::{Subject, search_patterns};
use super::super::results::{FoundColumn, FoundColumns};
use super::super::turn::Tool;
use super::describe::undocumented;
use super::{Task, Written, talk};

/// Most columns shown.
const MAX_SHOWN: usize = 40;

impl Task<'_> {
    pub(super) fn search(&self) -> Written {
        let language = self.language;
        let Some(phrase) = &self.reading.phrase else {
            return Ok(talk::unknown(language, self.names));
        };
        let within = self
            .reading
            .subjects
            .iter()
            .find_map(|subject| match subject {
                Subject::Table(table) => Some(table.as_str()),
                _ => None,
            });
        let mut tried: Option<String> = None;
        for pattern in search_patterns(phrase) {
            let mut arguments = json!({"pattern": pattern});
            if let Some(arguments) = arguments.as_object_mut() {
                if let Some(table) = within {
                    arguments.insert("table".to_owned(), json!(table));
                }
                if let Some(schema) = &self.reading.schema {
                    arguments.insert("schema".to_owned(), json!(schema));
                }
            }
            let found: FoundColumns = self.call(Tool::SearchColumns, arguments)?;
            if !found.columns.is_empty() {
                return Ok(self.found(&pattern, within, &found));
            }
            tried.get_or_insert(pattern);
        }
        let place = self.place(within);
        let pattern = code(tried.as_deref().unwrap_or(phrase));
        Ok(language.pick(
            format!("No column{place} matches {pattern}."),
            format!("Výrazu {pattern} nezodpovedá žiadny stĺpec{place}."),
            format!("Výrazu {pattern} neodpovídá žádný sloupec{place}."),
        ))
    }

    fn found(&self, pattern: &str, within: Option<&str>, found: &FoundColumns) -> String {
        let language = self.language;
        let total = found.total.max(found.columns.len());
        let count = language.count(total, Noun::Column);
        let place = self.place(within);
        // A word of the question that was looked for in English.
        let asked = self
            .reading
            .phrase
            .as_deref()
            .filter(|asked| *asked != pattern);
        let pattern = match asked {
            Some(asked) => format!("{} ({})", code(pattern), text(asked)),
            None => code(pattern),
        };
        let verb = language.agree(
            total,
            ["matches", "zodpovedá", "odpovídá"],
            ["match", "zodpovedajú", "odpovídají"],
        );
        let lead = language.pick(
            format!("{count}{place} {verb} {pattern} by name or description:"),
            format!("Výrazu {pattern} {verb} názvom alebo popisom {count}{place}:"),
            format!("Výrazu {pattern} {verb} názvem nebo popisem {count}{place}:"),
        );
        let mut lines = vec![
            language
                .pick(
                    "| Table | Column | Type | Description |",
                    "| Tabuľka | Stĺpec | Typ | Popis |",
                    "| Tabulka | Sloupec | Typ | Popis |",
                )
                .to_owned(),
            "|---|---|---|---|".to_owned(),
        ];
        lines.extend(
            found
                .columns
                .iter()
                .take(MAX_SHOWN)
                .map(|column| self.row(column)),
        );
        let hidden = total - found.columns.len().min(MAX_SHOWN);
        if hidden > 0 {
            lines.push(String::new());
            lines.push(language.more(hidden));
        }
        format!("{lead}\n\n{}", lines.join("\n"))
    }

    fn row(&self, column: &FoundColumn) -> String {
        let description = column
            .description
            .as_deref()
            .map_or_else(|| format!("*{}*", undocumented(self.language)), text);
        format!(
            "| {} | {} | {} | {description} |",
            code_cell(&column.table),
            code_cell(&column.column),
            column.kind.as_deref().map_or_else(String::new, text),
        )
    }

    /// Where it was searched, if not everywhere.
    fn place(&self, within: Option<&str>) -> String {
        let Some(place) = within.or(self.reading.schema.as_deref()) else {
            return String::new();
        };
        let place = code(place);
        self.language.pick(
            format!(" in {place}"),
            format!(" v {place}"),
            format!(" v {place}"),
        )
    }
}
