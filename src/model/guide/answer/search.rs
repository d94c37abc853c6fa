//! Columns found by words or a pattern.

use serde_json::{Map, Value, json};

use super::super::markdown::{code, code_cell, text};
use super::super::phrases::Noun;
use super::super::results::{FoundColumn, FoundColumns};
use super::super::subject::{Subject, search_patterns};
use super::super::turn::Tool;
use super::columns::undocumented;
use super::{Interruption, Task, Written, talk};

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
        if let Some(answer) = self.search_for(phrase, within)? {
            return Ok(answer);
        }
        // "Supplier email": words for the table and words for its column.
        if within.is_none()
            && let Some((table, rest)) = self.names.table_in(phrase)
            && let Some(answer) = self.search_for(&rest, Some(&table))?
        {
            return Ok(answer);
        }
        let place = self.place(within);
        let pattern = code(phrase);
        Ok(language.pick(
            format!("No column{place} matches {pattern}."),
            format!("Výrazu {pattern} nezodpovedá žiadny stĺpec{place}."),
            format!("Výrazu {pattern} neodpovídá žádný sloupec{place}."),
        ))
    }

    fn search_for(
        &self,
        phrase: &str,
        within: Option<&str>,
    ) -> Result<Option<String>, Interruption> {
        for pattern in search_patterns(phrase) {
            let mut arguments = Map::from_iter([("pattern".to_owned(), json!(pattern))]);
            if let Some(table) = within {
                arguments.insert("table".to_owned(), json!(table));
            }
            if let Some(schema) = &self.reading.schema {
                arguments.insert("schema".to_owned(), json!(schema));
            }
            let found: FoundColumns = self.call(Tool::SearchColumns, Value::Object(arguments))?;
            if !found.columns.is_empty() {
                return Ok(Some(self.found(phrase, &pattern, within, &found)));
            }
        }
        Ok(None)
    }

    fn found(
        &self,
        asked: &str,
        pattern: &str,
        within: Option<&str>,
        found: &FoundColumns,
    ) -> String {
        let language = self.language;
        let total = found.total.max(found.columns.len());
        let count = language.count(total, Noun::Column);
        let place = self.place(within);
        // A word of the question that was looked for in English.
        let asked = Some(asked).filter(|asked| *asked != pattern);
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
