//! Where the data of a table comes from and where it goes.

use serde_json::json;

use super::super::markdown::{code, plain, text};
use super::super::phrases::Noun;
use super::super::question::Direction;
use super::super::results::{Lineage, Related};
use super::super::turn::Tool;
use super::target::Target;
use super::{Task, Written};

/// Most tables shown on each side.
const MAX_SHOWN: usize = 40;

impl Task<'_> {
    pub(super) fn lineage(&self, direction: Direction) -> Written {
        let target = self.target()?;
        let found: Lineage = self.call(
            Tool::Lineage,
            json!({"table": target.table, "direction": direction.tool_name()}),
        )?;
        let mut parts = Vec::new();
        parts.extend(self.of_a_column(&target));
        if direction != Direction::Down {
            parts.push(self.upstream(&found));
        }
        if direction != Direction::Up {
            parts.push(self.downstream(&found));
        }
        // Where the record breaks off, and how much is left out: only the tool's own words say that.
        let has_something = !(found.upstream.is_empty() && found.downstream.is_empty());
        if let Some(note) = found.note.filter(|_| has_something) {
            let label = self.language.pick(
                "Note of the catalog",
                "Poznámka katalógu",
                "Poznámka katalogu",
            );
            parts.push(format!("{label}: {}", text(&note)));
        }
        Ok(parts.join("\n\n"))
    }

    fn of_a_column(&self, target: &Target) -> Option<String> {
        let column = code(target.column.as_deref()?);
        let table = code(&target.table);
        Some(self.language.pick(
            format!("{column} is a column of {table}; lineage is recorded for whole tables."),
            format!(
                "{column} je stĺpec tabuľky {table}; pôvod sa zaznamenáva len pre celé tabuľky."
            ),
            format!(
                "{column} je sloupec tabulky {table}; původ se zaznamenává jen pro celé tabulky."
            ),
        ))
    }

    fn upstream(&self, found: &Lineage) -> String {
        let language = self.language;
        let name = code(&found.table);
        if found.upstream.is_empty() {
            return if found.recorded {
                language.pick(
                    format!("{name} comes from no other table of the catalog: its data begins there."),
                    format!("{name} nepochádza zo žiadnej inej tabuľky katalógu: jej dáta vznikajú v nej."),
                    format!("{name} nepochází z žádné jiné tabulky katalogu: její data vznikají v ní."),
                )
            } else {
                self.unrecorded(&name)
            };
        }
        let count = language.count(found.upstream.len(), Noun::Table);
        let lead = language.pick(
            format!("{name} comes from {count}:"),
            format!("{name} pochádza z tabuliek (spolu {count}):"),
            format!("{name} pochází z tabulek (celkem {count}):"),
        );
        format!("{lead}\n\n{}", self.side(&found.upstream))
    }

    fn downstream(&self, found: &Lineage) -> String {
        let language = self.language;
        let name = code(&found.table);
        if found.downstream.is_empty() {
            return language.pick(
                format!("No table is recorded to use {name}, so nothing in the catalog depends on it."),
                format!("Katalóg neuvádza žiadnu tabuľku, ktorá by {name} používala, takže v ňom od nej nič nezávisí."),
                format!("Katalog neuvádí žádnou tabulku, která by {name} používala, takže v něm na ní nic nezávisí."),
            );
        }
        let number = found.downstream.len();
        let count = language.count(number, Noun::Table);
        let lead = language.pick(
            format!(
                "If {name} changes, {count} {} affected:",
                if number == 1 { "is" } else { "are" }
            ),
            format!("Zmena {name} ovplyvní tabuľky (spolu {count}):"),
            format!("Změna {name} ovlivní tabulky (celkem {count}):"),
        );
        format!("{lead}\n\n{}", self.side(&found.downstream))
    }

    fn unrecorded(&self, name: &str) -> String {
        self.language.pick(
            format!("The lineage of {name} is not recorded in the catalog, so I can't say where its data comes from."),
            format!("Pôvod {name} nie je v katalógu zaznamenaný, takže neviem povedať, odkiaľ pochádzajú jej dáta."),
            format!("Původ {name} není v katalogu zaznamenán, takže nevím, odkud její data pocházejí."),
        )
    }

    /// The tables of one side, the nearest first; what is further away with the way that leads there.
    fn side(&self, tables: &[Related]) -> String {
        let language = self.language;
        let mut tables: Vec<&Related> = tables.iter().collect();
        tables.sort_by_key(|table| table.distance);
        let mut lines: Vec<String> = tables
            .iter()
            .take(MAX_SHOWN)
            .map(|table| {
                let mut notes: Vec<String> = table.kind.iter().map(|kind| plain(kind)).collect();
                if !table.via.is_empty() {
                    let via: Vec<String> = table.via.iter().map(|name| code(name)).collect();
                    notes.push(format!(
                        "{} {}",
                        language.pick("via", "cez", "přes"),
                        via.join(" → ")
                    ));
                }
                if notes.is_empty() {
                    format!("- {}", code(&table.table))
                } else {
                    format!("- {} ({})", code(&table.table), notes.join(", "))
                }
            })
            .collect();
        if tables.len() > MAX_SHOWN {
            lines.push(format!("\n{}", language.more(tables.len() - MAX_SHOWN)));
        }
        lines.join("\n")
    }
}

// === impl Direction ===

impl Direction {
    fn tool_name(self) -> &'static str {
        match self {
            Self::Up => "upstream",
            Self::Down => "downstream",
            Self::Both => "both",
        }
    }
}
