//! How tables join, and which foreign keys a table has.

use serde_json::json;

use super::super::language::Language;
use super::super::markdown::{code, code_block, one_line, sql_name};
use super::super::phrases::Noun;
use super::super::question::Direction;
use super::super::results::{Join, JoinPath, JoinPaths, Relationships};
use super::super::turn::Tool;
use super::target::Target;
use super::{Task, Written};

/// Most relationships of one table that are shown on each side.
const MAX_SHOWN: usize = 40;
/// Most paths told besides the first.
const MAX_OTHER_PATHS: usize = 4;

impl Task<'_> {
    pub(super) fn relate(&self) -> Written {
        let mut subjects = self.reading.subjects.iter();
        let (Some(first), Some(second)) = (subjects.next(), subjects.next()) else {
            return self.references(Direction::Both);
        };
        let (from, to) = (self.target_of(first), self.target_of(second));
        let (from, to) = (from?.table, to?.table);
        let found: JoinPaths =
            self.call(Tool::FindRelationships, json!({"table": from, "other": to}))?;
        Ok(self.paths(&found))
    }

    pub(super) fn references(&self, direction: Direction) -> Written {
        self.each(|target| self.references_of(target, direction))
    }

    fn references_of(&self, target: &Target, direction: Direction) -> Written {
        let language = self.language;
        let found: Relationships =
            self.call(Tool::FindRelationships, json!({"table": target.table}))?;
        let name = code(&found.table);
        let outgoing: Vec<&Join> = (found.joins.iter())
            .filter(|join| join.from_table == found.table)
            .collect();
        let incoming: Vec<&Join> = (found.joins.iter())
            .filter(|join| join.to_table == found.table)
            .collect();
        let mut parts = Vec::new();
        if direction != Direction::Down {
            let count = language.count_tables_object(tables(&outgoing, |join| &join.to_table));
            parts.push(if outgoing.is_empty() {
                language.pick(
                    format!("{name} references no other table."),
                    format!("{name} neodkazuje na žiadnu tabuľku."),
                    format!("{name} neodkazuje na žádnou tabulku."),
                )
            } else {
                let lead = language.pick(
                    format!("{name} references {count}:"),
                    format!("{name} odkazuje na {count}:"),
                    format!("{name} odkazuje na {count}:"),
                );
                format!("{lead}\n\n{}", conditions(language, &outgoing))
            });
        }
        if direction != Direction::Up {
            let number = tables(&incoming, |join| &join.from_table);
            let count = language.count(number, Noun::Table);
            parts.push(if incoming.is_empty() {
                language.pick(
                    format!("No table references {name}."),
                    format!("Na {name} neodkazuje žiadna tabuľka."),
                    format!("Na {name} neodkazuje žádná tabulka."),
                )
            } else {
                let verb = language.agree(
                    number,
                    ["references", "odkazuje", "odkazuje"],
                    ["reference", "odkazujú", "odkazují"],
                );
                let lead = language.pick(
                    format!("{count} {verb} {name}:"),
                    format!("Na {name} {verb} {count}:"),
                    format!("Na {name} {verb} {count}:"),
                );
                format!("{lead}\n\n{}", conditions(language, &incoming))
            });
        }
        if found.omitted > 0 {
            parts.push(language.more(found.omitted));
        }
        Ok(parts.join("\n\n"))
    }

    fn paths(&self, found: &JoinPaths) -> String {
        let language = self.language;
        let (from, to) = (code(&found.from), code(&found.to));
        if found.from == found.to {
            return language.pick(
                format!("Both names mean the same table: {from}."),
                format!("Oba názvy znamenajú tú istú tabuľku: {from}."),
                format!("Oba názvy znamenají stejnou tabulku: {from}."),
            );
        }
        let Some((best, others)) = found.paths.split_first() else {
            return language.pick(
                format!("The catalog records no way to join {from} and {to}."),
                format!("Katalóg nepozná spôsob, ako spojiť {from} a {to}."),
                format!("Katalog nezná způsob, jak spojit {from} a {to}."),
            );
        };
        let over = stations(found, best);
        let lead = if over.is_empty() {
            language.pick(
                format!("{from} joins {to} directly:"),
                format!("{from} sa spája s {to} priamo:"),
                format!("{from} se spojuje s {to} přímo:"),
            )
        } else {
            let joins = language.count(best.joins.len(), Noun::Join);
            let verb = language.agree(
                best.joins.len(),
                ["is", "delí", "dělí"],
                ["are", "delia", "dělí"],
            );
            let over: Vec<String> = over.iter().map(|table| code(table)).collect();
            let over = language.and(&over);
            language.pick(
                format!("{from} and {to} are {joins} apart, over {over}:"),
                format!("{from} a {to} {verb} {joins}, cez {over}:"),
                format!("{from} a {to} {verb} {joins}, přes {over}:"),
            )
        };
        let steps: Vec<String> = (1..)
            .zip(&best.joins)
            .map(|(number, join)| format!("{number}. {}", code(&condition(join))))
            .collect();
        let mut answer = format!(
            "{lead}\n\n{}\n\n{}",
            steps.join("\n"),
            code_block("sql", &sql(found, best))
        );
        if !others.is_empty() {
            let lead = language.pick(
                "Other ways to join them:",
                "Iné možnosti spojenia:",
                "Jiné možnosti spojení:",
            );
            let mut lines: Vec<String> = others
                .iter()
                .take(MAX_OTHER_PATHS)
                .map(|path| {
                    let conditions: Vec<String> = path
                        .joins
                        .iter()
                        .map(|join| code(&condition(join)))
                        .collect();
                    format!("- {}", conditions.join(", "))
                })
                .collect();
            if others.len() > MAX_OTHER_PATHS {
                lines.push(format!(
                    "\n{}",
                    language.more(others.len() - MAX_OTHER_PATHS)
                ));
            }
            answer = format!("{answer}\n\n{lead}\n\n{}", lines.join("\n"));
        }
        answer
    }
}

fn conditions(language: Language, joins: &[&Join]) -> String {
    let mut lines: Vec<String> = joins
        .iter()
        .take(MAX_SHOWN)
        .map(|join| format!("- {}", code(&condition(join))))
        .collect();
    if joins.len() > MAX_SHOWN {
        lines.push(format!("\n{}", language.more(joins.len() - MAX_SHOWN)));
    }
    lines.join("\n")
}

/// How many different tables there are on one side.
fn tables<'a>(joins: &[&'a Join], side: impl Fn(&'a Join) -> &'a String) -> usize {
    let mut tables: Vec<&String> = joins.iter().map(|join| side(join)).collect();
    tables.sort_unstable();
    tables.dedup();
    tables.len()
}

/// `a.x = b.y AND a.z = b.w`.
fn condition(join: &Join) -> String {
    let side = |table: &str, column: &str| format!("{}.{}", sql_name(table), sql_name(column));
    let equal: Vec<String> = join
        .from_columns
        .iter()
        .zip(&join.to_columns)
        .map(|(from, to)| {
            let from = side(&join.from_table, from);
            format!("{from} = {}", side(&join.to_table, to))
        })
        .collect();
    equal.join(" AND ")
}

/// The tables between the two ends of a path.
fn stations<'a>(found: &'a JoinPaths, path: &'a JoinPath) -> Vec<&'a str> {
    let mut reached = walk(found, path);
    reached.pop();
    reached
}

/// The tables a path reaches one after the other. A foreign key is walked in either direction.
fn walk<'a>(found: &'a JoinPaths, path: &'a JoinPath) -> Vec<&'a str> {
    let mut at: &str = &found.from;
    path.joins
        .iter()
        .map(|join| {
            at = if join.from_table == at {
                &join.to_table
            } else {
                &join.from_table
            };
            at
        })
        .collect()
}

fn sql(found: &JoinPaths, path: &JoinPath) -> Vec<String> {
    let mut lines = vec![
        "SELECT *".to_owned(),
        format!("FROM {}", sql_name(&found.from)),
    ];
    lines.extend(
        walk(found, path)
            .into_iter()
            .zip(&path.joins)
            .map(|(table, join)| {
                format!("JOIN {} ON {}", sql_name(table), one_line(&condition(join)))
            }),
    );
    lines
}
