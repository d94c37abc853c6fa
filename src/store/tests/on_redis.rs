//! What only a store on a server can do, or suffer.

use super::shared::{Both, event_after_text, short, start};
use super::*;

use std::path::Path;

use crate::chat::Decision;

mod approvals;
mod cluster;
mod erased;
mod faults;
mod handover;
mod keys;
mod loss;
mod lost;
mod opening;
mod random;
mod secure;

/// Every call there is, with two stores of one server.
async fn everything(a: &Store, b: &Store) {
    let session = SessionId::random();
    let mut follower = b.follow(session.clone(), Start::Live).await.unwrap();
    let (mut turn, kept) = start(a, message(&session, "m", "?")).await;
    let again = b.begin_turn(message(&session, "m", "?")).await;
    assert!(matches!(again, Ok(Begin::Duplicate { .. })), "{again:?}");
    turn.text("one ").unwrap();
    turn.append(vec![tool_call("a", 4)]).await.unwrap();
    let unknown = b.decide(&session, None, "a", Decision::Denied).await;
    assert_eq!(unknown, Ok(None));
    let mut text = String::new();
    assert_eq!(event_after_text(&mut follower, &mut text).await.seq, 1);
    assert_eq!(event_after_text(&mut follower, &mut text).await.seq, 2);
    assert_eq!(text, "one ");
    turn.release().await.unwrap();
    let mut adopted = timeout(PATIENCE, b.adopt()).await.unwrap();
    kept.abort();
    let mut keeper = adopted.writer.keeper();
    let (lost, stopped) = tokio::join!(
        timeout(PATIENCE, keeper.lost()),
        a.request_stop(&session, None),
    );
    assert_eq!((lost.unwrap(), stopped), (Lost::Stopped, Ok(true)));
    adopted.writer.finish(answer("one ")).await.unwrap();
    assert_eq!(next_event(&mut follower).await.seq, 3);
    assert_eq!(whole_log(a, &session).await.len(), 3);
    assert_eq!(a.missed(&session).await.unwrap().end.unwrap().seq, 3);
    b.delivered(&session, 3, true).await.unwrap();
    assert_eq!(a.missed(&session).await, Ok(Missed::default()));
    let (turn, _kept) = start(a, question(&session, "left by its writer")).await;
    a.shown(&session, adopted.begin.turn).await.unwrap();
    a.left(&session, adopted.begin.turn).await.unwrap();
    drop(turn);
    assert_eq!(next_event(&mut follower).await.seq, 4);
    assert_eq!(next_event(&mut follower).await.seq, 5);
    let listed = b.sessions(&Subject::anonymous(), None, 10).await.unwrap();
    assert_eq!((listed.len(), listed[0].end.seq), (1, 5));
    a.check().await.unwrap();
    assert_eq!(a.erase(&session).await, Ok(true));
    assert_eq!(next_error(&mut follower).await, StoreError::Erased);
    let listed = b.sessions(&Subject::anonymous(), None, 10).await.unwrap();
    assert!(listed.is_empty(), "{listed:?}");
}

async fn next_error(follower: &mut Follower) -> StoreError {
    let next = timeout(PATIENCE, follower.next()).await.unwrap();
    next.unwrap_err()
}

/// What an operator is advised to allow, as `ACL SETUSER` takes it.
fn advised() -> Vec<String> {
    let refused = Unusable::Permission {
        address: String::new(),
        cause: String::new(),
    };
    let text = refused.to_string();
    let (_, words) = text.split_once("allow ").unwrap();
    words.split(' ').map(str::to_owned).collect()
}
