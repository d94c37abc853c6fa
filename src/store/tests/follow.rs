//! What a follower gets, from wherever it starts.

use crate::chat::Fingerprint;

use super::*;

fn after(seq: u64) -> Start {
    Start::After(Cursor {
        seq,
        fingerprint: None,
    })
}

async fn live_follows_a_turn_from_its_question_to_its_answer() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut follower = place.follow(&session, Start::Live).await;
    assert_eq!(follower.opened(), &Opened::default());
    nothing_more(&mut follower).await;

    let mut turn = place.start(&session, "?").await;
    assert_eq!(next_event(&mut follower).await.seq, 1);
    nothing_more(&mut follower).await;
    turn.text("one ").unwrap();
    assert_eq!(next_text(&mut follower).await, "=one ");
    turn.text("two ").unwrap();
    turn.text("three ").unwrap();
    assert_eq!(next_text(&mut follower).await, "+two three ");
    turn.text("four").unwrap();
    turn.append(vec![tool_call("a", turn.text_len())])
        .await
        .unwrap();
    turn.text("five").unwrap();
    // The tool's event stands where it happened.
    assert_eq!(next_text(&mut follower).await, "+four");
    assert_eq!(next_event(&mut follower).await.seq, 2);
    assert_eq!(next_text(&mut follower).await, "+five");
    turn.text(" six").unwrap();
    turn.finish(answer("one two three fourfive six"))
        .await
        .unwrap();
    // The final event has the whole text, so what was not delivered is not.
    assert_eq!(next_event(&mut follower).await.seq, 3);
    nothing_more(&mut follower).await;

    // The next turn's text starts anew.
    let mut turn = place.start(&session, "?").await;
    turn.text("x").unwrap();
    assert_eq!(next_event(&mut follower).await.seq, 4);
    assert_eq!(next_text(&mut follower).await, "=x");
}

async fn live_in_the_middle_of_a_turn_starts_with_its_whole_text() {
    let place = Place::new().await;
    let session = SessionId::random();
    place.turn(&session, "earlier").await;
    let begin = BeginTurn {
        trace: TraceId(99),
        ..question(&session, "?")
    };
    let mut turn = place.start_turn(begin.clone()).await;
    turn.text("abc").unwrap();
    turn.append(vec![tool_call("a", 3)]).await.unwrap();
    turn.text("def").unwrap();
    place.settled().await;

    let mut follower = place.follow(&session, Start::Live).await;
    assert_eq!(follower.opened().running, Some(begin.turn));
    assert_eq!(follower.opened().end.seq, 4);
    let text = next(&mut follower).await;
    let whole = Followed::Text {
        turn: begin.turn,
        trace: TraceId(99),
        change: TextChange::Replace("abcdef".to_owned()),
    };
    assert_eq!(text, whole);
    turn.append(vec![tool_result("a", "[]", 6)]).await.unwrap();
    assert_eq!(next_event(&mut follower).await.seq, 5);
    turn.finish(answer("abcdef")).await.unwrap();
    assert_eq!(next_event(&mut follower).await.seq, 6);
    nothing_more(&mut follower).await;
}

async fn live_in_a_turn_without_text_starts_with_its_next_event() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut turn = place.start(&session, "?").await;
    let mut follower = place.follow(&session, Start::Live).await;
    nothing_more(&mut follower).await;
    turn.append(vec![tool_call("a", 0)]).await.unwrap();
    assert_eq!(next_event(&mut follower).await.seq, 2);
}

async fn a_cursor_gets_what_is_after_it() {
    let place = Place::new().await;
    let session = SessionId::random();
    place.turn(&session, "one").await;
    place.turn(&session, "two").await;
    let log = place.log(&session).await;
    for seen in 0..=log.len() {
        let cursor = match seen.checked_sub(1) {
            Some(last) => log[last].cursor(),
            None => Cursor::default(),
        };
        for start in [after(cursor.seq), Start::After(cursor)] {
            let mut follower = place.follow(&session, start).await;
            assert_eq!(follower.opened().end, log[3].cursor());
            assert_eq!(follower.opened().running, None);
            for event in &log[seen..] {
                assert_eq!(&next_event(&mut follower).await, event);
            }
            nothing_more(&mut follower).await;
        }
    }
}

async fn a_cursor_in_a_running_turn_gets_events_and_text_where_they_happened() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut turn = place.start(&session, "?").await;
    turn.text("žlté ").unwrap();
    turn.append(vec![tool_call("a", turn.text_len())])
        .await
        .unwrap();
    turn.append(vec![tool_result("a", "[]", turn.text_len())])
        .await
        .unwrap();
    turn.text("kone").unwrap();
    turn.append(vec![tool_call("b", turn.text_len())])
        .await
        .unwrap();
    turn.text("!").unwrap();

    let mut follower = place.follow(&session, after(0)).await;
    assert_eq!(next_event(&mut follower).await.seq, 1);
    assert_eq!(next_text(&mut follower).await, "=žlté ");
    assert_eq!(next_event(&mut follower).await.seq, 2);
    assert_eq!(next_event(&mut follower).await.seq, 3);
    assert_eq!(next_text(&mut follower).await, "+kone");
    assert_eq!(next_event(&mut follower).await.seq, 4);
    assert_eq!(next_text(&mut follower).await, "+!");
    nothing_more(&mut follower).await;

    let mut follower = place.follow(&session, after(3)).await;
    assert_eq!(next_text(&mut follower).await, "=žlté kone");
    assert_eq!(next_event(&mut follower).await.seq, 4);
    assert_eq!(next_text(&mut follower).await, "+!");
}

async fn an_offset_inside_a_character_or_beyond_the_text_does_no_harm() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut turn = place.start(&session, "?").await;
    turn.text("ž!").unwrap();
    turn.append(vec![tool_call("a", 1), tool_call("b", 1_000)])
        .await
        .unwrap();
    let mut follower = place.follow(&session, after(1)).await;
    assert_eq!(next_event(&mut follower).await.seq, 2);
    assert_eq!(next_text(&mut follower).await, "=ž!");
    assert_eq!(next_event(&mut follower).await.seq, 3);
}

async fn a_cursor_that_does_not_fit_is_reset() {
    let place = Place::new().await;
    let session = SessionId::random();
    place.turn(&session, "one").await;
    let log = place.log(&session).await;
    let mut other = log[0].cursor();
    other.fingerprint = Fingerprint::from_client("somebody@else");
    let starts = [
        after(3),
        after(u64::MAX),
        Start::After(other),
        // The fingerprint of another position.
        Start::After(Cursor {
            seq: 2,
            fingerprint: Fingerprint::from_client("x@1"),
        }),
    ];
    for start in starts {
        let mut follower = place.follow(&session, start).await;
        assert!(matches!(next(&mut follower).await, Followed::Reset { .. }));
        for event in &log {
            assert_eq!(&next_event(&mut follower).await, event);
        }
        nothing_more(&mut follower).await;
    }
    // A session without events has nothing a cursor could fit.
    let mut follower = place.follow(&SessionId::random(), after(1)).await;
    assert!(matches!(next(&mut follower).await, Followed::Reset { .. }));
    nothing_more(&mut follower).await;
    // At the very start a fingerprint means nothing.
    let start = Start::After(Cursor {
        seq: 0,
        fingerprint: Fingerprint::from_client("x@1"),
    });
    let mut follower = place.follow(&session, start).await;
    assert_eq!(&next_event(&mut follower).await, &log[0]);
}

async fn a_follower_far_behind_reads_the_log() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut follower = place.follow(&session, Start::Live).await;
    let mut turn = place.start(&session, "?").await;
    let large = "x".repeat(40 * 1024);
    for _ in 0..100 {
        let result = tool_result("a", &large, 0);
        turn.append(vec![tool_call("a", 0), result, tool_call("b", 0)])
            .await
            .unwrap();
    }
    turn.text("!").unwrap();
    for seq in 1..=301 {
        assert_eq!(next_event(&mut follower).await.seq, seq);
    }
    assert_eq!(next_text(&mut follower).await, "=!");
    turn.finish(answer("!")).await.unwrap();
    assert_eq!(next_event(&mut follower).await.seq, 302);
}

async fn a_dropped_next_loses_nothing() {
    let place = Place::new().await;
    let session = SessionId::random();
    for _ in 0..100 {
        place.turn(&session, "?").await;
    }
    let mut follower = place.follow(&session, after(0)).await;
    let mut expected = 1;
    while expected <= 200 {
        // Polled once and dropped, again and again.
        tokio::select! {
            biased;
            followed = follower.next() => {
                let Followed::Event(event) = followed.unwrap() else { panic!("not an event") };
                assert_eq!(event.seq, expected);
                expected += 1;
            }
            () = tokio::time::sleep(Duration::from_millis(3)) => {}
        }
    }
}

async fn feeds_live_as_long_as_somebody_needs_them() {
    let place = Place::new().await;
    let session = SessionId::random();
    let first = place.follow(&session, Start::Live).await;
    let second = place.follow(&session, Start::Live).await;
    assert_eq!(place.feeds(), 1);
    drop(first);
    assert_eq!(place.feeds(), 1);
    drop(second);
    assert_eq!(place.feeds(), 0);

    // Nobody follows, but the turn's text is kept.
    let begin = question(&session, "?");
    let mut turn = place.start_turn(begin.clone()).await;
    turn.text("abc").unwrap();
    std::mem::forget(turn);
    assert_eq!(place.feeds(), 1);
    let mut follower = place.follow(&session, Start::Live).await;
    assert_eq!(next_text(&mut follower).await, "=abc");
    let mut turn = place
        .store
        .turn_writer(session.clone(), begin.turn, begin.trace);
    turn.finish(answer("abc")).await.unwrap();
}

async fn a_feed_is_gone_when_its_turn_and_followers_are() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut follower = place.follow(&session, Start::Live).await;
    let mut turn = place.start(&session, "?").await;
    turn.finish(answer("!")).await.unwrap();
    drop(turn);
    assert_eq!(place.feeds(), 1);
    next_event(&mut follower).await;
    drop(follower);
    assert_eq!(place.feeds(), 0);
}

async fn whoever_waits_when_the_store_closes_is_told() {
    let place = Place::new().await;
    let session = SessionId::random();
    place.turn(&session, "?").await;
    let mut waiting = place.follow(&session, Start::Live).await;
    let mut behind = place.follow(&session, after(0)).await;
    let (ended, ()) = tokio::join!(waiting.next(), async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        place.store.close().await;
    });
    assert!(
        matches!(ended, Err(StoreError::Unavailable(_))),
        "{ended:?}"
    );
    let ended = behind.next().await;
    assert!(
        matches!(ended, Err(StoreError::Unavailable(_))),
        "{ended:?}"
    );
    let late = place.store.follow(session, Start::Live).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
}

on_both!(
    live_follows_a_turn_from_its_question_to_its_answer,
    live_in_the_middle_of_a_turn_starts_with_its_whole_text,
    live_in_a_turn_without_text_starts_with_its_next_event,
    a_cursor_gets_what_is_after_it,
    a_cursor_in_a_running_turn_gets_events_and_text_where_they_happened,
    an_offset_inside_a_character_or_beyond_the_text_does_no_harm,
    a_cursor_that_does_not_fit_is_reset,
    a_follower_far_behind_reads_the_log,
    a_dropped_next_loses_nothing,
    feeds_live_as_long_as_somebody_needs_them,
    a_feed_is_gone_when_its_turn_and_followers_are,
    whoever_waits_when_the_store_closes_is_told,
);
