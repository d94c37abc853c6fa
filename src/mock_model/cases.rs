use std::collections::{BTreeMap, HashMap};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::case::{Case, Entry, Then, To};

/// What every mock model can play.
const BUILT_IN: &str = include_str!("cases.json");
/// Largest file, in bytes.
const FILE_BYTES: u64 = 4 << 20;
/// Longest text in one piece, in bytes.
const LETTERS: usize = 64 << 20;
/// Longest pause, in milliseconds.
const PAUSE_MS: u64 = 3_600_000;
/// Most calls of one entry.
const CALLS: u32 = 10_000;

/// Cases by name.
#[derive(Debug, Clone, Default)]
pub struct Cases(Arc<BTreeMap<String, Arc<Case>>>);

/// Cases that cannot be played: the fault of who wrote or named the file.
#[derive(Debug, thiserror::Error)]
pub enum CasesError {
    /// The file cannot be read.
    #[error("cannot read the cases {}: {cause}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is too big.
    #[error("the cases {} are larger than {} MiB", path.display(), FILE_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not in the format.
    #[error("the cases {} are not in the format of cases: {cause}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What was found, with line and column.
        cause: serde_json::Error,
    },
    /// A case says something that cannot be played.
    #[error("the cases {}: {problem}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where, what is wrong, and what would be right.
        problem: String,
    },
}

/// How many requests of each case were replied to.
#[derive(Debug, Default)]
pub(super) struct Turns(HashMap<String, usize>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    cases: BTreeMap<String, Case>,
}

// === impl Cases ===

impl Cases {
    /// Those that are built in.
    pub fn built_in() -> Result<Self, CasesError> {
        static CASES: OnceLock<Cases> = OnceLock::new();
        if let Some(cases) = CASES.get() {
            return Ok(cases.clone());
        }
        let cases = Self::parse(Path::new("built in"), BUILT_IN.as_bytes())?;
        Ok(CASES.get_or_init(|| cases).clone())
    }

    /// These, and those of a file, which count more.
    pub fn with_file(&self, path: &Path) -> Result<Self, CasesError> {
        let path_of = || path.to_owned();
        let failed = |cause| CasesError::Read {
            path: path_of(),
            cause,
        };
        let mut text = Vec::new();
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(FILE_BYTES + 1)
            .read_to_end(&mut text)
            .map_err(failed)?;
        if text.len() as u64 > FILE_BYTES {
            return Err(CasesError::TooLarge { path: path_of() });
        }
        let more = Self::parse(path, &text)?;
        let all = self.0.iter().chain(more.0.iter());
        let all = all.map(|(name, case)| (name.clone(), Arc::clone(case)));
        Ok(Self(Arc::new(all.collect())))
    }

    /// One case, by whatever name.
    pub fn of(name: &str, case: Case) -> Self {
        Self(Arc::new(BTreeMap::from([(
            name.to_owned(),
            Arc::new(case),
        )])))
    }

    /// The names, each with what it is about.
    pub fn list(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter();
        all.map(|(name, case)| (name.as_str(), case.about.as_str()))
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<Case>> {
        self.0.get(name).cloned()
    }

    fn parse(path: &Path, text: &[u8]) -> Result<Self, CasesError> {
        let file: File = serde_json::from_slice(text).map_err(|cause| CasesError::Format {
            path: path.to_owned(),
            cause,
        })?;
        let mut cases = BTreeMap::new();
        for (name, case) in file.cases {
            check(&name, &case).map_err(|problem| CasesError::Invalid {
                path: path.to_owned(),
                problem,
            })?;
            cases.insert(name, Arc::new(case));
        }
        Ok(Self(Arc::new(cases)))
    }
}

/// What is wrong with a case that is in the format.
fn check(name: &str, case: &Case) -> Result<(), String> {
    if case.replies.is_empty() {
        return Err(format!(
            "{name}.replies is empty: give at least one reply, such as [\"honest\"]"
        ));
    }
    for (reply, entries) in case.replies.iter().enumerate() {
        for (at, entry) in entries.iter().enumerate() {
            let place = format!("{name}.replies[{reply}][{at}]");
            let is_last = at + 1 == entries.len();
            check_entry(entry, is_last).map_err(|problem| format!("{place}: {problem}"))?;
        }
    }
    Ok(())
}

fn check_entry(entry: &Entry, is_last: bool) -> Result<(), String> {
    let pause = match entry {
        Entry::DelayMs(pause) => *pause,
        Entry::Repeat {
            text,
            times: None,
            pause_ms,
        } if text.is_empty() => {
            return Err(format!(
                "the text is empty and repeated for ever, every {pause_ms} ms: say something"
            ));
        }
        Entry::Repeat { pause_ms, .. } | Entry::Comment { pause_ms, .. } => *pause_ms,
        _ => 0,
    };
    let calls = match entry {
        Entry::Call(call) => std::slice::from_ref(call),
        Entry::Calls { calls, .. } => calls,
        _ => &[],
    };
    if pause > PAUSE_MS {
        return Err(format!(
            "{pause} ms is too long: at most {PAUSE_MS}, one hour"
        ));
    }
    if calls
        .iter()
        .any(|call| call.times == 0 || call.times > CALLS)
    {
        return Err(format!("times is 1 to {CALLS}"));
    }
    if calls
        .iter()
        .any(|call| call.raw_arguments.is_some() && !call.arguments.is_empty())
    {
        return Err("give arguments or raw_arguments, not both".to_owned());
    }
    match entry {
        Entry::Letters(count) if *count > LETTERS => {
            Err(format!("{count} letters are too many: at most {LETTERS}"))
        }
        Entry::Refuse { headers, .. } | Entry::Body { headers, .. }
            if headers
                .iter()
                .any(|(name, value)| !is_line(name) || !is_line(value)) =>
        {
            Err("a header is printable ASCII, on one line".to_owned())
        }
        Entry::Refuse { status, .. } | Entry::Body { status, .. }
            if !(200..600).contains(status) =>
        {
            Err(format!("{status} is no status: write one of 200 to 599"))
        }
        Entry::Honest | Entry::Refuse { .. } | Entry::Body { .. } if !is_last => {
            Err("this is a whole answer: let nothing follow it".to_owned())
        }
        Entry::End(_)
        | Entry::Fail { .. }
        | Entry::Drop
        | Entry::Reset
        | Entry::Hang
        | Entry::EndlessEvent
            if !is_last =>
        {
            Err("nothing can follow this: make it the last entry".to_owned())
        }
        _ => Ok(()),
    }
}

fn is_line(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

// === impl Turns ===

impl Turns {
    /// The number of the reply a request gets, `None` if it gets the honest answer.
    pub(super) fn next(&mut self, name: &str, case: &Case, is_question: bool) -> Option<usize> {
        if case.to == To::Questions && !is_question {
            return None;
        }
        // As many names as there are cases: nobody else's is asked for.
        let turn = self.0.entry(name.to_owned()).or_default();
        let reply = match case.then {
            Then::First => *turn % case.replies.len().max(1),
            Then::Last => (*turn).min(case.replies.len().saturating_sub(1)),
        };
        *turn = turn.wrapping_add(1);
        Some(reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(case: &str) -> String {
        let text = format!("{{\"cases\": {{\"a\": {case}}}}}");
        let error = Cases::parse(Path::new("cases.json"), text.as_bytes()).unwrap_err();
        error.to_string()
    }

    #[test]
    fn what_is_built_in_can_be_played() {
        let cases = Cases::built_in().unwrap();
        assert!(cases.list().count() > 50);
        assert!(
            cases
                .list()
                .all(|(_, about)| about.len() > 10 && about.len() < 90)
        );
    }

    #[test]
    fn what_cannot_be_played_is_refused_with_its_place() {
        let reply =
            |entries: &str| problem(&format!("{{\"about\": \"\", \"replies\": [{entries}]}}"));
        for (entries, words) in [
            ("", "a.replies is empty: give at least one reply"),
            ("[{\"txt\": \"a\"}]", "unknown variant `txt`"),
            (
                "[{\"call\": {\"name\": \"a\", \"args\": {}}}]",
                "unknown field `args`",
            ),
            (
                "[\"honest\", \"hang\"]",
                "a.replies[0][0]: this is a whole answer",
            ),
            (
                "[], [\"hang\", \"reset\"]",
                "a.replies[1][0]: nothing can follow this",
            ),
            (
                "[{\"delay_ms\": 3600001}]",
                "a.replies[0][0]: 3600001 ms is too long",
            ),
            ("[{\"letters\": 99999999}]", "at most 67108864"),
            ("[{\"repeat\": {\"text\": \"\"}}]", "say something"),
            (
                "[{\"call\": {\"name\": \"a\", \"times\": 0}}]",
                "times is 1 to 10000",
            ),
            (
                "[{\"refuse\": {\"status\": 42, \"message\": \"\"}}]",
                "42 is no status",
            ),
            (
                "[{\"refuse\": {\"status\": 429, \"message\": \"\", \"headers\": {\"a\": \"b\\r\\nc\"}}}]",
                "a header is printable ASCII",
            ),
        ] {
            let problem = reply(entries);
            assert!(
                problem.contains(words) && problem.contains("cases.json"),
                "{problem}"
            );
        }
    }

    #[test]
    fn replies_come_in_turn_and_results_of_tools_are_answered_honestly() {
        let case = |to, then| Case {
            about: String::new(),
            replies: vec![vec![], vec![Entry::Hang]],
            to,
            then,
        };
        let turns = |case: &Case, is_question| {
            let mut turns = Turns::default();
            (0..4)
                .map(|_| turns.next("a", case, is_question))
                .collect::<Vec<_>>()
        };
        let again = case(To::Questions, Then::First);
        assert_eq!(turns(&again, true), [Some(0), Some(1), Some(0), Some(1)]);
        assert_eq!(turns(&again, false), [None; 4]);
        let last = case(To::Requests, Then::Last);
        assert_eq!(turns(&last, false), [Some(0), Some(1), Some(1), Some(1)]);
    }
}
