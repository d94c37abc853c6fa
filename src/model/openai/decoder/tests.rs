use super::*;
use crate::chat::ToolCall;
use crate::model::ErrorKind;
use crate::model::decoder::Decoder as AnyDecoder;

fn peer() -> Peer {
    Peer {
        host: "models.example".to_owned(),
        model: "small".to_owned(),
        section: "openai",
        secrets: Vec::new(),
    }
}

/// What became of an answer made of these events; `error: …` is an event of that type. The end of the stream follows.
struct Decoded {
    out: Vec<ModelEvent>,
    error: Option<ErrorKind>,
    response: Response,
}

fn decode_after(used: &[&str], events: &[&str]) -> Decoded {
    let used = used.iter().map(|id| Arc::from(*id)).collect();
    let decoder = AnyDecoder::OpenAi(Decoder::new(peer(), used));
    let (mut decoder, mut out) = (decoder, VecDeque::new());
    let mut fed = Ok(());
    for event in events {
        let (name, data) = match event.strip_prefix("error: ") {
            Some(data) => ("error", data),
            None => ("", *event),
        };
        let (name, data) = (name.to_owned(), data.to_owned());
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

fn usage(input_tokens: u64, output_tokens: u64) -> ModelEvent {
    ModelEvent::Usage {
        input_tokens,
        cached_tokens: 0,
        output_tokens,
    }
}

const CALLS: ModelEvent = ModelEvent::End(End::ToolCalls);
const STOP: ModelEvent = ModelEvent::End(End::Stop);
const FINISH_CALLS: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#;
const FINISH_STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;

/// A chunk with these tool call pieces.
fn pieces(pieces: &str) -> String {
    format!(
        r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{pieces}]}},"finish_reason":null}}]}}"#
    )
}

/// A chunk with this text.
fn says(text: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}]}}"#)
}

/// As OpenAI sends it, usage in a last chunk without choices.
#[test]
fn text_and_usage() {
    let decoded = decode_after(
        &[],
        &[
            r#"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-5.4-mini-2026-03-17","service_tier":"default","system_fingerprint":null,"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x"}"#,
            &says("There are "),
            &says("17."),
            FINISH_STOP,
            r#"{"id":"chatcmpl-1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":0}}}"#,
            "[DONE]",
            &says("after the end"),
        ],
    );
    assert_eq!(decoded.error, None);
    let expected = [text("There are "), text("17."), usage(9, 3), STOP];
    assert_eq!(decoded.out, expected);
    let response = Response {
        id: "chatcmpl-1".to_owned(),
        model: "gpt-5.4-mini-2026-03-17".to_owned(),
        finish: "stop".to_owned(),
        cache_read: Some(0),
        cache_write: None,
    };
    assert_eq!(decoded.response, response);
}

/// Azure begins with the verdict of its filter on the question.
#[test]
fn a_first_chunk_without_choices() {
    let first = r#"{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0}]}"#;
    assert_eq!(
        decode(&[first, &says("Yes"), FINISH_STOP]),
        [text("Yes"), STOP]
    );
}

#[test]
fn parallel_calls_with_interleaved_pieces() {
    let out = decode(&[
        &pieces(
            r#"{"index":0,"id":"a","type":"function","function":{"name":"list_tables","arguments":""}}"#,
        ),
        &pieces(
            r#"{"index":1,"id":"b","type":"function","function":{"name":"get_lineage","arguments":""}}"#,
        ),
        &pieces(r#"{"index":0,"function":{"arguments":"{\"type\":"}}"#),
        &pieces(r#"{"index":1,"function":{"arguments":"{\"table\":"}}"#),
        &pieces(
            r#"{"index":1,"id":"","function":{"name":null,"arguments":"\"t\"}"}},{"index":0,"id":null,"function":{"arguments":"\"FACT\"}"}}"#,
        ),
        FINISH_CALLS,
        "[DONE]",
    ]);
    let expected = [
        call("a", "list_tables", r#"{"type":"FACT"}"#),
        call("b", "get_lineage", r#"{"table":"t"}"#),
        CALLS,
    ];
    assert_eq!(out, expected);
}

/// LiteLLM passes this on.
#[test]
fn two_calls_with_one_index() {
    let out = decode(&[
        &pieces(
            r#"{"index":0,"id":"a","function":{"name":"list_tables","arguments":"{\"type\":1}"}}"#,
        ),
        &pieces(
            r#"{"index":0,"id":"b","function":{"name":"list_tables","arguments":"{\"type\":"}}"#,
        ),
        &pieces(r#"{"index":0,"function":{"arguments":"2}"}}"#),
        FINISH_CALLS,
    ]);
    let expected = [
        call("a", "list_tables", r#"{"type":1}"#),
        call("b", "list_tables", r#"{"type":2}"#),
        CALLS,
    ];
    assert_eq!(out, expected);
}

#[test]
fn calls_without_index_or_arguments() {
    let out = decode(&[
        &pieces(r#"{"id":"a","function":{"name":"list_tables"}}"#),
        &pieces(r#"{"id":"b","function":{"name":"get_lineage","arguments":"{\"x\""}}"#),
        &pieces(r#"{"function":{"arguments":":1}"}}"#),
        &pieces(r#"{"id":"c","function":{"name":"search_columns","arguments":{"pattern":"*"}}}"#),
        FINISH_STOP,
    ]);
    let expected = [
        call("a", "list_tables", "{}"),
        call("b", "get_lineage", r#"{"x":1}"#),
        call("c", "search_columns", r#"{"pattern":"*"}"#),
        // It said `stop`, and called all the same.
        CALLS,
    ];
    assert_eq!(out, expected);
}

#[test]
fn ids_that_are_missing_or_were_used_are_made_up() {
    let decoded = decode_after(
        &["call_0"],
        &[
            &pieces(r#"{"index":0,"id":"call_0","function":{"name":"list_tables"}}"#),
            &pieces(r#"{"index":1,"function":{"name":"list_tables"}}"#),
            &pieces(r#"{"index":2,"id":"kept","function":{"name":"list_tables"}}"#),
            &pieces(r#"{"index":3,"id":"kept","function":{"name":"list_tables"}}"#),
            FINISH_CALLS,
        ],
    );
    let ids: Vec<_> = decoded
        .out
        .iter()
        .filter_map(|event| match event {
            ModelEvent::ToolCall(call) => Some(call.id.as_ref()),
            _ => None,
        })
        .collect();
    assert_eq!(ids.len(), 4);
    assert_eq!(ids[2], "kept");
    let unique: HashSet<_> = ids.iter().chain(&["call_0"]).collect();
    assert_eq!(unique.len(), 5, "{ids:?}");
    assert!(ids.iter().all(|id| id.len() <= 40));
}

#[test]
fn usage_counts_wherever_it_stands_and_the_last_one_wins() {
    let out = decode(&[
        r#"{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":9,"completion_tokens":1}}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#,
        r#"{"choices":[],"usage":null}"#,
    ]);
    assert_eq!(out, [text("a"), usage(9, 2), STOP]);
}

#[test]
fn an_end_is_never_left_out() {
    assert_eq!(decode(&[&says("a"), FINISH_STOP]), [text("a"), STOP]);
    assert_eq!(fails(&[&says("a")]), ErrorKind::Truncated);
    assert_eq!(fails(&[&says("a"), "[DONE]"]), ErrorKind::Truncated);
    assert_eq!(fails(&[]), ErrorKind::Truncated);
}

#[test]
fn calls_that_were_cut_are_not_run() {
    let out = decode(&[
        &says("a"),
        &pieces(r#"{"index":0,"id":"a","function":{"name":"list_tables","arguments":"{}"}}"#),
        r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#,
    ]);
    assert_eq!(out, [text("a"), ModelEvent::End(End::Length)]);
}

#[test]
fn what_the_model_declines_is_an_answer_and_what_a_filter_stops_is_none() {
    let refusal = r#"{"choices":[{"delta":{"refusal":"I will not."}}]}"#;
    assert_eq!(decode(&[refusal, FINISH_STOP]), [text("I will not."), STOP]);
    let filtered = r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#;
    assert_eq!(fails(&[&says("a"), filtered]), ErrorKind::ContentFilter);
}

#[test]
fn errors_in_the_middle() {
    let error =
        r#"{"error":{"message":"The server is overloaded","type":"overloaded_error","code":null}}"#;
    assert_eq!(fails(&[&says("a"), error]), ErrorKind::Overloaded);
    let named = format!("error: {error}");
    assert_eq!(fails(&[&says("a"), &named]), ErrorKind::Overloaded);
    assert_eq!(fails(&["error: it broke"]), ErrorKind::Server);
    assert_eq!(fails(&["{\"choices\": 7}"]), ErrorKind::Protocol);
    assert_eq!(fails(&["<html>"]), ErrorKind::Protocol);
    let nameless = pieces(r#"{"index":0,"id":"a","function":{"arguments":"{}"}}"#);
    assert_eq!(fails(&[&nameless, FINISH_CALLS]), ErrorKind::Protocol);
}

#[test]
fn arguments_and_calls_are_bounded() {
    let long = format!(
        r#"{{"index":0,"id":"a","function":{{"arguments":"{}"}}}}"#,
        "x".repeat(600_000)
    );
    let long = pieces(&long);
    assert_eq!(fails(&[&long, &long]), ErrorKind::Protocol);
    let many: Vec<_> = (0..200)
        .map(|at| {
            pieces(&format!(
                r#"{{"index":{at},"id":"{at}","function":{{"name":"f"}}}}"#
            ))
        })
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(fails(&many), ErrorKind::Protocol);
}
