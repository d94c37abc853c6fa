//! Servers that fail while they are used.

use super::*;

#[tokio::test]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let both = Both::new().await;
    let session = SessionId::random();
    let (mut turn, _kept) = start(&both.a, question(&session, "?")).await;
    both.server.command(&["SCRIPT", "FLUSH"]);
    turn.append(vec![tool_call("a", 0)]).await.unwrap();
    both.server.command(&["SCRIPT", "FLUSH"]);
    assert_eq!(whole_log(&both.b, &session).await.len(), 2);
    both.server.command(&["SCRIPT", "FLUSH"]);
    turn.finish(answer("!")).await.unwrap();
}

#[tokio::test]
async fn a_server_whose_memory_is_full_is_read_and_says_so() {
    let both = Both::new().await;
    let session = SessionId::random();
    let (mut turn, _kept) = start(&both.a, question(&session, "?")).await;
    turn.text("so far").unwrap();
    turn.append(vec![tool_call("a", 6)]).await.unwrap();
    both.server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    for refused in [
        turn.append(vec![tool_result("a", "[]", 6)]).await,
        both.b.check().await,
        both.b
            .begin_turn(question(&SessionId::random(), "?"))
            .await
            .map(drop),
    ] {
        let Err(StoreError::Unavailable(why)) = refused else {
            panic!("{refused:?}");
        };
        assert!(why.contains("memory is full: raise maxmemory"), "{why}");
    }
    assert_eq!(whole_log(&both.b, &session).await.len(), 2);
    let beginning = Start::After(Cursor::default());
    let mut follower = both.b.follow(session.clone(), beginning).await.unwrap();
    let mut text = String::new();
    assert_eq!(event_after_text(&mut follower, &mut text).await.seq, 1);
    assert_eq!(event_after_text(&mut follower, &mut text).await.seq, 2);
    // Room can be made.
    assert_eq!(both.b.missed(&session).await.unwrap().end, None);
    both.server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    turn.append(vec![tool_result("a", "[]", 6)]).await.unwrap();
    turn.finish(answer("so far")).await.unwrap();
    assert_eq!(
        kinds(&whole_log(&both.a, &session).await),
        "user call result agent"
    );
}

#[tokio::test]
async fn a_full_server_can_be_emptied() {
    let both = Both::new().await;
    let session = SessionId::random();
    let (mut turn, _kept) = start(&both.a, question(&session, "?")).await;
    turn.finish(answer("!")).await.unwrap();
    both.server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(both.b.erase(&session).await, Ok(true));
    assert!(whole_log(&both.b, &session).await.is_empty());
}

#[tokio::test]
async fn a_server_that_stands_still_is_not_waited_for() {
    let both = Both::new().await;
    let session = SessionId::random();
    let (mut turn, _kept) = start(&both.a, question(&session, "?")).await;
    both.server.signal("STOP");
    let began = tokio::time::Instant::now();
    let new = SessionId::random();
    let (written, begun, read, followed, checked) = tokio::join!(
        turn.append(vec![tool_call("a", 0)]),
        both.b.begin_turn(question(&new, "?")),
        both.b.read_before(&session, 10, 10),
        both.b.follow(session.clone(), Start::Live),
        both.a.check(),
    );
    let took = began.elapsed();
    both.server.signal("CONT");
    for refused in [
        written,
        begun.map(drop),
        read.map(drop),
        followed.map(drop),
        checked,
    ] {
        assert!(
            matches!(refused, Err(StoreError::Unavailable(_))),
            "{refused:?}"
        );
    }
    assert!(took < Duration::from_secs(4), "{took:?}");
    while both.a.check().await.is_err() {}
    turn.append(vec![tool_call("a", 0)]).await.unwrap();
    turn.finish(answer("!")).await.unwrap();
    assert_eq!(
        kinds(&whole_log(&both.b, &session).await),
        "user call agent"
    );
}
