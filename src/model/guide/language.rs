//! Which language a question is asked in.

use super::lexicon::{Token, Tongue};
use super::words::Word;

/// A language the guide answers in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) enum Language {
    #[default]
    English,
    Slovak,
    Czech,
}

/// The language most words are from; `before`, the language of the conversation so far, where they
/// do not tell.
pub(super) fn detect(words: &[Word], tokens: &[Token], before: Option<Language>) -> Language {
    let (mut english, mut slovak, mut czech) = (0, 0, 0);
    for token in tokens {
        let weight = token.words;
        match token.tongue {
            Tongue::En => english += weight,
            Tongue::Sk => slovak += weight,
            Tongue::Cz => czech += weight,
            Tongue::SkCz => {
                slovak += weight;
                czech += weight;
            }
            Tongue::Any => {}
        }
    }
    for word in words.iter().filter(|word| !word.is_name) {
        let has = |letters: &str| word.lower.contains(|letter| letters.contains(letter));
        slovak += 2 * usize::from(has("ľĺŕäô"));
        czech += 2 * usize::from(has("ěřů"));
        let either = usize::from(has("áéíóúýčďňšťžľĺŕäôěřů"));
        slovak += either;
        czech += either;
    }
    if english + slovak + czech == 0 {
        return before.unwrap_or_default();
    }
    if english > slovak.max(czech) {
        return Language::English;
    }
    match slovak.cmp(&czech) {
        std::cmp::Ordering::Greater => Language::Slovak,
        std::cmp::Ordering::Less => Language::Czech,
        std::cmp::Ordering::Equal => before
            .filter(|language| *language != Language::English)
            .unwrap_or(Language::Slovak),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::guide::{lexicon, words};

    fn language(text: &str, before: Option<Language>) -> Language {
        let words = words::split(text);
        let tokens = lexicon::tokens(&words, |_| false);
        detect(&words, &tokens, before)
    }

    #[test]
    fn the_words_tell_the_language() {
        use Language::{Czech, English, Slovak};
        for (text, expected) in [
            ("List all tables", English),
            ("What about supplier?", English),
            ("and its columns?", English),
            ("Aké tabuľky máme?", Slovak),
            ("ake stlpce ma fact_bs_purchase_order", Slovak),
            ("odkial pochadza dimv_bs_supplier", Slovak),
            ("čo je fact_bs_purchase_order?", Slovak),
            ("Jaké tabulky existují?", Czech),
            ("jake sloupce ma dodavatel", Czech),
            ("odkud pochází fact_bs_purchase_order", Czech),
            ("děkuji", Czech),
            ("ďakujem", Slovak),
            ("fact_bs_purchase_order", English),
            ("joke about cats", English),
        ] {
            assert_eq!(language(text, None), expected, "{text}");
        }
    }

    #[test]
    fn where_they_do_not_tell_the_conversation_does() {
        assert_eq!(
            language("fact_bs_purchase_order", Some(Language::Czech)),
            Language::Czech
        );
        assert_eq!(language("ahoj", Some(Language::Czech)), Language::Czech);
        assert_eq!(language("ahoj", Some(Language::English)), Language::Slovak);
        assert_eq!(language("hello", Some(Language::Czech)), Language::English);
    }
}
