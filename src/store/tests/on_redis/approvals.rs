//! Decisions that come to another process than the one that waits for them.

use super::super::approvals::request;
use super::*;
use crate::chat::Decision;

#[tokio::test]
async fn the_owner_hears_what_another_process_was_told() {
    let both = Both::new().await;
    let session = SessionId::random();
    let (mut turn, _kept) = start(&both.a, question(&session, "?")).await;
    turn.append(vec![request("a")]).await.unwrap();
    let approvals = turn.approvals();
    let waiting = spawn(async move { approvals.decided("a").await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let yes = Decision::Approved;
    let made = both.b.decide(&session, None, "a", yes).await;
    assert_eq!(made.unwrap().unwrap().decision, yes);
    let heard = timeout(Duration::from_secs(1), waiting).await;
    assert_eq!(heard.expect("it is told").unwrap(), Ok(yes));
    turn.finish(answer("!")).await.unwrap();
}

#[tokio::test]
async fn what_is_decided_between_two_owners_is_seen_by_the_second() {
    let both = Both::new().await;
    let session = SessionId::random();
    let (mut turn, _kept) = start(&both.a, question(&session, "?")).await;
    turn.append(vec![request("a"), request("b")]).await.unwrap();
    let before = turn.approvals();
    turn.release().await.unwrap();
    let no = Decision::Denied;
    let made = both.a.decide(&session, None, "a", no).await;
    assert_eq!(made.unwrap().unwrap().decision, no);
    let mut adopted = timeout(PATIENCE, both.b.adopt()).await.unwrap();
    let approvals = adopted.writer.approvals();
    assert_eq!(approvals.decided("a").await, Ok(no));
    let waits = timeout(Duration::from_millis(300), approvals.decided("b")).await;
    assert!(waits.is_err(), "{waits:?}");
    // Both clocks may strike; there is one decision.
    let struck = tokio::join!(before.time_out("b"), approvals.time_out("b"));
    assert_eq!(struck, (Ok(Decision::TimedOut), Ok(Decision::TimedOut)));
    adopted.writer.finish(answer("!")).await.unwrap();
}
