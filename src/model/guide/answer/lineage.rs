//! Where the data of a table comes from and where it goes.

use serde_json::json;

use super::super::markdown::{code, plain, text};
use super::super::phrases::Noun;
use super::super::question::Direction;
use super::super::results::{Lineage, Related, Relationships};
use super::super::turn::Tool;
use super::target::Target;
use super::{Task, Written};

/// Most tables shown on each side.
const MAX_SHOWN: usize = 40;

impl Task<'_> {
    pub(super) fn lineage(&self, direction: Direction) -> Written {
        self.each(|target| self.lineage_of(target, direction))
    }

    fn lineage_of(&self, target: &Target, direction: Direction) -> Written {
        let (asks_up, asks_down) = (direction != Direction::Down, direction != Direction::Up);
        let side = |name: &str| -> Result<Lineage, _> {
            self.call(
                Tool::Lineage,
                json!({"table": target.table, "direction": name}),
            )
        };
        let up = asks_up.then(|| side("upstream"));
        let down = asks_down.then(|| side("downstream"));
        // What joins to a table depends on it too, though nothing flows from one to the other.
        let joined: Option<Result<Relationships, _>> =
            (!asks_up).then(|| self.call(Tool::FindRelationships, json!({"table": target.table})));
        let (up, down, joined) = (up.transpose()?, down.transpose()?, joined.transpose()?);
        let mut parts = Vec::new();
        parts.extend(self.of_a_column(target));
        if let Some(up) = up {
            parts.push(self.upstream(&up));
            parts.extend(self.note(&up, &up.upstream));
        }
        if let Some(down) = down {
            parts.push(self.downstream(&down));
            parts.extend(self.consumers(&down));
            parts.extend(self.note(&down, &down.downstream));
        }
        parts.extend(joined.and_then(|joined| self.referring(&joined)));
        Ok(parts.join("\n\n"))
    }

    /// Where the record breaks off and how much is left out, which only the tool's own words say.
    /// Its words on an empty side are said already.
    fn note(&self, found: &Lineage, side: &[Related]) -> Option<String> {
        let note = found.note.as_deref().filter(|_| !side.is_empty())?;
        let label = self.language.pick(
            "Note of the catalog",
            "Poznámka katalógu",
            "Poznámka katalogu",
        );
        Some(format!("{label}: {}", text(note)))
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
                    format!(
                        "{name} comes from no other table of the catalog: its data begins \
                             there."
                    ),
                    format!(
                        "{name} nepochádza zo žiadnej inej tabuľky katalógu: jej dáta vznikajú \
                             v nej."
                    ),
                    format!(
                        "{name} nepochází z žádné jiné tabulky katalogu: její data vznikají v \
                             ní."
                    ),
                )
            } else {
                self.unrecorded(&name)
            };
        }
        let number = found.upstream.len();
        let count = language.count(number, Noun::Table);
        let genitive = if number == 1 {
            language.pick("", "tabuľky", "tabulky")
        } else {
            language.pick("", "tabuliek", "tabulek")
        };
        let lead = language.pick(
            format!("{name} comes from {count}:"),
            format!("{name} pochádza z {genitive} ({number}):"),
            format!("{name} pochází z {genitive} ({number}):"),
        );
        format!("{lead}\n\n{}", self.side(&found.upstream))
    }

    fn downstream(&self, found: &Lineage) -> String {
        let language = self.language;
        let name = code(&found.table);
        if found.downstream.is_empty() {
            return language.pick(
                format!("The catalog records no table that is made from {name}."),
                format!(
                    "V katalógu nie je zaznamenaná žiadna tabuľka, ktorá by vznikala z {name}."
                ),
                format!("V katalogu není zaznamenána žádná tabulka, která by vznikala z {name}."),
            );
        }
        let number = found.downstream.len();
        let object = language.count_tables_object(number);
        let are = language.are(number);
        let count = language.count(number, Noun::Table);
        let lead = language.pick(
            format!("If {name} changes, {count} {are} affected:"),
            format!("Zmena {name} ovplyvní {object}:"),
            format!("Změna {name} ovlivní {object}:"),
        );
        format!("{lead}\n\n{}", self.side(&found.downstream))
    }

    /// The reports and applications at the end of the way.
    fn consumers(&self, found: &Lineage) -> Option<String> {
        let language = self.language;
        let lead = language.pick(
            "Reports and applications that read it or what is made from it:",
            "Reporty a aplikácie, ktoré ju čítajú alebo to, čo z nej vzniká:",
            "Reporty a aplikace, které ji čtou nebo to, co z ní vzniká:",
        );
        let line = |name: &str, reads: &str| {
            let reading = language.pick("reads", "číta", "čte");
            format!("- {}, {reading} {}", text(name), code(reads))
        };
        let shown = found.consumers.iter().take(MAX_SHOWN);
        let lines: Vec<String> = shown.map(|one| line(&one.name, &one.reads)).collect();
        let hidden = found.consumers.len().saturating_sub(MAX_SHOWN);
        let more = (hidden > 0).then(|| format!("\n\n{}", language.more(hidden)));
        (!lines.is_empty())
            .then(|| format!("{lead}\n\n{}{}", lines.join("\n"), more.unwrap_or_default()))
    }

    fn referring(&self, joined: &Relationships) -> Option<String> {
        let language = self.language;
        let mut tables: Vec<String> = Vec::new();
        for join in &joined.joins {
            let table = code(&join.from_table);
            if join.to_table == joined.table
                && join.from_table != joined.table
                && !tables.contains(&table)
            {
                tables.push(table);
            }
        }
        if tables.is_empty() {
            return None;
        }
        let verb = language.agree(
            tables.len(),
            ["refers", "odkazuje", "odkazuje"],
            ["refer", "odkazujú", "odkazují"],
        );
        let count = language.count(tables.len(), Noun::Table);
        let hidden = tables.len().saturating_sub(MAX_SHOWN);
        tables.truncate(MAX_SHOWN);
        let mut names = language.and(&tables);
        if hidden > 0 {
            names = format!("{names} {}", language.more(hidden));
        }
        Some(language.pick(
            format!("Besides, {count} {verb} to it by foreign keys: {names}."),
            format!("Okrem toho na ňu cudzími kľúčmi {verb} {count}: {names}."),
            format!("Kromě toho na ni cizími klíči {verb} {count}: {names}."),
        ))
    }

    fn unrecorded(&self, name: &str) -> String {
        self.language.pick(
            format!(
                "The lineage of {name} is not recorded in the catalog, so I can't say where \
                     its data comes from."
            ),
            format!(
                "Pôvod {name} nie je v katalógu zaznamenaný, takže neviem povedať, odkiaľ \
                     pochádzajú jej dáta."
            ),
            format!(
                "Původ {name} není v katalogu zaznamenán, takže nevím, odkud její data \
                     pocházejí."
            ),
        )
    }

    /// The tables of one side, the nearest first; what is further away with the way that leads
    /// there.
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
                        language.and(&via)
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
