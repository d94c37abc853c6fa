//! What is in the server: how many questions, whose turn, for how long.

use super::*;

async fn with(limits: Limits, sessions: &Sessions) -> (Server, TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let store = Store::open(&server.config(), limits, sessions)
        .await
        .unwrap();
    (server, folder, store)
}

#[tokio::test]
async fn twenty_of_twenty_five_questions_are_taken_and_the_others_told_when() {
    let window = Duration::from_secs(3);
    let limits = Limits {
        rate_questions: 20,
        rate_window: window,
        ..Limits::default()
    };
    let (_server, _folder, store) = with(limits, &short()).await;
    let session = SessionId::random();
    let began = tokio::time::Instant::now();
    let asking = (0..25).map(|_| store.begin_turn(question(&session, "?")));
    let asked = futures_util::future::join_all(asking).await;
    let took = began.elapsed();
    let mut waits = Vec::new();
    for asked in &asked {
        match asked {
            Ok(Begin::Started { .. } | Begin::Busy { .. }) => {}
            Err(StoreError::RateLimited { retry_after }) => waits.push(*retry_after),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(waits.len(), 5);
    let soonest = *waits.iter().min().unwrap();
    assert!(soonest <= window && soonest + took >= window, "{waits:?}");
    // A moment too early, then not.
    tokio::time::sleep_until(began + window - Duration::from_millis(300)).await;
    let early = store.begin_turn(question(&session, "?")).await;
    assert!(
        matches!(early, Err(StoreError::RateLimited { .. })),
        "{early:?}"
    );
    tokio::time::sleep_until(began + took + window).await;
    let begun = store.begin_turn(question(&session, "?")).await;
    assert!(matches!(begun, Ok(Begin::Busy { .. })), "{begun:?}");
}

#[tokio::test]
async fn a_zombie_is_fenced() {
    let both = Both::new().await;
    let session = SessionId::random();
    let (mut turn, kept) = start(&both.a, question(&session, "?")).await;
    turn.text("of the dead").unwrap();
    turn.append(vec![tool_call("a", 11)]).await.unwrap();
    // It stands still for longer than its lease, and does not know.
    kept.abort();
    let ending = Store::ended(&both.b, &session, turn_of(&both.b, &session).await);
    timeout(PATIENCE, ending).await.unwrap().unwrap();
    let (mut next, _kept) = start(&both.b, question(&session, "next")).await;
    turn.text(" and more").unwrap();
    let refused = turn.append(vec![tool_result("a", "[]", 11)]).await;
    assert_eq!(refused, Err(StoreError::Fenced));
    assert_eq!(turn.finish(answer("!")).await, Err(StoreError::Fenced));
    next.text("of the living").unwrap();
    next.finish(answer("of the living")).await.unwrap();
    let log = whole_log(&both.a, &session).await;
    assert_eq!(kinds(&log), "user call error user agent");
    assert_eq!(log[4].body, answer("of the living"));
}

async fn turn_of(store: &Store, session: &SessionId) -> TurnId {
    whole_log(store, session).await[0].turn
}

async fn used(sessions: &Sessions) -> Vec<(String, i64)> {
    let (server, _folder, store) = with(generous(), sessions).await;
    let session = SessionId::random();
    let (mut turn, _kept) = start(&store, message(&session, "m", "?")).await;
    turn.text("some text").unwrap();
    turn.append(vec![tool_call("a", 9)]).await.unwrap();
    server.times(session.as_str())
}

#[tokio::test]
async fn every_key_of_a_session_expires() {
    let hour = Duration::from_hours(1);
    let sessions = Sessions {
        retention: Some(hour),
        ..short()
    };
    let keys = used(&sessions).await;
    // Session, log, text, ids and admissions.
    assert_eq!(keys.len(), 5, "{keys:?}");
    for (key, left) in keys {
        let most = if key.ends_with(":r") {
            3_600_000 * 2
        } else {
            3_600_000
        };
        assert!((3_500_000..=most).contains(&left), "{key}: {left}");
    }
}

#[tokio::test]
async fn no_key_of_a_session_that_is_kept_for_ever_expires() {
    let sessions = Sessions {
        retention: Some(Duration::ZERO),
        ..short()
    };
    let keys = used(&sessions).await;
    assert_eq!(keys.len(), 5, "{keys:?}");
    for (key, left) in keys {
        // What limits the rate is no part of the session.
        assert!(left == -1 || key.ends_with(":r"), "{key}: {left}");
    }
}
