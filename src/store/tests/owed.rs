//! Who has seen the end of which turn, and who is owed it.

use super::sessions::turn;
use super::*;

on_both!(
    an_end_is_missed_until_it_was_delivered,
    who_was_shown_a_turn_is_owed_its_end_whoever_has_it,
    who_comes_during_a_turn_is_owed_its_end_once,
);

/// Position of the end that a client without a cursor is sent when it comes.
pub(super) async fn missed(place: &Place, session: &SessionId) -> Option<u64> {
    let missed = place.store.missed(session).await.unwrap();
    missed.end.map(|event| {
        assert!(event.body.is_final());
        assert_eq!(missed.turn, Some(event.turn));
        event.seq
    })
}

async fn an_end_is_missed_until_it_was_delivered() {
    let place = Place::new().await;
    let (store, session) = (&place.store, SessionId::random());
    store.delivered(&session, 1, true).await.unwrap();
    store.shown(&session, TurnId::random()).await.unwrap();
    store.left(&session, TurnId::random()).await.unwrap();
    assert_eq!(store.missed(&session).await, Ok(Missed::default()));

    turn(&place, &session).await;
    assert_eq!(missed(&place, &session).await, Some(2));
    assert_eq!(
        missed(&place, &session).await,
        Some(2),
        "to be told twice is not to have received it"
    );
    // Both times it was owed to the same client, which has it now.
    store.delivered(&session, 2, true).await.unwrap();
    assert_eq!(missed(&place, &session).await, None);

    // A position that does not exist yet is not delivered for all time.
    turn(&place, &session).await;
    store.delivered(&session, 100, false).await.unwrap();
    assert_eq!(missed(&place, &session).await, None);
    store.delivered(&session, 1, false).await.unwrap();
    assert_eq!(missed(&place, &session).await, None, "it does not go back");
    turn(&place, &session).await;
    assert_eq!(missed(&place, &session).await, Some(6));
}

async fn who_was_shown_a_turn_is_owed_its_end_whoever_has_it() {
    let place = Place::new().await;
    let (store, session) = (&place.store, SessionId::random());
    let first = turn(&place, &session).await;

    let begin = question(&session, "?");
    let mut running = place.start_turn(begin.clone()).await;
    store.shown(&session, first).await.unwrap();
    store.shown(&session, begin.turn).await.unwrap();
    store.shown(&session, begin.turn).await.unwrap();
    running.finish(answer("!")).await.unwrap();
    // One with a cursor has it, which pays nobody else.
    store.delivered(&session, 4, false).await.unwrap();
    assert_eq!(missed(&place, &session).await, Some(4));
    store.delivered(&session, 4, true).await.unwrap();
    assert_eq!(missed(&place, &session).await, Some(4), "the other one");
    store.delivered(&session, 2, true).await.unwrap();
    assert_eq!(missed(&place, &session).await, Some(4), "that is older");
    store.delivered(&session, 4, true).await.unwrap();
    assert_eq!(missed(&place, &session).await, None, "both have it");
    store.delivered(&session, 4, true).await.unwrap();
    assert_eq!(missed(&place, &session).await, None);

    // A turn that was not seen to its end is of no interest during the next.
    let begin = question(&session, "?");
    let mut running = place.start_turn(begin.clone()).await;
    store.shown(&session, begin.turn).await.unwrap();
    running.finish(answer("!")).await.unwrap();
    turn(&place, &session).await;
    store.delivered(&session, 6, true).await.unwrap();
    store.delivered(&session, 8, false).await.unwrap();
    assert_eq!(missed(&place, &session).await, None);
}

async fn who_comes_during_a_turn_is_owed_its_end_once() {
    let place = Place::new().await;
    let (store, session) = (&place.store, SessionId::random());
    let begin = question(&session, "?");
    let mut running = place.start_turn(begin.clone()).await;
    let owed = Missed {
        turn: Some(begin.turn),
        end: None,
    };
    assert_eq!(store.missed(&session).await, Ok(owed.clone()));
    // It leaves and is back: that is one client.
    store.left(&session, begin.turn).await.unwrap();
    assert_eq!(store.missed(&session).await, Ok(owed.clone()));
    // Another one comes.
    assert_eq!(store.missed(&session).await, Ok(owed));
    running.finish(answer("!")).await.unwrap();
    store.delivered(&session, 2, true).await.unwrap();
    assert_eq!(
        missed(&place, &session).await,
        Some(2),
        "one more is owed it"
    );
    store.delivered(&session, 2, true).await.unwrap();
    assert_eq!(missed(&place, &session).await, None);
}

#[tokio::test]
async fn who_has_seen_what_outlives_the_process() {
    let place = Place::new().await;
    let (seen, left) = (SessionId::random(), SessionId::random());
    turn(&place, &seen).await;
    let newest = turn(&place, &left).await;
    place.store.shown(&seen, TurnId::random()).await.unwrap();
    place.store.delivered(&seen, 2, false).await.unwrap();
    place.store.delivered(&left, 2, false).await.unwrap();
    place.store.shown(&left, newest).await.unwrap();
    place.store.close().await;
    let config = Config::Sqlite(place.path());
    let store = Store::open(&config, generous(), &Sessions::default()).await;
    let place = Place {
        store: store.unwrap(),
        ..place
    };
    assert_eq!(missed(&place, &seen).await, None);
    assert_eq!(missed(&place, &left).await, Some(2));
    // Written by something else, and then read again.
    place.store.delivered(&left, 2, true).await.unwrap();
    place.store.check().await.unwrap();
    assert_eq!(missed(&place, &left).await, None);
}
