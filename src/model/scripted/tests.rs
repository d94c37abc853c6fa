use futures_util::StreamExt as _;

use super::*;
use crate::chat::{ToolCall, ToolResult};

type Played = Vec<Result<ModelEvent, ModelError>>;

fn script(text: &str) -> Result<Scripted, ScriptError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Scripted::load(file.path())
}

fn documented() -> Scripted {
    let document = include_str!("../scripted.md");
    let (_, after) = document.split_once("```json\n").unwrap();
    let (example, _) = after.split_once("```").unwrap();
    script(example).unwrap()
}

fn problem(text: &str) -> String {
    script(text).unwrap_err().to_string()
}

fn step(entries: &str) -> Scripted {
    script(&format!(r#"{{"scenarios": [{{"steps": [[{entries}]]}}]}}"#)).unwrap()
}

fn request(question: &str, answered: usize) -> Request {
    let mut messages = vec![
        Message::User("an earlier question".into()),
        Message::Assistant {
            text: "an earlier answer".into(),
            tool_calls: Vec::new(),
        },
        Message::User(question.into()),
    ];
    for at in 0..answered {
        let id: Arc<str> = format!("{at}").into();
        messages.push(Message::Assistant {
            text: "".into(),
            tool_calls: vec![ToolCall {
                id: Arc::clone(&id),
                name: "list_tables".into(),
                arguments: "{}".into(),
            }],
        });
        messages.push(Message::Tool(ToolResult {
            call_id: id,
            name: "list_tables".into(),
            content: "[]".into(),
            failed: false,
        }));
    }
    Request {
        system: "".into(),
        messages,
        tools: Arc::new([]),
    }
}

async fn play(scripted: &Scripted, question: &str, answered: usize) -> Played {
    scripted.stream(request(question, answered)).collect().await
}

fn text(played: &Played) -> String {
    played
        .iter()
        .filter_map(|event| match event {
            Ok(ModelEvent::Text(text)) => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_documented_example_plays_step_by_step() {
    let scripted = documented();
    let first = play(&scripted, "List all tables", 0).await;
    assert_eq!(
        first,
        [
            Ok(ModelEvent::ToolCall(ToolCall {
                id: "scripted-1-1".into(),
                name: "list_tables".into(),
                arguments: r#"{"type":"FACT"}"#.into(),
            })),
            Ok(ModelEvent::Usage {
                input_tokens: 120,
                cached_tokens: 0,
                output_tokens: 9
            }),
            Ok(ModelEvent::End(End::ToolCalls)),
        ]
    );
    let second = play(&scripted, "List all tables", 1).await;
    assert_eq!(
        text(&second),
        "Here they are. Cut into pieces of four characters."
    );
    assert_eq!(second.len(), 3 + 9 + 1);
    assert_eq!(second.last(), Some(&Ok(ModelEvent::End(End::Stop))));
}

#[tokio::test]
async fn a_request_beyond_the_last_step_fails_unless_it_is_repeated() {
    let scripted = documented();
    let beyond = play(&scripted, "List all tables", 2).await;
    assert_eq!(beyond.len(), 1);
    assert_eq!(beyond[0].as_ref().unwrap_err().kind, ErrorKind::Protocol);

    let ids = |played: Played| -> Vec<String> {
        let id = |event| match event {
            Ok(ModelEvent::ToolCall(call)) => Some(call.id.to_string()),
            _ => None,
        };
        played.into_iter().filter_map(id).collect()
    };
    assert_eq!(
        ids(play(&scripted, "a broken one", 0).await),
        ["first", "scripted-1-2"]
    );
    assert_eq!(
        ids(play(&scripted, "a broken one", 7).await),
        ["first", "scripted-8-2"]
    );
}

#[tokio::test]
async fn broken_arguments_are_sent_as_they_are() {
    let played = play(&documented(), "a broken one", 0).await;
    let Some(Ok(ModelEvent::ToolCall(call))) = played.get(1) else {
        panic!("{played:?}");
    };
    assert_eq!(&*call.arguments, r#"{"type": "#);
}

#[tokio::test]
async fn generated_text_has_its_size_and_its_end() {
    let played = play(&documented(), "a long one", 0).await;
    assert_eq!(text(&played), "word ".repeat(5000));
    assert_eq!(played.len(), 5001);
    assert_eq!(played.last(), Some(&Ok(ModelEvent::End(End::Length))));
}

#[tokio::test]
async fn an_error_is_the_last_thing() {
    let played = play(&documented(), "anything", 0).await;
    assert_eq!(
        played,
        [
            Ok(ModelEvent::Text("Half an ans".to_owned())),
            Err(ModelError {
                kind: ErrorKind::RateLimited,
                message: "too many requests: try again in a minute".to_owned(),
            }),
        ]
    );
}

#[tokio::test]
async fn every_kind_of_failure_can_be_played() {
    let line = include_str!("../scripted.md")
        .lines()
        .find(|line| line.starts_with("| `{\"error\""));
    let (_, kinds) = line.unwrap().split_once("fails: ").unwrap();
    let kinds: Vec<&str> = kinds.split('`').skip(1).step_by(2).collect();
    for kind in &kinds {
        let step = format!(r#"{{"error": {{"kind": "{kind}", "message": "x"}}}}"#);
        let script = script(&format!(r#"{{"scenarios": [{{"steps": [[{step}]]}}]}}"#)).unwrap();
        let played = play(&script, "anything", 0).await;
        let failure = played[0].as_ref().unwrap_err();
        assert_eq!(failure.kind.as_str(), *kind);
    }
    let code = include_str!("../error.rs");
    let known = code.matches(" => \"").count();
    assert_eq!(kinds.len(), known, "scripted.md names every kind there is");
}

#[tokio::test(start_paused = true)]
async fn a_hanging_step_says_its_text_and_never_ends() {
    let mut stream = documented().stream(request("hang", 0));
    assert_eq!(
        stream.next().await,
        Some(Ok(ModelEvent::Text("Never ".to_owned())))
    );
    let hour = Duration::from_hours(1);
    assert!(tokio::time::timeout(hour, stream.next()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn delays_and_pauses_take_their_time_and_start_with_the_first_poll() {
    let scripted = step(
        r#"{"delay_ms": 100}, {"cut": {"text": "žltý kôň", "characters": 3, "pause_ms": 10}}"#,
    );
    let stream = scripted.stream(request("?", 0));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let start = tokio::time::Instant::now();
    let played: Played = stream.collect().await;
    assert_eq!(start.elapsed(), Duration::from_millis(120));
    let pieces: Vec<_> = played.iter().flatten().collect();
    assert_eq!(pieces[0], &ModelEvent::Text("žlt".to_owned()));
    assert_eq!(text(&played), "žltý kôň");
}

#[tokio::test]
async fn a_question_without_a_scenario_fails_and_an_empty_step_stops() {
    let scripted = script(r#"{"scenarios": [{"when": {"exact": "a"}, "steps": [[]]}]}"#).unwrap();
    assert_eq!(
        play(&scripted, "a", 0).await,
        [Ok(ModelEvent::End(End::Stop))]
    );
    let played = play(&scripted, "b", 0).await;
    assert_eq!(played.len(), 1);
    assert!(
        played[0]
            .as_ref()
            .unwrap_err()
            .message
            .contains("no scenario")
    );
}

#[tokio::test]
async fn the_first_fitting_scenario_wins_wherever_the_default_stands() {
    let scripted = script(
        r#"{"scenarios": [
            {"steps": [[{"text": "default"}]]},
            {"when": {"contains": "b"}, "steps": [[{"text": "contains"}]]},
            {"when": {"exact": "abc"}, "steps": [[{"text": "exact"}]]}
        ]}"#,
    )
    .unwrap();
    assert_eq!(text(&play(&scripted, "abc", 0).await), "contains");
    assert_eq!(text(&play(&scripted, "ABC", 0).await), "default");
}

#[test]
fn what_cannot_be_played_is_refused_with_its_place() {
    let in_step = |entry: &str| problem(&format!(r#"{{"scenarios": [{{"steps": [[{entry}]]}}]}}"#));
    let cases = [
        (problem("{"), "line 1 column"),
        (problem(r#"{"scenario": []}"#), "unknown field `scenario`"),
        (problem(r#"{"scenarios": []}"#), "scenarios: is empty"),
        (
            problem(r#"{"scenarios": [{"steps": []}]}"#),
            "scenarios[0].steps: is empty",
        ),
        (
            problem(r#"{"scenarios": [{"when": {"contains": ""}, "steps": [[]]}]}"#),
            "scenarios[0].when",
        ),
        (
            problem(r#"{"scenarios": [{"steps": [[]]}, {"steps": [[]]}]}"#),
            "scenarios[1]: is the second one without `when`",
        ),
        (in_step(r#"{"txt": "a"}"#), "unknown variant `txt`"),
        (
            in_step(r#"{"cut": {"text": "a", "characters": 0}}"#),
            "at least 1",
        ),
        (
            in_step(r#"{"cut": {"text": "a", "character": 1}}"#),
            "unknown field `character`",
        ),
        (
            in_step(r#"{"repeat": {"text": "abcd", "times": 99999999}}"#),
            "64 MiB",
        ),
        (in_step(r#"{"delay_ms": 3600001}"#), "at most 3600000"),
        (
            in_step(r#"{"end": "stop"}, {"text": "a"}"#),
            "scenarios[0].steps[0][0]: ends the step",
        ),
        (in_step(r#""hang", {"text": "a"}"#), "ends the step"),
        (
            in_step(r#"{"error": {"kind": "server", "message": ""}}"#),
            "`message` is empty",
        ),
        (
            in_step(r#"{"error": {"kind": "bad", "message": "x"}}"#),
            "unknown variant `bad`",
        ),
        (
            in_step(r#"{"call": {"name": "a", "arguments": {}, "raw_arguments": ""}}"#),
            "give one",
        ),
    ];
    for (problem, part) in cases {
        assert!(problem.contains(part), "{problem:?} lacks {part:?}");
    }
}

#[test]
fn a_missing_and_an_oversized_file_are_told_apart() {
    let missing = Scripted::load(Path::new("no/such/script.json")).unwrap_err();
    assert!(matches!(missing, ScriptError::Read { .. }));
    assert!(missing.to_string().contains("no/such/script.json"));
    let oversized = script(&" ".repeat((4 << 20) + 1)).unwrap_err();
    assert!(
        matches!(oversized, ScriptError::TooLarge { .. }),
        "{oversized}"
    );
}
