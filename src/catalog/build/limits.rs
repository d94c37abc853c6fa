use super::Flaw;

/// Most tables of a catalog.
pub(super) const TABLES: usize = 100_000;
/// Most columns of a table.
pub(super) const COLUMNS: usize = 10_000;
/// Most foreign keys of a table.
pub(super) const FOREIGN_KEYS: usize = 1_000;
/// Most synonyms of a table.
pub(super) const SYNONYMS: usize = 50;
/// Most consumers of a table.
pub(super) const CONSUMERS: usize = 1_000;
/// Longest name, in characters.
pub(super) const NAME: usize = 200;
/// Longest other text, in characters.
pub(super) const TEXT: usize = 4_000;

pub(super) fn check_count(at: &str, count: usize, limit: usize) -> Result<(), Flaw> {
    if count > limit {
        return Err(Flaw::new(
            at,
            format!("there are {count} of them, and at most {limit} are accepted"),
        ));
    }
    Ok(())
}

/// A name: one line, not empty, no spaces around it.
pub(super) fn check_name(at: &str, name: &str) -> Result<(), Flaw> {
    if name.trim().is_empty() {
        return Err(Flaw::new(at, "the name is empty. Write one"));
    }
    if name.trim() != name {
        return Err(Flaw::new(
            at,
            format!("the name {name:?} has spaces around it. Remove them"),
        ));
    }
    if name.chars().count() > NAME {
        return Err(Flaw::new(
            at,
            format!("the name has more than {NAME} characters. Shorten it"),
        ));
    }
    if name.chars().any(char::is_control) {
        return Err(Flaw::new(
            at,
            format!("the name {name:?} has control characters in it. Remove them"),
        ));
    }
    Ok(())
}

/// Whether a character controls a terminal and does more than breaking a line.
pub(super) fn controls(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')
}

/// Any other text: it may have lines, and nothing else that controls a terminal.
pub(super) fn check_text(at: &str, text: &str) -> Result<(), Flaw> {
    if text.trim().is_empty() {
        return Err(Flaw::new(
            at,
            "the text is empty. Write one, or leave the field out if it may be missing",
        ));
    }
    if text.chars().count() > TEXT {
        return Err(Flaw::new(
            at,
            format!("the text has more than {TEXT} characters. Shorten it"),
        ));
    }
    if text.chars().any(controls) {
        return Err(Flaw::new(
            at,
            "the text has control characters other than line breaks and tabs in it. Remove them",
        ));
    }
    Ok(())
}

pub(super) fn check_optional_text(
    at: impl FnOnce() -> String,
    text: Option<&str>,
) -> Result<(), Flaw> {
    match text {
        Some(text) => check_text(&at(), text),
        None => Ok(()),
    }
}
