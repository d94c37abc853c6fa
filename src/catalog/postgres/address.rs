use std::fmt;
use std::sync::Arc;

use tokio_postgres::config::Host;

use super::Config;

/// Where a PostgreSQL database is, and who asks it. Never shown with its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    settings: Arc<tokio_postgres::Config>,
    ssl_mode: Option<SslMode>,
    database: String,
    shown: String,
}

/// What is asked of the encryption of a connection: libpq's words, from the weakest to the strongest.
///
/// Source: <https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-SSLMODE-STATEMENTS>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// None.
    Disable,
    /// TLS if the server has it. Unlike libpq, a handshake that fails is not followed by an attempt without TLS.
    Prefer,
    /// TLS.
    Require,
    /// TLS, with a certificate that an authority signed which is trusted.
    VerifyCa,
    /// And the certificate is that of the host.
    VerifyFull,
}

const ADVICE: &str = "write postgres://USER@HOST:PORT/DATABASE";

// === impl Address ===

impl Address {
    /// Reads `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE[?sslmode=MODE]`; a host that begins with `%2F` is the
    /// folder of a Unix socket. The message never repeats what it was given.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let advice = |reason: &str| Err(format!("{reason}: {ADVICE}"));
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(ADVICE.to_owned());
        };
        if !matches!(scheme, "postgres" | "postgresql") {
            return Err(ADVICE.to_owned());
        }
        let Some((account, place)) = rest.rsplit_once('@') else {
            return advice("the user is missing");
        };
        if account.contains(['@', '/', '?']) {
            return Err(
                "in a user or password write %40 for @, %2F for /, %3F for ?, %25 for %".to_owned(),
            );
        }
        let (place, query) = place.split_once('?').unwrap_or((place, ""));
        let ssl_mode = ssl_mode(query)?;
        let Ok(mut settings) =
            format!("postgres://{account}@{place}").parse::<tokio_postgres::Config>()
        else {
            return advice("not the URL of a PostgreSQL database");
        };
        if settings.get_user().is_none_or(str::is_empty) {
            return advice("the user is missing");
        }
        match settings.get_hosts() {
            [Host::Tcp(host)] if !host.is_empty() => {}
            [Host::Unix(_)] => {}
            [] | [_] => return advice("the host is missing"),
            _ => return advice("one source is one host"),
        }
        let database = settings.get_dbname().unwrap_or_default().to_owned();
        if database.is_empty() {
            return advice("the database is missing");
        }
        settings.application_name("dragoman");
        let user = account.split_once(':').map_or(account, |(user, _)| user);
        let query = ssl_mode.map_or("", |mode| mode.query());
        Ok(Self {
            settings: Arc::new(settings),
            ssl_mode,
            database,
            shown: format!("{scheme}://{user}@{place}{query}"),
        })
    }

    /// What a source at this address is called if nobody gives it a name.
    pub(in crate::catalog) fn default_name(&self) -> String {
        self.database.clone()
    }

    /// What the client is told.
    pub(super) fn settings(&self, config: &Config) -> tokio_postgres::Config {
        let mut settings = tokio_postgres::Config::clone(&self.settings);
        settings.ssl_mode(match self.ssl_mode(config) {
            SslMode::Disable => tokio_postgres::config::SslMode::Disable,
            SslMode::Prefer => tokio_postgres::config::SslMode::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
                tokio_postgres::config::SslMode::Require
            }
        });
        if let (None, Some(password)) = (settings.get_password(), &config.password) {
            settings.password(password.expose());
        }
        settings
    }

    /// Who names the authorities to trust wants them asked.
    pub(super) fn ssl_mode(&self, config: &Config) -> SslMode {
        match (self.settings.get_hosts(), self.ssl_mode, &config.ca_file) {
            // There is no TLS on a Unix socket.
            ([Host::Unix(_)], ..) => SslMode::Disable,
            (_, Some(mode), _) => mode,
            (_, None, Some(_)) => SslMode::VerifyFull,
            (_, None, None) => SslMode::Prefer,
        }
    }
}

/// Without the password.
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({self})")
    }
}

/// What follows the `?`.
fn ssl_mode(query: &str) -> Result<Option<SslMode>, String> {
    let mut found = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let Some(("sslmode", mode)) = pair.split_once('=') else {
            return Err("only sslmode= may follow the `?`".to_owned());
        };
        let mode = SslMode::ALL
            .into_iter()
            .find(|known| known.as_str() == mode);
        if mode.is_none() {
            return Err("sslmode is disable, prefer, require, verify-ca or verify-full".to_owned());
        }
        found = mode;
    }
    Ok(found)
}

// === impl SslMode ===

impl SslMode {
    const ALL: [Self; 5] = [
        Self::Disable,
        Self::Prefer,
        Self::Require,
        Self::VerifyCa,
        Self::VerifyFull,
    ];

    fn as_str(self) -> &'static str {
        self.query().trim_start_matches("?sslmode=")
    }

    fn query(self) -> &'static str {
        match self {
            Self::Disable => "?sslmode=disable",
            Self::Prefer => "?sslmode=prefer",
            Self::Require => "?sslmode=require",
            Self::VerifyCa => "?sslmode=verify-ca",
            Self::VerifyFull => "?sslmode=verify-full",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::secret::Secret;

    fn parse(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn what_is_shown_has_no_password() {
        for (text, shown) in [
            ("postgres://me@h/db", "postgres://me@h/db"),
            ("postgresql://me:s3cret@h:1/db", "postgresql://me@h:1/db"),
            (
                "postgres://me:s3%40%2Fcret@h/db?sslmode=verify-full",
                "postgres://me@h/db?sslmode=verify-full",
            ),
            (
                "postgres://me:s3:cret@%2Frun%2Fpostgresql:5433/db",
                "postgres://me@%2Frun%2Fpostgresql:5433/db",
            ),
        ] {
            let address = parse(text);
            assert_eq!(address.to_string(), shown);
            assert!(!format!("{address:?}").contains("s3"), "{address:?}");
            assert_eq!(address.default_name(), "db");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_advice_and_without_its_password() {
        for (text, advice) in [
            ("postgres:me:s3cret@h/db", "write postgres://"),
            ("mysql://me:s3cret@h/db", "write postgres://"),
            ("postgres://h/db", "the user is missing"),
            ("postgres://:s3cret@h/db", "the user is missing"),
            ("postgres://me:s3@cret@h/db", "write %40 for @"),
            ("postgres://me:s3/cret@h/db", "write %40 for @"),
            ("postgres://me:s3cret@/db", "the host is missing"),
            ("postgres://me:s3cret@h", "the database is missing"),
            ("postgres://me:s3cret@h/", "the database is missing"),
            ("postgres://me:s3cret@h:s3/db", "not the URL"),
            ("postgres://me@h/db?password=s3cret", "only sslmode="),
            ("postgres://me@h/db?sslmode=s3cret", "sslmode is disable,"),
        ] {
            let wrong = Address::parse(text).unwrap_err();
            assert!(wrong.contains(advice), "{text}: {wrong}");
            assert!(!wrong.contains("s3"), "{wrong}");
        }
    }

    #[test]
    fn a_password_of_its_own_is_stronger() {
        let config = Config {
            password: Some(Secret::new("common")),
            ..Config::default()
        };
        let of = |text| {
            parse(text)
                .settings(&config)
                .get_password()
                .map(<[u8]>::to_vec)
        };
        assert_eq!(of("postgres://me@h/db").unwrap(), b"common");
        assert_eq!(of("postgres://me:own%21@h/db").unwrap(), b"own!");
    }

    #[test]
    fn who_names_authorities_wants_them_asked() {
        let trusting = Config {
            ca_file: Some(PathBuf::from("/ca.pem")),
            ..Config::default()
        };
        for (text, without, with) in [
            ("postgres://me@h/db", SslMode::Prefer, SslMode::VerifyFull),
            (
                "postgres://me@h/db?sslmode=require",
                SslMode::Require,
                SslMode::Require,
            ),
            (
                "postgres://me@%2Frun/db",
                SslMode::Disable,
                SslMode::Disable,
            ),
        ] {
            assert_eq!(parse(text).ssl_mode(&Config::default()), without);
            assert_eq!(parse(text).ssl_mode(&trusting), with);
        }
    }
}
