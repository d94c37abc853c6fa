//! Who leaves, leaves at once: the server sees the connection closed, and does no more work that nobody wants.

use std::time::Duration;

use dragoman::model::Model;
use futures_util::StreamExt as _;
use serde_json::json;
use tokio::time::{Instant, timeout};

use super::{APIS, config, request};
use crate::support::TestApp;
use crate::support::model_server::ModelServer;

/// How long it may take until the server sees it. Measured: a few milliseconds; the rest is for a busy machine.
const AT_ONCE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_stream_that_is_dropped_closes_its_connection() {
    for api in APIS {
        for (case, begins) in [("hang-before-headers", false), ("hang-mid-stream", true)] {
            let server = ModelServer::with_cases().await;
            let mut stream = Model::build(&config(api, case, &server))
                .unwrap()
                .stream(request());
            if begins {
                assert!(stream.next().await.unwrap().is_ok());
            } else {
                let waiting = timeout(Duration::from_millis(200), stream.next());
                assert!(waiting.await.is_err());
            }
            let start = Instant::now();
            drop(stream);
            server.left().await;
            assert!(
                start.elapsed() < AT_ONCE,
                "{api:?} {case}: {:?}",
                start.elapsed()
            );
        }
    }
}

#[tokio::test]
async fn a_turn_that_is_cancelled_closes_its_connection() {
    for api in APIS {
        let server = ModelServer::with_cases().await;
        let mut model = config(api, "hang-mid-stream", &server);
        model.openai.idle_timeout = Duration::from_secs(20);
        model.anthropic.idle_timeout = Duration::from_secs(20);
        let app = TestApp::with(|config| config.model = model).await;
        let mut client = app.chat("leaving").await;
        client.ask("Which tables are there?").await;
        while client.frame().await["type"] != "agent_partial" {}
        let start = Instant::now();
        client.send_json(json!({ "type": "cancel" })).await;
        server.left().await;
        assert!(start.elapsed() < AT_ONCE, "{api:?}: {:?}", start.elapsed());
        assert_eq!(client.frame().await["finish"], "cancelled");
        drop(client);
        app.stop().await;
    }
}
