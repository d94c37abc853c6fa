use super::mermaid::{self, Limits};
use super::seen::Seen;

/// More than this nobody can read.
const LIMITS: Limits = Limits {
    tables: 30,
    columns: 40,
    relationships: 100,
};

/// The diagram of a turn, in at most so many bytes: of what has no room, less and less is drawn. `None` if there is
/// nothing to draw.
pub(super) fn fitting(seen: &Seen<'_>, bytes: usize) -> Option<String> {
    if seen.tables.is_empty() {
        return None;
    }
    let mut limits = LIMITS;
    loop {
        let text = mermaid::write(seen, limits);
        if text.len() <= bytes {
            return Some(text);
        }
        limits = limits.smaller()?;
    }
}

// === impl Limits ===

impl Limits {
    fn smaller(self) -> Option<Self> {
        let half = |limit: usize| limit.div_ceil(2);
        (self.tables > 1 || self.columns > 1 || self.relationships > 1).then(|| Self {
            tables: half(self.tables),
            columns: half(self.columns),
            relationships: half(self.relationships),
        })
    }
}
