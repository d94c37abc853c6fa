use std::cmp::Reverse;
use std::collections::HashMap;

use super::Names;
use super::entry::Entry;
use crate::matching::vocabulary::{Meant, SAME, typing_errors_allowed};

/// Longer phrases are not compared letter by letter, in bytes.
const LONGEST: usize = 64;

impl Names {
    /// Entries whose words, written without a gap, differ from the phrase in a few letters.
    pub(super) fn misspelled(&self, joined: &str) -> Vec<&Entry> {
        let letters = joined.chars().count();
        let mut least = typing_errors_allowed(letters);
        if least == 0 || joined.len() > LONGEST {
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
        let mut shared: HashMap<&str, u32> = HashMap::new();
        for meant in phrase {
            // Each word counts once for a name, however many synonyms have it.
            let mut best: HashMap<&str, u32> = HashMap::new();
            for meant in meant {
                let entries = self.posted(meant.word);
                for entry in entries.iter().filter(|_| entries.len() <= COMMON) {
                    if let Some(entry) = self.entry(*entry).filter(|entry| entry.tells(meant.word))
                    {
                        let quality = best.entry(self.name(entry.name)).or_default();
                        *quality = meant.quality.max(*quality);
                    }
                }
            }
            for (name, quality) in best {
                *shared.entry(name).or_default() += quality;
            }
        }
        if shared.is_empty() {
            shared = self.alike(joined);
        }
        let mut near: Vec<(Reverse<u32>, usize, &str)> = shared
            .into_iter()
            .map(|(name, quality)| (Reverse(quality), name.len(), name))
            .collect();
        near.sort_unstable();
        near.truncate(Self::MOST_NEAREST);
        near.into_iter().map(|(_, _, name)| name).collect()
    }

    fn alike(&self, joined: &str) -> HashMap<&str, u32> {
        const ALIKE: f64 = 0.8;
        let mut alike: HashMap<&str, u32> = HashMap::new();
        if joined.len() > LONGEST {
            return alike;
        }
        for (key, entries) in &self.joined {
            let likeness = strsim::jaro_winkler(joined, key);
            if likeness < ALIKE {
                continue;
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a likeness is between 0 and 1"
            )]
            let likeness = (likeness * f64::from(SAME)) as u32;
            for entry in entries.iter().filter_map(|id| self.entry(*id)) {
                let best = alike.entry(self.name(entry.name)).or_default();
                *best = likeness.max(*best);
            }
        }
        alike
    }
}
