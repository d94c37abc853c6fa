use super::number;
use crate::matching::vocabulary::Meant;

/// One way to say a name: the name itself, or one of its other names.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: u32,
    pub(super) words: Box<[u32]>,
    /// How many of the words only lead.
    pub(super) leading: usize,
    /// Another name counts only as a whole: `objednávky` is not the one word of `položka
    /// objednávky` that it is.
    pub(super) synonym: bool,
}

/// How well an entry fits a phrase.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    pub(super) entry: u32,
    /// Nothing but leading words is left over.
    pub(super) whole: bool,
    pub(super) quality: u32,
    pub(super) in_order: bool,
    pub(super) left_over: usize,
}

// === impl Entry ===

impl Entry {
    /// The words that tell this name from others.
    pub(super) fn telling(&self) -> &[u32] {
        self.words.get(self.leading..).unwrap_or_default()
    }

    pub(super) fn tells(&self, word: u32) -> bool {
        self.telling().contains(&word)
    }

    /// How the entry fits a phrase; not at all if a word of the phrase is missing.
    pub(super) fn fit(&self, id: u32, phrase: &[Vec<Meant>]) -> Option<Fit> {
        let mut places = Vec::with_capacity(phrase.len());
        let mut quality = 0;
        for meant in phrase {
            let best = meant
                .iter()
                .filter_map(|meant| {
                    let place = self.words.iter().position(|word| *word == meant.word)?;
                    Some((meant.quality, place))
                })
                .max_by_key(|(quality, _)| *quality)?;
            quality += best.0;
            places.push(best.1);
        }
        // The words of the phrase that tell; those that only lead, as in `fact purchase order`,
        // come before them.
        let telling: Vec<usize> = places
            .iter()
            .copied()
            .skip_while(|place| *place < self.leading)
            .collect();
        let whole = telling.iter().copied().eq(self.leading..self.words.len());
        if self.synonym && !whole {
            return None;
        }
        let in_order = places.is_sorted();
        let left_over = self
            .words
            .len()
            .saturating_sub(places.last().map_or(0, |place| place + 1));
        Some(Fit {
            entry: id,
            whole,
            quality: quality / number(phrase.len()).max(1),
            in_order,
            left_over,
        })
    }
}
