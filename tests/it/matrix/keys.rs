//! A key that is missing or wrong: told at start or in the turn, each time with what to do, and shown nowhere.

use std::process::Command;

use super::{APIS, Api, KEY};
use crate::support::model_server::ModelServer;
use crate::support::process::Process;
use crate::traces::Receiver;

/// Everything of who has to do with the key. All of everybody, traces included, would fill the pipe that is read at the end;
/// `tests/python/test_models.py` looks at that.
const LOG: &str = "info,dragoman=trace,reqwest=trace,hyper=trace,hyper_util=trace";

/// Model, section of the settings, and the variables of key and address.
fn words(api: Api) -> (&'static str, &'static str, &'static str, &'static str) {
    match api {
        Api::OpenAi => ("openai:401", "openai", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
        Api::Anthropic => (
            "anthropic:401",
            "anthropic",
            "ANTHROPIC_API_KEY",
            "ANTHROPIC_BASE_URL",
        ),
    }
}

fn shown(arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_dragoman"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn a_missing_key_stops_the_start_and_says_which_to_set() {
    for api in APIS {
        let (model, section, key, _) = words(api);
        let (code, text) = shown(&["serve", "--model", model], &[]);
        assert_eq!(code, Some(78), "{text}");
        assert!(
            text.contains(&format!("{section}.api_key = \"\"")),
            "{text}"
        );
        assert!(
            text.contains(&format!("answers nobody without a key: set {key}")),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_wrong_key_ends_the_turn_and_is_in_no_log_span_frame_or_setting() {
    for api in APIS {
        let (model, section, key, url) = words(api);
        let server = ModelServer::with_cases().await;
        let address = match api {
            Api::OpenAi => server.url(),
            Api::Anthropic => format!("http://{}", server.address),
        };
        let (receiver, endpoint, _receiving) = Receiver::start().await;
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start(
            folder.path(),
            &["--model", model],
            &[
                (key, KEY),
                (url, &address),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
                ("DRAGOMAN_TELEMETRY_LOG", LOG),
            ],
        )
        .await;
        let mut client = process.chat("/ws/wrong-key").await;
        let frames = client.asked("Which tables are there?").await;
        drop(client);
        process.signal("TERM").await;
        let ended = process.ended().await;
        let told = frames.last().unwrap()["content"].as_str().unwrap();
        let expected = format!(
            "127.0.0.1 does not accept the key. Whoever runs dragoman has to check {section}.api_key"
        );
        assert!(told.contains(&expected), "{told}");
        let asked = &server.asked()[0];
        let sent = [asked.header("authorization"), asked.header("x-api-key")].concat();
        assert!(
            sent.ends_with(KEY),
            "the key is sent, or nothing is proved here"
        );

        let trace = frames[0]["trace_id"].as_str().unwrap();
        let spans = receiver.tree(trace);
        assert!(spans.len() >= 4, "{spans:#?}");
        let (_, settings) = shown(&["config", "show"], &[(key, KEY)]);
        assert!(settings.contains("(not shown)"), "{settings}");
        for place in [
            format!("{frames:?}"),
            format!("{spans:?}"),
            ended.stderr,
            settings,
        ] {
            assert!(!place.contains("not-to-be-seen"), "{place}");
        }
    }
}
