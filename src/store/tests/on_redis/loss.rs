//! Servers that come back with less than they had said they have.

use super::*;

/// Power fails: the last bytes of the append-only file never reached the disk.
async fn power_fails(both: &mut Both, lost: u64) {
    both.server.kill();
    let folder = both.server.folder().join("appendonlydir");
    let file = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().ends_with(".incr.aof"))
        .unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length - lost).unwrap();
    both.server.restart();
    let answering = async {
        while both.a.check().await.is_err() || both.b.check().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, answering).await.unwrap();
}

/// Follows from the start, until the log's last event, and once more after every reset.
async fn client(mut follower: Follower, end: u64) -> (Vec<Arc<Event>>, usize) {
    let (mut log, mut resets) = (Vec::new(), 0);
    loop {
        match next(&mut follower).await {
            Followed::Event(event) => log.push(event),
            Followed::Text { .. } => {}
            Followed::Reset { .. } => {
                log.clear();
                resets += 1;
            }
        }
        let complete = log.last().is_some_and(|last: &Arc<Event>| last.seq == end);
        if complete && resets > 0 {
            return (log, resets);
        }
    }
}

#[tokio::test]
async fn who_has_seen_what_is_lost_starts_again() {
    for lost in [1, 300, 700, 1_100, 1_500] {
        let mut both = Both::new().await;
        let session = SessionId::random();
        for _ in 0..3 {
            let (mut turn, kept) = start(&both.a, question(&session, "?")).await;
            turn.append(vec![tool_call("a", 0)]).await.unwrap();
            turn.finish(answer("an answer that is lost")).await.unwrap();
            kept.abort();
        }
        let beginning = Start::After(Cursor::default());
        let mut follower = both.b.follow(session.clone(), beginning).await.unwrap();
        for seq in 1..=9 {
            assert_eq!(next_event(&mut follower).await.seq, seq);
        }
        power_fails(&mut both, lost).await;
        // What is still running there is nobody's: it ends with its lease, then the session goes on.
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut turn = loop {
            let begin = question(&session, "after the loss");
            match both.b.begin_turn(begin.clone()).await.unwrap() {
                Begin::Started { .. } => {
                    break both.b.turn_writer(begin.session, begin.turn, begin.trace);
                }
                Begin::Busy { turn } => {
                    let ended = timeout(PATIENCE, both.b.ended(&session, turn)).await;
                    ended.unwrap().unwrap();
                }
                Begin::Duplicate { .. } => unreachable!(),
            }
            assert!(tokio::time::Instant::now() < deadline);
        };
        for _ in 0..10 {
            turn.append(vec![tool_call("a", 0)]).await.unwrap();
        }
        turn.finish(answer("!")).await.unwrap();
        let log = whole_log(&both.a, &session).await;
        let end = log.last().unwrap().seq;
        assert_eq!(end, log.len() as u64, "a gap");
        let (seen, resets) = client(follower, end).await;
        assert_eq!((seen, resets), (log, 1), "lost {lost}");
    }
}

#[tokio::test]
async fn a_session_whose_counter_and_log_disagree_is_repaired() {
    for (break_it, kept) in [
        // The log lost its tail.
        (["XTRIM", "l", "MAXLEN", "=", "0"], 0),
        // The counter is an older one.
        (["HSET", "s", "q", "1", ""], 4),
        // It is from the future.
        (["HSET", "s", "q", "9", ""], 4),
    ] {
        let both = Both::new().await;
        let session = SessionId::random();
        for _ in 0..2 {
            let (mut turn, _kept) = start(&both.a, question(&session, "?")).await;
            turn.finish(answer("!")).await.unwrap();
        }
        let key = format!("dragoman:{{{}}}:{}", session.as_str(), break_it[1]);
        let words: Vec<_> = [break_it[0], &key]
            .into_iter()
            .chain(break_it[2..].iter().copied())
            .filter(|word| !word.is_empty())
            .collect();
        both.server.command(&words);
        let beginning = Start::After(Cursor::default());
        let (mut turn, _kept) = start(&both.b, question(&session, "anew")).await;
        turn.finish(answer("!")).await.unwrap();
        let log = whole_log(&both.a, &session).await;
        let positions: Vec<_> = log.iter().map(|event| event.seq).collect();
        assert_eq!(
            positions,
            (1..=kept + 2).collect::<Vec<_>>(),
            "{break_it:?}"
        );
        let mut follower = both.b.follow(session.clone(), beginning).await.unwrap();
        for event in log {
            assert_eq!(next_event(&mut follower).await, event);
        }
    }
}
