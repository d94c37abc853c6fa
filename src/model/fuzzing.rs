//! What `tests/fuzz` reaches of what is private here. It is compiled only there (`--cfg fuzzing`), so that the library
//! offers nothing of it to anybody else.

use std::collections::VecDeque;

use super::decoder::Decoder;
use super::http::{Event, Peer, Reader};
use super::tool_calls::{Piece as CallPiece, ToolCalls};
use super::{ModelError, ModelEvent, anthropic, openai};
use crate::chat::ToolCall;

/// The APIs there are decoders for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// Anthropic's messages.
    Anthropic,
    /// Chat completions.
    OpenAi,
}

/// What became of a stream of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The types and data of the events, in order.
    pub events: Vec<(String, String)>,
    /// True if one was too large: nothing was read after that.
    pub is_too_large: bool,
    /// The most bytes that were held of what was not finished.
    pub held: usize,
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// All that came out. What came in after the end was fed too: nothing may come of it.
    pub events: Vec<ModelEvent>,
    /// How it ended, if not well.
    pub error: Option<ModelError>,
}

/// A piece of a tool call; what is empty was not said.
#[derive(Debug, Clone, Default)]
pub struct Piece {
    /// The place of the call in the answer.
    pub index: Option<u32>,
    /// Its id.
    pub id: String,
    /// The tool.
    pub name: String,
    /// More of its arguments.
    pub arguments: String,
}

/// Reads a stream that comes in these pieces, of events of at most `limit` bytes.
pub fn read(pieces: &[&[u8]], limit: usize) -> Read {
    let (mut reader, mut events) = (Reader::bounded(limit), VecDeque::new());
    let (mut is_too_large, mut held) = (false, 0);
    for piece in pieces {
        is_too_large = reader.feed(piece, &mut events).is_err();
        held = held.max(reader.held());
        if is_too_large {
            break;
        }
    }
    let events = events.into_iter().map(|event| (event.name, event.data));
    Read {
        events: events.collect(),
        is_too_large,
        held,
    }
}

/// Decodes an answer that comes in these pieces, in a conversation that has these call ids already.
pub fn decode(api: Api, pieces: &[&[u8]], used_ids: &[&str]) -> Decoded {
    let used_ids = used_ids.iter().map(|id| (*id).into()).collect();
    let peer = Peer {
        host: "models.example".to_owned(),
        model: "small".to_owned(),
        section: "models",
        secrets: Vec::new(),
    };
    let mut decoder = match api {
        Api::Anthropic => Decoder::Anthropic(anthropic::Decoder::new(peer, used_ids)),
        Api::OpenAi => Decoder::OpenAi(openai::Decoder::new(peer, used_ids)),
    };
    let (mut reader, mut events, mut out) =
        (Reader::default(), VecDeque::<Event>::new(), VecDeque::new());
    let mut result = Ok(());
    for piece in pieces {
        // What is larger than the reader takes is the other target's business.
        let _ = reader.feed(piece, &mut events);
        while let (Ok(()), Some(event)) = (&result, events.pop_front()) {
            result = decoder.feed(&event, &mut out);
        }
    }
    let result = result.and_then(|()| decoder.eof(&mut out));
    Decoded {
        events: out.into(),
        error: result.err().map(|failure| failure.error),
    }
}

/// Puts calls together; an error says what is wrong with them.
pub fn assemble(pieces: Vec<Piece>, used_ids: &[&str]) -> Result<Vec<ToolCall>, &'static str> {
    let mut calls = ToolCalls::default();
    for piece in pieces {
        let Piece {
            index,
            id,
            name,
            arguments,
        } = piece;
        calls.add(CallPiece {
            index,
            id,
            name,
            arguments,
        })?;
    }
    calls.finish(used_ids.iter().map(|id| (*id).into()).collect())
}
