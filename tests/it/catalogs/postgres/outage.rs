//! A server that stops while dragoman runs.

use std::time::Duration;

use dragoman::model;
use tokio::time::{Instant, sleep};

use super::{READER, config};
use crate::support::postgres::Postgres;
use crate::support::{Client, PATIENCE, TestApp};

const STALE: &str = "could not be read again and may be out of date";

async fn answer(client: &mut Client, question: &str) -> String {
    let frames = client.asked(question).await;
    frames.last().unwrap()["content"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Asks until the answer is as it should be.
async fn answered(client: &mut Client, question: &str, fits: impl Fn(&str) -> bool) -> String {
    let began = Instant::now();
    loop {
        let answer = answer(client, question).await;
        if fits(&answer) {
            return answer;
        }
        assert!(began.elapsed() < PATIENCE, "still: {answer}");
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
#[ignore = "needs PostgreSQL"]
async fn answers_go_on_and_say_that_they_are_old_until_the_server_is_back() {
    let mut server = Postgres::start().await;
    server.add_demo().await;
    let mut catalog = config(&server.url(READER, "postgres"));
    catalog.refresh = Duration::from_millis(500);
    let app = TestApp::with(|all| {
        all.catalog = catalog;
        all.model.kind = model::Kind::Guide;
        all.model.guide_pace = Duration::ZERO;
        all.limits.rate_questions = 1_000;
    })
    .await;
    let mut client = app.chat("outage").await;
    let question = "Describe fact_bs_purchase_order";
    let before = answer(&mut client, question).await;
    assert!(before.contains("fact_bs_purchase_order"), "{before}");
    assert!(!before.contains(STALE), "{before}");

    server.stop();
    let stale = answered(&mut client, question, |answer| answer.contains(STALE)).await;
    assert!(stale.starts_with(before.trim_end()), "{stale}");

    server.restart().await;
    let comment = "COMMENT ON TABLE dm_bs_purchase.fact_bs_purchase_order IS 'Anew.'";
    server.run("postgres", comment).await;
    let fresh = answered(&mut client, question, |answer| answer.contains("Anew.")).await;
    assert!(!fresh.contains(STALE), "{fresh}");
    drop(client);
    app.stop().await;
}
