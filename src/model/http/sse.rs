//! Server-sent events, <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>: bytes in,
//! events out, without I/O and with a bound on what one event may hold.

use std::collections::VecDeque;

/// Largest event, in bytes.
const EVENT_BYTES: usize = 8 * 1024 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::model) struct Event {
    /// Its type, empty if it has none.
    pub(in crate::model) name: String,
    /// Its data.
    pub(in crate::model) data: String,
}

/// An event was larger than any a model sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) struct TooLarge;

/// Reads a stream of events, however it is cut into pieces.
#[derive(Debug)]
pub(in crate::model) struct Reader {
    /// Most bytes of one event.
    limit: usize,
    /// The line that is not over yet.
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    /// The first line may start with a mark that is none of it.
    has_begun: bool,
    /// A line ended with CR: an LF right after it belongs to the same end.
    after_return: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self::bounded(EVENT_BYTES)
    }
}

// === impl Reader ===

impl Reader {
    /// A reader of events of at most `limit` bytes.
    pub(in crate::model) fn bounded(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            event: Event::default(),
            has_data: false,
            has_begun: false,
            after_return: false,
        }
    }

    /// Bytes of what is not finished yet.
    #[cfg(fuzzing)]
    pub(in crate::model) fn held(&self) -> usize {
        self.line.len() + self.event.name.len() + self.event.data.len()
    }

    /// Takes the next bytes; whole events are put at the end of `events`. An event that is never finished is none, as
    /// the specification asks.
    pub(in crate::model) fn feed(
        &mut self,
        mut bytes: &[u8],
        events: &mut VecDeque<Event>,
    ) -> Result<(), TooLarge> {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_return) && first == b'\n' {
                bytes = bytes.get(1..).unwrap_or_default();
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
            if self.line.len() + part.len() + self.event.data.len() > self.limit {
                return Err(TooLarge);
            }
            self.line.extend_from_slice(part);
            if let Some((&end, rest)) = rest.split_first() {
                self.after_return = end == b'\r';
                self.end_line(events);
                bytes = rest;
            } else {
                bytes = rest;
            }
        }
        Ok(())
    }

    fn end_line(&mut self, events: &mut VecDeque<Event>) {
        let line = std::mem::take(&mut self.line);
        let mut text = line.as_slice();
        if !std::mem::replace(&mut self.has_begun, true) {
            text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        }
        if text.is_empty() {
            let event = std::mem::take(&mut self.event);
            if std::mem::take(&mut self.has_data) {
                events.push_back(event);
            }
        } else {
            self.field(text);
        }
        // Its memory serves the next line.
        self.line = line;
        self.line.clear();
    }

    /// One line of an event. Comments, ids, retry times and what is unknown are left out.
    fn field(&mut self, line: &[u8]) {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(&String::from_utf8_lossy(value));
            }
            b"event" => self.event.name = String::from_utf8_lossy(value).into_owned(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "\u{feff}: a comment\ndata: {\"a\":\"č\"}\nid: 7\n\nevent: error\ndata:one\ndata: two\n\n\
                          : keep-alive\n\ndata\n\nevent: alone\n\ndata: [DONE]\n\ndata: cut";

    fn events(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let (mut reader, mut events) = (Reader::default(), VecDeque::new());
        for piece in pieces {
            reader.feed(piece, &mut events).unwrap();
        }
        let pairs = events.into_iter().map(|event| (event.name, event.data));
        pairs.collect()
    }

    fn expected() -> Vec<(String, String)> {
        let pairs = [
            ("", "{\"a\":\"č\"}"),
            ("error", "one\ntwo"),
            ("", ""),
            ("", "[DONE]"),
        ];
        let owned = pairs.map(|(name, data)| (name.to_owned(), data.to_owned()));
        owned.to_vec()
    }

    #[test]
    fn events_are_the_same_wherever_the_stream_is_cut() {
        for end in ["\n", "\r\n", "\r"] {
            let stream = STREAM.replace('\n', end);
            let bytes = stream.as_bytes();
            for at in 0..=bytes.len() {
                let (left, right) = bytes.split_at(at);
                assert_eq!(events(&[left, right]), expected(), "{end:?} at {at}");
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(events(&single), expected(), "{end:?} byte by byte");
        }
    }

    #[test]
    fn an_event_without_end_is_refused_in_time() {
        let mut reader = Reader::default();
        let piece = vec![b'x'; 1024 * 1024];
        let taken = (0..100).take_while(|_| reader.feed(&piece, &mut VecDeque::new()).is_ok());
        assert_eq!(taken.count(), 8);

        let (mut reader, mut many) = (Reader::default(), b"data: ".to_vec());
        many.extend(&piece);
        many.push(b'\n');
        let taken = (0..100).take_while(|_| reader.feed(&many, &mut VecDeque::new()).is_ok());
        assert_eq!(taken.count(), 7);
    }

    #[test]
    fn what_is_not_utf8_does_not_end_the_stream() {
        assert_eq!(events(&[b"data: \xff!\n\n"])[0].1, "\u{fffd}!");
    }
}
