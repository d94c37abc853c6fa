//! JSON-RPC messages as lines, as the stdio transport has them
//! (<https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio>), with a bound on each line.
//!
//! rmcp reads lines too, but drops one that is too long without a word: its caller would wait for the time-out.

use std::io;

use rmcp::model::{ClientJsonRpcMessage, RequestId, ServerJsonRpcMessage};
use tokio_util::bytes::{Buf as _, BufMut as _, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::oversize;

/// Reads and writes lines.
#[derive(Debug)]
pub(super) struct Lines {
    /// Longest line, in bytes.
    limit: usize,
    /// Set while a line goes by that is too long.
    passing: Option<FindId>,
}

/// Finds the id of a message that is not kept: the value of `id` in its outermost object, wherever it stands. Bytes go
/// in as they come.
#[derive(Debug, Default)]
struct FindId {
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// The token before the next `:` or `,` of the outermost object, cut when it is too long to be of use.
    token: Vec<u8>,
    /// True if the key just read was `id`.
    is_id: bool,
    id: Option<RequestId>,
}

/// Longest id that is recognized, in bytes. Ours are numbers.
const TOKEN_BYTES: usize = 32;

// === impl Lines ===

impl Lines {
    /// Lines of at most so many bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            passing: None,
        }
    }

    /// Lets a line that is too long go by. `Some` at its end.
    fn pass(&mut self, buffer: &mut BytesMut) -> Option<FindId> {
        let finder = self.passing.as_mut()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(buffer.len(), |end| end + 1);
        for byte in buffer.iter().take(length) {
            finder.take(*byte);
        }
        buffer.advance(length);
        end?;
        self.passing.take()
    }
}

impl Decoder for Lines {
    type Item = ServerJsonRpcMessage;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<ServerJsonRpcMessage>> {
        loop {
            if self.passing.is_some() {
                match self.pass(buffer) {
                    // Only what answers a request is waited for.
                    Some(FindId { id: Some(id), .. }) => {
                        return Ok(Some(oversize::replacement(id, self.limit)));
                    }
                    Some(_) => continue,
                    None => return Ok(None),
                }
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            match end {
                Some(end) if end <= self.limit => {
                    let line = buffer.split_to(end + 1);
                    if let Some(message) = parse(&line) {
                        return Ok(Some(message));
                    }
                }
                None if buffer.len() <= self.limit => return Ok(None),
                _ => self.passing = Some(FindId::default()),
            }
        }
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> io::Result<Option<ServerJsonRpcMessage>> {
        let message = self.decode(buffer)?;
        if message.is_none() {
            // Half a line at the end is no message.
            buffer.clear();
        }
        Ok(message)
    }
}

impl Encoder<ClientJsonRpcMessage> for Lines {
    type Error = io::Error;

    fn encode(&mut self, message: ClientJsonRpcMessage, buffer: &mut BytesMut) -> io::Result<()> {
        serde_json::to_writer(buffer.writer(), &message)?;
        buffer.put_u8(b'\n');
        Ok(())
    }
}

/// What is no message is skipped: many programs print something else to standard output by mistake.
fn parse(line: &[u8]) -> Option<ServerJsonRpcMessage> {
    if line.trim_ascii().is_empty() {
        return None;
    }
    serde_json::from_slice(line)
        .inspect_err(|error| tracing::debug!(%error, "a line of an MCP server is no message"))
        .ok()
}

// === impl FindId ===

impl FindId {
    fn take(&mut self, byte: u8) {
        let outermost = self.depth == 1;
        if self.in_string {
            if self.escaped {
                self.escaped = false;
            } else if byte == b'\\' {
                self.escaped = true;
            } else if byte == b'"' {
                self.in_string = false;
            }
            self.keep(outermost, byte);
            return;
        }
        match byte {
            b'"' => {
                self.in_string = true;
                self.keep(outermost, byte);
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                if outermost {
                    self.end_of_value();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            b':' if outermost => {
                self.is_id = self.token == b"\"id\"";
                self.token.clear();
            }
            b',' if outermost => self.end_of_value(),
            _ if byte.is_ascii_whitespace() => {}
            _ => self.keep(outermost, byte),
        }
    }

    fn keep(&mut self, outermost: bool, byte: u8) {
        if outermost && self.token.len() < TOKEN_BYTES {
            self.token.push(byte);
        }
    }

    fn end_of_value(&mut self) {
        if self.is_id {
            self.id = serde_json::from_slice(&self.token).ok();
        }
        self.is_id = false;
        self.token.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 100;

    /// What comes out when `input` comes in pieces of `size` bytes.
    fn decoded(input: &str, size: usize) -> Vec<serde_json::Value> {
        let mut lines = Lines::new(LIMIT);
        let mut buffer = BytesMut::new();
        let mut messages = vec![];
        for piece in input.as_bytes().chunks(size) {
            buffer.extend_from_slice(piece);
            while let Some(message) = lines.decode(&mut buffer).unwrap() {
                messages.push(serde_json::to_value(message).unwrap());
            }
            assert!(buffer.len() <= LIMIT + size, "a long line was kept");
        }
        assert!(lines.decode_eof(&mut buffer).unwrap().is_none());
        messages
    }

    fn ids(input: &str, size: usize) -> Vec<String> {
        let id = |message: &serde_json::Value| {
            let kind = if message.get("error").is_some() {
                "too long "
            } else {
                ""
            };
            format!("{kind}{}", message["id"])
        };
        decoded(input, size).iter().map(id).collect()
    }

    #[test]
    fn what_is_too_long_is_answered_in_its_place() {
        let short = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
        let text = "x".repeat(LIMIT);
        let id_first = format!(r#"{{"jsonrpc":"2.0","id":2,"result":{{"a":"{text}"}}}}"#);
        let id_last = format!(r#"{{"result":{{"id":7,"a":["{text}"]}},"jsonrpc":"2.0","id":3}}"#);
        let hidden = format!(r#"{{"result":{{"a":"\",\"id\":9,{text}"}}, "id" : 4 , "b":1}}"#);
        let input = format!("{short}\n{id_first}\n{id_last}\n\n{hidden}\nnoise\n{short}\n");
        let expected = ["1", "too long 2", "too long 3", "too long 4", "1"];
        for size in [1, 2, 3, 7, 50, 10_000] {
            assert_eq!(ids(&input, size), expected, "pieces of {size}");
        }
    }

    #[test]
    fn a_long_line_that_answers_nothing_is_dropped() {
        let text = "x".repeat(3 * LIMIT);
        let notification =
            format!(r#"{{"jsonrpc":"2.0","method":"m","params":{{"id":"{text}"}}}}"#);
        let input = format!("{notification}\n{text}\n[[[[{text}\n");
        assert_eq!(ids(&input, 9), [""; 0]);
    }

    #[test]
    fn half_a_line_at_the_end_is_no_message() {
        assert_eq!(ids("{\"jsonrpc\":\"2.0\",\"id\":1,\"res", 4), [""; 0]);
    }
}
