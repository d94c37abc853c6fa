use std::fmt::Write as _;

use super::asked::Asked;
use super::case::{Call, Entry};

/// Pause between two words, in milliseconds: slow enough to be seen.
const PAUSE_MS: u64 = 15;
/// How much of a text is repeated, in characters.
const SHOWN: usize = 200;
/// How many results are told of.
const RESULTS: usize = 3;

/// What a small honest model answers: it calls the first tool that wants no arguments, then tells what it was asked and
/// what the tools answered. Nothing it says is clever, and all of it is true.
pub(super) fn answer(asked: &Asked) -> Vec<Entry> {
    let conversation = asked.dialect.conversation(&asked.body);
    if let (Some(tool), true) = (&conversation.tool, conversation.results.is_empty()) {
        let call = Call {
            name: tool.clone(),
            arguments: std::collections::BTreeMap::new(),
            raw_arguments: None,
            id: None,
            times: 1,
        };
        return vec![Entry::Call(call)];
    }
    let asked = shown(&conversation.question);
    let mut text = format!("I am a mock model, and was asked: \u{201c}{asked}\u{201d}.");
    for result in conversation.results.iter().take(RESULTS) {
        let (length, begin) = (result.chars().count(), shown(result).replace('`', "'"));
        // Writing to a text does not fail.
        let _ = write!(
            text,
            "\n\nA tool answered {length} characters, which begin with `{begin}`."
        );
    }
    if let more @ 1.. = conversation.results.len().saturating_sub(RESULTS) {
        let _ = write!(text, "\n\n{more} more tools answered.");
    }
    let words = text.split_inclusive(' ');
    let entries = words.flat_map(|word| [Entry::DelayMs(PAUSE_MS), Entry::Text(word.to_owned())]);
    entries.collect()
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
