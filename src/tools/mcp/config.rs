//! Which servers there are, and what each may do.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderMap;

use crate::matching::Wildcard;
use crate::secret::Secret;

/// All servers, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// The servers. A name has letters, digits and `-`: it is the first part of the names of its tools.
    pub servers: BTreeMap<String, Server>,
    /// What the processes of servers are given of our environment.
    pub inherited: Inherited,
}

/// The only variables of our environment that a child process is given: to find programs, and their files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inherited {
    /// `PATH`.
    pub path: Option<OsString>,
    /// `HOME`.
    pub home: Option<OsString>,
}

/// One server. Either `url` or `command` is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where it is, if it speaks streamable HTTP; or empty.
    pub url: String,
    /// Sent as `Authorization: Bearer`.
    pub token: Option<Secret>,
    /// More headers for every request.
    pub headers: HeaderMap,
    /// The program to run, if it speaks over its standard input and output; or empty.
    pub command: PathBuf,
    /// What the program is given on its command line.
    pub args: Vec<String>,
    /// More variables for the program.
    pub env: Vec<(String, Secret)>,
    /// Patterns for the names of those of its tools that may be called, with `*` and `?`.
    pub tools: Vec<String>,
    /// Whether dragoman starts only if this server can be reached.
    pub required: bool,
    /// Longest time until it is connected and has told its tools.
    pub connect_timeout: Duration,
    /// Longest time one call may take.
    pub timeout: Duration,
    /// Longest result, in bytes.
    pub result_bytes: usize,
}

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Stdio,
    Http,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            url: String::new(),
            token: None,
            headers: HeaderMap::new(),
            command: PathBuf::new(),
            args: Vec::new(),
            env: Vec::new(),
            tools: Vec::new(),
            required: false,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            result_bytes: 64 * 1024,
        }
    }
}

// === impl Server ===

impl Server {
    pub(super) fn transport(&self) -> Transport {
        if self.url.is_empty() {
            Transport::Stdio
        } else {
            Transport::Http
        }
    }

    /// The host and port of its URL.
    pub(super) fn address(&self) -> Option<(String, u16)> {
        let url = reqwest::Url::parse(&self.url).ok()?;
        let port = url.port_or_known_default()?;
        Some((url.host_str()?.to_owned(), port))
    }

    /// Largest message that is read from this server, in bytes: JSON escapes may double a result, a structured one
    /// comes twice, and a list of tools needs room too.
    pub(super) fn message_bytes(&self) -> usize {
        const LEAST: usize = 1024 * 1024;
        self.result_bytes.saturating_mul(4).max(LEAST)
    }

    /// The tools that may be called. Patterns were checked when they were read.
    pub(super) fn allowed(&self) -> Vec<Wildcard> {
        let pattern = |text: &String| Wildcard::new(text).ok();
        self.tools.iter().filter_map(pattern).collect()
    }
}

/// Says why a text is no pattern for names of tools, if it is none.
pub fn check_pattern(text: &str) -> Result<(), String> {
    match Wildcard::new(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
