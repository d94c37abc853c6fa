//! A store that several processes share: each [`Store`] here stands for one.

use super::*;

/// Leases that tests can wait for.
pub(super) fn short() -> Sessions {
    Sessions {
        retention: None,
        lease: Duration::from_secs(2),
        heartbeat: Duration::from_millis(300),
    }
}

pub(super) struct Both {
    pub(super) server: Server,
    pub(super) a: Store,
    pub(super) b: Store,
    _folder: TempDir,
}

impl Both {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path());
        let open = async || {
            Store::open(&server.config(), generous(), &short())
                .await
                .unwrap()
        };
        let (a, b) = (open().await, open().await);
        Self {
            server,
            a,
            b,
            _folder: folder,
        }
    }
}

/// Begins a turn and keeps it.
pub(super) async fn start(
    store: &Store,
    begin: BeginTurn,
) -> (TurnWriter, tokio::task::JoinHandle<Lost>) {
    let begun = store.begin_turn(begin.clone()).await.unwrap();
    assert!(matches!(begun, Begin::Started { .. }), "{begun:?}");
    let mut writer = store.turn_writer(begin.session, begin.turn, begin.trace);
    let mut keeper = writer.keeper();
    let kept = spawn(async move { keeper.lost().await });
    (writer, kept)
}

/// Follows until the next event; text on the way is added to `text`.
pub(super) async fn event_after_text(follower: &mut Follower, text: &mut String) -> Arc<Event> {
    loop {
        match next(follower).await {
            Followed::Event(event) => return event,
            Followed::Text { change, .. } => match change {
                TextChange::Replace(all) => {
                    assert!(all.starts_with(text.as_str()), "{text} became {all}");
                    *text = all;
                }
                TextChange::Append(more) => text.push_str(&more),
            },
            Followed::Reset { reason } => panic!("{reason}"),
        }
    }
}

#[tokio::test]
async fn a_turn_of_one_process_is_followed_and_stopped_from_another() {
    let both = Both::new().await;
    let session = SessionId::random();
    let mut follower = both.b.follow(session.clone(), Start::Live).await.unwrap();
    let (mut turn, kept) = start(&both.a, question(&session, "?")).await;
    assert_eq!(next_event(&mut follower).await.seq, 1);
    turn.text("one ").unwrap();
    assert_eq!(next_text(&mut follower).await, "=one ");
    turn.text("two").unwrap();
    assert_eq!(next_text(&mut follower).await, "+two");
    let busy = both.b.begin_turn(question(&session, "and?")).await;
    assert!(matches!(busy, Ok(Begin::Busy { .. })), "{busy:?}");
    assert_eq!(both.b.request_stop(&session, None).await, Ok(true));
    let lost = timeout(Duration::from_secs(1), kept).await.unwrap();
    assert_eq!(lost.unwrap(), Lost::Stopped);
    turn.finish(answer("one two")).await.unwrap();
    assert_eq!(next_event(&mut follower).await.seq, 2);
    assert_eq!(both.b.request_stop(&session, None).await, Ok(false));
}

#[tokio::test]
async fn a_turn_without_an_owner_is_ended_for_whoever_follows() {
    let both = Both::new().await;
    let session = SessionId::random();
    let mut follower = both.b.follow(session.clone(), Start::Live).await.unwrap();
    let (mut turn, kept) = start(&both.a, question(&session, "?")).await;
    turn.text("half an answer").unwrap();
    next_event(&mut follower).await;
    assert_eq!(next_text(&mut follower).await, "=half an answer");
    // As a crash does it: nothing is said any more, and nothing tidied up.
    kept.abort();
    std::mem::forget(turn);
    let began = tokio::time::Instant::now();
    let event = timeout(Duration::from_secs(8), next_event(&mut follower)).await;
    let EventBody::Error {
        reason, partial, ..
    } = &event.unwrap().body
    else {
        panic!("no error");
    };
    assert_eq!(*reason, TurnErrorReason::Interrupted);
    assert_eq!(&**partial, "half an answer");
    assert!(began.elapsed() > Duration::from_secs(1), "too early");
    let (mut turn, _kept) = start(&both.b, question(&session, "again")).await;
    turn.finish(answer("!")).await.unwrap();
}

#[tokio::test]
async fn a_turn_without_an_owner_is_ended_however_busy_its_followers_process_is() {
    let both = Both::new().await;
    let session = SessionId::random();
    let mut follower = both.b.follow(session.clone(), Start::Live).await.unwrap();
    let (turn, kept) = start(&both.a, question(&session, "?")).await;
    next_event(&mut follower).await;
    kept.abort();
    std::mem::forget(turn);
    // As a crash does it; otherwise that process would notice, which has nothing else to do.
    both.a.close().await;
    // Somebody comes and goes all the time.
    let coming = async {
        loop {
            drop(both.b.follow(SessionId::random(), Start::Live).await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let ended = tokio::select! {
        ended = timeout(Duration::from_secs(8), follower.next()) => ended,
        () = coming => unreachable!("they come for ever"),
    };
    let Ok(Ok(Followed::Event(event))) = ended else {
        panic!("not ended: {ended:?}");
    };
    assert!(event.body.is_final());
}

#[tokio::test]
async fn a_turn_left_by_its_writer_is_ended_before_the_store_closes() {
    let both = Both::new().await;
    let session = SessionId::random();
    let (mut turn, kept) = start(&both.a, question(&session, "?")).await;
    turn.text("half an answer").unwrap();
    kept.abort();
    drop(turn);
    both.a.close().await;
    assert_eq!(kinds(&whole_log(&both.b, &session).await), "user error");
}

#[tokio::test]
async fn a_turn_is_taken_over() {
    let both = Both::new().await;
    let begin = question(&SessionId::random(), "?");
    let (mut turn, _kept) = start(&both.a, begin.clone()).await;
    let mut follower = both
        .b
        .follow(begin.session.clone(), Start::Live)
        .await
        .unwrap();
    turn.text("one ").unwrap();
    turn.append(vec![tool_call("a", 4)]).await.unwrap();
    turn.text("two ").unwrap();
    turn.release().await.unwrap();
    let adopted = timeout(PATIENCE, both.b.adopt()).await.unwrap();
    assert_eq!((adopted.begin.turn, adopted.seq), (begin.turn, 1));
    assert_eq!(adopted.begin.content, begin.content);
    let mut turn = adopted.writer;
    assert_eq!(turn.text_so_far(), "one two ");
    let mut keeper = turn.keeper();
    spawn(async move { keeper.lost().await });
    turn.text("three").unwrap();
    let mut text = String::new();
    let call = event_after_text(&mut follower, &mut text).await;
    assert_eq!((call.seq, text.as_str()), (2, "one "));
    turn.append(vec![tool_result("a", "[]", 13)]).await.unwrap();
    let result = event_after_text(&mut follower, &mut text).await;
    assert_eq!((result.seq, text.as_str()), (3, "one two three"));
    turn.finish(answer("one two three")).await.unwrap();
    let last = event_after_text(&mut follower, &mut text).await;
    assert!(matches!(last.body, EventBody::Agent { .. }));
}

#[tokio::test]
async fn subscriptions_that_are_killed_lose_and_repeat_nothing() {
    let both = Both::new().await;
    let session = SessionId::random();
    let mut follower = both.b.follow(session.clone(), Start::Live).await.unwrap();
    let follow = spawn(async move {
        let mut seen = Vec::new();
        while seen.len() < 90 {
            let mut text = String::new();
            seen.push(event_after_text(&mut follower, &mut text).await.seq);
        }
        seen
    });
    for round in 0..30 {
        let (mut turn, _kept) = start(&both.a, question(&session, "?")).await;
        turn.text("some text").unwrap();
        if round % 3 == 0 {
            both.server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]);
        }
        turn.append(vec![tool_call("a", 9)]).await.unwrap();
        if round % 5 == 0 {
            both.server.command(&["CLIENT", "KILL", "TYPE", "normal"]);
        }
        let mut finished = turn.finish(answer("some text")).await;
        while let Err(StoreError::Unavailable(_)) = finished {
            finished = turn.finish(answer("some text")).await;
        }
        finished.unwrap();
    }
    let seen = timeout(PATIENCE, follow).await.unwrap().unwrap();
    assert_eq!(seen, (1..=90).collect::<Vec<_>>());
}

/// Ends a turn as soon as the store takes it.
async fn finish(turn: &mut TurnWriter) {
    let mut ended = turn.finish(answer("!")).await;
    while let Err(StoreError::Unavailable(_)) = ended {
        ended = turn.finish(answer("!")).await;
    }
    ended.unwrap();
}

#[tokio::test]
async fn a_pause_longer_than_a_lease_ends_no_turn_that_is_alive() {
    let both = Both::new().await;
    let session = SessionId::random();
    let mut follower = both.b.follow(session.clone(), Start::Live).await.unwrap();
    let (mut turn, _kept) = start(&both.a, question(&session, "?")).await;
    next_event(&mut follower).await;
    both.server.signal("STOP");
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    both.server.signal("CONT");
    finish(&mut turn).await;
    assert!(matches!(
        next_event(&mut follower).await.body,
        EventBody::Agent { .. }
    ));
}

#[tokio::test]
async fn a_turn_whose_store_is_away_for_more_than_its_lease_is_to_stop() {
    let both = Both::new().await;
    let session = SessionId::random();
    let mut follower = both.b.follow(session.clone(), Start::Live).await.unwrap();
    let (mut turn, kept) = start(&both.a, question(&session, "?")).await;
    next_event(&mut follower).await;
    both.server.signal("STOP");
    let lost = timeout(PATIENCE, kept).await;
    both.server.signal("CONT");
    assert_eq!(lost.unwrap().unwrap(), Lost::Unreachable);
    // It is still its to end.
    finish(&mut turn).await;
    assert!(matches!(
        next_event(&mut follower).await.body,
        EventBody::Agent { .. }
    ));
}

#[tokio::test]
async fn a_server_that_is_killed_comes_back_with_everything() {
    let mut both = Both::new().await;
    let session = SessionId::random();
    let mut follower = both.b.follow(session.clone(), Start::Live).await.unwrap();
    let (mut turn, _kept) = start(&both.a, question(&session, "?")).await;
    turn.text("before ").unwrap();
    turn.append(vec![tool_call("a", 7)]).await.unwrap();
    both.server.kill();
    both.server.restart();
    turn.text("and after").unwrap();
    let mut ended = turn.finish(answer("before and after")).await;
    while let Err(StoreError::Unavailable(_)) = ended {
        ended = turn.finish(answer("before and after")).await;
    }
    ended.unwrap();
    let mut text = String::new();
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(event_after_text(&mut follower, &mut text).await);
    }
    assert_eq!(kinds(&seen), "user call agent");
}

#[tokio::test]
async fn a_log_that_is_gone_resets_followers_and_fences_its_writer() {
    let both = Both::new().await;
    let session = SessionId::random();
    let (mut turn, _kept) = start(&both.a, question(&session, "?")).await;
    let mut follower = both
        .b
        .follow(session.clone(), Start::After(Cursor::default()))
        .await
        .unwrap();
    next_event(&mut follower).await;
    both.server.command(&["FLUSHALL"]);
    assert_eq!(turn.finish(answer("!")).await, Err(StoreError::Fenced));
    let (mut turn, _kept) = start(&both.a, question(&session, "anew")).await;
    let reset = next(&mut follower).await;
    assert!(matches!(reset, Followed::Reset { .. }), "{reset:?}");
    assert_eq!(next_event(&mut follower).await.seq, 1);
    turn.finish(answer("!")).await.unwrap();
    assert_eq!(next_event(&mut follower).await.seq, 2);
}

#[tokio::test]
async fn two_thousand_followers_get_everything() {
    let both = Both::new().await;
    let sessions: Vec<_> = (0..2_000).map(|_| SessionId::random()).collect();
    let followers = sessions
        .iter()
        .map(|session| both.b.follow(session.clone(), Start::Live));
    let mut followers = futures_util::future::try_join_all(followers).await.unwrap();
    for session in &sessions {
        let (mut turn, kept) = start(&both.a, question(session, "?")).await;
        turn.finish(answer("!")).await.unwrap();
        kept.abort();
    }
    for follower in &mut followers {
        assert_eq!(next_event(follower).await.seq, 1);
        assert_eq!(next_event(follower).await.seq, 2);
    }
    drop(followers);
    both.a.close().await;
    both.b.close().await;
}

#[tokio::test]
async fn a_log_that_is_gone_is_noticed_though_nobody_asks() {
    let both = Both::new().await;
    let session = SessionId::random();
    let (mut turn, _kept) = start(&both.a, question(&session, "?")).await;
    let mut follower = both.b.follow(session.clone(), Start::Live).await.unwrap();
    turn.text("some text").unwrap();
    next_text(&mut follower).await;
    both.server.command(&["FLUSHALL"]);
    let reset = timeout(Duration::from_secs(8), follower.next()).await;
    let reset = reset.expect("it is noticed within a lease").unwrap();
    assert!(matches!(reset, Followed::Reset { .. }), "{reset:?}");
}

#[tokio::test]
async fn a_log_that_is_gone_is_noticed_by_the_process_that_wrote_it() {
    let both = Both::new().await;
    let session = SessionId::random();
    let mut follower = both.a.follow(session.clone(), Start::Live).await.unwrap();
    let (mut turn, kept) = start(&both.a, question(&session, "?")).await;
    next_event(&mut follower).await;
    turn.text("some text").unwrap();
    next_text(&mut follower).await;
    both.server.command(&["FLUSHALL"]);
    turn.text(", and more").unwrap();
    assert_eq!(kept.await.unwrap(), Lost::Fenced);
    drop(turn);
    let reset = timeout(Duration::from_secs(8), follower.next()).await;
    let reset = reset.expect("it is noticed within a lease").unwrap();
    assert!(matches!(reset, Followed::Reset { .. }), "{reset:?}");
}
