//! Writes names and texts of a catalog into Markdown so that they stay what they are, whatever they
//! hold.

/// Longest name or text that is shown whole, in characters.
const MAX_CHARACTERS: usize = 400;

/// A name in backticks.
pub(super) fn code(name: &str) -> String {
    let name = one_line(name);
    let fence = "`".repeat(longest_run(&name, '`') + 1);
    // A space keeps a backtick at the edge from joining the fence; it is not shown.
    if name.starts_with('`') || name.ends_with('`') || name.trim().is_empty() {
        format!("{fence} {name} {fence}")
    } else {
        format!("{fence}{name}{fence}")
    }
}

/// A name in backticks inside a table, where a pipe would end the cell even there.
pub(super) fn code_cell(name: &str) -> String {
    code(name).replace('|', "\\|")
}

/// A name without backticks where it is plain, as the first users know it, and with them where it
/// is not.
pub(super) fn plain(name: &str) -> String {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
    // An underscore at the edge of a word could begin emphasis.
    if !name.is_empty()
        && name.bytes().all(is_word)
        && !name.starts_with('_')
        && !name.ends_with('_')
    {
        one_line(name)
    } else {
        code(name)
    }
}

/// A text, with what Markdown or HTML would read as more than text taken literally, and no more
/// than that, because some clients show an answer as it is. Fits into a table; not made for the
/// beginning of a line.
pub(super) fn text(text: &str) -> String {
    let line = one_line(text);
    let mut escaped = String::with_capacity(line.len());
    let mut before = ' ';
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied().unwrap_or(' ');
        let is_markup = match character {
            '\\' | '`' | '*' | '[' | '<' | '|' | '~' => true,
            '_' => !(before.is_alphanumeric() && next.is_alphanumeric()),
            '&' => begins_entity(characters.clone()),
            _ => false,
        };
        if is_markup {
            escaped.push('\\');
        }
        escaped.push(character);
        before = character;
    }
    escaped
}

/// Whether what follows an ampersand would make it something else, as in `&lt;`.
fn begins_entity(after: impl Iterator<Item = char>) -> bool {
    const LONGEST: usize = 32;
    let is_name = |character: &char| character.is_ascii_alphanumeric() || *character == '#';
    let mut after = after.take(LONGEST).skip_while(is_name);
    after.next() == Some(';')
}

/// Lines of code in a fence that nothing inside can close.
pub(super) fn code_block(language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|line| longest_run(line, '`')).max();
    let fence = "`".repeat(longest.map_or(3, |longest| longest + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}", lines.join("\n"))
}

/// A name as SQL writes it.
pub(super) fn sql_name(name: &str) -> String {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !name.is_empty()
        && name.bytes().all(is_word)
        && !name.starts_with(|c: char| c.is_ascii_digit())
    {
        name.to_owned()
    } else {
        format!("\"{}\"", one_line(name).replace('"', "\"\""))
    }
}

/// The text in one line, without control characters, and cut if it is very long.
pub(super) fn one_line(text: &str) -> String {
    let mut line: String = text
        .trim()
        .chars()
        .map(|character| {
            if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
                ' '
            } else {
                character
            }
        })
        .take(MAX_CHARACTERS)
        .collect();
    if text.trim().chars().count() > MAX_CHARACTERS {
        line.push('…');
    }
    line
}

fn longest_run(text: &str, wanted: char) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for character in text.chars() {
        run = if character == wanted { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_what_it_is_between_backticks() {
        for (name, written) in [
            ("supplier", "`supplier`"),
            ("a`b", "``a`b``"),
            ("a``b", "```a``b```"),
            ("`edge", "`` `edge ``"),
            ("two\nlines", "`two lines`"),
            ("<b>&amp;</b>", "`<b>&amp;</b>`"),
            ("", "`  `"),
        ] {
            assert_eq!(code(name), written);
        }
        assert_eq!(code_cell("a|b"), "`a\\|b`");
    }

    #[test]
    fn plain_names_need_no_backticks() {
        assert_eq!(plain("fact_bs_x"), "fact_bs_x");
        for name in ["_a_", "a*b", "a b", "<script>", "1. x", ""] {
            assert!(plain(name).starts_with('`'), "{name}");
        }
    }

    #[test]
    fn texts_are_taken_literally() {
        assert_eq!(text("a | *b* <i>\n# c"), "a \\| \\*b\\* \\<i> # c");
        assert_eq!(
            text("![x](y) R&D &amp; _a_ b_c"),
            "!\\[x](y) R&D \\&amp; \\_a\\_ b_c"
        );
        assert_eq!(text(&"x".repeat(500)).chars().count(), MAX_CHARACTERS + 1);
    }

    #[test]
    fn a_fence_is_longer_than_what_it_holds() {
        let block = code_block("sql", &["SELECT ```".to_owned()]);
        assert!(block.starts_with("````sql\n") && block.ends_with("\n````"));
    }

    #[test]
    fn sql_names_are_quoted_where_they_must_be() {
        assert_eq!(sql_name("order_number"), "order_number");
        assert_eq!(sql_name("order number"), "\"order number\"");
        assert_eq!(sql_name("a\"; DROP"), "\"a\"\"; DROP\"");
        assert_eq!(sql_name("1st"), "\"1st\"");
    }
}
