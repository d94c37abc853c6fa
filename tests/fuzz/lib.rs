//! What holds for every input, whatever it is. A target panics where it does not.

#[cfg(not(fuzzing))]
compile_error!("the decoders are open to the fuzzer only: build this with `tests/run fuzz`");

use std::collections::HashSet;

use dragoman::chat::ToolCall;
use dragoman::model::fuzzing::{self, Api, Decoded};
use dragoman::model::{End, ModelEvent};

/// Ids that the conversation has already.
pub const USED_IDS: [&str; 2] = ["call_0", "toolu_0"];
/// As in `src/model/tool_calls.rs`.
const CALLS: usize = 128;
const ARGUMENT_BYTES: usize = 1024 * 1024;
const NAME_BYTES: usize = 256;
const ID_BYTES: usize = 40;
/// Longest message of an error: a sentence, and what the server said, cut.
const MESSAGE_CHARACTERS: usize = 600;

/// The same bytes in one piece, byte by byte, and cut in places that the bytes themselves decide.
pub fn cuts(bytes: &[u8]) -> [Vec<&[u8]>; 3] {
    let mut state = bytes.iter().fold(0x9e37_79b9_u32, |state, &byte| {
        (state ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let (mut odd, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = (state >> 16) as usize % 40 % rest.len() + 1;
        let (piece, after) = rest.split_at(length);
        odd.push(piece);
        rest = after;
    }
    [vec![bytes], bytes.chunks(1).collect(), odd]
}

/// Decodes an answer however it is cut, and checks what every answer has to be.
pub fn check_answer(api: Api, bytes: &[u8]) {
    let [whole, single, odd] = cuts(bytes).map(|pieces| {
        let mut decoded = fuzzing::decode(api, &pieces, &USED_IDS);
        check_decoded(&decoded, bytes.len());
        decoded.events.iter_mut().for_each(forget_made_up_ids);
        decoded
    });
    assert_eq!(whole, single, "byte by byte");
    assert_eq!(whole, odd, "cut in odd places");
}

fn check_decoded(decoded: &Decoded, fed: usize) {
    let Decoded { events, error } = decoded;
    let ends = events
        .iter()
        .filter(|event| matches!(event, ModelEvent::End(_)));
    let usages = events
        .iter()
        .filter(|event| matches!(event, ModelEvent::Usage { .. }));
    assert!(usages.count() <= 1, "the usage is told once");
    let calls: Vec<&ToolCall> = events
        .iter()
        .filter_map(|event| match event {
            ModelEvent::ToolCall(call) => Some(call),
            _ => None,
        })
        .collect();
    if let Some(error) = error {
        assert_eq!(ends.count(), 0, "an end or an error, not both");
        assert!(
            calls.is_empty(),
            "calls of an answer that failed are not run"
        );
        let message = &error.message;
        assert!(
            !message.is_empty() && !message.contains(char::is_control),
            "{message:?}"
        );
        assert!(message.chars().count() <= MESSAGE_CHARACTERS, "{message:?}");
    } else {
        assert_eq!(ends.count(), 1, "one end");
        let Some(ModelEvent::End(end)) = events.last() else {
            panic!("something after the end: {events:?}");
        };
        assert_eq!(*end == End::ToolCalls, !calls.is_empty(), "{events:?}");
    }
    check_calls(&calls, &USED_IDS);
    let mut said = 0;
    for event in events {
        if let ModelEvent::Text(text) = event {
            assert!(!text.is_empty(), "a text that says nothing");
            said += text.len();
        }
    }
    // A byte that is no UTF-8 is written as three.
    assert!(said <= 3 * fed, "{said} bytes were said of {fed}");
}

/// Checks calls as they are run.
pub fn check_calls(calls: &[&ToolCall], used_ids: &[&str]) {
    let mut ids: HashSet<&str> = used_ids.iter().copied().collect();
    assert!(calls.len() <= CALLS);
    let bytes: usize = calls.iter().map(|call| call.arguments.len()).sum();
    assert!(bytes <= ARGUMENT_BYTES + 2 * CALLS);
    for call in calls {
        assert!(!call.id.is_empty() && call.id.len() <= ID_BYTES, "{call:?}");
        assert!(ids.insert(&call.id), "an id was used twice: {call:?}");
        assert!(
            !call.name.is_empty() && call.name.len() <= NAME_BYTES,
            "{call:?}"
        );
        assert!(!call.arguments.trim().is_empty(), "{call:?}");
    }
}

/// Ids that were made up are others each time.
fn forget_made_up_ids(event: &mut ModelEvent) {
    if let ModelEvent::ToolCall(call) = event {
        let made_up = call.id.strip_prefix("call_").is_some_and(|rest| {
            rest.len() == 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        if made_up {
            call.id = "made up".into();
        }
    }
}
