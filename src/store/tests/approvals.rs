//! Decisions about calls that wait to be allowed.

use tokio::time::{Instant, sleep};

use super::*;

use crate::chat::{ApprovalRequest, Decision};

on_both!(
    the_first_decision_is_the_one_that_counts,
    only_a_call_that_waits_can_be_decided,
    who_waits_is_told,
    approvals_read_back_as_they_were_written,
    with_its_turn_the_question_is_gone,
);

pub(super) fn request(call_id: &str) -> EventBody {
    EventBody::ApprovalRequest {
        request: ApprovalRequest {
            call_id: Arc::from(call_id),
            name: Arc::from("list_tables"),
            arguments: Arc::from(r#"{"a":"\"ž"}"#),
            expires: SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
        },
        text_offset: 3,
    }
}

fn decided(turn: TurnId, decision: Decision) -> Result<Option<Decided>, StoreError> {
    Ok(Some(Decided { turn, decision }))
}

async fn the_first_decision_is_the_one_that_counts() {
    let place = Place::new().await;
    let (session, store) = (SessionId::random(), &place.store);
    let begin = question(&session, "?");
    let turn = begin.turn;
    let mut writer = place.start_turn(begin).await;
    let calls = ["call_1", "2", "ž \"'{}", ""];
    let requests = calls.iter().map(|call| request(call)).collect();
    writer.append(requests).await.unwrap();
    for (call, first, second) in [
        ("call_1", Decision::Approved, Decision::Denied),
        ("2", Decision::Denied, Decision::Approved),
        ("ž \"'{}", Decision::TimedOut, Decision::Approved),
        ("", Decision::Approved, Decision::TimedOut),
    ] {
        for (turn_given, wanted) in [(None, first), (Some(turn), first), (None, second)] {
            let made = store.decide(&session, turn_given, call, wanted).await;
            assert_eq!(made, decided(turn, first), "{call}");
        }
        assert_eq!(writer.approvals().decided(call).await, Ok(first));
        // Too late is too late, also for the owner.
        assert_eq!(writer.approvals().time_out(call).await, Ok(first));
    }
    writer.finish(answer("!")).await.unwrap();
}

async fn only_a_call_that_waits_can_be_decided() {
    let place = Place::new().await;
    let (session, store) = (SessionId::random(), &place.store);
    let yes = Decision::Approved;
    assert_eq!(store.decide(&session, None, "a", yes).await, Ok(None));
    let mut writer = place.start(&session, "?").await;
    assert_eq!(store.decide(&session, None, "a", yes).await, Ok(None));
    writer.append(vec![tool_call("a", 0)]).await.unwrap();
    assert_eq!(store.decide(&session, None, "a", yes).await, Ok(None));
    writer.append(vec![request("a")]).await.unwrap();
    let other = Some(TurnId::random());
    assert_eq!(store.decide(&session, other, "a", yes).await, Ok(None));
    assert_eq!(store.decide(&session, None, "b", yes).await, Ok(None));
    let elsewhere = SessionId::random();
    assert_eq!(store.decide(&elsewhere, None, "a", yes).await, Ok(None));
    let made = store.decide(&session, None, "a", yes).await.unwrap();
    assert_eq!(made.unwrap().decision, yes);
    writer.finish(answer("!")).await.unwrap();
}

async fn who_waits_is_told() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut writer = place.start(&session, "?").await;
    writer
        .append(vec![request("a"), request("b")])
        .await
        .unwrap();
    let waiting = |call: &'static str| {
        let approvals = writer.approvals();
        spawn(async move { (approvals.decided(call).await, Instant::now()) })
    };
    let (a, b) = (waiting("a"), waiting("b"));
    sleep(Duration::from_millis(500)).await;
    assert!(!a.is_finished() && !b.is_finished());
    let began = Instant::now();
    let store = &place.store;
    let made = store.decide(&session, None, "b", Decision::Denied).await;
    made.unwrap().unwrap();
    let (decision, when) = timeout(PATIENCE, b).await.unwrap().unwrap();
    assert_eq!(decision, Ok(Decision::Denied));
    // Told, not found at the next look.
    assert!(
        when - began < Duration::from_millis(1_000),
        "{:?}",
        when - began
    );
    assert!(!a.is_finished());
    a.abort();
    writer.finish(answer("!")).await.unwrap();
}

async fn approvals_read_back_as_they_were_written() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut writer = place.start(&session, "?").await;
    let mut bodies = vec![request("a")];
    for decision in [Decision::Approved, Decision::Denied, Decision::TimedOut] {
        bodies.push(EventBody::ApprovalDecision {
            call_id: Arc::from("a"),
            decision,
            text_offset: 3,
        });
    }
    writer.append(bodies.clone()).await.unwrap();
    writer.finish(answer("!")).await.unwrap();
    let log = place.log(&session).await;
    assert_eq!(kinds(&log), "user asks decided decided decided agent");
    let read: Vec<_> = log[1..5].iter().map(|event| event.body.clone()).collect();
    assert_eq!(read, bodies);
}

async fn with_its_turn_the_question_is_gone() {
    let place = Place::new().await;
    let (session, store) = (SessionId::random(), &place.store);
    let mut writer = place.start(&session, "?").await;
    writer.append(vec![request("a")]).await.unwrap();
    let approvals = writer.approvals();
    writer.finish(answer("!")).await.unwrap();
    let yes = Decision::Approved;
    assert_eq!(store.decide(&session, None, "a", yes).await, Ok(None));
    assert_eq!(approvals.time_out("a").await, Err(StoreError::Fenced));
    let waiting = timeout(PATIENCE, approvals.decided("a")).await;
    assert_eq!(waiting.unwrap(), Err(StoreError::Fenced));
    // Nor does the next turn have it, even if it asks for a call of the same name.
    let mut writer = place.start(&session, "again").await;
    assert_eq!(store.decide(&session, None, "a", yes).await, Ok(None));
    writer.append(vec![request("a")]).await.unwrap();
    let waiting = writer.approvals();
    let waiting = timeout(Duration::from_millis(300), waiting.decided("a")).await;
    assert!(waiting.is_err(), "{waiting:?}");
    assert_eq!(store.erase(&session).await, Ok(true));
    assert_eq!(store.decide(&session, None, "a", yes).await, Ok(None));
}
