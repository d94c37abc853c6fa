//! The guide against the real tools: a table of questions with the facts each answer must have.

use std::sync::Arc;
use std::time::Duration;

use dragoman::catalog::Catalog;
use dragoman::chat::ToolResult;
use dragoman::model::{End, Guide, Message, ModelEvent, Request};
use dragoman::tools::Tools;
use futures_util::StreamExt as _;
use serde::Deserialize;

/// Most model requests a turn may take.
const MAX_STEPS: usize = 8;

/// `questions.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    conversation: Vec<Conversation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Conversation {
    turns: Vec<Turn>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    ask: String,
    /// The tools that are used, in order. A tool that is used twice stands there twice.
    tools: Vec<String>,
    /// What the answer must say.
    has: Vec<String>,
    /// What it must not say.
    #[serde(default)]
    lacks: Vec<String>,
}

/// A conversation that is being held.
struct Talk {
    guide: Guide,
    tools: Tools,
    messages: Vec<Message>,
}

/// What a turn came to.
struct Answer {
    text: String,
    tools: Vec<String>,
}

// === impl Talk ===

impl Talk {
    fn over(catalog: Catalog) -> Self {
        Self {
            guide: Guide::new(Duration::ZERO),
            tools: Tools::new(Arc::new(catalog)),
            messages: Vec::new(),
        }
    }

    /// One turn, as the agent runs it.
    async fn ask(&mut self, question: &str) -> Answer {
        self.messages.push(Message::User(question.into()));
        let mut answer = Answer {
            text: String::new(),
            tools: Vec::new(),
        };
        for _ in 0..MAX_STEPS {
            let request = Request {
                system: "".into(),
                messages: self.messages.clone(),
                tools: self.tools.specs(),
            };
            let events: Vec<_> = self.guide.stream(request).collect().await;
            let (mut text, mut calls, mut end) = (String::new(), Vec::new(), None);
            for event in events {
                assert_eq!(end, None, "something follows the end of {question:?}");
                match event.unwrap() {
                    ModelEvent::Text(piece) => text.push_str(&piece),
                    ModelEvent::ToolCall(call) => calls.push(call),
                    ModelEvent::End(reason) => end = Some(reason),
                    ModelEvent::Usage { .. } => {}
                }
            }
            answer.text.push_str(&text);
            self.messages.push(Message::Assistant {
                text: text.into(),
                tool_calls: calls.clone(),
            });
            for call in &calls {
                answer.tools.push(call.name.to_string());
                self.messages.push(Message::Tool(self.tools.run(call)));
            }
            match end {
                Some(End::Stop) => {
                    assert!(calls.is_empty());
                    return answer;
                }
                Some(End::ToolCalls) => assert!(!calls.is_empty()),
                other => panic!("{question:?} ended with {other:?}"),
            }
        }
        panic!("{question:?} took more than {MAX_STEPS} steps");
    }
}

fn demo() -> Talk {
    Talk::over(Catalog::demo().unwrap())
}

fn questions() -> Vec<Conversation> {
    let table: Table = toml::from_str(include_str!("guide/questions.toml")).unwrap();
    table.conversation
}

#[tokio::test]
async fn every_answer_has_its_facts() {
    let mut wrong = Vec::new();
    for conversation in questions() {
        let mut talk = demo();
        for turn in conversation.turns {
            let answer = talk.ask(&turn.ask).await;
            let mut problems = Vec::new();
            if answer.tools != turn.tools {
                problems.push(format!("used {:?}, not {:?}", answer.tools, turn.tools));
            }
            let missing = turn.has.iter().filter(|fact| !answer.text.contains(*fact));
            problems.extend(missing.map(|fact| format!("lacks {fact:?}")));
            let wrongly = turn.lacks.iter().filter(|fact| answer.text.contains(*fact));
            problems.extend(wrongly.map(|fact| format!("has {fact:?}")));
            if !problems.is_empty() {
                let problems = problems.join("\n  ");
                wrong.push(format!("{:?}\n  {problems}\n{}\n", turn.ask, answer.text));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong answers:\n\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// A catalog of these tables, in the documented format.
fn catalog(tables: &str) -> Catalog {
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = format!(r#"{{"format": 1, "name": "Test", "tables": [{tables}]}}"#);
    std::fs::write(file.path(), text).unwrap();
    Catalog::of_file(file.path()).unwrap()
}

fn request(question: &str) -> Request {
    Request {
        system: "".into(),
        messages: vec![Message::User(question.into())],
        tools: Tools::new(Arc::new(Catalog::demo().unwrap())).specs(),
    }
}

#[test]
fn the_table_of_questions_is_as_long_as_promised() {
    let questions: usize = questions().iter().map(|talk| talk.turns.len()).sum();
    assert!(questions >= 60, "{questions}");
}

#[tokio::test]
async fn names_that_look_like_markdown_stay_names() {
    let hostile = catalog(
        r#"{"schema": "s", "name": "odd `tick` | <b>pipe</b>", "type": "FACT",
            "owner": "R&D *team* <x@y>",
            "description": "First | <script>alert(1)</script>\n# second",
            "columns": [{"name": "a|b`c", "type": "int", "description": "[x](http://y) | z"}]}"#,
    );
    let mut talk = Talk::over(hostile);
    let list = talk.ask("List all tables").await;
    assert!(
        list.text
            .contains("\n1. ``odd `tick` | <b>pipe</b>`` (FACT)\n"),
        "{}",
        list.text
    );

    let described = talk.ask("describe odd tick").await;
    let text = described.text;
    assert!(
        text.contains("``odd `tick` | <b>pipe</b>`` is a fact table"),
        "{text}"
    );
    assert!(
        text.contains("First \\| \\<script>alert(1)\\</script> # second"),
        "{text}"
    );
    assert!(text.contains("**Owner**: R&D \\*team\\* \\<x@y>"), "{text}");
    assert!(
        text.ends_with("| ``a\\|b`c`` | int |  | \\[x](http://y) \\| z |"),
        "{text}"
    );
}

#[tokio::test]
async fn a_name_in_two_schemas_is_told_with_its_schema() {
    let twice = catalog(
        r#"{"schema": "raw", "name": "order", "type": "TABLE", "owner": "Raw team"},
           {"schema": "mart", "name": "order", "type": "FACT", "owner": "Mart team"}"#,
    );
    let mut talk = Talk::over(twice);
    let asked = talk.ask("who owns order?").await.text;
    assert!(
        asked.contains("`mart.order`") && asked.contains("`raw.order`"),
        "{asked}"
    );
    let answer = talk.ask("mart.order").await.text;
    assert!(
        answer.contains("**Mart team**") && !answer.contains("Raw team"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_catalog_too_large_for_one_list_is_answered_from_too() {
    let tables: Vec<String> = (0..1_500)
        .map(|number| {
            format!(
                r#"{{"schema": "s", "name": "fact_{number:04}_zebra", "type": "FACT",
                    "owner": "Team {number}",
                    "synonyms": ["herd {number}"], "columns": [{{"name": "id", "type": "int"}}]}}"#
            )
        })
        .collect();
    let mut talk = Talk::over(catalog(&tables.join(",")));
    let list = talk.ask("list all tables").await.text;
    assert!(
        list.contains("\n60. ") && !list.contains("\n61. "),
        "{list}"
    );
    assert!(
        list.contains("… and 1440 more") && list.contains("1500 tables."),
        "{list}"
    );
    let owner = talk.ask("who owns fact_1499_zebra?").await.text;
    assert_eq!(owner, "`fact_1499_zebra` is owned by **Team 1499**.");
    assert!(
        talk.ask("and its columns?")
            .await
            .text
            .contains("`fact_1499_zebra` has 1 column:")
    );
}

#[tokio::test]
async fn without_tools_or_with_failing_ones_it_says_so() {
    let mut without = request("Describe supplier");
    without.tools = Arc::new([]);
    let events: Vec<_> = Guide::new(Duration::ZERO).stream(without).collect().await;
    let text = said(&events);
    assert!(
        text.contains("could not look that up: the tool list_tables is not available"),
        "{text}"
    );

    let mut failing = request("List all tables");
    let asked: Vec<_> = Guide::new(Duration::ZERO)
        .stream(failing.clone())
        .collect()
        .await;
    let Some(Ok(ModelEvent::ToolCall(call))) = asked.first() else {
        panic!("{asked:?}");
    };
    failing.messages.push(Message::Assistant {
        text: "".into(),
        tool_calls: vec![call.clone()],
    });
    failing.messages.push(Message::Tool(ToolResult {
        call_id: Arc::clone(&call.id),
        name: Arc::clone(&call.name),
        content: r#"{"error": "the catalog is being loaded"}"#.into(),
        failed: true,
    }));
    let text = said(
        &Guide::new(Duration::ZERO)
            .stream(failing)
            .collect::<Vec<_>>()
            .await,
    );
    assert_eq!(
        text,
        "I could not look that up: the catalog is being loaded"
    );
}

#[tokio::test(start_paused = true)]
async fn text_comes_at_the_pace_that_was_set() {
    let started = tokio::time::Instant::now();
    let at_once: Vec<_> = Guide::new(Duration::ZERO)
        .stream(request("Hello"))
        .collect()
        .await;
    assert_eq!(started.elapsed(), Duration::ZERO);

    let pace = Duration::from_millis(15);
    let paced: Vec<_> = Guide::new(pace).stream(request("Hello")).collect().await;
    assert_eq!(paced, at_once);
    let pieces = u32::try_from(paced.len()).unwrap() - 1;
    assert!(pieces > 10);
    assert_eq!(started.elapsed(), pace * (pieces - 1));
}

/// Whatever is asked, a turn ends, and asking again gives the same.
#[tokio::test]
async fn any_words_in_any_order_get_an_answer() {
    let words: Vec<&str> = "list tables describe columns of supplier order group \
        fact_bs_purchase_order which contain currency *_eur how many related to plant where does \
        come from breaks if changes what about it and its a stĺpce odkiaľ pochádza dodávateľ ako \
        súvisí s objednávkou čo kolik sloupců má závod the second 1 áno schema dm_ba_purchase \
        views owner refreshed unicorn EKKO references uses depends on `quoted | name` \"open help \
        ? . , 🦀"
        .split_whitespace()
        .collect();
    let mut state: u64 = 7;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..150 {
        let mut talk = demo();
        let mut again = demo();
        for _ in 0..3 {
            let length = next(7) + 1;
            let question: Vec<&str> = (0..length).map(|_| words[next(words.len())]).collect();
            let question = question.join(" ");
            let answer = talk.ask(&question).await;
            assert!(!answer.text.trim().is_empty(), "{question:?}");
            assert_eq!(again.ask(&question).await.text, answer.text, "{question:?}");
        }
    }
}

fn said(events: &[Result<ModelEvent, dragoman::model::ModelError>]) -> String {
    events
        .iter()
        .filter_map(|event| match event {
            Ok(ModelEvent::Text(piece)) => Some(piece.as_str()),
            _ => None,
        })
        .collect()
}
