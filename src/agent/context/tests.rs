use super::*;
use crate::chat::ToolCall;

fn user(text: &str) -> Message {
    Message::User(text.into())
}

fn said(text: &str) -> Message {
    Message::Assistant {
        text: text.into(),
        tool_calls: Vec::new(),
    }
}

/// A call and its result of so many bytes.
fn found(id: &str, bytes: usize) -> [Message; 2] {
    let call = ToolCall {
        id: id.into(),
        name: "list_tables".into(),
        arguments: "{}".into(),
    };
    let result = ToolResult {
        call_id: id.into(),
        name: "list_tables".into(),
        content: "x".repeat(bytes).into(),
        failed: false,
    };
    [
        Message::Assistant {
            text: "".into(),
            tool_calls: vec![call],
        },
        Message::Tool(result),
    ]
}

fn turn(question: &str, bytes: usize) -> Vec<Message> {
    let mut turn = vec![user(question)];
    turn.extend(found(question, bytes));
    turn.push(said("an answer"));
    turn
}

fn context(turns: Vec<Vec<Message>>, request: usize, history: usize) -> Context {
    Context::new(turns, "?".into(), "", &[], Budget { request, history })
}

/// The first letters of each message, with the bytes of a result.
fn told(context: &mut Context) -> Vec<String> {
    let messages = context.messages().unwrap();
    let told = messages.iter().map(|message| match message {
        Message::User(text) | Message::Assistant { text, .. } => text.to_string(),
        Message::Tool(result) if result.content.contains("shortened") => "short".to_owned(),
        Message::Tool(result) => result.content.len().to_string(),
    });
    told.filter(|text| !text.is_empty()).collect()
}

#[test]
fn what_fits_is_told_whole() {
    let mut context = context(vec![turn("a", 3_000), turn("b", 3_000)], 10_000, 10_000);
    let all = ["a", "3000", "an answer", "b", "3000", "an answer", "?"];
    assert_eq!(told(&mut context), all);
}

#[test]
fn results_of_the_oldest_turns_are_shortened_before_anything_is_forgotten() {
    let turns = vec![turn("a", 7_000), turn("b", 7_000)];
    let mut context = context(turns, 100_000, 3_000);
    let all = ["a", "short", "an answer", "b", "7000", "an answer", "?"];
    assert_eq!(told(&mut context), all);
}

#[test]
fn whole_turns_are_forgotten_oldest_first() {
    let turns = vec![turn("a", 7_000), turn("b", 7_000), turn("c", 100)];
    let mut context = context(turns, 100_000, 100);
    assert_eq!(told(&mut context), ["c", "100", "an answer", "?"]);
}

#[test]
fn what_the_turn_itself_found_gives_way_last_and_oldest_first() {
    let mut context = context(vec![turn("a", 100)], 3_000, 3_000);
    context.extend(found("1", 7_000));
    context.extend(found("2", 7_000));
    assert_eq!(told(&mut context), ["?", "short", "7000"]);
}

#[test]
fn a_question_that_is_too_long_by_itself_is_said_to_be() {
    let question = "word ".repeat(10_000);
    let budget = Budget {
        request: 1_000,
        history: 1_000,
    };
    let mut context = Context::new(vec![], question.into(), "", &[], budget);
    assert_eq!(context.messages(), Err(TooLong));
}

#[test]
fn the_prompt_and_the_tools_count() {
    let prompt = "word ".repeat(1_000);
    let budget = Budget {
        request: 1_500,
        history: 1_500,
    };
    let mut context = Context::new(vec![turn("a", 700)], "?".into(), &prompt, &[], budget);
    assert_eq!(told(&mut context), ["?"]);
}

#[test]
fn each_time_the_model_finds_it_too_long_it_is_shorter_until_nothing_is_left() {
    let turns = (0..20).map(|_| turn("a", 700)).collect();
    let mut context = context(turns, 100_000, 100_000);
    let mut lengths = vec![context.messages().unwrap().len()];
    while context.shrink().is_ok() {
        lengths.push(context.messages().unwrap().len());
    }
    assert!(lengths.is_sorted_by(|a, b| a > b), "{lengths:?}");
    assert_eq!(lengths.len(), 4);
    assert_eq!(context.shrink(), Err(TooLong));
}

#[test]
fn what_was_shortened_stays_so() {
    let mut context = context(vec![], 3_000, 3_000);
    context.extend(found("1", 20_000));
    let first = context.messages().unwrap();
    context.extend(found("2", 100));
    let second = context.messages().unwrap();
    assert_eq!(first[..], second[..first.len()]);
}

#[test]
fn tokens_are_guessed_by_script_and_shape() {
    assert_eq!(tokens::of(""), 0);
    assert_eq!(tokens::of("The quick brown fox jumps over it."), 10);
    assert_eq!(tokens::of("žluťoučký kůň"), 8);
    assert_eq!(tokens::of("表の列"), 5);
}
