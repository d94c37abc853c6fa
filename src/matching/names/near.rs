use std::cmp::Reverse;
use std::collections::HashMap;

use super::Names;
use super::entry::Entry;
use crate::matching::vocabulary::{Meant, SAME, typing_errors_allowed};

impl Names {
    /// Entries whose words, written without a gap, differ from the phrase in a few letters.
    pub(super) fn misspelled(&self, joined: &str) -> Vec<&Entry> {
        let letters = joined.chars().count();
        let mut least = typing_errors_allowed(letters);
        if least == 0 || letters > 64 {
            return Vec::new();
        }
        let mut found: Vec<(usize, &Entry)> = Vec::new();
        for (key, entries) in &self.joined {
            // Bytes bound letters from above: this only skips what cannot be near.
            if key.len() + least < letters || key.len() > (letters + least) * 4 {
                continue;
            }
            let errors = strsim::osa_distance(joined, key);
            if errors <= least {
                least = errors;
                found.extend(
                    entries
                        .iter()
                        .filter_map(|id| Some((errors, self.entry(*id)?))),
                );
            }
        }
        found.retain(|(errors, _)| *errors == least);
        found.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Names that share words with the phrase, then those that look like it.
    pub(super) fn nearest(&self, joined: &str, phrase: &[Vec<Meant>]) -> Vec<&str> {
        /// A word in more entries than this says nothing.
        const COMMON: usize = 1_000;
        let mut shared: HashMap<u32, u32> = HashMap::new();
        for meant in phrase.iter().flatten() {
            let entries = self.posted(meant.word);
            for entry in entries.iter().filter(|_| entries.len() <= COMMON) {
                if let Some(entry) = self.entry(*entry).filter(|entry| entry.tells(meant.word)) {
                    *shared.entry(entry.name).or_default() += meant.quality;
                }
            }
        }
        let mut near: Vec<(Reverse<u32>, usize, &str)> = shared
            .into_iter()
            .map(|(name, quality)| (Reverse(quality), self.name(name).len(), self.name(name)))
            .collect();
        if near.is_empty() {
            near = self.alike(joined);
        }
        near.sort_unstable();
        near.dedup_by_key(|(_, _, name)| *name);
        near.truncate(Self::MOST_NEAREST);
        near.into_iter().map(|(_, _, name)| name).collect()
    }

    fn alike(&self, joined: &str) -> Vec<(Reverse<u32>, usize, &str)> {
        const ALIKE: f64 = 0.8;
        if joined.len() > 64 {
            return Vec::new();
        }
        self.joined
            .iter()
            .map(|(key, entries)| (strsim::jaro_winkler(joined, key), entries))
            .filter(|(likeness, _)| *likeness >= ALIKE)
            .flat_map(|(likeness, entries)| {
                // Between 800 and 1,000: nothing is lost that matters.
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a likeness is between 0 and 1"
                )]
                let quality = (likeness * f64::from(SAME)) as u32;
                entries
                    .iter()
                    .filter_map(|id| self.entry(*id))
                    .map(move |entry| self.name(entry.name))
                    .map(move |name| (Reverse(quality), name.len(), name))
            })
            .collect()
    }
}
