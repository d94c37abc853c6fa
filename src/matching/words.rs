use super::Names;
use super::fold::tokens;
use super::vocabulary::Vocabulary;

/// The words that names are made of, without the names: enough to correct a phrase.
#[derive(Debug, Default)]
pub struct Words {
    vocabulary: Vocabulary,
}

// === impl Words ===

impl Words {
    /// The words of names.
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Self {
        let mut words = Self::default();
        for name in names {
            for token in tokens(name.as_ref()) {
                words.vocabulary.add(&token);
            }
        }
        words
    }

    /// The phrase with each word that no name has replaced by the one that was probably meant;
    /// `None` if that changes nothing or there is no such word.
    pub fn corrected(&self, phrase: &str) -> Option<String> {
        let words = tokens(phrase);
        if words.is_empty() || words.len() > Names::LONGEST_PHRASE {
            return None;
        }
        let mut changed = false;
        let corrected: Option<Vec<&str>> = words
            .iter()
            .map(|word| {
                if let Some(known) = self.vocabulary.get(word) {
                    return Some(self.vocabulary.text(known.word));
                }
                changed = true;
                let meant = self.vocabulary.meant(word);
                Some(self.vocabulary.text(meant.first()?.word))
            })
            .collect();
        corrected.filter(|_| changed).map(|words| words.join(" "))
    }
}
