//! What is said of a catalog that could not be read again.

use crate::model::guide::language::Language;
use crate::model::guide::markdown::text;
use crate::model::guide::turn::Turn;

/// The answer, with a word on its age if a tool said that it may be out of date.
pub(super) fn noted(turn: &Turn<'_>, language: Language, answer: String) -> String {
    let Some(as_of) = turn.stale_since() else {
        return answer;
    };
    let note = language.pick(
        "The catalog could not be read again and may be out of date. This is its state as of",
        "Katalóg sa nepodarilo znovu načítať a nemusí byť aktuálny. Toto je jeho stav k",
        "Katalog se nepodařilo znovu načíst a nemusí být aktuální. Toto je jeho stav k",
    );
    format!("{}\n\n{note} {}.", answer.trim_end(), text(&as_of))
}
