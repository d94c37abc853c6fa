//! Questions during a turn, and turns that end because somebody wants it.

use super::*;

fn with(when_busy: WhenBusy, id: Option<&str>) -> Question {
    Question {
        when_busy,
        ..question("?", id)
    }
}

#[tokio::test]
async fn a_question_that_is_not_to_wait_is_refused_during_a_turn() {
    let place = Place::new(json!([{ "text": "I begin" }, "hang"])).await;
    let session = SessionId::random();
    let reject = |id| place.turns.ask(&session, with(WhenBusy::Reject, Some(id)));
    let first = accepted(reject("1").await);
    assert_eq!(reject("2").await.unwrap_err(), AskError::TurnRunning);
    // The same question again is not another one.
    let again = accepted(reject("1").await);
    assert_eq!((again.turn, again.duplicate), (first.turn, true));
    assert_eq!(place.turns.cancel(&session, None).await, Ok(true));
    place.end(&session, 0).await;
    accepted(reject("2").await);
    place.turns.cancel(&session, None).await.unwrap();
    place.idle().await;
}

#[tokio::test]
async fn a_question_that_interrupts_is_the_next_one() {
    let place = Place::new(json!([{ "text": "I begin" }, "hang"])).await;
    let session = SessionId::random();
    let interrupt = |id| {
        place
            .turns
            .ask(&session, with(WhenBusy::Interrupt, Some(id)))
    };
    accepted(interrupt("1").await);
    let waits = queued(place.ask(&session, Some("2")).await);
    sleep(Duration::from_millis(50)).await;
    let next = queued(interrupt("3").await);
    let next = timeout(PATIENCE, next).await.unwrap().unwrap().unwrap();
    let EventBody::Agent {
        content, finish, ..
    } = place.end(&session, 0).await
    else {
        panic!("no answer");
    };
    assert_eq!((&*content, finish), ("I begin", Finish::Cancelled));
    let again = accepted(interrupt("3").await);
    assert_eq!((again.turn, again.duplicate), (next.turn, true));
    assert_eq!(
        place.turns.cancel(&session, Some(next.turn)).await,
        Ok(true)
    );
    let waits = timeout(PATIENCE, waits).await.unwrap().unwrap().unwrap();
    assert!(next.seq < waits.seq, "{next:?} {waits:?}");
    place.turns.cancel(&session, None).await.unwrap();
    place.idle().await;
}

#[tokio::test]
async fn a_full_queue_refuses_an_interrupt_and_lets_the_turn_go_on() {
    let place = Place::new(json!(["hang"])).await;
    let session = SessionId::random();
    accepted(place.ask(&session, None).await);
    let limit = place.turns.limits().waiting_questions;
    let mut waiting = Vec::new();
    for _ in 0..limit {
        waiting.push(queued(place.ask(&session, None).await));
    }
    let one_more = place.turns.ask(&session, with(WhenBusy::Interrupt, None));
    assert_eq!(one_more.await.unwrap_err(), AskError::QueueFull { limit });
    sleep(Duration::from_millis(100)).await;
    let events = place.store.read_before(&session, 100, 100).await.unwrap();
    assert_eq!(events.len(), 1, "the turn was interrupted: {events:?}");
    place.stopped.cancel();
    place.idle().await;
}

#[tokio::test]
async fn a_turn_that_the_store_is_told_to_stop_ends_as_cancelled() {
    let place = Place::new(json!([{ "text": "I begin" }, "hang"])).await;
    let session = SessionId::random();
    let first = accepted(place.ask(&session, None).await);
    sleep(Duration::from_millis(50)).await;
    let stopped = place.store.request_stop(&session, Some(first.turn)).await;
    assert_eq!(stopped, Ok(true));
    let end = timeout(Duration::from_secs(1), place.end(&session, 0)).await;
    let EventBody::Agent {
        content,
        finish,
        usage,
        ..
    } = end.unwrap()
    else {
        panic!("no answer");
    };
    assert_eq!((&*content, finish), ("I begin", Finish::Cancelled));
    assert_eq!(usage.steps, 1);
    place.idle().await;
}

#[tokio::test]
async fn a_turn_whose_session_is_erased_ends_at_once_and_writes_nothing() {
    let place = Place::new(json!([{ "text": "I begin" }, "hang"])).await;
    let session = SessionId::random();
    accepted(place.ask(&session, None).await);
    sleep(Duration::from_millis(50)).await;
    assert_eq!(place.store.erase(&session).await, Ok(true));
    let next = accepted(place.ask(&session, None).await);
    assert_eq!(next.seq, 1);
    place.turns.cancel(&session, None).await.unwrap();
    place.idle().await;
    let events = place.store.read_before(&session, 100, 100).await.unwrap();
    assert_eq!(events.len(), 2, "{events:?}");
}

#[tokio::test]
async fn a_drain_refuses_who_waits_and_lets_the_turn_end() {
    let place = Place::new(json!([{ "text": "I begin" }, { "delay_ms": 400 }])).await;
    let session = SessionId::random();
    accepted(place.ask(&session, None).await);
    let waits = queued(place.ask(&session, None).await);
    place.draining.cancel();
    let refused = timeout(Duration::from_millis(200), waits).await.unwrap();
    assert_eq!(refused.unwrap(), Err(AskError::Stopping));
    let late = place.ask(&session, None).await;
    assert_eq!(late.unwrap_err(), AskError::Stopping);
    timeout(PATIENCE, place.turns.ended()).await.unwrap();
    let EventBody::Agent { finish, .. } = place.end(&session, 0).await else {
        panic!("no answer");
    };
    assert_eq!(finish, Finish::Completed);
    place.idle().await;
}

#[tokio::test]
async fn a_question_that_waits_and_is_sent_again_is_one_question() {
    let place = Place::new(json!([{ "text": "I begin" }, "hang"])).await;
    let session = SessionId::random();
    let first = accepted(place.ask(&session, None).await);
    let waits = queued(place.ask(&session, Some("q")).await);
    let again = queued(place.ask(&session, Some("q")).await);
    let other = place.turns.ask(&session, question("!", Some("q"))).await;
    assert_eq!(other.unwrap_err(), AskError::Store(StoreError::Conflict));
    let limit = place.turns.limits().waiting_questions;
    for _ in 2..limit {
        queued(place.ask(&session, Some("q")).await);
    }
    let flood = place.ask(&session, Some("q")).await;
    assert_eq!(flood.unwrap_err(), AskError::QueueFull { limit });

    assert_eq!(
        place.turns.cancel(&session, Some(first.turn)).await,
        Ok(true)
    );
    let (waits, again) = (waits.await.unwrap().unwrap(), again.await.unwrap().unwrap());
    assert_eq!((waits.turn, waits.seq), (again.turn, again.seq));
    assert_eq!((waits.duplicate, again.duplicate), (false, true));
    assert_eq!(
        place.turns.cancel(&session, Some(waits.turn)).await,
        Ok(true)
    );
    place.end(&session, waits.seq).await;
    place.idle().await;
}
