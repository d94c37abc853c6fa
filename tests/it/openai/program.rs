//! How the program comes to such a model, and what it shows of its key.

use std::process::{Command, Output};

use dragoman::model::Secret;

use super::{build, config};
use crate::support::model_server::{ModelServer, text};
use crate::support::process::Process;

const KEY: (&str, &str) = ("OPENAI_API_KEY", "sk-not-to-be-seen");

fn dragoman(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dragoman"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// What it prints, which must never hold the key.
fn printed(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8(text).unwrap();
    assert!(!text.contains("not-to-be-seen"), "{text}");
    text
}

#[tokio::test]
async fn a_key_is_enough() {
    let server = ModelServer::start([text("Hello, ", "I am the model behind the key.")]).await;
    let folder = tempfile::tempdir().unwrap();
    let variables = [KEY, ("OPENAI_BASE_URL", &server.url())];
    let process = Process::start(folder.path(), &[], &variables).await;
    let mut client = process.chat("/ws/key").await;
    let frames = client.asked("Hello").await;
    assert_eq!(
        frames.last().unwrap()["content"],
        "Hello, I am the model behind the key."
    );
    assert_eq!(server.asked()[0].body["model"], "gpt-5.4-mini");
    assert_eq!(
        server.asked()[0].header("authorization"),
        "Bearer sk-not-to-be-seen"
    );
    drop(client);
    process.signal("TERM").await;
    let ended = process.ended().await;
    let line = format!(
        "model: gpt-5.4-mini, openai at {}, because openai.api_key is set (environment OPENAI_API_KEY); \
         --model guide answers without it",
        server.address
    );
    assert!(ended.stderr.contains(&line), "{}", ended.stderr);
    assert!(!ended.stderr.contains("not-to-be-seen"));
}

#[test]
fn who_names_a_model_gets_that_one() {
    let shown = |arguments: &[&str]| {
        let output = dragoman(&[&["config", "show"], arguments].concat(), &[KEY]);
        let text = printed(&output);
        let line = text
            .lines()
            .find(|line| line.starts_with("model "))
            .unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        shown(&[]),
        "model = \"openai:gpt-5.4-mini\" # because openai.api_key is set (environment OPENAI_API_KEY)"
    );
    assert_eq!(
        shown(&["--model", "guide"]),
        "model = \"guide\" # flag --model"
    );
    assert_eq!(
        shown(&["--model", "openai"]),
        "model = \"openai:gpt-5.4-mini\" # flag --model"
    );
    assert_eq!(
        shown(&["--model", "openai:x"]),
        "model = \"openai:x\" # flag --model"
    );
}

#[test]
fn a_missing_key_is_told_before_anything_is_opened() {
    let output = dragoman(&["serve", "--model", "openai:x"], &[]);
    assert_eq!(output.status.code(), Some(78));
    assert_eq!(
        printed(&output),
        "dragoman: 1 problem in the configuration:\n  \
         model = \"openai:x\" (flag --model) and openai.api_key = \"\" (default): OpenAI answers nobody without a key: set \
         OPENAI_API_KEY, or openai.base_url to another server\n"
    );
    let local = [("DRAGOMAN_OPENAI_BASE_URL", "http://localhost:11434/v1")];
    let output = dragoman(&["config", "check", "--model", "openai:x"], &local);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
}

#[test]
fn secrets_are_not_shown() {
    let variables = [KEY, ("DRAGOMAN_OPENAI_HEADERS", "x-key: not-to-be-seen")];
    let output = dragoman(&["config", "show"], &variables);
    let text = printed(&output);
    assert!(
        text.contains("\n# openai.api_key = \"(not shown)\""),
        "{text}"
    );
    assert!(
        text.contains("\n# openai.headers = [\"(not shown)\"]"),
        "{text}"
    );

    for (name, value) in [
        ("OPENAI_API_KEY", "sk not-to-be-seen"),
        ("DRAGOMAN_OPENAI_HEADERS", "authorization: not-to-be-seen"),
        ("DRAGOMAN_OPENAI_HEADERS", "not-to-be-seen"),
        ("DRAGOMAN_OPENAI_API_KEY", "(not shown)"),
    ] {
        let output = dragoman(&["config", "check"], &[(name, value)]);
        assert_eq!(output.status.code(), Some(78), "{value}");
        assert!(printed(&output).contains("\"(not repeated)\""));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dragoman.toml");
    std::fs::write(&file, "openai.api_key = [\"not-to-be-seen\"]").unwrap();
    let output = dragoman(
        &["config", "check", "--config", file.to_str().unwrap()],
        &[],
    );
    assert!(printed(&output).contains("\"(not repeated)\""));
}

#[test]
fn bad_settings_say_what_is_accepted() {
    for (name, value, words) in [
        (
            "BASE_URL",
            "localhost:11434",
            "write it like https://api.openai.com/v1",
        ),
        (
            "BASE_URL",
            "https://x/v1/chat/completions",
            "is added to it",
        ),
        (
            "BASE_URL",
            "https://x.openai.azure.com?api-version=1",
            "openai.api_version",
        ),
        (
            "BASE_URL",
            "https://user:not-to-be-seen@x/v1",
            "set openai.api_key",
        ),
        ("AUTH", "basic", "auto, bearer or api-key"),
        (
            "TOKEN_FIELD",
            "tokens",
            "max_completion_tokens or max_tokens",
        ),
        ("BODY", "[]", "not a JSON object"),
        (
            "BODY",
            "{\"messages\": []}",
            "`messages` is written by dragoman itself",
        ),
        ("API_VERSION", "2024 10", "write it like 2024-10-21"),
    ] {
        let name = format!("DRAGOMAN_OPENAI_{name}");
        let output = dragoman(&["config", "check"], &[(&name, value)]);
        assert_eq!(output.status.code(), Some(78), "{name} {value}");
        let text = printed(&output);
        assert!(text.contains(words), "{text}");
    }
}

#[tokio::test]
async fn debugging_shows_no_secret() {
    let server = ModelServer::start([]).await;
    let mut openai = config(&server);
    openai.api_key = Some(Secret::new("not-to-be-seen"));
    let debugged = format!("{openai:?} {:?}", build(openai.clone()));
    assert!(!debugged.contains("not-to-be-seen"), "{debugged}");
}
