//! The shape of a script file, as `src/model/scripted.md` documents it. What it says is checked in `script`.

use serde::Deserialize;
use serde_json::Value;

use crate::model::{End, ErrorKind};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) scenarios: Vec<FileScenario>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileScenario {
    pub(super) when: Option<When>,
    pub(super) steps: Vec<Vec<FileEntry>>,
    #[serde(default)]
    pub(super) repeat_last_step: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum When {
    Exact(String),
    Contains(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum FileEntry {
    Text(String),
    Pieces(Vec<String>),
    Cut(FileCut),
    Repeat(FileRepeat),
    DelayMs(u64),
    Call(FileCall),
    Usage(FileUsage),
    Error(FileError),
    End(FileEnd),
    Hang,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileCut {
    pub(super) text: String,
    pub(super) characters: usize,
    #[serde(default)]
    pub(super) pause_ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileRepeat {
    pub(super) text: String,
    pub(super) times: usize,
    #[serde(default)]
    pub(super) pause_ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileCall {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) arguments: Option<Value>,
    pub(super) raw_arguments: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileUsage {
    pub(super) input_tokens: u64,
    pub(super) output_tokens: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileError {
    pub(super) kind: ErrorKind,
    pub(super) message: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FileEnd {
    Stop,
    ToolCalls,
    Length,
}

// === impl FileEnd ===

impl From<FileEnd> for End {
    fn from(end: FileEnd) -> Self {
        match end {
            FileEnd::Stop => Self::Stop,
            FileEnd::ToolCalls => Self::ToolCalls,
            FileEnd::Length => Self::Length,
        }
    }
}
