//! Which pages may connect. Browsers enforce nothing for WebSockets, they only say where the page came from
//! (RFC 6455 section 10.2).

use axum::http::HeaderMap;
use axum::http::header::{HOST, HeaderValue, ORIGIN};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// The origins that may connect.
#[derive(Debug)]
pub(super) struct Origins {
    allowed: GlobSet,
    allow_missing: bool,
}

/// An entry of the list that is not an origin. The operator's doing.
#[derive(Debug, thiserror::Error)]
#[error("gateway.origins: {entry:?} is not an origin such as \"https://*.example.com\" ({reason})")]
pub struct InvalidOrigin {
    /// The entry.
    entry: String,
    /// What is wrong with it.
    reason: String,
}

impl Origins {
    pub(super) fn new(entries: &[String], allow_missing: bool) -> Result<Self, InvalidOrigin> {
        let mut set = GlobSetBuilder::new();
        for entry in entries {
            let invalid = |reason: String| InvalidOrigin {
                entry: entry.clone(),
                reason,
            };
            if entry != "*" && !entry.contains("://") {
                return Err(invalid("it has no scheme".to_owned()));
            }
            if entry.ends_with('/') {
                return Err(invalid("it ends with a slash".to_owned()));
            }
            let glob = GlobBuilder::new(&only_stars(entry))
                .case_insensitive(true)
                .build();
            set.add(glob.map_err(|error| invalid(error.to_string()))?);
        }
        let allowed = set.build().map_err(|error| InvalidOrigin {
            entry: entries.join(", "),
            reason: error.to_string(),
        })?;
        Ok(Self {
            allowed,
            allow_missing,
        })
    }

    /// Whether a handshake with these headers may go on.
    pub(super) fn allow(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => self.allow_missing,
            (Some(origin), None) => {
                let Ok(origin) = origin.to_str() else {
                    return false;
                };
                same_origin(origin, headers.get(HOST)) || self.allowed.is_match(origin)
            }
            // No browser sends two.
            (Some(_), Some(_)) => false,
        }
    }
}

/// The entry as a pattern in which nothing but `*` is special: IPv6 addresses have brackets.
fn only_stars(entry: &str) -> String {
    let pieces: Vec<String> = entry.split('*').map(globset::escape).collect();
    pieces.join("*")
}

/// Whether the page was served by the host it connects to. The scheme is not compared: behind a proxy that ends TLS it is
/// not known here.
fn same_origin(origin: &str, host: Option<&HeaderValue>) -> bool {
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    match (authority, host.and_then(|host| host.to_str().ok())) {
        (Some(authority), Some(host)) => authority.eq_ignore_ascii_case(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entries: &[&str], origin: Option<&str>) -> bool {
        let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
        let origins = Origins::new(&entries, true).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("chat.example.com:8000"));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        origins.allow(&headers)
    }

    #[test]
    fn the_list_and_the_own_origin_may_connect() {
        let list = ["http://localhost:3000", "https://*.vercel.app"];
        assert!(allows(&list, Some("http://localhost:3000")));
        assert!(allows(&list, Some("https://my-app.vercel.app")));
        assert!(allows(&list, Some("http://chat.example.com:8000")));
        assert!(allows(&list, Some("https://CHAT.example.com:8000")));
        assert!(allows(&["http://[::1]:3000"], Some("http://[::1]:3000")));
        assert!(allows(&list, None));
        assert!(allows(&["*"], Some("https://anywhere.test")));
    }

    #[test]
    fn nobody_else_may() {
        let list = ["http://localhost:3000", "https://*.vercel.app"];
        for foreign in [
            "https://evil.test",
            "http://localhost:3001",
            "http://localhost:3000.evil.test",
            "https://vercel.app.evil.test",
            "null",
            "",
        ] {
            assert!(!allows(&list, Some(foreign)), "{foreign}");
        }
    }

    #[test]
    fn a_missing_origin_can_be_refused() {
        let origins = Origins::new(&[], false).unwrap();
        assert!(!origins.allow(&HeaderMap::new()));
    }

    #[test]
    fn an_entry_that_is_no_origin_is_named() {
        let error = Origins::new(&["localhost:3000".to_owned()], true).unwrap_err();
        assert!(error.to_string().contains("localhost:3000"), "{error}");
    }
}
