use std::fmt::Write as _;

use super::{Config, SECTION};
use crate::model::http::server_of;
use crate::model::{BuildError, ServerAddress};

/// Ends of the names of Azure's servers.
const AZURE: [&str; 3] = [
    ".openai.azure.com",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.com",
];

/// Where requests go.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) url: String,
    pub(super) server: ServerAddress,
    pub(super) is_azure: bool,
}

// === impl Address ===

impl Address {
    /// OpenAI's form is `{base}/chat/completions`, Azure's undated one the same with a base that ends in `/openai/v1`.
    /// Azure's dated form has the deployment in the path
    /// (<https://learn.microsoft.com/azure/ai-foundry/openai/reference#chat-completions>).
    pub(super) fn new(model: &str, config: &Config) -> Result<Self, BuildError> {
        let base = config.base_url.trim_end_matches('/');
        let url = match &config.dialect.api_version {
            None => format!("{base}/chat/completions"),
            Some(version) => format!(
                "{}/openai/deployments/{}/chat/completions?api-version={}",
                base.strip_suffix("/openai").unwrap_or(base),
                encoded(model),
                encoded(version),
            ),
        };
        let server = server_of(base, SECTION)?;
        let is_azure_host = AZURE.iter().any(|end| server.address.ends_with(end));
        Ok(Self {
            url,
            is_azure: config.dialect.api_version.is_some() || is_azure_host,
            server,
        })
    }
}

/// A part of a URL with everything but letters, digits and `-._~` escaped (RFC 3986, section 2.3).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(base_url: &str, api_version: Option<&str>) -> Address {
        let mut config = Config {
            base_url: base_url.to_owned(),
            ..Config::default()
        };
        config.dialect.api_version = api_version.map(str::to_owned);
        Address::new("gpt 4/low", &config).unwrap()
    }

    #[test]
    fn every_server_is_asked_where_it_listens() {
        let plain = address("https://api.openai.com/v1", None);
        assert_eq!(plain.url, "https://api.openai.com/v1/chat/completions");
        assert_eq!(plain.server.port, 443);
        assert!(!plain.is_azure);

        let local = address("http://LOCALHOST:11434/v1/", None);
        assert_eq!(local.url, "http://LOCALHOST:11434/v1/chat/completions");
        assert_eq!(local.server.address, "localhost");
        assert_eq!(local.server.port, 11434);

        for base in [
            "https://x.openai.azure.com",
            "https://x.openai.azure.com/openai",
        ] {
            let dated = address(base, Some("2024-10-21"));
            assert_eq!(
                dated.url,
                "https://x.openai.azure.com/openai/deployments/gpt%204%2Flow/chat/completions?api-version=2024-10-21"
            );
            assert!(dated.is_azure);
        }
        let undated = address("https://x.openai.azure.com/openai/v1", None);
        assert_eq!(
            undated.url,
            "https://x.openai.azure.com/openai/v1/chat/completions"
        );
        assert!(undated.is_azure);
        assert!(address("http://127.0.0.1:1", Some("2024-10-21")).is_azure);
    }
}
