//! An answer cut into the small pieces it is streamed in.

/// Longest piece, in bytes, where there is a place to cut.
const LONGEST: usize = 12;

/// Cuts before each word, and inside a long word only between ASCII letters or digits, where no
/// grapheme can be hurt.
pub(super) fn cut(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut before = ' ';
    for character in text.chars() {
        let begins_word = before.is_whitespace() && !character.is_whitespace();
        let in_long_word = piece.len() >= LONGEST
            && before.is_ascii_alphanumeric()
            && character.is_ascii_alphanumeric();
        if (begins_word || in_long_word) && !piece.trim().is_empty() {
            pieces.push(std::mem::take(&mut piece));
        }
        piece.push(character);
        before = character;
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_words_and_together_the_text() {
        let text = "Here are\n\n1. fact_bs_purchase_order_item (FACT)\n  - ďalší\u{301} 👩‍👩‍👧 žltý  ";
        let pieces = cut(text);
        assert_eq!(pieces.concat(), text);
        assert_eq!(pieces[0], "Here ");
        assert_eq!(pieces[1], "are\n\n");
        assert!(pieces.contains(&"👩‍👩‍👧 ".to_owned()));
        assert!(
            pieces
                .iter()
                .all(|piece| !piece.trim().is_empty() && piece.len() <= 26)
        );
        assert!(cut("").is_empty());
    }

    #[test]
    fn a_long_word_is_cut_only_where_no_character_can_be_hurt() {
        assert_eq!(cut(&"x".repeat(30)).len(), 3);
        let accents = "e\u{301}".repeat(30);
        assert_eq!(cut(&accents), [accents]);
    }
}
