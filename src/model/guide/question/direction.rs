//! Which way a question about lineage looks. "What depends on X" and "what does X depend on" differ
//! in word order only.

use super::super::lexicon::Concept;
use super::{Direction, Tokens};

impl Tokens<'_> {
    /// Lineage said in words that can mean nothing else.
    pub(super) fn strong_lineage(&self) -> Option<Direction> {
        let directed = match (self.has(Concept::Upstream), self.has(Concept::Downstream)) {
            (true, true) => Some(Direction::Both),
            (true, false) => Some(Direction::Up),
            (false, true) => Some(Direction::Down),
            (false, false) => None,
        };
        if directed.is_some() {
            return directed;
        }
        if self.has(Concept::Impact) {
            return Some(Direction::Down);
        }
        if let Some(verb) = self.at(Concept::Effect) {
            return Some(if self.has(Concept::Change) {
                Direction::Down
            } else {
                // "What feeds X" asks for what comes before X, "what does X feed" for what comes
                // after.
                self.towards(verb, Direction::Up)
            });
        }
        if self.has(Concept::WhereFrom) {
            return Some(Direction::Up);
        }
        if let Some(verb) = self.at(Concept::Origin) {
            let asks_up = self.has_any(&[Concept::Where, Concept::How]) || !self.has_subject();
            return Some(if asks_up {
                Direction::Up
            } else {
                flip_if(self.is_object(verb), Direction::Up)
            });
        }
        self.has(Concept::Lineage).then_some(Direction::Both)
    }

    /// Lineage said in words that are used for much else.
    pub(super) fn weak_lineage(&self) -> Option<Direction> {
        if let Some(verb) = self.at(Concept::Depend) {
            return Some(flip_if(self.is_object(verb), Direction::Up));
        }
        if let Some(verb) = self.at(Concept::Used).filter(|_| self.has_subject()) {
            let by_it = self.has(Concept::By) && self.subject_follows(verb);
            return Some(flip_if(!by_it, Direction::Up));
        }
        if let Some(verb) = self.at(Concept::Use).filter(|_| self.has_subject()) {
            let down = self.has(Concept::Where) || self.subject_follows(verb);
            return Some(flip_if(down, Direction::Up));
        }
        if self.has(Concept::Change) && !self.has(Concept::When) {
            return Some(Direction::Down);
        }
        (self.has(Concept::Source) && self.has_subject() && !self.has(Concept::List))
            .then_some(Direction::Up)
    }

    pub(super) fn has_lineage_noun(&self) -> bool {
        self.has_any(&[Concept::Lineage, Concept::Upstream, Concept::Downstream])
    }

    /// `active` if the subject follows the verb at `verb`, as in "what references X", and the other
    /// way if it stands before it; a passive turns both round.
    pub(super) fn towards(&self, verb: usize, active: Direction) -> Direction {
        let passive = self.has(Concept::By);
        flip_if(self.subject_follows(verb) == passive, active)
    }

    /// Whether what is named is what others come from or depend on. English says it by the order of
    /// words; Slovak and Czech, where the order is free, by a preposition: "čo závisí od X", "na
    /// X".
    fn is_object(&self, verb: usize) -> bool {
        if self.english {
            return self.subject_follows(verb);
        }
        self.mentions
            .iter()
            .any(|mention| matches!(mention.after, Some(Concept::In | Concept::Onto)))
    }
}

fn flip_if(flip: bool, direction: Direction) -> Direction {
    match (flip, direction) {
        (false, same) => same,
        (true, Direction::Up) => Direction::Down,
        (true, Direction::Down) => Direction::Up,
        (true, Direction::Both) => Direction::Both,
    }
}
