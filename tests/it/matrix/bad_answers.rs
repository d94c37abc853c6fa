//! Models that call tools badly: what each tool call comes to, and that a turn has an end.

use serde_json::Value;

use super::{APIS, Api, config};
use crate::support::TestApp;
use crate::support::model_server::ModelServer;

/// The frames of a turn, and how often the server was asked.
async fn turn(api: Api, case: &str) -> (Vec<Value>, ModelServer) {
    let server = ModelServer::with_cases().await;
    let model = config(api, case, &server);
    let app = TestApp::with(|config| config.model = model).await;
    let mut client = app.chat("bad").await;
    let frames = client.asked("Which tables are there?").await;
    drop(client);
    app.stop().await;
    (frames, server)
}

fn results(frames: &[Value]) -> Vec<&str> {
    let tools = frames.iter().filter(|frame| frame["type"] == "tool");
    tools
        .map(|frame| frame["content"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_tool_that_does_not_exist_is_told_to_the_model_with_those_that_do() {
    for api in APIS {
        let (frames, server) = turn(api, "unknown-tool").await;
        let [result] = results(&frames)[..] else {
            panic!("{frames:#?}");
        };
        assert!(
            result.contains("drop_all_tables") && result.contains("list_tables"),
            "{result}"
        );
        assert_eq!(server.asked().len(), 2, "the model may try again");
        assert_eq!(frames.last().unwrap()["type"], "agent");
    }
}

#[tokio::test]
async fn arguments_that_are_no_json_are_told_to_the_model() {
    for api in APIS {
        let (frames, server) = turn(api, "broken-arguments").await;
        let [result] = results(&frames)[..] else {
            panic!("{frames:#?}");
        };
        assert!(result.contains("error"), "{result}");
        // Sent back, they would make some servers refuse the whole conversation.
        let again = server.asked()[1].body["messages"].to_string();
        assert!(!again.contains("FA\\\\\""), "{again}");
        assert_eq!(frames.last().unwrap()["type"], "agent");
    }
}

#[tokio::test]
async fn fifty_calls_at_once_are_answered_each() {
    for api in APIS {
        let (frames, _) = turn(api, "50-calls").await;
        let results = results(&frames);
        assert_eq!(results.len(), 50);
        let refused = results.iter().filter(|result| result.contains("error"));
        // `agent.max_parallel_tools` is 16: the others are told so.
        assert_eq!(refused.count(), 34, "{results:#?}");
        assert_eq!(frames.last().unwrap()["type"], "agent");
    }
}

#[tokio::test]
async fn calls_for_ever_end_at_the_limit_on_steps() {
    for api in APIS {
        let (frames, server) = turn(api, "calls-for-ever").await;
        let last = frames.last().unwrap()["content"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            last.contains("no answer after 12 steps. Ask a narrower question."),
            "{last}"
        );
        assert_eq!((server.asked().len(), results(&frames).len()), (12, 12));
    }
}
