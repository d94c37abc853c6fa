use nucleo_matcher::chars::normalize;

/// The text in lower case and without diacritics, whether they are part of a letter or combine with
/// it.
///
/// Letters outside the Latin script stay what they are.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars()
        .filter(|letter| !is_combining_mark(*letter))
        // In this order: of most capital letters the library knows no plain form.
        .flat_map(char::to_lowercase)
        .map(normalize)
        .filter(|letter| !is_combining_mark(*letter))
        .collect()
}

/// Whether [`fold`] of the text has `part` in it, which is folded already. For texts there are very many of: of those in
/// ASCII no copy is made.
pub fn contains_folded(text: &str, part: &str) -> bool {
    if !text.is_ascii() {
        return fold(text).contains(part);
    }
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let Some((first, rest)) = part.split_first() else {
        return true;
    };
    let upper = first.to_ascii_uppercase();
    let starts = text
        .iter()
        .enumerate()
        .filter(|(_, byte)| *byte == first || **byte == upper);
    starts
        .filter_map(|(at, _)| text.get(at + 1..at + part.len()))
        .any(|after| after.eq_ignore_ascii_case(rest))
}

/// The words of a phrase or an identifier, folded: split at everything that is no letter or digit,
/// and where a camel-case word begins.
pub fn tokens(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = None;
    let mut letters = text
        .chars()
        .filter(|letter| !is_combining_mark(*letter))
        .peekable();
    while let Some(letter) = letters.next() {
        if !letter.is_alphanumeric() {
            close(&mut words, &mut word);
            before = None;
            continue;
        }
        if begins_word(before, letter, letters.clone()) {
            close(&mut words, &mut word);
        }
        word.push(letter);
        before = Some(letter);
    }
    close(&mut words, &mut word);
    words
}

/// The word without a plural ending. Not grammar: it only has to treat a word and its plural alike.
pub fn singular(word: &str) -> &str {
    const KEPT: [&str; 3] = ["ss", "us", "is"];
    const LONG: [&str; 4] = ["sses", "xes", "ches", "shes"];
    if word.len() < 4 || KEPT.iter().any(|ending| word.ends_with(ending)) {
        return word;
    }
    // `deliveries` and `delivery` meet at `deliver`.
    if let Some(stem) = word.strip_suffix("ies").or_else(|| word.strip_suffix('y'))
        && stem.len() > 3
    {
        return stem;
    }
    if LONG.iter().any(|ending| word.ends_with(ending)) {
        return word.strip_suffix("es").unwrap_or(word);
    }
    word.strip_suffix('s').unwrap_or(word)
}

fn close(words: &mut Vec<String>, word: &mut String) {
    if !word.is_empty() {
        words.push(fold(word));
        word.clear();
    }
}

/// True where `purchaseOrder` and `SAPOrder` have their second word, but not in `KPIs`.
fn begins_word(before: Option<char>, letter: char, mut after: impl Iterator<Item = char>) -> bool {
    let Some(before) = before else {
        return false;
    };
    letter.is_uppercase()
        && (before.is_lowercase()
            || (before.is_uppercase()
                && after.next().is_some_and(char::is_lowercase)
                && after.next().is_some_and(char::is_lowercase)))
}

fn is_combining_mark(letter: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_without_folding_the_whole() {
        for (text, part, is_there) in [
            ("The Order Amount", "order", true),
            ("The Order Amount", "amount", true),
            ("The Order Amount", "the order amount", true),
            ("The Order Amount", "amounts", false),
            ("oorder", "order", true),
            ("ord", "order", false),
            ("", "order", false),
            ("any", "", true),
            ("Číslo Objednávky", "objednavky", true),
            ("Číslo Objednávky", "order", false),
        ] {
            assert_eq!(contains_folded(text, part), is_there, "{text} {part}");
            assert_eq!(fold(text).contains(part), is_there, "{text} {part}");
        }
    }

    #[test]
    fn case_and_diacritics_do_not_matter() {
        for (text, folded) in [
            ("Dodávateľ", "dodavatel"),
            ("OBJEDNÁVKA", "objednavka"),
            ("příjem zboží", "prijem zbozi"),
            ("dodavatelů", "dodavatelu"),
            ("c\u{30c}islo", "cislo"),
            ("plain_name", "plain_name"),
            ("İ", "i"),
            ("表", "表"),
            ("ČŘŠŽÝÁĽŤ", "crszyalt"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn identifiers_and_phrases_fall_into_the_same_words() {
        for text in [
            "purchase_order_item",
            "purchase order item",
            "Purchase-Order.Item",
            "purchaseOrderItem",
            "PurchaseOrderItem",
            "  purchase__order \"item\"; ",
        ] {
            assert_eq!(tokens(text), ["purchase", "order", "item"], "{text}");
        }
        assert_eq!(tokens("SAPOrder"), ["sap", "order"]);
        assert_eq!(tokens("KPIs"), ["kpis"]);
        assert_eq!(tokens("src_sap_T001W"), ["src", "sap", "t001w"]);
        assert_eq!(tokens("číslo objednávky"), ["cislo", "objednavky"]);
        assert!(tokens(" -_. 🦀 ").is_empty());
    }

    #[test]
    fn a_word_and_its_plural_are_alike() {
        for (one, many) in [
            ("supplier", "suppliers"),
            ("delivery", "deliveries"),
            ("company", "companies"),
            ("invoice", "invoices"),
            ("match", "matches"),
            ("address", "addresses"),
            ("status", "status"),
        ] {
            assert_eq!(singular(one), singular(many), "{one}");
        }
        assert_ne!(singular("bus"), singular("bu"));
    }
}
