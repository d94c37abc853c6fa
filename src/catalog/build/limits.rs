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

/// A name: one line, not empty, no spaces around it. `at` is asked where only if something is wrong.
pub(super) fn check_name(at: impl FnOnce() -> String, name: &str) -> Result<(), Flaw> {
    let problem = if name.trim().is_empty() {
        "the name is empty. Write one".to_owned()
    } else if name.trim() != name {
        format!("the name {name:?} has spaces around it. Remove them")
    } else if is_longer(name, NAME) {
        format!("the name has more than {NAME} characters. Shorten it")
    } else if name.chars().any(char::is_control) {
        format!("the name {name:?} has control characters in it. Remove them")
    } else {
        return Ok(());
    };
    Err(Flaw::new(at(), problem))
}

/// Whether a character controls a terminal and does more than breaking a line.
pub(super) fn controls(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')
}

/// Any other text: it may have lines, and nothing else that controls a terminal.
pub(super) fn check_text(at: impl FnOnce() -> String, text: &str) -> Result<(), Flaw> {
    let problem = if text.trim().is_empty() {
        "the text is empty. Write one, or leave the field out if it may be missing".to_owned()
    } else if is_longer(text, TEXT) {
        format!("the text has more than {TEXT} characters. Shorten it")
    } else if text.chars().any(controls) {
        "the text has control characters other than line breaks and tabs in it. Remove them"
            .to_owned()
    } else {
        return Ok(());
    };
    Err(Flaw::new(at(), problem))
}

/// Whether a text has more characters than this.
pub(super) fn is_longer(text: &str, characters: usize) -> bool {
    text.len() > characters && text.chars().nth(characters).is_some()
}

pub(super) fn check_optional_text(
    at: impl FnOnce() -> String,
    text: Option<&str>,
) -> Result<(), Flaw> {
    text.map_or(Ok(()), |text| check_text(at, text))
}
