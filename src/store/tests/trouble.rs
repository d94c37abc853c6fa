//! What happens when the file cannot be written, or nobody waits for the answer.

use futures_util::poll;
use rusqlite::Connection;

use super::*;

/// Keeps every write waiting for as long as it lives.
struct Lock(Connection);

impl Lock {
    fn of(place: &Place) -> Self {
        let shell = place.shell();
        shell.execute_batch("BEGIN IMMEDIATE").unwrap();
        Self(shell)
    }

    fn release(self) {
        self.0.execute_batch("ROLLBACK").unwrap();
    }
}

/// Time for the thread to take what is in its queue.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

const POISON: &str = "CREATE TRIGGER poison BEFORE INSERT ON event WHEN NEW.data LIKE '%poison%'
                      BEGIN SELECT RAISE(ABORT, 'poisoned'); END";

#[tokio::test]
async fn a_batch_that_fails_is_refused_as_a_whole() {
    let place = Place::new().await;
    place.shell().execute_batch(POISON).unwrap();
    let session = SessionId::random();
    let mut follower = place.follow(&session, Start::Live).await;

    // The first write waits for the lock; what comes meanwhile becomes one batch.
    let lock = Lock::of(&place);
    let mut first = Box::pin(place.store.check());
    assert!(poll!(&mut first).is_pending());
    a_moment().await;
    let good = message(&session, "m", "good");
    let mut asked = Box::pin(place.store.begin_turn(good.clone()));
    assert!(poll!(&mut asked).is_pending());
    let bad = question(&SessionId::random(), "poison");
    let mut poisoned = Box::pin(place.store.begin_turn(bad.clone()));
    assert!(poll!(&mut poisoned).is_pending());
    lock.release();
    first.await.unwrap();

    for refused in [asked.await, poisoned.await] {
        assert!(
            matches!(refused, Err(StoreError::Unavailable(_))),
            "{refused:?}"
        );
    }
    nothing_more(&mut follower).await;
    assert_eq!(place.kinds(&session).await, "");

    // The same question again is taken as if nothing had been.
    assert_eq!(
        place.store.begin_turn(good).await,
        Ok(Begin::Started { seq: 1 })
    );
    assert_eq!(next_event(&mut follower).await.seq, 1);
    place.shell().execute_batch("DROP TRIGGER poison").unwrap();
    assert_eq!(
        place.store.begin_turn(bad).await,
        Ok(Begin::Started { seq: 1 })
    );
}

#[tokio::test]
async fn a_write_that_failed_can_be_repeated_or_replaced() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut turn = place.start(&session, "?").await;
    turn.append(vec![tool_call("a", 0)]).await.unwrap();
    place.shell().execute_batch(POISON).unwrap();
    let poisoned = vec![tool_result("a", "poison", 0)];
    let refused = turn.append(poisoned.clone()).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    place.shell().execute_batch("DROP TRIGGER poison").unwrap();
    turn.append(poisoned).await.unwrap();
    place.shell().execute_batch(POISON).unwrap();
    let refused = turn.finish(answer("poison")).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    turn.finish(answer("cured")).await.unwrap();
    let log = place.log(&session).await;
    assert_eq!(kinds(&log), "user call result agent");
    assert_eq!(log[3].body, answer("cured"));
}

#[tokio::test]
async fn an_append_that_was_given_up_does_not_swallow_the_next() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut turn = place.start(&session, "?").await;
    turn.append(vec![tool_call("a", 0)]).await.unwrap();

    // Given up while the thread is at it: it is done all the same.
    let lock = Lock::of(&place);
    {
        let mut given_up = Box::pin(turn.append(vec![tool_result("a", "[]", 0)]));
        assert!(poll!(&mut given_up).is_pending());
        a_moment().await;
    }
    lock.release();
    turn.append(vec![tool_call("b", 0)]).await.unwrap();
    assert_eq!(place.kinds(&session).await, "user call result call");

    // Given up before: it is never done.
    let lock = Lock::of(&place);
    let mut first = Box::pin(place.store.check());
    assert!(poll!(&mut first).is_pending());
    a_moment().await;
    {
        let mut given_up = Box::pin(turn.append(vec![tool_result("b", "[]", 0)]));
        assert!(poll!(&mut given_up).is_pending());
    }
    lock.release();
    first.await.unwrap();
    turn.finish(answer("!")).await.unwrap();
    assert_eq!(place.kinds(&session).await, "user call result call agent");
}

#[tokio::test]
async fn a_question_that_was_given_up_is_not_left_running() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut follower = place.follow(&session, Start::Live).await;

    // Given up while the thread is at it: it is a turn, and ended at once.
    let lock = Lock::of(&place);
    {
        let mut given_up = Box::pin(place.store.begin_turn(question(&session, "one")));
        assert!(poll!(&mut given_up).is_pending());
        a_moment().await;
    }
    // Given up before: it never was.
    {
        let mut given_up = Box::pin(place.store.begin_turn(question(&session, "two")));
        assert!(poll!(&mut given_up).is_pending());
    }
    lock.release();
    assert_eq!(next_event(&mut follower).await.seq, 1);
    assert!(next_event(&mut follower).await.body.is_final());
    nothing_more(&mut follower).await;
    assert_eq!(place.kinds(&session).await, "user error");
    place.start(&session, "three").await;
}

#[tokio::test]
async fn a_follow_that_is_given_up_leaves_nothing_behind() {
    let place = Place::new().await;
    let lock = Lock::of(&place);
    let mut first = Box::pin(place.store.check());
    assert!(poll!(&mut first).is_pending());
    a_moment().await;
    {
        let session = SessionId::random();
        let mut given_up = Box::pin(place.store.follow(session, Start::Live));
        assert!(poll!(&mut given_up).is_pending());
        assert_eq!(place.feeds(), 1);
    }
    assert_eq!(place.feeds(), 0);
    lock.release();
    first.await.unwrap();
}

#[tokio::test]
async fn a_turn_that_could_not_be_ended_is_ended_later() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut turn = place.start(&session, "?").await;
    turn.text("poison").unwrap();
    place.shell().execute_batch(POISON).unwrap();
    drop(turn);
    // What others ask is not disturbed by it.
    place.store.check().await.unwrap();
    let begun = place.store.begin_turn(question(&session, "next")).await;
    assert!(matches!(begun, Ok(Begin::Busy { .. })), "{begun:?}");
    place.shell().execute_batch("DROP TRIGGER poison").unwrap();
    place.store.check().await.unwrap();
    assert_eq!(place.kinds(&session).await, "user error");
    assert_eq!(place.feeds(), 0);
}

// The clock is paused: it jumps to the deadline as soon as nothing but the thread is at work.
#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_not_waited_for() {
    let place = Place::new().await;
    let lock = Lock::of(&place);
    let before = tokio::time::Instant::now();
    let late = place.store.check().await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    assert_eq!(before.elapsed().as_secs(), 10);
    place.store.close().await;
    assert_eq!(before.elapsed().as_secs(), 20);
    lock.release();
}

#[tokio::test]
async fn check_notices_a_file_that_cannot_be_written() {
    let place = Place::new().await;
    place.store.check().await.unwrap();
    let shell = place.shell();
    shell
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON probe
             BEGIN SELECT RAISE(ABORT, 'disk full'); END",
        )
        .unwrap();
    let checked = place.store.check().await;
    assert!(
        matches!(checked, Err(StoreError::Unavailable(_))),
        "{checked:?}"
    );
    shell.execute_batch("DROP TRIGGER full").unwrap();
    place.store.check().await.unwrap();
}

#[tokio::test]
async fn rows_that_are_no_events_are_an_error() {
    let place = Place::new().await;
    for (change, says) in [
        (
            "UPDATE event SET kind = 'song' WHERE session = ?",
            "unknown kind `song`",
        ),
        (
            "UPDATE event SET data = '{}' WHERE session = ?",
            "missing field `content`",
        ),
        (
            "UPDATE event SET turn = 'x' WHERE session = ? AND seq = 1",
            "turn id `x`",
        ),
    ] {
        let session = SessionId::random();
        place.turn(&session, "?").await;
        place.shell().execute(change, [session.as_str()]).unwrap();
        let read = place.store.read_before(&session, u64::MAX, 10).await;
        let Err(StoreError::Unavailable(why)) = read else {
            panic!("{read:?}");
        };
        assert!(why.contains(says), "{why}");
    }
}

#[tokio::test]
async fn a_log_with_a_gap_is_an_error() {
    let place = Place::new().await;
    let session = SessionId::random();
    place.turn(&session, "?").await;
    let start = Start::After(Cursor::default());
    let mut follower = place.store.follow(session.clone(), start).await.unwrap();
    let gap = "DELETE FROM event WHERE session = ? AND seq = 1";
    place.shell().execute(gap, [session.as_str()]).unwrap();
    let Err(StoreError::Unavailable(why)) = follower.next().await else {
        panic!("the gap was not seen");
    };
    assert!(why.contains("gap"), "{why}");
}

#[tokio::test]
async fn what_was_asked_before_the_close_is_done_and_nothing_after() {
    let place = Place::new().await;
    let session = SessionId::random();
    let lock = Lock::of(&place);
    let mut before = Box::pin(place.store.begin_turn(question(&session, "?")));
    assert!(poll!(&mut before).is_pending());
    let mut closing = Box::pin(place.store.close());
    assert!(poll!(&mut closing).is_pending());
    let mut after = Box::pin(place.store.begin_turn(question(&SessionId::random(), "?")));
    assert!(poll!(&mut after).is_pending());
    lock.release();
    assert_eq!(before.await, Ok(Begin::Started { seq: 1 }));
    assert!(matches!(after.await, Err(StoreError::Unavailable(_))));
    closing.await;
    // Twice does no harm.
    place.store.close().await;
    assert!(matches!(
        place.store.check().await,
        Err(StoreError::Unavailable(_))
    ));
}

#[tokio::test]
async fn the_thread_ends_when_nobody_can_ask_any_more() {
    let Place { store, folder, .. } = Place::new().await;
    let config = Config::Sqlite(folder.path().join("sessions.db"));
    drop(store);
    let opened = timeout(Duration::from_secs(5), async {
        loop {
            match Store::open(&config, generous(), &Sessions::default()).await {
                Ok(store) => return store,
                Err(OpenError::InUse { .. }) => a_moment().await,
                Err(other) => panic!("{other}"),
            }
        }
    });
    opened.await.unwrap().check().await.unwrap();
}
