//! Feeds of a store that several processes share: what is heard of a session is believed only if it fits what is known.

use crate::chat::{Cursor, Fingerprint, TraceId, TurnId};
use crate::mutant::{self, Mutant};
use crate::store::request::Head;

use super::{Feed, Live, Published, Running, VecDeque};

/// What became of something that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Heard {
    /// It fits, and followers see it.
    Taken,
    /// It is known.
    Old,
    /// It does not fit: the store has to be asked.
    Doubt,
}

/// What the store says about a session.
#[derive(Debug, Clone)]
pub(in crate::store) struct Told {
    pub(in crate::store) head: Head,
    /// The running turn's text and trace.
    pub(in crate::store) text: String,
    pub(in crate::store) trace: TraceId,
    /// True if the session was erased not long ago.
    pub(in crate::store) erased: bool,
}

// === impl Feed ===

impl Feed {
    /// An event was published, whose predecessor has the fingerprint `before`.
    pub(in crate::store) fn hear_event(
        &self,
        published: &Published,
        before: Option<&Fingerprint>,
    ) -> Heard {
        let seq = published.event.seq;
        // Looked at and changed under one lock: whoever asks the store learns at the same time.
        self.change(|live| {
            if seq == live.end && live.end_print == Some(published.event.fingerprint()) {
                return Heard::Old;
            }
            // Who is about to learn what there is will learn of this one too.
            if !live.known {
                return Heard::Doubt;
            }
            let fits = seq == live.end + 1 && before == live.end_print.as_ref();
            if !fits && !mutant::is(Mutant::NoGapCheck) {
                return Heard::Doubt;
            }
            live.publish(published);
            Heard::Taken
        })
    }

    /// Text of the running turn was published, with `offset` bytes before it.
    pub(in crate::store) fn hear_text(&self, turn: TurnId, offset: usize, delta: &str) -> Heard {
        self.change(|live| {
            let Some(running) = live.running_turn(turn) else {
                return Heard::Doubt;
            };
            let length = running.text.len();
            let new = if mutant::is(Mutant::NoGapCheck) {
                Some(delta)
            } else if offset.saturating_add(delta.len()) <= length {
                return Heard::Old;
            } else {
                // `None` is a hole, or a text that is not the one known here.
                length
                    .checked_sub(offset)
                    .and_then(|known| delta.get(known..))
            };
            let Some(new) = new else {
                return Heard::Doubt;
            };
            running.text.push_str(new);
            Heard::Taken
        })
    }

    /// Where the log ends as far as is known, to be asked about.
    pub(in crate::store) fn known_end(&self) -> Cursor {
        let live = self.live();
        Cursor {
            seq: live.end,
            fingerprint: live.end_print.clone(),
        }
    }

    /// Takes what the store says: it was asked for with `asked`, the end that was known then. False if something was
    /// heard meanwhile, so that it has to be asked again.
    pub(in crate::store) fn learn(&self, asked: &Cursor, told: &Told) -> bool {
        self.change(|live| live.learn(asked, told))
    }

    /// Nothing is heard any more until further notice.
    pub(in crate::store) fn forget(&self) {
        self.live().known = false;
    }
}

// === impl Told ===

impl Told {
    /// True if the event that was asked about is still in the log.
    fn has(&self, asked: &Cursor) -> bool {
        let at = self.head.at.as_ref();
        asked.seq == 0 || at.and_then(|at| at.fingerprint.as_ref()) == asked.fingerprint.as_ref()
    }
}

// === impl Live ===

impl Live {
    /// True once the feed knows what the session is.
    pub(in crate::store) fn is_known(&self) -> bool {
        self.known
    }

    /// Changes when followers have to look whether their position is still in the log.
    pub(in crate::store) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// What is known, as the store would say it.
    pub(in crate::store) fn head(&self) -> Head {
        let end = Cursor {
            seq: self.end,
            fingerprint: self.end_print.clone(),
        };
        Head {
            at: (self.end > 0).then(|| end.clone()),
            end,
            running: self.running.as_ref().map(|running| running.turn),
        }
    }

    fn learn(&mut self, asked: &Cursor, told: &Told) -> bool {
        if !self.is_at(asked) {
            return false;
        }
        let head = &told.head;
        let mut same = told.has(asked);
        if !same && told.erased {
            // Nobody was listening when that was said.
            self.end_keeper(|turn| head.running != Some(turn));
            self.erase();
            same = true;
        }
        if !same {
            self.epoch = self.epoch.wrapping_add(1);
        }
        if !same || head.end.seq != self.end {
            self.end = head.end.seq;
            self.end_print.clone_from(&head.end.fingerprint);
            self.caught_up = 0;
            self.recent = VecDeque::new();
            self.recent_bytes = 0;
        }
        self.known = true;
        self.learn_text(told, same);
        true
    }

    fn is_at(&self, asked: &Cursor) -> bool {
        self.end == asked.seq && self.end_print == asked.fingerprint
    }

    fn learn_text(&mut self, told: &Told, same: bool) {
        let Some(turn) = told.head.running else {
            self.running = None;
            return;
        };
        let text = told.text.as_str();
        match self.running_turn(turn) {
            // What was shown is not taken back: who runs the turn fills the store again.
            Some(running) if text.len() <= running.text.len() && same => {}
            Some(running) => text.clone_into(&mut running.text),
            None => {
                self.running = Some(Running {
                    turn,
                    trace: told.trace,
                    text: text.to_owned(),
                });
            }
        }
    }
}
