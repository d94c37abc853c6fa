use super::*;

fn ask(content: &str) -> ClientFrame {
    ClientFrame::Ask {
        content: content.to_owned(),
        id: None,
        trace_context: TraceContext::default(),
    }
}

#[test]
fn a_question_is_a_content_whatever_else_is_there() {
    assert_eq!(read(r#"{"content":"Hi"}"#), Ok(ask("Hi")));
    assert_eq!(
        read(r#"{"content":"Hi","type":"user","x":[1]}"#),
        Ok(ask("Hi"))
    );
    assert_eq!(read(r#"{"content":"Hi","traceparent":7}"#), Ok(ask("Hi")));
}

#[test]
fn an_empty_question_is_nothing() {
    for empty in [
        "{}",
        r#"{"content":""}"#,
        r#"{"content":null}"#,
        r#"{"type":"pong"}"#,
    ] {
        assert_eq!(read(empty), Ok(ClientFrame::Nothing), "{empty}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let message = |text| read(text).unwrap_err().to_string();
    assert_eq!(message("nonsense"), "Invalid JSON format");
    assert_eq!(message(""), "Invalid JSON format");
    assert!(message("[1]").starts_with("Invalid JSON format: a frame is an object"));
    assert_eq!(
        message(r#"{"content":5}"#),
        "Invalid frame: content must be a string"
    );
    assert!(message(r#"{"content":"x","id":"a b"}"#).contains("128 printable"));
    assert!(message(r#"{"type":"cancel","turn_id":"7"}"#).contains("32 hexadecimal"));
}

#[test]
fn deep_nesting_is_refused_not_followed() {
    let deep = "[".repeat(60_000);
    assert_eq!(read(&deep), Err(InvalidFrame::NotJson));
}
