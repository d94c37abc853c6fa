//! Models over HTTP: one request, answered by a stream of server-sent events, with deadlines, caps and retries.
//!
//! What the events mean is the business of who asks: this knows HTTP, and what its failures mean for a model.

mod config;
mod exchange;
mod failure;
mod retries;
mod sse;

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Uri};
use reqwest::redirect::Policy;

use super::{BuildError, Secret, ServerAddress};

pub use config::Config;
pub(super) use exchange::Exchange;
pub(super) use failure::{Failure, Peer, in_band};
pub(super) use retries::Retries;
pub(super) use sse::Event;
#[cfg(fuzzing)]
pub(super) use sse::Reader;

/// How long each part of a request may take, and how often it is sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until there is a connection.
    pub(super) connect: Duration,
    /// From sending the request to the headers of its answer.
    pub(super) header: Duration,
    /// Between two pieces of the answer, keep-alive comments included.
    pub(super) idle: Duration,
    /// All of it, with retries and the pauses between them.
    pub(super) total: Duration,
    /// How often it is sent again.
    pub(super) retries: usize,
    /// The longest pause before that.
    pub(super) retry_pause: Duration,
}

/// What a client is made for.
#[derive(Debug)]
pub(super) struct Setup {
    /// Where requests go, with path and query.
    pub(super) url: String,
    /// Sent with every request. The sensitive ones among them are marked so.
    pub(super) headers: HeaderMap,
    /// How long it may take.
    pub(super) patience: Patience,
    /// Whom messages speak of.
    pub(super) peer: Peer,
}

/// Connections to one model. They are kept and used again.
#[derive(Debug)]
pub(super) struct Client {
    client: reqwest::Client,
    setup: Setup,
}

// === impl Client ===

impl Client {
    /// A client of one address. Opens no connection yet.
    pub(super) fn new(setup: Setup) -> Result<Self, BuildError> {
        // Two crypto providers could be compiled in one day: say which one, once. An error means that it has been said.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(setup.patience.connect)
            // The key is for one address only, and a redirected POST loses its body.
            .redirect(Policy::none())
            .user_agent(concat!("dragoman/", env!("CARGO_PKG_VERSION")));
        if setup.peer.is_local() {
            builder = builder.no_proxy();
        }
        if setup.url.starts_with("http://") {
            // Nothing is verified, so a system without certificates will do.
            builder = builder.tls_certs_only([]);
        }
        match builder.build() {
            Ok(client) => Ok(Self { client, setup }),
            Err(error) => Err(BuildError::Client(failure::root_cause(&error))),
        }
    }

    /// Whom this client speaks to.
    pub(super) fn peer(&self) -> &Peer {
        &self.setup.peer
    }

    /// How long a request may take.
    pub(super) fn patience(&self) -> &Patience {
        &self.setup.patience
    }
}

/// The server of a URL that ends before the path of an API; `section` is where the URL is configured.
pub(super) fn server_of(
    base_url: &str,
    section: &'static str,
) -> Result<ServerAddress, BuildError> {
    let wrong = || BuildError::Url { section };
    let uri: Uri = base_url.parse().map_err(|_| wrong())?;
    let usual_port = if uri.scheme_str() == Some("http") {
        80
    } else {
        443
    };
    Ok(ServerAddress {
        address: uri.host().ok_or_else(wrong)?.to_ascii_lowercase(),
        port: uri.port_u16().unwrap_or(usual_port),
    })
}

/// A header that holds `key` after `scheme`, which may be empty; `section` is where the key is configured.
pub(super) fn key_header(
    scheme: &str,
    key: &Secret,
    section: &'static str,
) -> Result<HeaderValue, BuildError> {
    let mut value = HeaderValue::from_str(&format!("{scheme}{}", key.expose()))
        .map_err(|_| BuildError::Key { section })?;
    value.set_sensitive(true);
    Ok(value)
}
