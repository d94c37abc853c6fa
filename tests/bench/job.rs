//! What the client process is asked to do, and what it answers: JSON on its command line and on its standard output.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// What to do with a server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Job {
    /// Where the server is.
    pub(crate) server: SocketAddr,
    /// Whose CPU and memory is read.
    pub(crate) processes: Vec<u32>,
    pub(crate) kind: Kind,
}

/// The kinds of load.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Many answers at a time.
    Stream {
        /// How many.
        active: usize,
        /// Connections that have had a turn and are silent meanwhile.
        held: usize,
    },
    /// Connections that have a turn each, so many at a time, and are silent then.
    Hold { connections: usize, at_once: usize },
    /// Short questions, one after the other.
    FirstPartial { questions: usize },
    /// One long answer, with and without the subprotocol for deltas.
    Answer { deltas: bool },
}

/// What the client saw.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Partials, of all connections, in the measured time.
    pub(crate) partials: u64,
    /// Bytes of WebSocket frames in that time.
    pub(crate) bytes: u64,
    /// How long that was.
    pub(crate) seconds: f64,
    /// CPU seconds of each process in that time.
    pub(crate) cpu: Vec<f64>,
    /// Time from each question to its first partial, in milliseconds.
    pub(crate) first_partial: Vec<f64>,
    /// Resident memory of each process before anything was connected, in KiB.
    pub(crate) resident_before: Vec<u64>,
    /// With everything connected.
    pub(crate) resident_connected: Vec<u64>,
    /// After the turns, in silence.
    pub(crate) resident_after: Vec<u64>,
}
