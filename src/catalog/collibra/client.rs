//! Requests to Collibra: signed in, few at a time, bounded, and sent again where that helps.

use std::collections::HashSet;
use std::error::Error as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tracing::{Instrument as _, Span};

use super::error::Problem;
use super::request::Request;
use super::sign_in::{Credentials, SignIn, Token};
use super::{Address, CollibraError, Config, answer};
use crate::backoff::{Backoff, retry_after};
use crate::telemetry::{context_of, spans};

/// Most requests at once: Collibra has no published limits, and people work on it.
const IN_FLIGHT: usize = 4;
/// Longest answer, in bytes.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// How much of a refusal is read, in bytes.
const REFUSAL_BYTES: usize = 64 * 1024;
/// The first pause before another attempt; the next ones double.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Most things that are remembered as said.
const MOST_TOLD: usize = 100;

/// A connection to one Collibra, which stays signed in.
#[derive(Debug)]
pub(in crate::catalog) struct Client {
    http: reqwest::Client,
    pub(super) address: Address,
    pub(super) config: Config,
    sign_in: SignIn,
    in_flight: Semaphore,
    /// What was said once, and need not be with every reading.
    told: Mutex<HashSet<String>>,
}

/// A request that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) problem: Problem,
    /// The token or the password was not accepted.
    is_unauthorized: bool,
    /// When the server wants to be asked again.
    retry_after: Option<Duration>,
}

// === impl Client ===

impl Client {
    /// A client of one server. Opens no connection yet.
    pub(in crate::catalog) fn new(
        address: &Address,
        config: &Config,
    ) -> Result<Self, CollibraError> {
        // Two crypto providers could be compiled in one day: say which one, once. An error means that it has been said.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let credentials =
            Credentials::of(config).ok_or_else(|| Problem::NoCredentials.of(address))?;
        let mut builder = reqwest::Client::builder()
            .connect_timeout(config.request_timeout)
            // What signs in is for one address only.
            .redirect(Policy::none())
            .user_agent(concat!("dragoman/", env!("CARGO_PKG_VERSION")));
        if address.is_local() {
            builder = builder.no_proxy();
        }
        if address.is_plain() {
            // Nothing is verified, so a system without certificates will do.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| {
            let cause = root_cause(&error);
            Problem::Client { cause }.of(address)
        })?;
        Ok(Self {
            http,
            address: address.clone(),
            config: config.clone(),
            sign_in: SignIn::new(credentials),
            in_flight: Semaphore::new(IN_FLIGHT),
            told: Mutex::default(),
        })
    }

    /// Asks, and reads the answer, which is JSON.
    pub(super) async fn json<T: DeserializeOwned>(&self, request: Request) -> Result<T, Problem> {
        let path = request.path;
        let body = self.call(request).await?;
        answer::json(path, &body)
    }

    /// True the first time something is to be said.
    pub(super) fn is_news(&self, text: &str) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < MOST_TOLD && told.insert(text.to_owned())
    }

    async fn call(&self, request: Request) -> Result<Vec<u8>, Problem> {
        let mut backoff = Backoff::new(
            FIRST_PAUSE.min(self.config.retry_pause),
            self.config.retry_pause,
        );
        let mut retries = self.config.retries;
        let mut signed_in_again = false;
        let mut attempt = 1;
        loop {
            let permit = self.in_flight.acquire().await;
            let done = self.signed_in(&request, attempt).await;
            drop(permit);
            let (failure, token) = match done {
                Ok(body) => return Ok(body),
                Err(failed) => failed,
            };
            attempt += 1;
            if failure.is_unauthorized && !signed_in_again {
                // A token ends before its time when somebody revokes it, or when clocks differ.
                if let Some(token) = token
                    && self.sign_in.forget(&token).await
                {
                    signed_in_again = true;
                    continue;
                }
            }
            if !failure.problem.is_transient() || retries == 0 {
                return Err(failure.problem);
            }
            retries -= 1;
            let pause = failure.retry_after.unwrap_or_else(|| backoff.pause());
            if pause > self.config.retry_pause {
                return Err(failure.problem);
            }
            tracing::info!(
                attempt,
                error.type = failure.problem.kind(),
                pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "Collibra is asked again"
            );
            sleep(pause).await;
        }
    }

    /// Sends a request once. What failed comes with the token that was used, if there was one.
    async fn signed_in(
        &self,
        request: &Request,
        attempt: i64,
    ) -> Result<Vec<u8>, (Failure, Option<Token>)> {
        let token = self.sign_in.token(self).await;
        let token = token.map_err(|failure| (failure, None))?;
        let done = self.attempt(request, Some(&token), attempt).await;
        done.map_err(|failure| (failure, Some(token)))
    }

    /// The same with this token; without one, as the request for it is sent.
    pub(super) async fn attempt(
        &self,
        request: &Request,
        token: Option<&Token>,
        attempt: i64,
    ) -> Result<Vec<u8>, Failure> {
        let server = (self.address.host(), self.address.port());
        let span = spans::http_client(request.method.as_str(), request.path, server, attempt);
        let limit = self.config.request_timeout;
        let exchange = self
            .exchange(request, token, &span)
            .instrument(span.clone());
        let done = timeout(limit, exchange).await.unwrap_or_else(|_| {
            let path = request.path;
            Err(Problem::Timeout { path, limit }.into())
        });
        if let Err(failure) = &done {
            spans::record_error(&span, failure.problem.kind(), "the request failed");
        }
        done
    }

    async fn exchange(
        &self,
        request: &Request,
        token: Option<&Token>,
        span: &Span,
    ) -> Result<Vec<u8>, Failure> {
        let path = request.path;
        let mut sending = self
            .http
            .request(request.method.clone(), self.address.at(&request.target))
            .header(header::ACCEPT, "application/json")
            .headers(trace_headers(span));
        if let Some((kind, body)) = &request.body {
            sending = sending
                .header(header::CONTENT_TYPE, *kind)
                .body(body.clone());
        }
        if let Some(token) = token {
            sending = token.authorize(sending);
        }
        let mut response = send(sending, path).await?;
        let status = response.status();
        spans::record_status(span, status.as_u16());
        let most = if status.is_success() {
            ANSWER_BYTES
        } else {
            REFUSAL_BYTES
        };
        let body = read(&mut response, path, most).await;
        if !status.is_success() {
            // The status says enough if the body does not come.
            let account = token.map_or("account", Token::settings);
            return Err(refusal(path, account, &response, &body.unwrap_or_default()));
        }
        let body = body?;
        if answer::is_page(response.headers(), &body) {
            let found = "a page for people, such as the one to sign in".to_owned();
            return Err(Problem::NotCollibra { found }.into());
        }
        Ok(body)
    }
}

async fn send(sending: RequestBuilder, path: &'static str) -> Result<Response, Failure> {
    sending.send().await.map_err(|error| {
        let cause = root_cause(&error);
        if error.is_connect() || error.is_timeout() {
            Problem::Unreachable { cause }.into()
        } else {
            Problem::Cut { path, cause }.into()
        }
    })
}

async fn read(
    response: &mut Response,
    path: &'static str,
    most: usize,
) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(bytes)) if body.len() + bytes.len() > most => {
                return Err(Problem::TooLarge { path, limit: most }.into());
            }
            Ok(Some(bytes)) => body.extend_from_slice(&bytes),
            Ok(None) => return Ok(body),
            Err(error) => {
                let cause = root_cause(&error);
                return Err(Problem::Cut { path, cause }.into());
            }
        }
    }
}

/// What a status other than success means.
fn refusal(path: &'static str, account: &'static str, response: &Response, body: &[u8]) -> Failure {
    let status = response.status();
    let said = answer::complaint(body);
    let problem = match status {
        StatusCode::UNAUTHORIZED => Problem::Credentials { what: account },
        StatusCode::FORBIDDEN => Problem::Forbidden { path },
        StatusCode::NOT_FOUND => Problem::Missing { path },
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Problem::Server {
            path,
            status: status.as_u16(),
            said,
        },
        status if status.is_server_error() => Problem::Server {
            path,
            status: status.as_u16(),
            said,
        },
        status if status.is_redirection() => Problem::NotCollibra {
            found: format!("a redirect (status {})", status.as_u16()),
        },
        status => Problem::Refused {
            path,
            status: status.as_u16(),
            said,
        },
    };
    Failure {
        problem,
        is_unauthorized: status == StatusCode::UNAUTHORIZED,
        retry_after: retry_after(response.headers()),
    }
}

fn trace_headers(span: &Span) -> HeaderMap {
    let trace = context_of(span);
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("traceparent", &trace.traceparent),
        ("tracestate", &trace.tracestate),
    ] {
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    headers
}

/// The last cause of an error: the one that says what the system said. It names no URL.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(next) = cause.and_then(std::error::Error::source) {
        cause = Some(next);
    }
    cause.map_or_else(|| "no cause given".to_owned(), ToString::to_string)
}

// === impl Failure ===

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            is_unauthorized: false,
            retry_after: None,
        }
    }
}
