//! Sessions as a whole: listed, erased, swept.

use std::collections::HashSet;

use super::owed::missed;
use super::*;

/// One turn, asked and answered.
pub(super) async fn turn(place: &Place, session: &SessionId) -> TurnId {
    let begin = question(session, "?");
    let id = begin.turn;
    let mut turn = place.start_turn(begin).await;
    turn.finish(answer("!")).await.unwrap();
    id
}

async fn listed(place: &Place, owner: &Subject, size: usize) -> Vec<SessionInfo> {
    let mut all: Vec<SessionInfo> = Vec::new();
    loop {
        let after = all.last().map(|last| SessionsAfter {
            updated: last.updated,
            session: last.session.clone(),
        });
        let page = place.store.sessions(owner, after.as_ref(), size).await;
        let page = page.unwrap();
        assert!(page.len() <= size);
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

async fn sessions_are_listed_in_pages_the_last_used_first() {
    let place = Place::new().await;
    let owner = Subject::from_store("someone");
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let store = place.store.clone();
        let begin = BeginTurn {
            owner: owner.clone(),
            ..question(&SessionId::random(), "?")
        };
        asking.spawn(async move {
            store.begin_turn(begin.clone()).await.unwrap();
            let mut turn = store.turn_writer(begin.session.clone(), begin.turn, begin.trace);
            turn.finish(answer("!")).await.unwrap();
            begin.session
        });
    }
    let made: HashSet<_> = asking.join_all().await.into_iter().collect();
    turn(&place, &SessionId::random()).await;
    if let Store::Sqlite(_) = place.store {
        // All at the same time: the ids alone tell them apart.
        place
            .shell()
            .execute("UPDATE session SET updated = 1000", [])
            .unwrap();
    }
    let whole = listed(&place, &owner, 100).await;
    let ids: HashSet<_> = whole.iter().map(|info| info.session.clone()).collect();
    assert_eq!((whole.len(), &ids), (40, &made));
    assert!(whole.windows(2).all(|pair| {
        (pair[0].updated, pair[0].session.as_str()) > (pair[1].updated, pair[1].session.as_str())
    }));
    for size in [1, 7] {
        assert_eq!(listed(&place, &owner, size).await, whole, "{size}");
    }
    assert_eq!(listed(&place, &Subject::from_store("other"), 10).await, []);

    let session = whole[20].session.clone();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let begin = BeginTurn {
        owner: owner.clone(),
        ..question(&session, "?")
    };
    let (id, _turn) = (begin.turn, place.start_turn(begin).await);
    let first = place.store.sessions(&owner, None, 1).await.unwrap();
    assert_eq!((&first[0].session, first[0].running), (&session, Some(id)));
    let log = place.log(&session).await;
    assert_eq!(first[0].end, log.last().unwrap().cursor());
    assert_eq!(whole[20].running, None);
    assert!(first[0].created <= first[0].updated);
}

async fn an_erased_session_ends_for_all_and_its_id_is_free() {
    let place = Place::new().await;
    let session = SessionId::random();
    turn(&place, &session).await;
    let begin = message(&session, "m", "?");
    place.store.begin_turn(begin.clone()).await.unwrap();
    let mut writer = place
        .store
        .turn_writer(session.clone(), begin.turn, begin.trace);
    let mut keeper = writer.keeper();
    let lost = spawn(async move { keeper.lost().await });
    writer.text("So far").unwrap();
    let follow = async |start| place.store.follow(session.clone(), start).await.unwrap();
    let mut live = follow(Start::Live).await;
    let mut behind = follow(Start::After(Cursor::default())).await;
    assert_eq!(next_text(&mut live).await, "=So far");

    assert_eq!(place.store.erase(&session).await, Ok(true));
    for follower in [&mut live, &mut behind] {
        let end = timeout(PATIENCE, async {
            loop {
                if let Err(error) = follower.next().await {
                    return error;
                }
            }
        });
        assert_eq!(end.await.unwrap(), StoreError::Erased);
    }
    assert_eq!(
        timeout(PATIENCE, lost).await.unwrap().unwrap(),
        Lost::Fenced
    );
    assert_eq!(writer.finish(answer("late")).await, Err(StoreError::Fenced));
    drop(writer);
    place.settled().await;
    assert_eq!(place.kinds(&session).await, "");
    assert_eq!(listed(&place, &Subject::anonymous(), 10).await, []);
    assert_eq!(place.store.erase(&session).await, Ok(false));

    // While the old ones are still there, and with a message id that was used before.
    let mut follower = follow(Start::Live).await;
    let mut writer = place.start_turn(message(&session, "m", "other")).await;
    assert_eq!(next_event(&mut follower).await.seq, 1);
    writer.finish(answer("!")).await.unwrap();
    assert_eq!(next_event(&mut follower).await.seq, 2);
    assert_eq!(place.kinds(&session).await, "user agent");
}

async fn pages_of_a_log_fit_or_say_so() {
    let place = Place::new().await;
    let session = SessionId::random();
    for _ in 0..3 {
        turn(&place, &session).await;
    }
    let log = place.log(&session).await;
    let mut after = Cursor::default();
    for pair in log.chunks(2) {
        let page = place.store.events(&session, &after, 2).await;
        assert_eq!(page, Ok(Page::Events(pair.to_vec())));
        after = pair[1].cursor();
    }
    let end = place.store.events(&session, &after, 2).await;
    assert_eq!(end, Ok(Page::Events(Vec::new())));
    let beyond = Cursor {
        seq: 7,
        fingerprint: None,
    };
    let other = Cursor {
        fingerprint: log[1].cursor().fingerprint,
        ..after.clone()
    };
    for misfit in [beyond, other] {
        let page = place.store.events(&session, &misfit, 2).await;
        assert_eq!(page, Ok(Page::Misfit), "{misfit:?}");
    }
    place.store.erase(&session).await.unwrap();
    assert_eq!(
        place.store.events(&session, &after, 2).await,
        Ok(Page::Misfit)
    );
}

#[tokio::test]
async fn what_was_erased_is_in_no_file() {
    let place = Place::new().await;
    let (erased, kept) = (SessionId::random(), SessionId::random());
    for round in 0..60 {
        for (session, word) in [(&erased, "xylophone"), (&kept, "trombone")] {
            let text = format!("{word}-{round} ").repeat(10 + round * 7);
            let begin = message(session, &format!("{word}-{round}"), &text);
            let mut turn = place.start_turn(begin).await;
            turn.append(vec![tool_result("c", &text, 0)]).await.unwrap();
            turn.finish(answer(&text)).await.unwrap();
        }
    }
    let holds = |needle: &str| {
        let files = std::fs::read_dir(place.folder.path()).unwrap();
        files
            .map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .any(|bytes| {
                bytes
                    .windows(needle.len())
                    .any(|part| part == needle.as_bytes())
            })
    };
    assert!(holds("xylophone") && holds(erased.as_str()));
    place.store.erase(&erased).await.unwrap();
    assert!(!holds("xylophone"), "its text is still there");
    assert!(!holds(erased.as_str()), "its id is still there");
    assert!(holds("trombone"));
    assert_eq!(place.log(&kept).await.len(), 180);
}

#[tokio::test]
async fn an_erased_session_is_cleaned_up_when_nobody_reads_the_file_any_more() {
    let place = Place::new().await;
    let session = SessionId::random();
    place.turn(&session, "xylophone").await;
    let shell = place.shell();
    shell.execute_batch("BEGIN; SELECT * FROM event").unwrap();
    assert_eq!(place.store.erase(&session).await, Ok(true));
    let log = place.folder.path().join("sessions.db-wal");
    assert!(std::fs::metadata(&log).unwrap().len() > 0);
    drop(shell);
    assert_eq!(place.store.sweep().await, Ok(0));
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
}

#[tokio::test]
async fn what_nobody_has_used_for_long_is_swept_unless_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::Sqlite(folder.path().join("sessions.db"));
    let sessions = Sessions {
        retention: Some(Duration::from_hours(1)),
        ..Sessions::default()
    };
    let place = Place {
        store: Store::open(&config, generous(), &sessions).await.unwrap(),
        folder,
        server: None,
    };
    let (running, fresh) = (SessionId::random(), SessionId::random());
    let mut old: Vec<_> = (0..70).map(|_| SessionId::random()).collect();
    for session in &old {
        turn(&place, session).await;
    }
    let _turn = place.start(&running, "?").await;
    old.push(running.clone());
    let age = "UPDATE session SET updated = updated - 3600001";
    assert_eq!(place.shell().execute(age, []).unwrap(), 71);
    turn(&place, &fresh).await;
    assert_eq!(place.store.sweep().await, Ok(70));
    assert_eq!(place.store.sweep().await, Ok(0));
    let left = listed(&place, &Subject::anonymous(), 100).await;
    let left: Vec<_> = left.into_iter().map(|info| info.session).collect();
    assert_eq!(left, [fresh, running]);
    let events: i64 = place
        .shell()
        .query_row("SELECT count(*) FROM event", [], |row| row.get(0))
        .unwrap();
    assert_eq!(events, 3);
}

/// What version 1 made, as far as it differs.
const VERSION_1: &str = "
    DROP INDEX session_owner;
    DROP INDEX session_unused;
    ALTER TABLE session DROP COLUMN owner;
    ALTER TABLE session DROP COLUMN delivered;
    ALTER TABLE session DROP COLUMN owed;
    ALTER TABLE session DROP COLUMN away;
    DROP TABLE spending;
    DROP TABLE approval;
    PRAGMA user_version = 1";

#[tokio::test]
async fn a_file_of_version_1_keeps_its_sessions_and_says_nothing_twice() {
    let place = Place::new().await;
    let (ended, running) = (SessionId::random(), SessionId::random());
    turn(&place, &ended).await;
    std::mem::forget(place.start(&running, "?").await);
    place.store.close().await;
    place.shell().execute_batch(VERSION_1).unwrap();
    let config = Config::Sqlite(place.path());
    let store = Store::open(&config, generous(), &Sessions::default()).await;
    let place = Place {
        store: store.unwrap(),
        ..place
    };
    assert_eq!(place.kinds(&ended).await, "user agent");
    assert_eq!(missed(&place, &ended).await, None);
    assert_eq!(
        missed(&place, &running).await,
        Some(2),
        "it was sealed just now"
    );
    assert_eq!(listed(&place, &Subject::anonymous(), 10).await.len(), 2);
}

#[tokio::test]
async fn for_ever_is_for_ever() {
    let place = Place::new().await;
    let session = SessionId::random();
    turn(&place, &session).await;
    let age = "UPDATE session SET updated = 1";
    place.shell().execute(age, []).unwrap();
    assert_eq!(place.store.sweep().await, Ok(0));
    assert_eq!(place.kinds(&session).await, "user agent");
}

on_both!(
    sessions_are_listed_in_pages_the_last_used_first,
    an_erased_session_ends_for_all_and_its_id_is_free,
    pages_of_a_log_fit_or_say_so,
);
