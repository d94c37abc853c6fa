use std::collections::{HashMap, HashSet};

use super::entry::Entry;
use super::{Names, index, number};
use crate::matching::fold::{fold, tokens};

impl Names {
    /// Most leading words of a name.
    const MOST_LEADING: usize = 4;
    /// Longest leading word, in letters: prefixes are codes, not words.
    const LONGEST_LEADING: usize = 5;
    /// So many different words must follow a leading one.
    const LEADING_BRANCHES: usize = 3;

    pub(super) fn add(&mut self, name: &str) -> u32 {
        let alike = self.folded.entry(fold(name)).or_default();
        let same = |id: &&u32| {
            self.texts
                .get(index(**id))
                .is_some_and(|text| **text == *name)
        };
        if let Some(id) = alike.iter().find(same) {
            return *id;
        }
        let id = number(self.texts.len());
        alike.push(id);
        self.texts.push(name.into());
        self.enter(id, &tokens(name), false);
        id
    }

    pub(super) fn enter(&mut self, name: u32, words: &[String], synonym: bool) {
        let words: Vec<u32> = words.iter().map(|word| self.vocabulary.add(word)).collect();
        self.entries.push(Entry {
            name,
            words: words.into(),
            leading: 0,
            synonym,
        });
    }

    pub(super) fn learn_leading_words(&mut self) {
        let mut follow: HashMap<&[u32], HashSet<u32>> = HashMap::new();
        for entry in &self.entries {
            for length in 1..=Self::MOST_LEADING {
                let (Some(start), Some(next)) =
                    (entry.words.get(..length), entry.words.get(length))
                else {
                    break;
                };
                follow.entry(start).or_default().insert(*next);
            }
        }
        let is_code = |word: &u32| self.vocabulary.letters(*word) <= Self::LONGEST_LEADING;
        let leading: Vec<usize> = self
            .entries
            .iter()
            .map(|entry| {
                (1..=Self::MOST_LEADING)
                    .take_while(|length| {
                        entry.words.len() > *length
                            && entry.words.get(*length - 1).is_some_and(is_code)
                    })
                    .filter(|length| {
                        entry
                            .words
                            .get(..*length)
                            .and_then(|start| follow.get(start))
                            .is_some_and(|next| next.len() >= Self::LEADING_BRANCHES)
                    })
                    .last()
                    .unwrap_or(0)
            })
            .collect();
        for (entry, leading) in self.entries.iter_mut().zip(leading) {
            entry.leading = leading;
        }
    }

    pub(super) fn post(&mut self) {
        for (id, entry) in (0..).zip(&self.entries) {
            let mut seen = HashSet::new();
            for word in entry.words.iter().filter(|word| seen.insert(**word)) {
                let place = index(*word);
                if self.postings.len() <= place {
                    self.postings.resize_with(place + 1, Vec::new);
                }
                if let Some(entries) = self.postings.get_mut(place) {
                    entries.push(id);
                }
            }
            let join = |words: &[u32]| -> String {
                words
                    .iter()
                    .map(|word| self.vocabulary.text(*word))
                    .collect()
            };
            let (all, telling) = (join(&entry.words), join(entry.telling()));
            if entry.leading > 0 {
                self.joined.entry(all).or_default().push(id);
            }
            if !telling.is_empty() {
                self.joined.entry(telling).or_default().push(id);
            }
        }
    }
}
