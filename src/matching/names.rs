mod build;
mod entry;
mod near;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::fold::{fold, singular, tokens};
use super::vocabulary::{Meant, Vocabulary};
use entry::{Entry, Fit};

/// Many names, indexed so that the one a person means is found.
///
/// The leading words that warehouses put in front of names (`fact_bs_`, `dimv_bs_`) are learned
/// from the names, not listed here: a short word that many names begin with says little.
#[derive(Debug, Default)]
pub struct Names {
    texts: Vec<Box<str>>,
    folded: HashMap<String, Vec<u32>>,
    entries: Vec<Entry>,
    joined: HashMap<String, Vec<u32>>,
    vocabulary: Vocabulary,
    /// For each word the entries that have it.
    postings: Vec<Vec<u32>>,
}

/// What a phrase means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matches<'a> {
    /// It is this name, but for case and diacritics.
    Exact(&'a str),
    /// It can only mean this name.
    Clear(&'a str),
    /// It fits several names; the likeliest first, at most [`Names::MOST_CANDIDATES`].
    Several(Vec<&'a str>),
    /// It fits none. The nearest ones, at most [`Names::MOST_NEAREST`], may be a help or not.
    None {
        /// Names that share something with the phrase.
        nearest: Vec<&'a str>,
    },
}

impl Names {
    /// Most candidates of an ambiguous phrase.
    pub const MOST_CANDIDATES: usize = 10;
    /// Most names offered for a phrase that fits none.
    pub const MOST_NEAREST: usize = 5;
    /// Longer phrases are compared by equality only, in words.
    pub(super) const LONGEST_PHRASE: usize = 12;

    /// Indexes names.
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::with_synonyms(
            names
                .into_iter()
                .map(|name| (name, std::iter::empty::<&str>())),
        )
    }

    /// Indexes names that have other names too. A name given twice is one name.
    pub fn with_synonyms<N, S>(names: impl IntoIterator<Item = (N, S)>) -> Self
    where
        N: AsRef<str>,
        S: IntoIterator<Item: AsRef<str>>,
    {
        let mut index = Self::default();
        let mut synonyms: Vec<(u32, Vec<String>)> = Vec::new();
        for (name, others) in names {
            let id = index.add(name.as_ref());
            synonyms.extend(others.into_iter().map(|other| (id, tokens(other.as_ref()))));
        }
        index.learn_leading_words();
        for (name, words) in synonyms {
            index.enter(name, &words, true);
        }
        index.post();
        index
    }

    /// What the phrase means.
    pub fn best(&self, phrase: &str) -> Matches<'_> {
        if let Some(matches) = self.same(phrase) {
            return matches;
        }
        let mut words = tokens(phrase);
        words.truncate(Self::LONGEST_PHRASE + 1);
        if words.is_empty() || words.len() > Self::LONGEST_PHRASE {
            return Matches::None {
                nearest: Vec::new(),
            };
        }
        let known: Option<Vec<Vec<Meant>>> = words
            .iter()
            .map(|word| Some(vec![self.vocabulary.get(word)?]))
            .collect();
        if let Some(matches) = known.and_then(|known| self.decide(self.fits(&known))) {
            return matches;
        }
        if let Some(entries) = self.joined.get(&join(&words)) {
            return self.ambiguous(entries.iter().filter_map(|entry| self.entry(*entry)));
        }
        let meant: Vec<Vec<Meant>> = words.iter().map(|word| self.meant(word)).collect();
        if let Some(matches) = self.decide(self.fits(&meant)) {
            return matches;
        }
        let misspelled = self.misspelled(&join(&words));
        if !misspelled.is_empty() {
            return self.ambiguous(misspelled.into_iter());
        }
        Matches::None {
            nearest: self.nearest(&join(&words), &meant),
        }
    }

    fn same(&self, phrase: &str) -> Option<Matches<'_>> {
        let phrase = phrase.trim();
        let names = self.folded.get(&fold(phrase))?;
        let all = || names.iter().map(|name| self.name(*name));
        if let Some(identical) = all().find(|name| *name == phrase) {
            return Some(Matches::Exact(identical));
        }
        Some(match names.as_slice() {
            [only] => Matches::Exact(self.name(*only)),
            _ => Matches::Several(all().take(Self::MOST_CANDIDATES).collect()),
        })
    }

    /// What a word may stand for: itself, if it is known, and what resembles it, because the form
    /// that one name has is often not the form another one has.
    fn meant(&self, word: &str) -> Vec<Meant> {
        let known = self.vocabulary.get(word);
        let mut meant: Vec<Meant> = known.into_iter().collect();
        meant.extend(self.vocabulary.meant(word));
        meant
    }

    /// The entries that have all the words, or what each may stand for.
    fn fits(&self, phrase: &[Vec<Meant>]) -> Vec<Fit> {
        let rarest = phrase.iter().min_by_key(|meant| {
            meant
                .iter()
                .map(|one| self.posted(one.word).len())
                .sum::<usize>()
        });
        let mut seen = HashSet::new();
        rarest
            .into_iter()
            .flatten()
            .flat_map(|meant| self.posted(meant.word))
            .filter(|entry| seen.insert(**entry))
            .filter_map(|id| self.entry(*id)?.fit(*id, phrase))
            .collect()
    }

    /// One name, or several; nothing for no fits.
    fn decide(&self, mut fits: Vec<Fit>) -> Option<Matches<'_>> {
        fits.sort_by_cached_key(|fit| self.rank(fit));
        let mut names = HashSet::new();
        fits.retain(|fit| {
            self.entry(fit.entry)
                .is_some_and(|entry| names.insert(entry.name))
        });
        let (first, rest) = fits.split_first()?;
        let name = self.name_of(first);
        let best_of_all = rest.iter().all(|other| {
            other.quality < first.quality || (!other.whole && other.quality == first.quality)
        });
        if rest.is_empty() || first.whole && best_of_all || self.is_base_of(first, rest) {
            return Some(Matches::Clear(name));
        }
        Some(Matches::Several(
            fits.iter()
                .take(Self::MOST_CANDIDATES)
                .map(|fit| self.name_of(fit))
                .collect(),
        ))
    }

    /// Whether the phrase ends the first name and all others only add to it: `sales` means
    /// `fact_sales` where the other one is `fact_sales_line`.
    fn is_base_of(&self, first: &Fit, others: &[Fit]) -> bool {
        first.in_order
            && first.left_over == 0
            && self.entry(first.entry).is_some_and(|base| {
                others.iter().all(|other| {
                    other.left_over > 0
                        && self
                            .entry(other.entry)
                            .is_some_and(|entry| entry.words.starts_with(&base.words))
                })
            })
    }

    fn rank(&self, fit: &Fit) -> impl Ord + use<> {
        let name = self.name_of(fit);
        (
            Reverse(fit.whole),
            Reverse(fit.quality),
            fit.left_over,
            Reverse(fit.in_order),
            name.len(),
            name.to_owned(),
        )
    }

    fn ambiguous<'a>(&'a self, entries: impl Iterator<Item = &'a Entry>) -> Matches<'a> {
        let mut names: Vec<&str> = entries.map(|entry| self.name(entry.name)).collect();
        names.sort_unstable_by_key(|name| (name.len(), *name));
        names.dedup();
        names.truncate(Self::MOST_CANDIDATES);
        match names.as_slice() {
            [only] => Matches::Clear(only),
            _ => Matches::Several(names),
        }
    }

    fn posted(&self, word: u32) -> &[u32] {
        self.postings.get(index(word)).map_or(&[], Vec::as_slice)
    }

    fn entry(&self, id: u32) -> Option<&Entry> {
        self.entries.get(index(id))
    }

    fn name(&self, id: u32) -> &str {
        self.texts.get(index(id)).map_or("", |name| name)
    }

    fn name_of(&self, fit: &Fit) -> &str {
        self.entry(fit.entry)
            .map_or("", |entry| self.name(entry.name))
    }
}

/// The words without gaps, each in singular: `goodsreceipt` is how some write `goods_receipt`.
fn join(words: &[String]) -> String {
    words.iter().map(|word| singular(word)).collect()
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn index(id: u32) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
