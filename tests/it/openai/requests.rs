//! What is sent, and when.

use std::time::Duration;

use dragoman::model::{End, ModelEvent, Secret, openai};

use super::{ask, build, config, request, text_of};
use crate::support::model_server::{ModelServer, text};

#[tokio::test]
async fn an_answer_comes_with_its_usage() {
    let server = ModelServer::start([text("There are ", "17.")]).await;
    let events = ask(config(&server)).await;
    assert_eq!(text_of(&events), "There are 17.");
    let usage = ModelEvent::Usage {
        input_tokens: 11,
        cached_tokens: 0,
        output_tokens: 7,
    };
    assert_eq!(events[2..], [Ok(usage), Ok(ModelEvent::End(End::Stop))]);
    let asked = &server.asked()[0];
    assert_eq!(asked.line(), "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(asked.header("authorization"), "");
    assert_eq!(asked.header("accept"), "text/event-stream");
}

#[tokio::test]
async fn nothing_is_sent_before_somebody_wants_it() {
    let server = ModelServer::start([]).await;
    drop(build(config(&server)).stream(request()));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn azure_is_asked_in_its_own_way() {
    let server = ModelServer::start([text("o", "k"), text("o", "k")]).await;
    let mut azure = openai::Config {
        base_url: format!("http://{}", server.address),
        api_key: Some(Secret::new("key")),
        ..config(&server)
    };
    azure.dialect.api_version = Some("2024-10-21".to_owned());
    assert_eq!(text_of(&ask(azure.clone()).await), "ok");
    let mut entra = azure;
    entra.dialect.auth = openai::Auth::Bearer;
    assert_eq!(text_of(&ask(entra).await), "ok");
    let asked = server.asked();
    let path = "POST /openai/deployments/small/chat/completions?api-version=2024-10-21 HTTP/1.1";
    assert_eq!((asked[0].line(), asked[1].line()), (path, path));
    assert_eq!(
        (asked[0].header("api-key"), asked[0].header("authorization")),
        ("key", "")
    );
    assert_eq!(
        (asked[1].header("api-key"), asked[1].header("authorization")),
        ("", "Bearer key")
    );
}
