use super::*;
use crate::chat::ToolCall;
use crate::model::ErrorKind;
use crate::model::anthropic::Thoughts;
use crate::model::decoder::Decoder as AnyDecoder;

fn peer() -> Peer {
    Peer {
        host: "models.example".to_owned(),
        model: "small".to_owned(),
        section: "anthropic",
        secrets: Vec::new(),
    }
}

/// What became of an answer made of these events, with the end of the stream after them.
struct Decoded {
    out: Vec<ModelEvent>,
    error: Option<ErrorKind>,
    response: Response,
}

fn decode_after(used: &[&str], events: &[&str]) -> Decoded {
    let used = used.iter().map(|id| Arc::from(*id)).collect();
    let decoder = AnyDecoder::Anthropic(Decoder::new(peer(), used, Thoughts::default().after(&[])));
    let (mut decoder, mut out) = (decoder, VecDeque::new());
    let mut fed = Ok(());
    for data in events {
        // As the provider does, each type is said twice.
        let name = data.split('"').nth(3).unwrap_or_default().to_owned();
        let data = (*data).to_owned();
        fed = fed.and_then(|()| decoder.feed(&Event { name, data }, &mut out));
    }
    let fed = fed.and_then(|()| decoder.eof(&mut out));
    Decoded {
        out: out.into(),
        error: fed.err().map(|failure| failure.error.kind),
        response: decoder.response().clone(),
    }
}

fn decode(events: &[&str]) -> Vec<ModelEvent> {
    let decoded = decode_after(&[], events);
    assert_eq!(decoded.error, None);
    decoded.out
}

fn fails(events: &[&str]) -> ErrorKind {
    decode_after(&[], events).error.expect("a failure")
}

fn says(text: &str) -> String {
    format!(
        r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#
    )
}

fn stops(reason: &str) -> String {
    format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":"{reason}","stop_sequence":null}},"usage":{{"output_tokens":15}}}}"#
    )
}

fn calls(index: u32, id: &str, name: &str) -> String {
    format!(
        r#"{{"type":"content_block_start","index":{index},"content_block":{{"type":"tool_use","id":"{id}","name":"{name}","input":{{}}}}}}"#
    )
}

fn arguments(index: u32, json: &str) -> String {
    let json = serde_json::Value::from(json);
    format!(
        r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"input_json_delta","partial_json":{json}}}}}"#
    )
}

fn text(text: &str) -> ModelEvent {
    ModelEvent::Text(text.to_owned())
}

fn call(id: &str, name: &str, arguments: &str) -> ModelEvent {
    ModelEvent::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
    })
}

const USAGE: ModelEvent = ModelEvent::Usage {
    input_tokens: 25,
    cached_tokens: 0,
    output_tokens: 15,
};
const START: &str = r#"{"type":"message_start","message":{"id":"msg_01","type":"message","role":"assistant","content":[],"model":"claude-haiku-5-5-20261007","stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"output_tokens":1}}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;
const ENDED: ModelEvent = ModelEvent::End(End::Stop);

/// The stream of the API's documentation, with what it may have besides.
#[test]
fn text_and_usage() {
    let decoded = decode_after(
        &[],
        &[
            START,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            r#"{"type": "ping"}"#,
            &says("There are "),
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{}}}"#,
            r#"{"type":"some_day","text":"new"}"#,
            &says("17."),
            r#"{"type":"content_block_stop","index":0}"#,
            &stops("end_turn"),
            STOP,
            &says("after the end"),
        ],
    );
    assert_eq!(decoded.error, None);
    assert_eq!(decoded.out, [text("There are "), text("17."), USAGE, ENDED]);
    let response = Response {
        id: "msg_01".to_owned(),
        model: "claude-haiku-5-5-20261007".to_owned(),
        finish: "end_turn".to_owned(),
        ..Response::default()
    };
    assert_eq!(decoded.response, response);
}

#[test]
fn what_the_cache_had_is_input_and_is_told_by_itself() {
    let start = r#"{"type":"message_start","message":{"usage":{"input_tokens":5,"cache_creation_input_tokens":300,"cache_read_input_tokens":2000,"output_tokens":1,"cache_creation":{"ephemeral_5m_input_tokens":300},"service_tier":"standard"}}}"#;
    // The last counts, and what it leaves out stays.
    let end = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":6,"output_tokens":9,"cache_read_input_tokens":null}}"#;
    let decoded = decode_after(&[], &[start, &says("a"), end, STOP]);
    let usage = ModelEvent::Usage {
        input_tokens: 2306,
        cached_tokens: 2000,
        output_tokens: 9,
    };
    assert_eq!(decoded.out, [text("a"), usage, ENDED]);
    assert_eq!(decoded.response.cache_read, Some(2000));
    assert_eq!(decoded.response.cache_write, Some(300));
}

#[test]
fn thoughts_are_left_out_and_calls_are_put_together() {
    let out = decode(&[
        START,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQ="}}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"Emw="}}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":"Let me see."}}"#,
        &calls(3, "toolu_1", "list_tables"),
        &arguments(3, ""),
        &arguments(3, r#"{"type":"#),
        &arguments(3, r#" "FACT"}"#),
        &calls(4, "toolu_2", "get_lineage"),
        r#"{"type":"content_block_start","index":5,"content_block":{"type":"tool_use","id":"toolu_3","name":"search_columns","input":{"pattern":"*"}}}"#,
        // A tool of the provider's: its arguments are not ours.
        r#"{"type":"content_block_start","index":6,"content_block":{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}}"#,
        &arguments(6, r#"{"query":"x"}"#),
        &stops("tool_use"),
        STOP,
    ]);
    let expected = [
        text("Let me see."),
        call("toolu_1", "list_tables", r#"{"type": "FACT"}"#),
        call("toolu_2", "get_lineage", "{}"),
        call("toolu_3", "search_columns", r#"{"pattern":"*"}"#),
        USAGE,
        ModelEvent::End(End::ToolCalls),
    ];
    assert_eq!(out, expected);
}

#[test]
fn ids_of_the_conversation_are_not_used_again() {
    let events = [&*calls(0, "toolu_1", "list_tables"), &*stops("tool_use")];
    let decoded = decode_after(&["toolu_1"], &events);
    let [ModelEvent::ToolCall(call), ..] = decoded.out.as_slice() else {
        panic!("{:?}", decoded.out);
    };
    assert!(call.id.starts_with("call_"), "{}", call.id);
}

#[test]
fn every_reason_for_the_end_has_its_meaning() {
    let ended = |reason: &str| {
        let decoded = decode_after(&[], &[&says("a"), &stops(reason), STOP]);
        let end = decoded.out.last().cloned();
        decoded.error.map_or_else(
            || end.map(|end| format!("{end:?}")).unwrap_or_default(),
            |kind| kind.as_str().to_owned(),
        )
    };
    for (reason, expected) in [
        ("end_turn", "End(Stop)"),
        ("stop_sequence", "End(Stop)"),
        ("max_tokens", "End(Length)"),
        ("model_context_window_exceeded", "End(Length)"),
        ("pause_turn", "End(Length)"),
        ("refusal", "content_filter"),
        ("some_day", "End(Stop)"),
        // It wants to call a tool, and has named none.
        ("tool_use", "protocol"),
    ] {
        assert_eq!(ended(reason), expected, "{reason}");
    }
}

#[test]
fn an_end_is_never_left_out_and_what_was_cut_is_not_run() {
    assert_eq!(decode(&[&says("a"), &stops("end_turn")])[0], text("a"));
    assert_eq!(fails(&[START, &says("a")]), ErrorKind::Truncated);
    assert_eq!(fails(&[START, &says("a"), STOP]), ErrorKind::Truncated);
    assert_eq!(fails(&[]), ErrorKind::Truncated);
    let cut = decode(&[
        &calls(0, "toolu_1", "list_tables"),
        &arguments(0, r#"{"type":"FACT"}"#),
        &stops("max_tokens"),
        STOP,
    ]);
    assert_eq!(cut.last(), Some(&ModelEvent::End(End::Length)));
    assert!(
        !cut.iter()
            .any(|event| matches!(event, ModelEvent::ToolCall(_)))
    );
}

#[test]
fn errors_in_the_middle() {
    for (error, kind) in [
        ("overloaded_error", ErrorKind::Overloaded),
        ("rate_limit_error", ErrorKind::RateLimited),
        ("authentication_error", ErrorKind::Auth),
        ("permission_error", ErrorKind::Auth),
        ("billing_error", ErrorKind::QuotaExhausted),
        ("timeout_error", ErrorKind::Timeout),
        ("not_found_error", ErrorKind::NotFound),
        ("request_too_large", ErrorKind::ContextLength),
        ("invalid_request_error", ErrorKind::BadRequest),
        ("api_error", ErrorKind::Server),
    ] {
        let event = format!(r#"{{"type":"error","error":{{"type":"{error}","message":"x"}}}}"#);
        assert_eq!(fails(&[&says("a"), &event]), kind, "{error}");
        // Not every gateway names the event, and some have no type around the error.
        let bare = format!(r#"{{"error":{{"type":"{error}","message":"x"}}}}"#);
        assert_eq!(fails(&[&bare]), kind, "{error}");
    }
    assert_eq!(fails(&[r#"{"type":"error"}"#]), ErrorKind::Server);
    assert_eq!(fails(&[r#"{"type":7}"#]), ErrorKind::Protocol);
    assert_eq!(fails(&["<html>"]), ErrorKind::Protocol);
    let nameless = calls(0, "toolu_1", "");
    assert_eq!(fails(&[&nameless, &stops("tool_use")]), ErrorKind::Protocol);
}

#[test]
fn arguments_are_bounded() {
    let long = arguments(0, &"x".repeat(600_000));
    let begun = calls(0, "toolu_1", "list_tables");
    assert_eq!(fails(&[&begun, &long, &long]), ErrorKind::Protocol);
}
