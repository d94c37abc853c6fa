//! Models over HTTP: one request, answered by a stream of server-sent events, with deadlines, caps and retries.
//!
//! What the events mean is the business of who asks: this knows HTTP, and what its failures mean for a model.

mod exchange;
mod failure;
mod retries;
mod sse;

use std::time::Duration;

use http::HeaderMap;
use reqwest::redirect::Policy;

use super::BuildError;

pub(super) use exchange::Exchange;
pub(super) use failure::{Failure, Peer, in_band};
pub(super) use retries::Retries;
pub(super) use sse::Event;

/// How long each part of a request may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    /// Until there is a connection.
    pub(super) connect: Duration,
    /// From sending the request to the headers of its answer.
    pub(super) header: Duration,
    /// Between two pieces of the answer, keep-alive comments included.
    pub(super) idle: Duration,
    /// All of it, with retries and the pauses between them.
    pub(super) total: Duration,
}

/// What a client is made for.
#[derive(Debug)]
pub(super) struct Setup {
    /// Where requests go, with path and query.
    pub(super) url: String,
    /// Sent with every request. The sensitive ones among them are marked so.
    pub(super) headers: HeaderMap,
    /// How long it may take.
    pub(super) timeouts: Timeouts,
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
            .connect_timeout(setup.timeouts.connect)
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
    pub(super) fn timeouts(&self) -> &Timeouts {
        &self.setup.timeouts
    }
}
