use crate::catalog::collibra::{Config, Field, RelationOf, TypeOf};

/// Most entries of a list.
const MOST: usize = 50;
/// Longest name of an account, of a type or of an attribute, in characters.
const LONGEST: usize = 200;

/// What each entry of a list is for, and what it names.
type Named<T> = Vec<(T, String)>;

/// The name of an account; empty for none.
pub(in crate::config) fn account(text: &str) -> Result<String, String> {
    let text = text.trim();
    // RFC 7617: what stands before the first colon is the name.
    if text.contains(':') || text.chars().any(char::is_control) || text.chars().count() > LONGEST {
        return Err(format!(
            "write at most {LONGEST} characters, without a colon"
        ));
    }
    Ok(text.to_owned())
}

pub(in crate::config) fn types(text: &str) -> Result<Named<TypeOf>, String> {
    named(text, TypeOf::WORDS, Config::default().types)
}

pub(in crate::config) fn types_text(types: &[(TypeOf, String)]) -> String {
    named_text(types, TypeOf::WORDS)
}

pub(in crate::config) fn relations(text: &str) -> Result<Named<RelationOf>, String> {
    named(text, RelationOf::WORDS, Config::default().relations)
}

pub(in crate::config) fn relations_text(relations: &[(RelationOf, String)]) -> String {
    named_text(relations, RelationOf::WORDS)
}

pub(in crate::config) fn attributes(text: &str) -> Result<Named<Field>, String> {
    named(text, Field::WORDS, Config::default().attributes)
}

pub(in crate::config) fn attributes_text(attributes: &[(Field, String)]) -> String {
    named_text(attributes, Field::WORDS)
}

/// Ids as Collibra has them, separated by commas.
pub(in crate::config) fn ids(text: &str) -> Result<Vec<String>, String> {
    let ids = entries(text).map(|id| {
        let id = uuid::Uuid::parse_str(id);
        id.map(|id| id.to_string())
            .map_err(|_| "write ids like 00000000-0000-0000-0000-000000006013".to_owned())
    });
    at_most(ids.collect::<Result<_, _>>()?)
}

/// Pairs like `table=Table`, separated by commas. A word that is not written keeps its defaults; one written with nothing
/// after it has none.
fn named<T: Copy + Ord>(
    text: &str,
    words: &[(&'static str, T)],
    defaults: Named<T>,
) -> Result<Named<T>, String> {
    let mut written = Vec::new();
    for entry in entries(text) {
        let (word, name) = entry.split_once('=').unwrap_or((entry, ""));
        let (word, name) = (word.trim(), name.trim());
        let Some((_, of)) = words.iter().find(|(known, _)| *known == word) else {
            let known: Vec<String> = words.iter().map(|(known, _)| format!("{known}=")).collect();
            return Err(format!(
                "each entry begins with one of {}",
                known.join(", ")
            ));
        };
        if !entry.contains('=')
            || name.chars().any(char::is_control)
            || name.chars().count() > LONGEST
        {
            return Err(format!("write each entry like {word}=NAME"));
        }
        written.push((*of, name.to_owned()));
    }
    let is_written = |of: T| written.iter().any(|(one, _)| *one == of);
    let mut all: Named<T> = defaults
        .into_iter()
        .filter(|(of, _)| !is_written(*of))
        .collect();
    all.extend(written.iter().filter(|(_, name)| !name.is_empty()).cloned());
    // As they are shown, so that what is shown is read as the same.
    all.sort_by_key(|(of, _)| *of);
    at_most(all)
}

/// The same as text; a word without a name is written too, or it would mean its defaults.
fn named_text<T: Copy + PartialEq>(all: &[(T, String)], words: &[(&'static str, T)]) -> String {
    let entries = words.iter().flat_map(|(word, of)| {
        let names: Vec<&str> = all
            .iter()
            .filter(|(one, _)| one == of)
            .map(|(_, name)| name.as_str())
            .collect();
        let names = if names.is_empty() { vec![""] } else { names };
        names.into_iter().map(move |name| format!("{word}={name}"))
    });
    entries.collect::<Vec<_>>().join(",")
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

fn at_most<T>(all: Vec<T>) -> Result<Vec<T>, String> {
    if all.len() > MOST {
        return Err(format!("at most {MOST} entries"));
    }
    Ok(all)
}
