//! The reader of server-sent events, against one that has the whole stream and reads it line by line.

#![no_main]

use dragoman::model::fuzzing;
use dragoman_fuzz::cuts;
use libfuzzer_sys::fuzz_target;

/// Small, so that inputs reach it.
const LIMIT: usize = 200;

fuzz_target!(|bytes: &[u8]| {
    let [whole, single, odd] = cuts(bytes).map(|pieces| fuzzing::read(&pieces, LIMIT));
    let expected = expected(bytes);
    for read in [&whole, &single, &odd] {
        assert_eq!(
            (&read.events, read.is_too_large),
            (&whole.events, whole.is_too_large)
        );
        // A byte that is no UTF-8 is held as three.
        assert!(read.held <= 7 * LIMIT + 1, "{} bytes held", read.held);
        if read.is_too_large {
            assert!(bytes.len() > LIMIT / 3, "nothing was too large");
            assert!(expected.starts_with(&read.events));
        } else {
            assert_eq!(read.events, expected);
        }
    }
});

/// The events of a whole stream, as the specification interprets one.
fn expected(bytes: &[u8]) -> Vec<(String, String)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Neither end of line is a part of a character in UTF-8, so that lines can be read by themselves.
    let mut lines = vec![Vec::new()];
    let mut after_return = false;
    for &byte in bytes {
        match byte {
            b'\n' if after_return => {}
            b'\n' | b'\r' => lines.push(Vec::new()),
            _ => lines.last_mut().unwrap().push(byte),
        }
        after_return = byte == b'\r';
    }
    lines.pop();
    let (mut events, mut name, mut data) = (Vec::new(), String::new(), Vec::new());
    for line in lines {
        let line = String::from_utf8_lossy(&line);
        if line.is_empty() {
            let data: Vec<String> = std::mem::take(&mut data);
            let name = std::mem::take(&mut name);
            if !data.is_empty() {
                events.push((name, data.join("\n")));
            }
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => data.push(value.to_owned()),
            "event" => name = value.to_owned(),
            _ => {}
        }
    }
    events
}
