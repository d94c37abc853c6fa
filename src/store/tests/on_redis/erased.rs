//! Erasures, and who hears of them.

use super::*;

async fn error(follower: &mut Follower) -> StoreError {
    let ended = timeout(PATIENCE, async {
        loop {
            match follower.next().await {
                Ok(Followed::Event(_) | Followed::Text { .. }) => {}
                Ok(reset) => panic!("{reset:?}"),
                Err(error) => return error,
            }
        }
    });
    ended.await.unwrap()
}

/// Nobody hears anything for a while.
fn deafen(both: &Both) {
    both.server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
}

#[tokio::test]
async fn who_hears_nothing_meanwhile_learns_that_a_session_was_erased() {
    let both = Both::new().await;
    let session = SessionId::random();
    let (mut turn, kept) = start(&both.a, question(&session, "?")).await;
    turn.append(vec![tool_call("a", 0)]).await.unwrap();
    let beginning = Start::After(Cursor::default());
    let mut follower = both.b.follow(session.clone(), beginning).await.unwrap();
    next_event(&mut follower).await;
    deafen(&both);
    assert_eq!(both.b.erase(&session).await, Ok(true));
    assert_eq!(error(&mut follower).await, StoreError::Erased);
    // Its owner stops as well, long before its next sign of life.
    assert_eq!(
        timeout(PATIENCE, kept).await.unwrap().unwrap(),
        Lost::Fenced
    );
    // The mark is no session, and is not there for ever.
    let left = both.server.command(&["KEYS", "dragoman:{*"]);
    assert_eq!(left.matches("dragoman:{").count(), 1, "{left}");
    let mark = format!("dragoman:{{{}}}:x", session.as_str());
    let kept = both.server.command(&["PTTL", &mark]);
    assert!(!kept.contains('-'), "{kept}");
}

#[tokio::test]
async fn a_turn_begun_after_an_erasure_goes_on() {
    let both = Both::new().await;
    let session = SessionId::random();
    for _ in 0..20 {
        let (mut turn, _kept) = start(&both.a, question(&session, "?")).await;
        let mut follower = both.a.follow(session.clone(), Start::Live).await.unwrap();
        turn.append(vec![tool_call("a", 0)]).await.unwrap();
        next_event(&mut follower).await;
        deafen(&both);
        assert_eq!(both.b.erase(&session).await, Ok(true));
        // The process that hears nothing has a turn of the next session already.
        let (mut turn, kept) = start(&both.a, question(&session, "anew")).await;
        assert_eq!(error(&mut follower).await, StoreError::Erased);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!kept.is_finished());
        turn.finish(answer("!")).await.unwrap();
        assert_eq!(kinds(&whole_log(&both.b, &session).await), "user agent");
        assert_eq!(both.b.erase(&session).await, Ok(true));
    }
}

#[tokio::test]
async fn who_follows_nothing_is_told_of_the_erasure_and_leaves() {
    let both = Both::new().await;
    let session = SessionId::random();
    let mut follower = both.b.follow(session.clone(), Start::Live).await.unwrap();
    nothing_more(&mut follower).await;
    assert_eq!(both.a.erase(&session).await, Ok(false));
    assert_eq!(error(&mut follower).await, StoreError::Erased);
    drop(follower);
    let Store::Redis(store) = &both.b else {
        unreachable!()
    };
    assert_eq!(store.feeds(), 0);
}
