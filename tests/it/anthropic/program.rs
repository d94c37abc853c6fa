//! How the program comes to such a model, and what it shows of its key.

use std::process::{Command, Output};

use dragoman::model::Secret;

use super::wire::text;
use super::{build, config};
use crate::support::model_server::ModelServer;
use crate::support::process::Process;

const KEY: (&str, &str) = ("ANTHROPIC_API_KEY", "sk-ant-not-to-be-seen");
const OPENAI_KEY: (&str, &str) = ("OPENAI_API_KEY", "sk-not-to-be-seen");

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
    let base_url = format!("http://{}", server.address);
    let variables = [KEY, ("ANTHROPIC_BASE_URL", &base_url)];
    let process = Process::start(folder.path(), &[], &variables).await;
    let mut client = process.chat("/ws/key").await;
    let frames = client.asked("Hello").await;
    assert_eq!(
        frames.last().unwrap()["content"],
        "Hello, I am the model behind the key."
    );
    assert_eq!(server.asked()[0].body["model"], "claude-haiku-5-5");
    drop(client);
    process.signal("TERM").await;
    let ended = process.ended().await;
    let line = format!(
        "model: claude-haiku-5-5, anthropic at {}, because anthropic.api_key is set (environment ANTHROPIC_API_KEY); \
         --model guide answers without it",
        server.address
    );
    assert!(ended.stderr.contains(&line), "{}", ended.stderr);
    assert!(!ended.stderr.contains("not-to-be-seen"));
}

#[test]
fn who_names_a_model_gets_that_one_and_of_two_keys_one_counts() {
    let shown = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = dragoman(&[&["config", "show"], arguments].concat(), variables);
        let text = printed(&output);
        let mut lines = text.lines();
        let line = lines.find(|line| line.starts_with("model ")).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        shown(&[], &[KEY, OPENAI_KEY]),
        "model = \"openai:gpt-5.4-mini\" # because openai.api_key is set (environment OPENAI_API_KEY) and counts before \
         anthropic.api_key"
    );
    for (named, model) in [
        ("anthropic", "anthropic:claude-haiku-5-5"),
        ("anthropic:x", "anthropic:x"),
        ("guide", "guide"),
    ] {
        let line = format!("model = \"{model}\" # flag --model");
        assert_eq!(shown(&["--model", named], &[KEY, OPENAI_KEY]), line);
    }
}

#[test]
fn a_missing_key_is_told_before_anything_is_opened() {
    let output = dragoman(&["serve", "--model", "anthropic:x"], &[]);
    assert_eq!(output.status.code(), Some(78));
    assert_eq!(
        printed(&output),
        "dragoman: 1 problem in the configuration:\n  \
         model = \"anthropic:x\" (flag --model) and anthropic.api_key = \"\" (default): Anthropic answers nobody without a \
         key: set ANTHROPIC_API_KEY, or anthropic.base_url to another server\n"
    );
    let local = [("ANTHROPIC_BASE_URL", "http://localhost:4000")];
    let output = dragoman(&["config", "check", "--model", "anthropic:x"], &local);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
}

#[test]
fn bad_settings_say_what_is_accepted_and_show_no_secret() {
    for (name, value, words) in [
        (
            "BASE_URL",
            "localhost:4000",
            "write it like https://api.anthropic.com",
        ),
        (
            "BASE_URL",
            "https://x/v1/messages",
            "`/v1/messages` is added to it",
        ),
        ("BASE_URL", "https://x?beta=true", "has a query"),
        (
            "BASE_URL",
            "https://user:not-to-be-seen@x",
            "set anthropic.api_key",
        ),
        ("MAX_OUTPUT_TOKENS", "0", "1 to 1000000"),
        (
            "BODY",
            "{\"max_tokens\": 1}",
            "`max_tokens` is anthropic.max_output_tokens",
        ),
        (
            "BODY",
            "{\"system\": \"x\"}",
            "`system` is written by dragoman itself",
        ),
        (
            "BODY",
            "{\"thinking\": {\"type\": \"enabled\", \"budget_tokens\": 2000}}",
            "dragoman keeps none",
        ),
        (
            "HEADERS",
            "x-api-key: not-to-be-seen",
            "x-api-key is written by dragoman itself",
        ),
        ("HEADERS", "not-to-be-seen", "x-team: data"),
        ("API_KEY", "sk ant-not-to-be-seen", "no spaces"),
    ] {
        let name = format!("DRAGOMAN_ANTHROPIC_{name}");
        let output = dragoman(&["config", "check"], &[(&name, value)]);
        assert_eq!(output.status.code(), Some(78), "{name} {value}");
        // The value itself is repeated where it is no secret.
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(words), "{text}");
        if !name.ends_with("BASE_URL") {
            assert!(!text.contains("not-to-be-seen"), "{text}");
        }
    }
    let adaptive = [(
        "DRAGOMAN_ANTHROPIC_BODY",
        "{\"thinking\": {\"type\": \"adaptive\"}}",
    )];
    let output = dragoman(&["config", "check"], &adaptive);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    let text = printed(&dragoman(&["config", "show"], &[KEY]));
    assert!(
        text.contains("\n# anthropic.api_key = \"(not shown)\""),
        "{text}"
    );
}

#[tokio::test]
async fn debugging_shows_no_secret() {
    let server = ModelServer::start([]).await;
    let mut anthropic = config(&server);
    anthropic.api_key = Some(Secret::new("not-to-be-seen"));
    let debugged = format!("{anthropic:?} {:?}", build(anthropic.clone()));
    assert!(!debugged.contains("not-to-be-seen"), "{debugged}");
}
