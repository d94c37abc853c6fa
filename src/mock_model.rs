//! A model that is none: a server that speaks chat completions and messages, honestly or with one of the faults real
//! servers have. Operators rehearse with it, tests measure against it. `mock_model/format.md` describes its cases.
//!
//! It writes HTTP/1.1 itself: a library that serves HTTP well keeps exactly those promises that are broken here on purpose,
//! down to the single byte and the reset of a connection.

mod asked;
mod case;
mod cases;
mod connection;
mod dialect;
mod honest;
mod http;
mod player;
mod wire;

use std::net::SocketAddr;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use asked::Asked;
pub use case::{Call, Case, Entry, Reason, Shape, Then, To};
pub use cases::{Cases, CasesError};

/// Most connections at a time; more of them wait.
const CONNECTIONS: u32 = 256;
/// How long nothing is accepted after the system could not open a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is played.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// What can be played. A request names one of them as its model.
    pub cases: Cases,
    /// The case that is played whatever a request names.
    pub always: Option<Arc<str>>,
    /// Who is told of what happens. Whoever reads too slowly misses some of it.
    pub observer: Option<mpsc::Sender<Notice>>,
}

/// When it stops.
#[derive(Debug, Clone)]
pub struct Stop {
    /// Nothing is accepted any more.
    pub draining: CancellationToken,
    /// Replies end in their middle.
    pub stopped: CancellationToken,
}

/// Something that happened, for tests.
#[derive(Debug, Clone)]
pub enum Notice {
    /// A request was read.
    Asked(Asked),
    /// A client closed its connection before its reply was over.
    Left,
}

/// A running mock model.
#[derive(Debug)]
pub struct MockModel {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

/// The server cannot start. The operator's business.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nobody but this machine is to rehearse with it.
    #[error("{0} is not on this machine: a mock model listens on 127.0.0.1 or [::1] only")]
    NotLocal(SocketAddr),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {cause}; choose another address with --listen HOST:PORT")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
    /// The case that is always to be played is none.
    #[error("there is no case `{0}`: `dragoman mock-model --list` names them all")]
    NoSuchCase(Arc<str>),
}

#[derive(Debug)]
struct Shared {
    config: Config,
    /// Whose turn it is, for each case.
    turns: Mutex<cases::Turns>,
    /// Makes the ids of answers and calls differ.
    answers: AtomicUsize,
    connections: Arc<Semaphore>,
    stop: Stop,
}

// === impl MockModel ===

impl MockModel {
    /// Listens on `address`, which is one of this machine, and answers until told to `stop`. Everything runs in `tasks`.
    pub async fn start(
        address: SocketAddr,
        config: Config,
        stop: Stop,
        tasks: &TaskTracker,
    ) -> Result<Self, StartError> {
        if !address.ip().is_loopback() {
            return Err(StartError::NotLocal(address));
        }
        if let Some(name) = &config.always
            && config.cases.get(name).is_none()
        {
            return Err(StartError::NoSuchCase(Arc::clone(name)));
        }
        let failed = |cause| StartError::Listen { address, cause };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            config,
            turns: Mutex::default(),
            answers: AtomicUsize::new(0),
            connections: Arc::new(Semaphore::new(CONNECTIONS as usize)),
            stop,
        });
        let accepting = accept(listener, Arc::clone(&shared), tasks.clone());
        tasks.spawn(accepting);
        Ok(Self { address, shared })
    }

    /// Resolves when no reply is being played.
    pub async fn idle(&self) {
        let all = self.shared.connections.acquire_many(CONNECTIONS).await;
        drop(all);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, tasks: TaskTracker) {
    let draining = shared.stop.draining.clone();
    loop {
        let next = async {
            let permit = Arc::clone(&shared.connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, stream): (_, TcpStream) = match draining.run_until_cancelled(next).await {
            // The semaphore is never closed.
            None | Some((Err(_), _)) => return,
            Some((Ok(permit), Ok((stream, _)))) => (permit, stream),
            Some((Ok(_), Err(error))) => {
                // Out of file descriptors, most likely: to ask again at once would be a busy loop.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let shared = Arc::clone(&shared);
        tasks.spawn(async move {
            connection::serve(&shared, stream).await;
            drop(permit);
        });
    }
}
