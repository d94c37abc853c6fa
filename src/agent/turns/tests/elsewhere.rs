//! What becomes of questions while a turn runs, here or in another process that shares a real Redis server.

use super::*;
use crate::chat::Event;
use crate::store::Page;
use crate::store::tests::server::Server;

/// Two processes on one server, with the same script.
async fn two(entries: Value) -> (Server, Place, Place) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let config = server.config();
    let a = Place::on(&config, folder, entries.clone()).await;
    let b = Place::on(&config, tempfile::tempdir().unwrap(), entries).await;
    (server, a, b)
}

async fn log(place: &Place, session: &SessionId) -> Vec<Arc<Event>> {
    let start = crate::chat::Cursor::default();
    match place.store.events(session, &start, 100).await.unwrap() {
        Page::Events(events) => events,
        Page::Misfit => panic!("nothing fits better than the start"),
    }
}

fn asked(when_busy: WhenBusy) -> Question {
    Question {
        when_busy,
        ..question("?", None)
    }
}

fn content(body: &EventBody) -> &str {
    match body {
        EventBody::Agent { content, .. } => content,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_question_that_may_not_wait_is_refused() {
    let place = Place::new(json!([{ "text": "I begin" }, "hang"])).await;
    let session = SessionId::random();
    let first = accepted(place.ask(&session, None).await);
    let refused = place.turns.ask(&session, asked(WhenBusy::Reject)).await;
    assert_eq!(refused.unwrap_err(), AskError::TurnRunning);
    assert_eq!(
        place.turns.cancel(&session, Some(first.turn)).await,
        Ok(true)
    );
    place.end(&session, first.seq).await;
    place.idle().await;
}

#[tokio::test]
async fn a_question_that_interrupts_is_the_next_one() {
    let place = Place::new(json!([{ "text": "I begin" }, "hang"])).await;
    let session = SessionId::random();
    let first = accepted(place.ask(&session, None).await);
    let waits = queued(place.ask(&session, None).await);
    let next = queued(place.turns.ask(&session, asked(WhenBusy::Interrupt)).await);
    let next = timeout(PATIENCE, next).await.unwrap().unwrap().unwrap();
    let end = place.end(&session, first.seq).await;
    assert!(matches!(
        end,
        EventBody::Agent {
            finish: Finish::Cancelled,
            ..
        }
    ));
    assert_eq!(
        place.turns.cancel(&session, Some(next.turn)).await,
        Ok(true)
    );
    let waited = timeout(PATIENCE, waits).await.unwrap().unwrap().unwrap();
    assert!(waited.seq > next.seq);
    place.stopped.cancel();
    place.end(&session, waited.seq).await;
    place.idle().await;
}

#[tokio::test]
async fn a_question_waits_for_a_turn_of_another_process() {
    let (_server, a, b) = two(json!([{ "text": "I begin" }, "hang"])).await;
    let session = SessionId::random();
    let first = accepted(a.ask(&session, None).await);
    let refused = b.turns.ask(&session, asked(WhenBusy::Reject)).await;
    assert_eq!(refused.unwrap_err(), AskError::TurnRunning);
    let waits = queued(b.ask(&session, None).await);
    let waits_too = queued(b.ask(&session, None).await);
    assert_eq!(b.turns.cancel(&session, Some(first.turn)).await, Ok(true));
    let second = timeout(PATIENCE, waits).await.unwrap().unwrap().unwrap();
    let end = a.end(&session, first.seq).await;
    assert_eq!(content(&end), "I begin");
    // It runs in the other process now.
    assert_eq!(a.turns.cancel(&session, Some(second.turn)).await, Ok(true));
    let third = timeout(PATIENCE, waits_too)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert!(third.seq > second.seq);
    a.stopped.cancel();
    b.stopped.cancel();
    a.idle().await;
    b.idle().await;
}

#[tokio::test]
async fn a_turn_is_handed_over_and_said_once() {
    let entries = json!([
        { "cut": { "text": "Said in many pieces, slowly, from the first to the last.", "characters": 4, "pause_ms": 60 } },
    ]);
    let (_server, a, b) = two(entries).await;
    let session = SessionId::random();
    let adopting = b.tasks.spawn(b.turns.clone().adopt_all());
    let first = accepted(a.ask(&session, None).await);
    sleep(Duration::from_millis(400)).await;
    a.stopped.cancel();
    a.idle().await;
    let log_then = log(&b, &session).await;
    assert_eq!(log_then.len(), 1, "it was ended instead: {log_then:?}");
    let end = b.end(&session, first.seq).await;
    assert_eq!(
        content(&end),
        "Said in many pieces, slowly, from the first to the last."
    );
    b.draining.cancel();
    adopting.await.unwrap();
    b.idle().await;
}

#[tokio::test]
async fn a_turn_that_is_erased_is_stopped_within_a_second() {
    let (_server, a, b) = two(json!([{ "text": "I begin" }, "hang"])).await;
    let session = SessionId::random();
    accepted(a.ask(&session, None).await);
    assert_eq!(b.store.erase(&session).await, Ok(true));
    a.tasks.close();
    timeout(Duration::from_secs(1), a.tasks.wait())
        .await
        .unwrap();
    assert!(log(&b, &session).await.is_empty());
}

#[tokio::test]
async fn a_store_that_is_gone_ends_the_model_and_then_the_turn() {
    let (mut server, a, _b) = two(json!([{ "text": "I begin" }, "hang"])).await;
    let session = SessionId::random();
    let first = accepted(a.ask(&session, None).await);
    sleep(Duration::from_millis(200)).await;
    server.kill();
    sleep(Duration::from_millis(2_500)).await;
    server.restart();
    let end = timeout(PATIENCE, a.end_when_there(&session, first.seq))
        .await
        .unwrap();
    let EventBody::Error {
        reason, partial, ..
    } = end
    else {
        panic!("{end:?}");
    };
    assert_eq!(reason, TurnErrorReason::Interrupted);
    assert_eq!(&*partial, "I begin");
    a.idle().await;
}

impl Place {
    /// As [`Place::end`], with a store that may not answer yet.
    async fn end_when_there(&self, session: &SessionId, after: u64) -> EventBody {
        while self.store.check().await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
        self.end(session, after).await
    }
}
