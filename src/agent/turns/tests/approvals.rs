//! Turns that wait for somebody to allow a call, while processes come and go.

use std::time::SystemTime;

use super::shared::Both;
use super::*;
use crate::chat::Decision;

/// The tool that has to be allowed in all of these tests, and one that has not.
fn asks() -> Value {
    json!([
        [
            { "text": "I look. " },
            { "call": { "id": "asked", "name": "get_lineage", "arguments": { "table": "fact_bs_purchase_order" } } },
            { "call": { "id": "free", "name": "list_tables", "arguments": {} } },
        ],
        [{ "text": "Done." }],
    ])
}

async fn until(both: &Both, session: &SessionId, kinds: &str) {
    let reached = async {
        while both.kinds(session).await != kinds {
            sleep(Duration::from_millis(10)).await;
        }
    };
    if timeout(PATIENCE, reached).await.is_err() {
        panic!("{} is not {kinds}", both.kinds(session).await);
    }
}

fn answer(end: EventBody) -> String {
    match end {
        EventBody::Agent { content, .. } => content.to_string(),
        other => panic!("{other:?}"),
    }
}

async fn expires(place: &Place, session: &SessionId) -> Vec<SystemTime> {
    let events = place.store.read_before(session, 100, 100).await.unwrap();
    let requests = events.iter().filter_map(|event| match &event.body {
        EventBody::ApprovalRequest { request, .. } => Some(request.expires),
        _ => None,
    });
    requests.collect()
}

#[tokio::test]
async fn another_process_goes_on_waiting_and_is_told() {
    let both = Both::new(asks()).await;
    let session = SessionId::random();
    accepted(both.a.ask(&session, None).await);
    until(&both, &session, "user call call asks result").await;
    let before = expires(&both.b, &session).await;
    // It lets go of its turns, as at the end of a drain.
    both.a.draining.cancel();
    both.a.stopped.cancel();
    both.a.idle().await;
    sleep(Duration::from_millis(300)).await;
    assert_eq!(both.kinds(&session).await, "user call call asks result");
    let turns = &both.b.turns;
    let made = turns.decide(&session, None, "asked", true).await.unwrap();
    assert_eq!(made.decision, Decision::Approved);
    assert_eq!(answer(both.b.end(&session, 0).await), "I look. \n\nDone.");
    let log = "user call call asks result decided result agent";
    assert_eq!(both.kinds(&session).await, log);
    assert_eq!(expires(&both.b, &session).await, before);
    both.b.stopped.cancel();
    both.b.idle().await;
}

#[tokio::test]
async fn a_decision_reaches_the_turn_from_any_process() {
    let both = Both::new(asks()).await;
    let session = SessionId::random();
    accepted(both.a.ask(&session, None).await);
    until(&both, &session, "user call call asks result").await;
    let made = both.b.turns.decide(&session, None, "asked", false).await;
    assert_eq!(made.unwrap().decision, Decision::Denied);
    let end = timeout(Duration::from_secs(1), both.b.end(&session, 0));
    assert_eq!(answer(end.await.expect("it is told")), "I look. \n\nDone.");
    // Late, the same is still the same, and another one is not.
    let again = both.b.turns.decide(&session, None, "asked", false).await;
    assert_eq!(again, made_before(&both, &session).await);
    let otherwise = both.a.turns.decide(&session, None, "asked", true).await;
    assert_eq!(otherwise, Err(DecideError::Otherwise(Decision::Denied)));
    let unknown = both.a.turns.decide(&session, None, "free", true).await;
    assert_eq!(unknown, Err(DecideError::NotWaiting));
    both.idle().await;
}

async fn made_before(both: &Both, session: &SessionId) -> Result<store::Decided, DecideError> {
    let events = both.a.store.read_before(session, 100, 1).await.unwrap();
    Ok(store::Decided {
        turn: events[0].turn,
        decision: Decision::Denied,
    })
}

#[tokio::test]
async fn a_cancel_from_another_process_ends_the_wait() {
    let both = Both::new(asks()).await;
    let session = SessionId::random();
    accepted(both.a.ask(&session, None).await);
    until(&both, &session, "user call call asks result").await;
    assert_eq!(both.b.turns.cancel(&session, None).await, Ok(true));
    let end = timeout(Duration::from_secs(1), both.b.end(&session, 0)).await;
    let EventBody::Agent { finish, .. } = end.expect("it is told") else {
        panic!("no answer")
    };
    assert_eq!(finish, Finish::Cancelled);
    let late = both.a.turns.decide(&session, None, "asked", true).await;
    assert_eq!(late, Err(DecideError::NotWaiting));
    both.idle().await;
}

#[tokio::test]
async fn an_allowed_call_is_not_run_twice_for_a_handover() {
    let both = Both::new(asks()).await;
    let session = SessionId::random();
    let begun = BeginTurn {
        session: session.clone(),
        owner: Subject::anonymous(),
        turn: TurnId::random(),
        trace: TraceId::default(),
        message: None,
        content: "?".into(),
    };
    // An owner that had it allowed, and left before the result was there.
    let store = &both.a.store;
    store.begin_turn(begun.clone()).await.unwrap();
    let mut writer = store.turn_writer(session.clone(), begun.turn, begun.trace);
    let call = crate::chat::ToolCall {
        id: "asked".into(),
        name: "get_lineage".into(),
        arguments: r#"{"table":"fact_bs_purchase_order"}"#.into(),
    };
    let request = crate::chat::ApprovalRequest {
        call_id: call.id.clone(),
        name: call.name.clone(),
        arguments: call.arguments.clone(),
        expires: SystemTime::now() + Duration::from_secs(60),
    };
    let text_offset = 0;
    let events = vec![
        EventBody::ToolCall { call, text_offset },
        EventBody::ApprovalRequest {
            request,
            text_offset,
        },
        EventBody::ApprovalDecision {
            call_id: "asked".into(),
            decision: Decision::Approved,
            text_offset,
        },
    ];
    writer.append(events).await.unwrap();
    writer.release().await.unwrap();
    assert_eq!(answer(both.b.end(&session, 0).await), "Done.");
    let events = both.b.store.read_before(&session, 100, 100).await.unwrap();
    let result = events.iter().find_map(|event| match &event.body {
        EventBody::ToolResult { result, .. } => Some(result.clone()),
        _ => None,
    });
    let result = result.unwrap();
    assert!(
        result.failed && result.content.contains("not known"),
        "{result:?}"
    );
    both.idle().await;
}
