use std::time::SystemTime;

use crate::chat::{ToolCall, TurnErrorReason};

use super::*;

fn published(turn: TurnId, seq: u64, bytes: usize, body: EventBody) -> Published {
    let event = Event {
        seq,
        turn,
        trace: TraceId(1),
        time: SystemTime::UNIX_EPOCH,
        body,
    };
    Published {
        event: Arc::new(event),
        bytes,
    }
}

fn tool(seq: u64, bytes: usize) -> Published {
    let call = ToolCall {
        id: Arc::from("c"),
        name: Arc::from("t"),
        arguments: Arc::from("{}"),
    };
    let text_offset = 0;
    published(
        TurnId::random(),
        seq,
        bytes,
        EventBody::ToolCall { call, text_offset },
    )
}

fn kept(feed: &Feed) -> (usize, usize) {
    let live = feed.live();
    (live.recent.len(), live.recent_bytes)
}

#[test]
fn events_are_kept_until_all_followers_have_seen_them() {
    let feed = Feed::new(false, true);
    feed.publish(&[tool(1, 10)]);
    assert_eq!(kept(&feed), (0, 0), "nobody follows");

    let (one, other) = (feed.join(), feed.join());
    let (mut first, mut second) = (None, None);
    feed.publish(&[tool(2, 10), tool(3, 10)]);
    feed.live().note_caught_up(&mut first);
    feed.live().note_caught_up(&mut first);
    assert_eq!(kept(&feed), (2, 20), "one of two has seen them");
    assert_eq!(feed.live().recent(3).map(|event| event.seq), Some(3));
    feed.live().note_caught_up(&mut second);
    assert_eq!(kept(&feed), (0, 0));

    feed.publish(&[tool(4, 10)]);
    feed.live().note_caught_up(&mut second);
    assert_eq!(kept(&feed), (1, 10));
    feed.leave(one, first);
    assert_eq!(kept(&feed), (0, 0), "the one behind has left");
    feed.publish(&[tool(5, 10)]);
    feed.leave(other, second);
    assert_eq!(kept(&feed), (0, 0), "all have left");
}

#[test]
fn what_is_kept_has_bounds() {
    let feed = Feed::new(false, true);
    feed.join();
    for seq in 1..=100 {
        feed.publish(&[tool(seq, 1)]);
    }
    assert_eq!(kept(&feed), (RECENT_EVENTS, RECENT_EVENTS));
    assert!(feed.live().recent(100 - 64).is_none());
    assert_eq!(
        feed.live().recent(100 - 63).map(|event| event.seq),
        Some(37)
    );
    assert!(feed.live().recent(101).is_none());
    feed.publish(&[tool(101, RECENT_BYTES)]);
    assert_eq!(kept(&feed), (1, RECENT_BYTES));
    feed.publish(&[tool(102, RECENT_BYTES + 1)]);
    assert_eq!(kept(&feed), (0, 0));
    assert_eq!(feed.live().end(), 102);
}

#[test]
fn text_belongs_to_the_running_turn() {
    let feed = Feed::new(false, true);
    let (turn, other) = (TurnId::random(), TurnId::random());
    assert_eq!(feed.say(turn, "x"), Err(StoreError::Fenced));
    let content = Arc::from("?");
    let question = EventBody::User {
        content,
        message: None,
    };
    feed.publish(&[published(turn, 1, 1, question)]);
    feed.say(turn, "ab").unwrap();
    feed.say(turn, "c").unwrap();
    assert_eq!(feed.say(other, "x"), Err(StoreError::Fenced));
    assert_eq!(
        (feed.text(turn).as_deref(), feed.text(other)),
        (Some("abc"), None)
    );
    let end = EventBody::Error {
        reason: TurnErrorReason::Model,
        message: Arc::from("It failed."),
        partial: Arc::from("abc"),
    };
    feed.publish(&[published(turn, 2, 1, end)]);
    assert_eq!(feed.say(turn, "x"), Err(StoreError::Fenced));
    assert_eq!(feed.text(turn), None);
}

#[test]
fn the_end_never_goes_back() {
    let feed = Feed::new(false, true);
    feed.live().learn_end(5);
    feed.publish(&[tool(6, 1)]);
    feed.live().learn_end(5);
    assert_eq!(feed.live().end(), 6);
}
