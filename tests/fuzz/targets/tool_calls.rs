//! Tool calls put together from pieces: from any, and from those of servers that number them as they should.

#![no_main]

use dragoman::chat::ToolCall;
use dragoman::model::fuzzing::{Piece, assemble};
use dragoman_fuzz::{USED_IDS, check_calls};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    any_pieces(&String::from_utf8_lossy(bytes));
    interleaved(bytes);
});

/// A line is a piece: index, id, name and arguments, with tabs between them.
fn any_pieces(text: &str) {
    let pieces: Vec<Piece> = text
        .lines()
        .map(|line| {
            let mut fields = line.splitn(4, '\t');
            let mut next = || fields.next().unwrap_or_default().to_owned();
            Piece {
                index: next().parse().ok(),
                id: next(),
                name: next(),
                arguments: next(),
            }
        })
        .collect();
    let count = pieces.len();
    let sent: usize = pieces
        .iter()
        .map(|piece| piece.arguments.trim().len())
        .sum();
    let Ok(calls) = assemble(pieces, &USED_IDS) else {
        return;
    };
    assert!(calls.len() <= count);
    check_calls(&calls.iter().collect::<Vec<_>>(), &USED_IDS);
    let run: usize = calls.iter().map(|call| call.arguments.len()).sum();
    assert!(
        run >= sent,
        "{sent} bytes of arguments were sent, {run} are run"
    );
}

/// Two bytes are a piece: the call it is of, and what it adds. Whatever the order, each call gets what is its own.
fn interleaved(bytes: &[u8]) {
    let (mut pieces, mut expected) = (Vec::new(), Vec::<(u32, String)>::new());
    for pair in bytes.chunks_exact(2) {
        let (index, added) = (u32::from(pair[0] % 4), char::from(pair[1]).to_string());
        let mut piece = Piece {
            index: Some(index),
            arguments: added.clone(),
            ..Piece::default()
        };
        match expected.iter_mut().find(|(known, _)| *known == index) {
            Some((_, arguments)) => arguments.push_str(&added),
            None => {
                piece.id = format!("id_{index}");
                piece.name = "tool".to_owned();
                expected.push((index, added));
            }
        }
        pieces.push(piece);
    }
    let expected: Vec<ToolCall> = expected
        .into_iter()
        .map(|(index, arguments)| ToolCall {
            id: format!("id_{index}").into(),
            name: "tool".into(),
            arguments: match arguments.trim() {
                "" => "{}".into(),
                _ => arguments.into(),
            },
        })
        .collect();
    assert_eq!(assemble(pieces, &[]).unwrap(), expected);
}
