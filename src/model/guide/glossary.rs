//! Words of purchasing and of data warehouses in Slovak and Czech, for catalogs whose names are
//! English.

use crate::matching::fold;

/// Beginnings of words, without diacritics, and the English word. The longest beginning that fits
/// counts.
const WORDS: &[(&str, &str)] = &[
    ("adres", "address"),
    ("castk", "amount"),
    ("cen", "price"),
    ("dan", "tax"),
    ("datum", "date"),
    ("dodac", "delivery"),
    ("dodak", "delivery"),
    ("dodan", "delivery"),
    ("dodavk", "delivery"),
    ("dodavatel", "supplier"),
    ("dodavek", "delivery"),
    ("doruc", "delivery"),
    ("faktur", "invoice"),
    ("firm", "company"),
    ("hmotnost", "weight"),
    ("hodnoten", "rating"),
    ("hodnot", "value"),
    ("hodnocen", "rating"),
    ("jednotk", "unit"),
    ("kraj", "country"),
    ("krajin", "country"),
    ("kurz", "exchange rate"),
    ("kvalit", "quality"),
    ("material", "material"),
    ("men", "currency"),
    ("mest", "city"),
    ("mesiac", "month"),
    ("mesic", "month"),
    ("mnozstv", "quantity"),
    ("nakup", "purchase"),
    ("nakupc", "buyer"),
    ("nakupn", "purchase"),
    ("nazov", "name"),
    ("nazev", "name"),
    ("nazv", "name"),
    ("objednan", "order"),
    ("objednav", "purchase order"),
    ("otvoren", "open"),
    ("otevren", "open"),
    ("partner", "partner"),
    ("platb", "payment"),
    ("platnost", "valid"),
    ("poloz", "item"),
    ("poziadavk", "requisition"),
    ("pozadav", "requisition"),
    ("prijem", "receipt"),
    ("prijm", "receipt"),
    ("skupin", "group"),
    ("smlouv", "contract"),
    ("smluv", "contract"),
    ("spolecnost", "company"),
    ("spolocnost", "company"),
    ("stav", "status"),
    ("sum", "amount"),
    ("tovar", "goods"),
    ("typ", "type"),
    ("utrat", "spend"),
    ("vydav", "spend"),
    ("vydaj", "spend"),
    ("vykon", "performance"),
    ("zakazni", "customer"),
    ("zavod", "plant"),
    ("zbozi", "goods"),
    ("zem", "country"),
    ("zmluv", "contract"),
];

/// Endings that may follow a beginning of at most four letters, which would else fit too much.
const SHORT_ENDINGS: &[&str] = &[
    "", "a", "y", "u", "e", "i", "ou", "ach", "am", "ami", "o", "om", "em", "ov", "ova", "ove",
    "ova", "ich", "ie", "ia",
];

/// The English words for a Slovak or Czech one.
pub(super) fn english(word: &str) -> Option<&'static str> {
    let word = fold(word);
    WORDS
        .iter()
        .filter(|(beginning, _)| {
            word.strip_prefix(beginning)
                .is_some_and(|ending| beginning.len() > 4 || SHORT_ENDINGS.contains(&ending))
        })
        .max_by_key(|(beginning, _)| beginning.len())
        .map(|(_, english)| *english)
}

/// The phrase with each word that the glossary has in English; `None` if it has none of them.
pub(super) fn translate(phrase: &str) -> Option<String> {
    let mut translated = false;
    let words: Vec<&str> = phrase
        .split_whitespace()
        .map(|word| {
            english(word).map_or(word, |english| {
                translated |= !english.eq_ignore_ascii_case(word);
                english
            })
        })
        .collect();
    translated.then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case_and_with_any_ending() {
        for (word, meaning) in [
            ("dodávateľ", "supplier"),
            ("dodavateli", "supplier"),
            ("Objednávky", "purchase order"),
            ("mena", "currency"),
            ("měnou", "currency"),
            ("smlouvy", "contract"),
            ("nákupca", "buyer"),
            ("nákup", "purchase"),
            ("kurzov", "exchange rate"),
        ] {
            assert_eq!(english(word), Some(meaning), "{word}");
        }
    }

    #[test]
    fn short_beginnings_do_not_swallow_other_words() {
        for word in [
            "menu_item",
            "center",
            "dance",
            "type_code",
            "summary",
            "weather",
            "mention",
        ] {
            assert_eq!(english(word), None, "{word}");
        }
    }

    #[test]
    fn a_phrase_is_translated_word_by_word() {
        assert_eq!(
            translate("položka objednávky").as_deref(),
            Some("item purchase order")
        );
        assert_eq!(translate("supplier"), None);
        assert_eq!(translate("materiál").as_deref(), Some("material"));
    }
}
