//! The columns of a table, all of them or one.

use super::super::language::Language;
use super::super::markdown::{code, code_cell, text};
use super::super::phrases::Noun;
use super::super::results::{Column, TableDetails};
use super::super::subject::search_patterns;
use super::{Interruption, Task, Written};
use crate::matching::{Matches, Names};

/// Most columns shown.
const MAX_COLUMNS: usize = 60;

impl Task<'_> {
    pub(super) fn columns(&self, table: &TableDetails) -> String {
        let language = self.language;
        let name = code(&table.name);
        let count = language.count(table.columns.len() + table.omitted_columns, Noun::Column);
        let lead = language.pick(
            format!("{name} has {count}:"),
            format!("{name} má {count}:"),
            format!("{name} má {count}:"),
        );
        if table.columns.is_empty() {
            return language.pick(
                format!("The catalog records no columns of {name}."),
                format!("Katalóg neuvádza stĺpce {name}."),
                format!("Katalog neuvádí sloupce {name}."),
            );
        }
        format!("{lead}\n\n{}", column_table(language, table))
    }

    pub(super) fn column(&self, table: &TableDetails, wanted: &str) -> Written {
        let language = self.language;
        let names = Names::new(table.columns.iter().map(|column| &column.name));
        let found = search_patterns(wanted)
            .iter()
            .find_map(|pattern| match names.best(pattern) {
                Matches::Exact(name) | Matches::Clear(name) => {
                    table.columns.iter().find(|column| column.name == name)
                }
                Matches::Several(_) | Matches::None { .. } => None,
            });
        let Some(column) = found else {
            let (name, wanted) = (code(&table.name), code(wanted));
            let lead = language.pick(
                format!("{name} has no column {wanted}."),
                format!("{name} nemá stĺpec {wanted}."),
                format!("{name} nemá sloupec {wanted}."),
            );
            return Err(Interruption::Instead(format!(
                "{lead} {}",
                self.columns(table)
            )));
        };
        let (name, table) = (code(&column.name), code(&table.name));
        let kind = column
            .kind
            .as_deref()
            .map_or_else(|| language.not_recorded().to_owned(), code);
        let mut answer = language.pick(
            format!("{name} is a column of {table}, type {kind}"),
            format!("{name} je stĺpec tabuľky {table}, typ {kind}"),
            format!("{name} je sloupec tabulky {table}, typ {kind}"),
        );
        if column.primary_key {
            answer.push_str(language.pick(
                ", part of the primary key",
                ", súčasť primárneho kľúča",
                ", součást primárního klíče",
            ));
        }
        if let Some(references) = &column.references {
            let references = code(references);
            answer.push_str(&language.pick(
                format!(", references {references}"),
                format!(", odkazuje na {references}"),
                format!(", odkazuje na {references}"),
            ));
        }
        if column.nullable == Some(false) && !column.primary_key {
            answer.push_str(language.pick(", never null", ", vždy vyplnený", ", vždy vyplněný"));
        }
        answer.push_str(". ");
        answer.push_str(&match &column.description {
            Some(description) => sentence(description),
            None => language
                .pick(
                    "It is not documented.",
                    "Nemá žiadny popis.",
                    "Nemá žádný popis.",
                )
                .to_owned(),
        });
        Ok(answer)
    }
}

pub(super) fn column_table(language: Language, table: &TableDetails) -> String {
    let mut lines = vec![
        language
            .pick(
                "| Column | Type | Key | Description |",
                "| Stĺpec | Typ | Kľúč | Popis |",
                "| Sloupec | Typ | Klíč | Popis |",
            )
            .to_owned(),
        "|---|---|---|---|".to_owned(),
    ];
    let shown = table.columns.iter().take(MAX_COLUMNS);
    lines.extend(shown.map(|column| column_row(language, column)));
    let hidden = table.columns.len().saturating_sub(MAX_COLUMNS) + table.omitted_columns;
    if hidden > 0 {
        lines.push(String::new());
        lines.push(language.more(hidden));
    }
    lines.join("\n")
}

fn column_row(language: Language, column: &Column) -> String {
    let mut keys = Vec::new();
    if column.primary_key {
        keys.push("PK".to_owned());
    }
    if let Some(references) = &column.references {
        keys.push(format!("FK → {}", code_cell(references)));
    }
    let description = column
        .description
        .as_deref()
        .map_or_else(|| format!("*{}*", undocumented(language)), text);
    format!(
        "| {} | {} | {} | {description} |",
        code_cell(&column.name),
        column.kind.as_deref().map_or_else(String::new, text),
        keys.join(", "),
    )
}

/// For a column without a description.
pub(super) fn undocumented(language: Language) -> &'static str {
    language.pick("undocumented", "bez popisu", "bez popisu")
}

/// The text as one sentence.
pub(super) fn sentence(description: &str) -> String {
    let sentence = text(description);
    let mut characters = sentence.chars();
    let first: String = characters
        .next()
        .map(|first| first.to_uppercase().collect())
        .unwrap_or_default();
    let end = if sentence.ends_with(['.', '!', '?', '…']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{end}", characters.as_str())
}
