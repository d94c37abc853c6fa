//! Any text as the few forms Mermaid's grammar takes, of the versions 10 to 12.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::matching::fold;

/// What means something to Mermaid wherever it stands, also inside quotes: the names of other diagrams, a statement, what
/// Markdown makes a link of. In lower case.
const MEANINGFUL: [&str; 6] = [
    "c4container",
    "c4component",
    "c4dynamic",
    "c4deployment",
    "direction",
    "www.",
];
/// Words of the grammar that are no names of entities, and what older versions find in every JavaScript object.
const RESERVED: [&str; 31] = [
    "accdescr",
    "acctitle",
    "class",
    "classdef",
    "constructor",
    "direction",
    "end",
    "erdiagram",
    "fk",
    "hasownproperty",
    "isprototypeof",
    "many",
    "one",
    "only",
    "optionally",
    "pk",
    "propertyisenumerable",
    "style",
    "subgraph",
    "title",
    "to",
    "tolocalestring",
    "tostring",
    "u",
    "uk",
    "valueof",
    "zero",
    "o",
    "click",
    "call",
    "href",
];
/// The keys an attribute can have; a type or a name that is one is taken for it.
const KEYS: [&str; 3] = ["pk", "fk", "uk"];
/// What Mermaid itself begins a character's number with, and reads as such once more when it has drawn it.
const LIGATURE: char = 'ﬂ';
/// Longest name that stands as it is.
const LONGEST_NAME: usize = 100;
/// Longest word of an attribute.
const LONGEST_WORD: usize = 60;

/// True if the text can be the name of an entity as it is.
pub(super) fn is_name(text: &str) -> bool {
    let folded = text.to_ascii_lowercase();
    text.len() <= LONGEST_NAME
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(is_word_char)
        && !RESERVED.contains(&&*folded)
        && !MEANINGFUL.iter().any(|word| folded.contains(word))
}

/// The text in quotes, up to `most` characters of it. All but letters, digits and what is harmless between them is
/// written by its number, which Mermaid turns back after it has parsed.
pub(super) fn quoted(text: &str, most: usize) -> String {
    let mut letters: Vec<char> = text.chars().take(most + 1).collect();
    if letters.len() > most {
        letters.truncate(most);
        letters.push('…');
    }
    let guarded = guarded(&letters);
    let is_prose = letters.first().is_some_and(|first| first.is_alphabetic());
    let mut written = String::from("\"");
    for (place, letter) in letters.iter().enumerate() {
        let at = |place: Option<usize>| place.and_then(|place| letters.get(place)).copied();
        let (before, after) = (at(place.checked_sub(1)), at(Some(place + 1)));
        let within =
            before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric);
        let is_plain = match letter {
            _ if guarded.contains(&place) => false,
            ' ' => before.is_some_and(|before| before != ' ') && after.is_some(),
            '_' | '-' | '.' => within,
            // Not where Markdown would see a list.
            '(' | ')' | ',' => is_prose,
            letter => letter.is_alphanumeric(),
        };
        if *letter == LIGATURE {
            written.push_str("fl");
        } else if is_plain {
            written.push(*letter);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(written, "#{};", u32::from(*letter));
        }
    }
    written.push('"');
    written
}

/// Where words begin that must not be seen.
fn guarded(letters: &[char]) -> Vec<usize> {
    let folded: Vec<char> = letters.iter().map(char::to_ascii_lowercase).collect();
    let begins = |place: &usize| {
        let rest = folded.get(*place..).unwrap_or_default();
        MEANINGFUL.iter().any(|word| {
            let length = word.len();
            rest.get(..length)
                .is_some_and(|start| start.iter().copied().eq(word.chars()))
        })
    };
    (0..letters.len()).filter(begins).collect()
}

/// A column's name as one word; another one if Mermaid does not take it as it is, `spare` if nothing is left of it.
pub(super) fn attribute<'a>(name: &'a str, spare: &str) -> Cow<'a, str> {
    if is_attribute(name) {
        return Cow::Borrowed(name);
    }
    let readable = if name.is_ascii() {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(fold(name))
    };
    let mut word = String::new();
    for letter in readable.chars().take(LONGEST_WORD) {
        if is_word_char(letter) {
            word.push(letter);
        } else if !word.is_empty() && !word.ends_with('_') {
            word.push('_');
        }
    }
    finished(word.trim_end_matches('_'), spare)
}

/// A column's type as one word: the beginning of one that is more.
pub(super) fn data_type(name: &str) -> Cow<'_, str> {
    let is_simple = name
        .chars()
        .all(|letter| is_word_char(letter) || "()[]".contains(letter));
    let end = name
        .find(|letter| !is_word_char(letter))
        .unwrap_or(name.len());
    let base = name.get(..end).unwrap_or_default();
    if is_simple && is_attribute(base) && name.len() <= LONGEST_WORD {
        return Cow::Borrowed(name);
    }
    if is_attribute(base) {
        return Cow::Borrowed(base);
    }
    finished(base, "other")
}

fn finished(word: &str, spare: &str) -> Cow<'static, str> {
    if word.chars().all(|letter| letter == '_') {
        return Cow::Owned(spare.to_owned());
    }
    // Neither a digit first, nor a key, nor the name of another diagram.
    let word: String = word.chars().take(LONGEST_WORD).collect();
    let word = if is_attribute(&word) {
        word
    } else {
        format!("_{word}")
    };
    Cow::Owned(word.replace("C4", "C_4"))
}

fn is_attribute(text: &str) -> bool {
    text.len() <= LONGEST_WORD
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.chars().all(is_word_char)
        && !KEYS.contains(&&*text.to_ascii_lowercase())
        && !text.contains("C4")
}

fn is_word_char(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_mermaid_takes_stays_as_it_is() {
        for name in ["fact_order", "Orders2", "ending", "stylebook"] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "end",
            "Style",
            "classDef",
            "erDiagram",
            "direction",
            "title",
            "2nd",
            "_x",
            "a b",
            "a.b",
            "a-b",
            "",
            "číslo",
            "myC4Container",
            "constructor",
        ] {
            assert!(!is_name(name), "{name}");
        }
        assert!(!is_name(&"x".repeat(101)));
    }

    #[test]
    fn in_quotes_only_harmless_characters_stand_as_they_are() {
        for (text, written) in [
            ("fact order", "fact order"),
            ("schema.table-2", "schema.table-2"),
            ("numeric(10,2)", "numeric(10,2)"),
            (r#"a"b\c"#, "a#34;b#92;c"),
            ("%%{init}%%", "#37;#37;#123;init#125;#37;#37;"),
            ("a  b", "a #32;b"),
            ("1. x", "1#46; x"),
            ("**b** <i>", "#42;#42;b#42;#42; #60;i#62;"),
            ("x direction TB", "x #100;irection TB"),
            ("C4Container", "#67;4Container"),
            ("#35;", "#35;35#59;"),
            ("표 😀", "표 #128512;"),
            ("ﬂ°°35¶ß", "fl#176;#176;35#182;ß"),
            ("a\nb", "a#10;b"),
        ] {
            assert_eq!(quoted(text, 100), format!("\"{written}\""));
        }
        assert_eq!(quoted("abcdef", 3), "\"abc#8230;\"");
    }

    #[test]
    fn columns_and_types_are_one_word() {
        assert_eq!(attribute("order_key", "column"), "order_key");
        assert_eq!(attribute("Order No.", "column"), "Order_No");
        assert_eq!(attribute("Číslo objednávky", "column"), "cislo_objednavky");
        assert_eq!(attribute("PK", "column"), "_PK");
        assert_eq!(attribute("2nd", "column"), "_2nd");
        assert_eq!(attribute("열", "column"), "column");
        assert_eq!(attribute("C4Dynamic", "column"), "_C_4Dynamic");
        assert_eq!(data_type("varchar(120)"), "varchar(120)");
        assert_eq!(data_type("int[]"), "int[]");
        assert_eq!(data_type("numeric(10,2)"), "numeric");
        assert_eq!(data_type("character varying(20)[]"), "character");
        assert_eq!(data_type("timestamp with time zone"), "timestamp");
        assert_eq!(data_type("struct<a:int>"), "struct");
        assert_eq!(data_type("fk(1)"), "_fk");
        assert_eq!(data_type("\"x\""), "other");
        assert_eq!(data_type(""), "other");
    }
}
