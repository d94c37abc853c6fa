//! What is known of one table, all of it or a part, or of one of its columns.

use serde_json::json;

use super::super::language::Language;
use super::super::markdown::{code, text};
use super::super::phrases::Noun;
use super::super::question::Aspect;
use super::super::results::{ForeignKey, Lineage, TableDetails};
use super::super::turn::Tool;
use super::columns::{column_table, sentence};
use super::target::Target;
use super::{Task, Written};

/// Most tables named in one line.
const MAX_IN_LINE: usize = 8;

impl Task<'_> {
    pub(super) fn describe(&self, aspects: &[Aspect]) -> Written {
        self.each(|target| self.describe_one(target, aspects))
    }

    fn describe_one(&self, target: &Target, aspects: &[Aspect]) -> Written {
        let details = self.details(&target.table);
        if !aspects.is_empty() || target.column.is_some() {
            let details = details?;
            return match &target.column {
                Some(column) if aspects.is_empty() || aspects == [Aspect::Columns] => {
                    self.column(&details, column)
                }
                _ => Ok(self.aspects(&details, aspects)),
            };
        }
        let lineage: Result<Lineage, _> = self.call(
            Tool::Lineage,
            json!({"table": target.table, "direction": "both"}),
        );
        Ok(self.whole(&details?, &lineage?))
    }

    fn whole(&self, table: &TableDetails, lineage: &Lineage) -> String {
        let language = self.language;
        let name = code(&table.name);
        let noun = Noun::of_type(table.kind.as_deref().unwrap_or_default());
        let kind = language.noun(1, noun);
        let columns = language.count(table.columns.len() + table.omitted_columns, Noun::Column);
        let schema = table.schema.as_deref().map(|schema| {
            let schema = code(schema);
            language.pick(
                format!(" in schema {schema}"),
                format!(" v schéme {schema}"),
                format!(" ve schématu {schema}"),
            )
        });
        let schema = schema.unwrap_or_default();
        let mut answer = if table.columns.is_empty() {
            language.pick(
                format!("{name} is a {kind}{schema}; its columns are not recorded."),
                format!("{name} je {kind}{schema}; stĺpce nie sú uvedené."),
                format!("{name} je {kind}{schema}; sloupce nejsou uvedeny."),
            )
        } else {
            language.pick(
                format!("{name} is a {kind}{schema} with {columns}."),
                format!("{name} je {kind}{schema}, má {columns}."),
                format!("{name} je {kind}{schema}, má {columns}."),
            )
        };
        if let Some(description) = &table.description {
            answer.push(' ');
            answer.push_str(&sentence(description));
        } else {
            answer.push(' ');
            answer.push_str(language.pick(
                "It is not documented.",
                "Nemá žiadny popis.",
                "Nemá žádný popis.",
            ));
        }
        answer.push_str("\n\n");
        let facts = self.facts(table, lineage);
        let lines: Vec<String> = facts
            .into_iter()
            .map(|(label, fact)| format!("- **{label}**: {fact}"))
            .collect();
        answer.push_str(&lines.join("\n"));
        if !table.columns.is_empty() {
            answer.push_str("\n\n");
            answer.push_str(&column_table(language, table));
        }
        answer
    }

    fn facts(&self, table: &TableDetails, lineage: &Lineage) -> Vec<(&'static str, String)> {
        let language = self.language;
        let recorded = |value: &Option<String>| {
            value
                .as_deref()
                .map_or_else(|| language.not_recorded().to_owned(), text)
        };
        let mut facts = vec![
            (
                language.pick("Grain", "Zrnitosť", "Granularita"),
                recorded(&table.grain),
            ),
            (
                language.pick("Owner", "Vlastník", "Vlastník"),
                recorded(&table.owner),
            ),
            (
                language.pick("Refresh", "Obnova", "Obnova"),
                recorded(&table.refresh),
            ),
        ];
        if let Some(as_of) = &table.as_of {
            facts.push((
                language.pick("Catalog as of", "Katalóg k", "Katalog k"),
                text(as_of),
            ));
        }
        facts.push((
            language.pick("Primary key", "Primárny kľúč", "Primární klíč"),
            if table.primary_key.is_empty() {
                language.not_recorded().to_owned()
            } else {
                names_in_line(language, table.primary_key.iter())
            },
        ));
        let keys = [
            (
                language.pick("References", "Odkazuje na", "Odkazuje na"),
                &table.references,
            ),
            (
                language.pick("Referenced by", "Odkazujú naň", "Odkazují na něj"),
                &table.referenced_by,
            ),
        ];
        for (label, keys) in keys {
            if !keys.is_empty() {
                facts.push((
                    label,
                    names_in_line(language, distinct_tables(keys).into_iter()),
                ));
            }
        }
        let next = |side: &[super::super::results::Related]| -> Vec<String> {
            let direct = side.iter().filter(|related| related.distance <= 1);
            direct.map(|related| related.table.clone()).collect()
        };
        let (up, down) = (next(&lineage.upstream), next(&lineage.downstream));
        let from = language.pick("Comes from", "Pochádza z", "Pochází z");
        if !up.is_empty() {
            facts.push((from, names_in_line(language, up.iter())));
        } else if !lineage.recorded {
            facts.push((from, language.not_recorded().to_owned()));
        }
        if !down.is_empty() {
            let label = language.pick("Feeds", "Vstupuje do", "Vstupuje do");
            facts.push((label, names_in_line(language, down.iter())));
        }
        facts
    }

    fn aspects(&self, table: &TableDetails, aspects: &[Aspect]) -> String {
        let parts: Vec<String> = aspects
            .iter()
            .map(|aspect| self.aspect(table, *aspect))
            .collect();
        parts.join("\n\n")
    }

    fn aspect(&self, table: &TableDetails, aspect: Aspect) -> String {
        let language = self.language;
        let name = code(&table.name);
        let (known, unknown) = match aspect {
            Aspect::Columns => return self.columns(table),
            Aspect::Owner => (
                table.owner.as_deref().map(|owner| {
                    let owner = text(owner);
                    language.pick(
                        format!("{name} is owned by **{owner}**."),
                        format!("Vlastníkom {name} je **{owner}**."),
                        format!("Vlastníkem {name} je **{owner}**."),
                    )
                }),
                language.pick("owner", "vlastník", "vlastník"),
            ),
            Aspect::Refresh => (
                self.refresh(table),
                language.pick("refresh", "obnova", "obnova"),
            ),
            Aspect::Grain => (
                table.grain.as_deref().map(|grain| {
                    let grain = text(grain);
                    language.pick(
                        format!("The grain of {name}: {grain}."),
                        format!("Zrnitosť {name}: {grain}."),
                        format!("Granularita {name}: {grain}."),
                    )
                }),
                language.pick("grain", "zrnitosť", "granularita"),
            ),
            Aspect::Key => (
                Some(&table.primary_key)
                    .filter(|key| !key.is_empty())
                    .map(|key| {
                        let key: Vec<String> = key.iter().map(|column| code(column)).collect();
                        let key = language.and(&key);
                        language.pick(
                            format!("The primary key of {name} is {key}."),
                            format!("Primárny kľúč {name} je {key}."),
                            format!("Primární klíč {name} je {key}."),
                        )
                    }),
                language.pick("primary key", "primárny kľúč", "primární klíč"),
            ),
        };
        known.unwrap_or_else(|| {
            language.pick(
                format!("The catalog does not record the {unknown} of {name}."),
                format!("Katalóg pri {name} neuvádza: {unknown}."),
                format!("Katalog u {name} neuvádí: {unknown}."),
            )
        })
    }

    fn refresh(&self, table: &TableDetails) -> Option<String> {
        let language = self.language;
        let name = code(&table.name);
        let as_of = table.as_of.as_deref().map(text);
        let refresh = table.refresh.as_deref().map(text);
        let label = language.pick("Refresh of", "Obnova", "Obnova");
        let state = language.pick("catalog as of", "katalóg k", "katalog k");
        match (refresh, as_of) {
            (Some(refresh), Some(as_of)) => {
                Some(format!("{label} {name}: **{refresh}** ({state} {as_of})."))
            }
            (Some(refresh), None) => Some(format!("{label} {name}: **{refresh}**.")),
            (None, _) => None,
        }
    }
}

fn distinct_tables(keys: &[ForeignKey]) -> Vec<&String> {
    let mut tables: Vec<&String> = Vec::new();
    for key in keys {
        if !tables.contains(&&key.table) {
            tables.push(&key.table);
        }
    }
    tables
}

fn names_in_line<'a>(
    language: Language,
    names: impl ExactSizeIterator<Item = &'a String>,
) -> String {
    let total = names.len();
    let shown: Vec<String> = names.take(MAX_IN_LINE).map(|name| code(name)).collect();
    let line = shown.join(", ");
    if total > MAX_IN_LINE {
        format!("{line} {}", language.more(total - MAX_IN_LINE))
    } else {
        line
    }
}
