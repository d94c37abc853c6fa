//! What answers look like before anybody knows what is in them.

use http::{HeaderMap, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::Problem;

/// Longest part of what a server says that is repeated, in characters.
const SAID: usize = 200;

/// Reads JSON.
pub(super) fn json<T: DeserializeOwned>(path: &'static str, body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::Broken {
        path,
        cause: error.to_string(),
    })
}

/// True for HTML: what companies put before a server answers so, with status 200.
pub(super) fn is_page(headers: &HeaderMap, body: &[u8]) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.to_ascii_lowercase().starts_with("text/html") || body.trim_ascii_start().starts_with(b"<")
}

/// What Collibra says of a request it refuses: `userMessage`, or `message` of OAuth and GraphQL, shortened to one line.
pub(super) fn complaint(body: &[u8]) -> String {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Complaint {
        #[serde(rename = "userMessage")]
        user_message: Option<String>,
        message: Option<String>,
    }
    let said: Complaint = serde_json::from_slice(body).unwrap_or_default();
    one_line(&said.user_message.or(said.message).unwrap_or_default())
}

/// Text of a server as a part of a message of ours.
pub(super) fn one_line(text: &str) -> String {
    let clean = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter });
    let text: String = clean.take(SAID).collect();
    text.trim().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_page_to_sign_in_is_no_answer() {
        let mut headers = HeaderMap::new();
        assert!(is_page(&headers, b"  <!doctype html>"));
        assert!(!is_page(&headers, b"{\"a\": \"<p>\"}"));
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/HTML; charset=utf-8"),
        );
        assert!(is_page(&headers, b""));
    }

    #[test]
    fn what_a_server_says_is_told_in_one_short_line() {
        let body = br#"{"statusCode":400,"titleMessage":"Bad","userMessage":"No such\ndomain.","errorCode":"x"}"#;
        assert_eq!(complaint(body), "No such domain");
        assert_eq!(complaint(br#"{"message":"m"}"#), "m");
        assert_eq!(complaint(b"<html>"), "");
        assert_eq!(one_line(&"x".repeat(1_000)).len(), SAID);
    }
}
