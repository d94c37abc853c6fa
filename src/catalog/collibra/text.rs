//! Descriptions are rich text there: HTML, as people make it in an editor. Here they are plain.

/// Elements that begin a line of their own.
const BLOCKS: &[&str] = &[
    "blockquote",
    "br",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "table",
    "tr",
    "ul",
];
/// Other elements that editors make. What is in no list is text, such as `array<string>`.
const OTHERS: &[&str] = &[
    "a", "b", "code", "del", "em", "font", "i", "img", "ins", "label", "s", "small", "span",
    "strike", "strong", "sub", "sup", "tbody", "td", "th", "thead", "u",
];
/// Elements whose text nobody sees.
const HIDDEN: &[&str] = &["script", "style"];
/// The entities that editors write; others are left as they are.
const ENTITIES: &[(&str, &str)] = &[
    ("amp", "&"),
    ("apos", "'"),
    ("bull", "•"),
    ("gt", ">"),
    ("hellip", "…"),
    ("laquo", "«"),
    ("ldquo", "“"),
    ("lsquo", "‘"),
    ("lt", "<"),
    ("mdash", "—"),
    ("nbsp", " "),
    ("ndash", "–"),
    ("quot", "\""),
    ("raquo", "»"),
    ("rdquo", "”"),
    ("rsquo", "’"),
];
/// Longest name of an entity.
const ENTITY: usize = 8;

/// The text of HTML; of other text the same, without blanks around its lines.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    let mut hidden: Option<&str> = None;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, mark) = rest.split_at(at);
        if hidden.is_none() {
            plain.push_str(before);
        }
        let (replaced, after) = if mark.starts_with('&') {
            entity(mark)
        } else {
            let element = element(mark);
            if let Some((name, closes, _)) = element {
                let is_hidden = HIDDEN.iter().find(|one| name.eq_ignore_ascii_case(one));
                hidden = match (is_hidden, closes) {
                    (Some(name), false) => Some(name),
                    (Some(_), true) => None,
                    (None, _) => hidden,
                };
            }
            markup(mark, element)
        };
        if hidden.is_none() {
            plain.push_str(&replaced);
        }
        rest = after;
    }
    if hidden.is_none() {
        plain.push_str(rest);
    }
    lines(&plain)
}

/// What an element is replaced by, and what follows it.
fn markup<'a>(mark: &'a str, element: Option<(&str, bool, &'a str)>) -> (String, &'a str) {
    let Some((name, closes, after)) = element else {
        let after = mark.get(1..).unwrap_or_default();
        return ("<".to_owned(), after);
    };
    let is = |names: &[&str]| names.iter().any(|one| name.eq_ignore_ascii_case(one));
    let replaced = match name.to_ascii_lowercase().as_str() {
        "li" if !closes => "\n- ",
        "td" | "th" if closes => " ",
        _ if is(BLOCKS) => "\n",
        _ => "",
    };
    (replaced.to_owned(), after)
}

/// The name of the element that `mark` begins with, whether it ends there, and what follows. `None`: it is none.
fn element(mark: &str) -> Option<(&str, bool, &str)> {
    if let Some(comment) = mark.strip_prefix("<!--") {
        return Some((
            "",
            false,
            comment.split_once("-->").map_or("", |(_, after)| after),
        ));
    }
    let inner = mark.strip_prefix('<')?;
    let (closes, inner) = match inner.strip_prefix('/') {
        Some(inner) => (true, inner),
        None => (false, inner),
    };
    let end = inner.find(|letter: char| !letter.is_ascii_alphanumeric())?;
    let (name, rest) = inner.split_at(end);
    let is_known = [BLOCKS, OTHERS, HIDDEN]
        .iter()
        .any(|names| names.iter().any(|one| name.eq_ignore_ascii_case(one)));
    let (_, after) = rest.split_once('>')?;
    is_known.then_some((name, closes, after))
}

/// What an entity stands for, and what follows it.
fn entity(mark: &str) -> (String, &str) {
    let inner = mark.get(1..).unwrap_or_default();
    let known = inner
        .split_once(';')
        .filter(|(name, _)| name.len() <= ENTITY)
        .and_then(|(name, after)| decoded(name).map(|text| (text, after)));
    known.unwrap_or_else(|| ("&".to_owned(), inner))
}

fn decoded(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).map(String::from);
    }
    let found = ENTITIES.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| (*text).to_owned())
}

/// Lines without blanks around them, and none that is empty.
fn lines(text: &str) -> String {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lines = text
        .lines()
        .map(words)
        .filter(|line| !line.is_empty() && line != "-");
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rich_text_becomes_plain() {
        for (html, text) in [
            ("<p>One row per <b>order</b>.</p>", "One row per order."),
            ("<p>a</p><p>b<br/>c</p>", "a\nb\nc"),
            ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
            ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
            (
                "R&amp;D &lt;5&nbsp;%&gt; &#269;&#x10D; &unknown; AT&T",
                "R&D <5 %> čč &unknown; AT&T",
            ),
            ("<style>p { x }</style><script>if (a < b) {}</script>x", "x"),
            (
                "<a href=\"https://x.example/?a=1&amp;b=2\">link</a><!-- note -->",
                "link",
            ),
            (
                "array<string>, a < b, a <= b, <",
                "array<string>, a < b, a <= b, <",
            ),
            ("plain  text\n\n of two lines", "plain text\nof two lines"),
            ("<p>never closed", "never closed"),
            ("<p class=\"never closed", "<p class=\"never closed"),
            ("<DIV>x</DIV>", "x"),
            ("", ""),
        ] {
            assert_eq!(plain(html), text, "{html}");
        }
    }
}
