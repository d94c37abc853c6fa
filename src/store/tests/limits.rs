//! How much is taken: rates, sizes, numbers.

use super::*;

async fn a_waiting_question_is_counted_once() {
    let place = Place::with(Limits {
        rate_questions: 2,
        ..Limits::default()
    })
    .await;
    let session = SessionId::random();
    let mut running = place.start(&session, "first").await;
    let waiting = question(&session, "second");
    for _ in 0..5 {
        let begun = place.store.begin_turn(waiting.clone()).await.unwrap();
        assert!(matches!(begun, Begin::Busy { .. }));
    }
    let third = question(&session, "third");
    let refused = place.store.begin_turn(third.clone()).await;
    let Err(StoreError::RateLimited { retry_after }) = refused else {
        panic!("{refused:?}");
    };
    assert!(retry_after <= Duration::from_mins(1) && retry_after > Duration::from_secs(50));

    running.finish(answer("!")).await.unwrap();
    assert_eq!(
        place.store.begin_turn(waiting).await,
        Ok(Begin::Started { seq: 3 })
    );
    // Another session has a window of its own.
    place.start(&SessionId::random(), "?").await;
}

async fn the_window_passes() {
    let window = Duration::from_millis(400);
    let place = Place::with(Limits {
        rate_questions: 1,
        rate_window: window,
        ..Limits::default()
    })
    .await;
    let session = SessionId::random();
    place.turn(&session, "first").await;
    let second = question(&session, "second");
    let Err(StoreError::RateLimited { retry_after }) = place.store.begin_turn(second.clone()).await
    else {
        panic!("it was not refused");
    };
    assert!(retry_after <= window);
    tokio::time::sleep(retry_after).await;
    assert_eq!(
        place.store.begin_turn(second).await,
        Ok(Begin::Started { seq: 3 })
    );
}

async fn what_is_too_large_is_refused_and_the_turn_goes_on() {
    let place = Place::new().await;
    let session = SessionId::random();
    let huge = "x".repeat(EVENT_BYTES);
    let begin = place.store.begin_turn(question(&session, &huge)).await;
    assert!(matches!(
        begin,
        Err(StoreError::TooLarge {
            limit: EVENT_BYTES,
            ..
        })
    ));

    let mut turn = place.start(&session, "?").await;
    let append = turn
        .append(vec![tool_call("a", 0), tool_result("a", &huge, 0)])
        .await;
    assert!(matches!(append, Err(StoreError::TooLarge { .. })));
    turn.text(&"x".repeat(TEXT_BYTES - 1)).unwrap();
    let over = StoreError::TooLarge {
        what: "the turn's text",
        limit: TEXT_BYTES,
    };
    assert_eq!(turn.text("éx"), Err(over));
    turn.text("y").unwrap();
    assert_eq!(turn.text_len(), TEXT_BYTES);
    let text = turn.text_so_far();
    turn.finish(answer(&text)).await.unwrap();
    assert_eq!(place.kinds(&session).await, "user agent");
}

async fn a_full_session_still_ends_its_turn() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut turn = place.start(&session, "?").await;
    let rest = usize::try_from(SESSION_EVENTS).unwrap() - 2;
    let calls = |count: usize| vec![tool_call("c", 0); count];
    assert_eq!(
        turn.append(calls(rest + 1)).await,
        Err(StoreError::SessionFull)
    );
    turn.append(calls(rest)).await.unwrap();
    assert_eq!(turn.append(calls(1)).await, Err(StoreError::SessionFull));
    turn.finish(answer("!")).await.unwrap();

    let next = place.store.begin_turn(question(&session, "next")).await;
    assert_eq!(next, Err(StoreError::SessionFull));
    let last = place
        .store
        .read_before(&session, u64::MAX, 1)
        .await
        .unwrap();
    assert_eq!(last[0].seq, SESSION_EVENTS);
}

async fn a_turn_needs_room_for_its_end() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut turn = place.start(&session, "?").await;
    let rest = usize::try_from(SESSION_EVENTS).unwrap() - 3;
    turn.append(vec![tool_call("c", 0); rest]).await.unwrap();
    turn.finish(answer("!")).await.unwrap();
    // One place is left: enough for a question, not for its answer.
    let next = place.store.begin_turn(question(&session, "next")).await;
    assert_eq!(next, Err(StoreError::SessionFull));
}

#[test]
fn a_wait_is_told_in_whole_seconds_and_never_too_short() {
    for (millis, text) in [(1, "1 s"), (1_000, "1 s"), (1_001, "2 s"), (59_999, "60 s")] {
        let retry_after = Duration::from_millis(millis);
        let told = StoreError::RateLimited { retry_after }.to_string();
        assert!(told.ends_with(text), "{told}");
    }
}

on_both!(
    a_waiting_question_is_counted_once,
    the_window_passes,
    what_is_too_large_is_refused_and_the_turn_goes_on,
    a_full_session_still_ends_its_turn,
    a_turn_needs_room_for_its_end,
);
