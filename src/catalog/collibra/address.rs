use std::fmt;
use std::net::IpAddr;

use http::Uri;

/// Where a Collibra server is. It holds no password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Without a slash at its end.
    url: String,
    host: String,
    port: u16,
}

// === impl Address ===

impl Address {
    /// Reads `collibra:https://HOST`, with a port and a path if there are any. Without encryption only on this machine:
    /// what signs in would be readable on the way.
    pub fn parse(text: &str) -> Result<Self, String> {
        let advice = || "write collibra:https://HOST".to_owned();
        let url = text.strip_prefix("collibra:").ok_or_else(advice)?;
        let url = url.trim_end_matches('/');
        if url.contains('@') {
            return Err(
                "must not hold a password: set collibra.username and collibra.password".to_owned(),
            );
        }
        let uri: Uri = url.parse().map_err(|_| advice())?;
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or("the host is missing")?.to_owned();
        let usual = match uri.scheme_str() {
            Some("https") => 443,
            Some("http") if is_local(&host) => 80,
            _ => return Err(advice()),
        };
        if uri.query().is_some() {
            return Err("has a query: write collibra:https://HOST".to_owned());
        }
        Ok(Self {
            url: url.to_owned(),
            port: uri.port_u16().unwrap_or(usual),
            host,
        })
    }

    /// What a source at this address is called if nobody gives it a name.
    pub(in crate::catalog) fn default_name(&self) -> String {
        self.host.clone()
    }

    /// Where a path of its API is.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// `server.address` of spans.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// `server.port` of spans.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// True for a server on this machine.
    pub(super) fn is_local(&self) -> bool {
        is_local(&self.host)
    }

    /// True if nothing on the way is encrypted.
    pub(super) fn is_plain(&self) -> bool {
        self.url.starts_with("http://")
    }
}

fn is_local(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// As the setting has it.
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "collibra:{}", self.url)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_without_encryption() {
        let told = |text: &str| Address::parse(text).map(|address| address.to_string());
        let same = |text: &str| assert_eq!(told(text).as_deref(), Ok(text));
        same("collibra:https://acme.collibra.com");
        same("collibra:https://acme.example:8443/collibra");
        same("collibra:http://127.0.0.1:8080");
        same("collibra:http://[::1]:8080");
        assert_eq!(
            told("collibra:https://acme.example/").as_deref(),
            Ok("collibra:https://acme.example")
        );
        for (text, advice) in [
            ("collibra:http://acme.example", "collibra:https://HOST"),
            ("collibra:ftp://acme.example", "collibra:https://HOST"),
            ("collibra:acme.example", "collibra:https://HOST"),
            ("collibra:https://", "collibra:https://HOST"),
            (
                "collibra:https://me:s3cret@acme.example",
                "collibra.password",
            ),
            ("collibra:https://acme.example?x=1", "query"),
        ] {
            let error = told(text).unwrap_err();
            assert!(
                error.contains(advice) && !error.contains("s3cret"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn a_source_is_called_by_its_host() {
        let address = Address::parse("collibra:https://acme.example:8443/collibra").unwrap();
        assert_eq!(address.default_name(), "acme.example");
        assert_eq!(address.port(), 8443);
        assert_eq!(
            address.at("/rest"),
            "https://acme.example:8443/collibra/rest"
        );
    }
}
