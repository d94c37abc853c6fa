//! Who dragoman is there: an OAuth client, whose token is kept while it is good, or a user with a password.
//!
//! The token comes from `POST /rest/oauth/v2/token`. No `scope` is sent: Collibra refuses those that it lists.

use std::fmt;
use std::time::Duration;

use reqwest::RequestBuilder;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::client::{Client, Failure};
use super::error::Problem;
use super::request::Request;
use super::{Config, answer};
use crate::secret::Secret;

const TOKEN_PATH: &str = "/rest/oauth/v2/token";
/// How long a token is good if its server does not say.
const USUAL_LIFE: u64 = 3_600;
/// How long before its end a token is not used any more, at most a tenth of its life.
const MARGIN: Duration = Duration::from_mins(1);

/// What proves who we are.
#[derive(Debug)]
pub(super) enum Credentials {
    /// OAuth 2.0 client credentials (RFC 6749, section 4.4).
    Client { id: String, secret: Secret },
    /// HTTP Basic (RFC 7617).
    User { name: String, password: Secret },
}

/// What goes with a request.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Token {
    Bearer(Secret),
    Basic { name: String, password: Secret },
}

/// Credentials, and the token they were exchanged for.
#[derive(Debug)]
pub(super) struct SignIn {
    credentials: Credentials,
    /// Held while a token is asked for, so that one is.
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    token: Token,
    until: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
}

// === impl Credentials ===

impl Credentials {
    /// The OAuth client, or the user; `None` if neither is complete.
    pub(super) fn of(config: &Config) -> Option<Self> {
        let filled = |text: &String| (!text.is_empty()).then(|| text.clone());
        let client = filled(&config.client_id).zip(config.client_secret.clone());
        let user = filled(&config.username).zip(config.password.clone());
        client
            .map(|(id, secret)| Self::Client { id, secret })
            .or_else(|| user.map(|(name, password)| Self::User { name, password }))
    }
}

// === impl SignIn ===

impl SignIn {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            kept: Mutex::new(None),
        }
    }

    /// What goes with the next request.
    pub(super) async fn token(&self, client: &Client) -> Result<Token, Failure> {
        let (id, secret) = match &self.credentials {
            Credentials::Client { id, secret } => (id, secret),
            Credentials::User { name, password } => {
                let (name, password) = (name.clone(), password.clone());
                return Ok(Token::Basic { name, password });
            }
        };
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| Instant::now() < kept.until) {
            return Ok(kept.token.clone());
        }
        let asked = Instant::now();
        let request = Request::post_form(
            TOKEN_PATH,
            &[
                ("grant_type", "client_credentials"),
                ("client_id", id),
                ("client_secret", secret.expose()),
            ],
        );
        let body = client.attempt(&request, None, 1).await.map_err(explained)?;
        let granted: Granted = answer::json(TOKEN_PATH, &body)?;
        let life = Duration::from_secs(granted.expires_in.unwrap_or(USUAL_LIFE));
        let token = Token::Bearer(Secret::new(&granted.access_token));
        *kept = Some(Kept {
            token: token.clone(),
            until: asked + life.saturating_sub(MARGIN.min(life / 10)),
        });
        Ok(token)
    }

    /// Does not use a token again; `false` if there is no way to get another.
    pub(super) async fn forget(&self, token: &Token) -> bool {
        if matches!(self.credentials, Credentials::User { .. }) {
            return false;
        }
        let mut kept = self.kept.lock().await;
        // Somebody else may have got another one meanwhile.
        if kept.as_ref().is_some_and(|kept| kept.token == *token) {
            *kept = None;
        }
        true
    }
}

/// What a refusal means for who asks for a token.
fn explained(failure: Failure) -> Failure {
    match failure.problem {
        // RFC 6749, section 5.2: `invalid_client` may come with either status.
        Problem::Credentials { .. } | Problem::Refused { .. } | Problem::Forbidden { .. } => {
            let what = "collibra.client_id and collibra.client_secret";
            Problem::Credentials { what }.into()
        }
        Problem::Missing { .. } => {
            let found = format!("there is no {TOKEN_PATH}");
            Problem::NotCollibra { found }.into()
        }
        _ => failure,
    }
}

// === impl Token ===

impl Token {
    /// The request with it; its header is marked sensitive.
    pub(super) fn authorize(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Bearer(token) => request.bearer_auth(token.expose()),
            Self::Basic { name, password } => request.basic_auth(name, Some(password.expose())),
        }
    }

    /// Which settings are wrong if it is not accepted.
    pub(super) fn settings(&self) -> &'static str {
        match self {
            Self::Bearer(_) => "token it gave for collibra.client_id",
            Self::Basic { .. } => "collibra.username and collibra.password",
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}
