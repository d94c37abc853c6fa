//! Turns on their way to somebody who leaves meanwhile.

use tokio::time::{Instant, sleep};

use super::*;

/// Polls `future` for so long, and then drops it, unless it is ready before.
async fn for_a_while<T>(wait: Duration, future: impl Future<Output = T>) -> Option<T> {
    let began = Instant::now();
    let waiting = async {
        // A timer is not exact enough.
        while began.elapsed() < wait {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        value = future => Some(value),
        () = waiting => None,
    }
}

#[tokio::test]
async fn a_turn_is_taken_over_whenever_somebody_stops_taking_it_over() {
    let both = Both::new().await;
    let mut left = 0;
    for step in 0..60 {
        let begin = question(&SessionId::random(), "?");
        let (mut turn, _kept) = start(&both.a, begin.clone()).await;
        turn.text("so far").unwrap();
        turn.release().await.unwrap();
        let wait = Duration::from_micros(step * 25);
        let at_once = for_a_while(wait, both.b.adopt()).await;
        left += usize::from(at_once.is_none());
        let later = timeout(Duration::from_secs(2), async {
            match at_once {
                Some(adopted) => adopted,
                None => both.b.adopt().await,
            }
        });
        let adopted = later
            .await
            .unwrap_or_else(|_| panic!("lost after {wait:?}"));
        assert_eq!(adopted.begin.turn, begin.turn);
        let mut turn = adopted.writer;
        assert_eq!(turn.text_so_far(), "so far");
        turn.finish(answer("so far")).await.unwrap();
        assert_eq!(
            kinds(&whole_log(&both.a, &begin.session).await),
            "user agent"
        );
    }
    assert!(left >= 5, "{left} of 60");
}

#[tokio::test]
async fn a_question_given_up_at_any_moment_is_no_turn_that_nobody_runs() {
    let both = Both::new().await;
    let mut left = Vec::new();
    for step in 0..60 {
        let begin = question(&SessionId::random(), "?");
        let wait = Duration::from_micros(step * 150);
        match for_a_while(wait, both.a.begin_turn(begin.clone())).await {
            Some(begun) => {
                assert_eq!(begun, Ok(Begin::Started { seq: 1 }));
                let (session, turn) = (begin.session, begin.turn);
                let mut writer = both.a.turn_writer(session, turn, begin.trace);
                writer.finish(answer("!")).await.unwrap();
            }
            None => left.push(begin.session),
        }
    }
    assert!(left.len() >= 5, "{} of 60", left.len());
    for session in left {
        let ended = async {
            while kinds(&whole_log(&both.b, &session).await) != "user error" {
                sleep(Duration::from_millis(20)).await;
            }
        };
        // Long before its lease is over.
        timeout(Duration::from_secs(1), ended).await.unwrap();
    }
}

#[tokio::test]
async fn a_turn_that_is_offered_twice_is_taken_once() {
    let both = Both::new().await;
    let begin = question(&SessionId::random(), "?");
    let (turn, _kept) = start(&both.a, begin.clone()).await;
    turn.release().await.unwrap();
    // As a process does it that dies before it takes the offer away.
    let offer = format!("{} {} 1", begin.session.as_str(), begin.turn);
    both.server.command(&["RPUSH", "dragoman:released", &offer]);
    let mut adopted = timeout(PATIENCE, both.b.adopt()).await.unwrap();
    for store in [&both.a, &both.b] {
        let again = timeout(Duration::from_millis(300), store.adopt()).await;
        assert!(again.is_err(), "{again:?}");
    }
    assert!(
        both.server
            .command(&["LLEN", "dragoman:released"])
            .contains("int(0)")
    );
    adopted.writer.finish(answer("!")).await.unwrap();
}
