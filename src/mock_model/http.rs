//! Requests off the wire (RFC 9112), as much of HTTP as clients of models use, and no more memory than they need.

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Longest head, in bytes.
const HEAD_BYTES: usize = 64 * 1024;
/// Longest body, in bytes: what a conversation of many turns comes to, and much more.
const BODY_BYTES: usize = 32 * 1024 * 1024;
const PIECE_BYTES: usize = 16 * 1024;

/// A request.
#[derive(Clone, Default)]
pub(super) struct Request {
    /// The whole head, its first line included. It holds the key.
    pub(super) head: String,
    pub(super) body: Vec<u8>,
}

/// Why a request is not answered as it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// The client left, or sent nothing.
    Gone,
    /// It cannot be understood, and this is the status that says so, with the reason.
    Refused(u16, &'static str),
}

// === impl Request ===

impl Request {
    /// Reads one request.
    pub(super) async fn read(socket: &mut (impl AsyncRead + Unpin)) -> Result<Self, Unread> {
        let mut bytes = Vec::new();
        let end = loop {
            let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
            if end.unwrap_or(bytes.len()) > HEAD_BYTES {
                return Err(Unread::Refused(431, "the headers are too long"));
            }
            if let Some(end) = end {
                break end;
            }
            more(socket, &mut bytes).await?;
        };
        let mut body = bytes.split_off(end + 4);
        bytes.truncate(end);
        let head = String::from_utf8(bytes)
            .map_err(|_| Unread::Refused(400, "the headers are not UTF-8"))?;
        let request = Self { head, body: vec![] };
        if !request.header("transfer-encoding").is_empty() {
            return Err(Unread::Refused(411, "send a content-length"));
        }
        let length = match request.header("content-length") {
            "" => 0,
            length => length
                .parse()
                .map_err(|_| Unread::Refused(400, "the content-length is no number"))?,
        };
        if length > BODY_BYTES {
            return Err(Unread::Refused(413, "the body is too long"));
        }
        while body.len() < length {
            more(socket, &mut body).await?;
        }
        body.truncate(length);
        Ok(Self { body, ..request })
    }

    /// The value of a header, empty if there is none.
    pub(super) fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut values = lines.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        values.next().map_or("", |(_, value)| value.trim())
    }

    /// The first line.
    pub(super) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// The method and the path without its query, which may hold a key.
    pub(super) fn target(&self) -> (&str, &str) {
        let mut words = self.line().split(' ');
        let method = words.next().unwrap_or_default();
        let target = words.next().unwrap_or_default();
        (method, target.split('?').next().unwrap_or_default())
    }
}

async fn more(socket: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> Result<(), Unread> {
    bytes.reserve(PIECE_BYTES);
    match socket.read_buf(bytes).await {
        Ok(0) | Err(_) => Err(Unread::Gone),
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &str) -> Result<(String, String), Unread> {
        let request = Request::read(&mut text.as_bytes()).await?;
        let body = String::from_utf8(request.body.clone()).unwrap();
        Ok((request.target().1.to_owned(), body))
    }

    #[tokio::test]
    async fn a_request_is_read_to_its_end_and_no_further() {
        let whole = "POST /v1/messages?key=1 HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}rest";
        let read_whole = read(whole).await.unwrap();
        assert_eq!(read_whole, ("/v1/messages".to_owned(), "{}".to_owned()));
        assert_eq!(read("POST / HTTP/1.1\r\n").await, Err(Unread::Gone));
        assert_eq!(
            read("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{}").await,
            Err(Unread::Gone)
        );
    }

    #[tokio::test]
    async fn a_request_without_bounds_is_refused() {
        for (head, status) in [
            ("content-length: 99999999999", 413),
            ("content-length: many", 400),
            ("transfer-encoding: chunked", 411),
            (&"x: y\r\n".repeat(20_000), 431),
        ] {
            let text = format!("POST / HTTP/1.1\r\n{head}\r\n\r\n");
            match read(&text).await {
                Err(Unread::Refused(refused, _)) => assert_eq!(refused, status),
                other => panic!("{other:?}"),
            }
        }
    }
}
