//! What is written: turns, fences, retries.

use tokio::task::JoinSet;

use super::*;
use crate::chat::{CanvasTrigger, CanvasView, CatalogMetrics, Diagram, Drawing};

async fn a_turn_reads_back_as_it_was_written() {
    let place = Place::new().await;
    let session = SessionId::random();
    let begin = BeginTurn {
        trace: TraceId(0xabc),
        ..message(&session, "m-1", "čo je v \"tabuľke\"?\n\u{0}")
    };
    let mut turn = place.start_turn(begin.clone()).await;
    turn.text("Let me see. ").unwrap();
    let failed = EventBody::ToolResult {
        result: ToolResult {
            call_id: Arc::from("c"),
            name: Arc::from("get_lineage"),
            content: Arc::from("{\"error\":\"no such table\"}"),
            failed: true,
        },
        text_offset: 12,
    };
    turn.append(vec![tool_call("c", 12), failed.clone()])
        .await
        .unwrap();
    let end = EventBody::Agent {
        content: Arc::from("Let me see. Nothing."),
        finish: Finish::Truncated,
        usage: Usage {
            steps: 2,
            tool_calls: 1,
            input_tokens: u64::MAX,
            output_tokens: 4,
            cost_micros: 5,
            cached_tokens: 6,
        },
        drawing: Some(Arc::new(drawing())),
    };
    turn.finish(end.clone()).await.unwrap();

    let log = place.log(&session).await;
    let user = EventBody::User {
        content: Arc::clone(&begin.content),
        message: begin.message,
    };
    let bodies: Vec<_> = log.iter().map(|event| event.body.clone()).collect();
    assert_eq!(bodies, [user, tool_call("c", 12), failed, end]);
    for (seq, event) in (1..).zip(&log) {
        assert_eq!(
            (event.seq, event.turn, event.trace),
            (seq, begin.turn, TraceId(0xabc))
        );
        let age = SystemTime::now().duration_since(event.time).unwrap();
        assert!(age < Duration::from_mins(1), "{age:?}");
    }
}

fn drawing() -> Drawing {
    Drawing {
        diagram: Some(Diagram {
            mermaid: Arc::from("erDiagram\n  orders[\"a #34;b#34;\"]\n"),
        }),
        canvas: Some(CanvasTrigger {
            view: Some(CanvasView::RelationshipGraph),
            entity: Some(Arc::from("orders")),
            reason: Arc::from("The answer is about \"orders\"."),
            confidence: 0.9,
        }),
        metrics: Some(CatalogMetrics {
            tables: 3,
            columns: 40,
            facts: 1,
            dimensions: 2,
            quality: Some(87),
            relationships: 4,
            schema: None,
            as_of: SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_000_000_123),
            is_stale: true,
        }),
    }
}

async fn every_error_reason_and_finish_reads_back() {
    let place = Place::new().await;
    let session = SessionId::random();
    let reasons = [
        TurnErrorReason::Model,
        TurnErrorReason::Timeout,
        TurnErrorReason::Interrupted,
        TurnErrorReason::Limit,
        TurnErrorReason::Internal,
    ];
    let errors = reasons.map(|reason| EventBody::Error {
        reason,
        message: Arc::from("It failed."),
        partial: Arc::from("So far"),
    });
    let finishes = [Finish::Completed, Finish::Cancelled, Finish::Truncated];
    let answers = finishes.map(|finish| EventBody::Agent {
        content: Arc::from("Yes."),
        finish,
        usage: Usage::default(),
        drawing: None,
    });
    let mut expected = Vec::new();
    for body in errors.into_iter().chain(answers) {
        let mut turn = place.start(&session, "?").await;
        turn.finish(body.clone()).await.unwrap();
        expected.push(body);
    }
    let log = place.log(&session).await;
    let ends: Vec<_> = log
        .iter()
        .filter(|event| event.body.is_final())
        .map(|event| event.body.clone())
        .collect();
    assert_eq!(ends, expected);
}

async fn of_fifty_questions_at_once_one_runs_and_the_positions_have_no_gap() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut asking = JoinSet::new();
    for _ in 0..50 {
        let (store, begin) = (place.store.clone(), question(&session, "?"));
        // Every one waits for its turn, as the chat service does.
        asking.spawn(async move {
            loop {
                match store.begin_turn(begin.clone()).await.unwrap() {
                    Begin::Started { seq } => {
                        let mut turn = store.turn_writer(begin.session, begin.turn, begin.trace);
                        turn.finish(answer("!")).await.unwrap();
                        return seq;
                    }
                    Begin::Busy { turn } => assert_ne!(turn, begin.turn),
                    Begin::Duplicate { .. } => panic!("no message id was sent"),
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
    }
    let mut started = asking.join_all().await;
    started.sort_unstable();
    assert_eq!(
        started,
        (0..50).map(|turn| 2 * turn + 1).collect::<Vec<_>>()
    );
    let log = place.log(&session).await;
    assert_eq!(kinds(&log), vec!["user agent"; 50].join(" "));
    assert!((1..).zip(&log).all(|(seq, event)| event.seq == seq));
    assert!(log.chunks(2).all(|turn| turn[0].turn == turn[1].turn));
}

async fn fifty_sessions_at_once_do_not_disturb_each_other() {
    let place = Place::new().await;
    let mut asking = JoinSet::new();
    for _ in 0..50 {
        let store = place.store.clone();
        asking.spawn(async move {
            let begin = question(&SessionId::random(), "?");
            store.begin_turn(begin).await.unwrap()
        });
    }
    for begun in asking.join_all().await {
        assert_eq!(begun, Begin::Started { seq: 1 });
    }
}

async fn a_message_is_accepted_once() {
    let place = Place::new().await;
    let session = SessionId::random();
    let first = BeginTurn {
        trace: TraceId(1),
        ..message(&session, "m", "list tables")
    };
    let mut turn = place.start_turn(first.clone()).await;
    let again = message(&session, "m", "list tables");
    let duplicate = Begin::Duplicate {
        turn: first.turn,
        trace: TraceId(1),
        seq: 1,
    };
    // While its turn runs, and when it has ended.
    assert_eq!(
        place.store.begin_turn(again.clone()).await,
        Ok(duplicate.clone())
    );
    turn.finish(answer("!")).await.unwrap();
    assert_eq!(place.store.begin_turn(again).await, Ok(duplicate));

    let other = message(&session, "m", "list columns");
    assert_eq!(
        place.store.begin_turn(other).await,
        Err(StoreError::Conflict)
    );
    // The id is the session's own.
    place
        .start_turn(message(&SessionId::random(), "m", "list columns"))
        .await;
    assert_eq!(place.kinds(&session).await, "user agent");
}

async fn a_repeated_begin_starts_nothing_new() {
    let place = Place::new().await;
    for begin in [
        question(&SessionId::random(), "?"),
        message(&SessionId::random(), "m", "?"),
    ] {
        let started = Ok(Begin::Started { seq: 1 });
        assert_eq!(place.store.begin_turn(begin.clone()).await, started);
        assert_eq!(place.store.begin_turn(begin.clone()).await, started);
        let session = begin.session.clone();
        let mut turn = place.store.turn_writer(session, begin.turn, begin.trace);
        turn.finish(answer("!")).await.unwrap();
        assert_eq!(place.store.begin_turn(begin.clone()).await, started);
        assert_eq!(place.kinds(&begin.session).await, "user agent");
    }
}

#[tokio::test]
async fn a_turn_that_ended_is_fenced() {
    let place = Place::new().await;
    let session = SessionId::random();
    let begin = question(&session, "?");
    let mut turn = place.start_turn(begin.clone()).await;
    let mut late = place
        .store
        .turn_writer(session.clone(), begin.turn, begin.trace);
    turn.finish(answer("!")).await.unwrap();
    let _newer = place.start(&session, "next").await;
    for writer in [&mut turn, &mut late] {
        assert_eq!(writer.text("more"), Err(StoreError::Fenced));
        let append = writer.append(vec![tool_call("c", 0)]).await;
        assert_eq!(append, Err(StoreError::Fenced));
        assert_eq!(writer.finish(answer("late")).await, Err(StoreError::Fenced));
        assert_eq!(writer.text_so_far(), "");
    }
    drop((turn, late));
    place.settled().await;
    assert_eq!(place.kinds(&session).await, "user agent user");
}

#[tokio::test]
async fn a_repeated_write_is_done_once() {
    let place = Place::new().await;
    let Store::Sqlite(store) = &place.store else {
        unreachable!("these tests are about SQLite");
    };
    let begin = question(&SessionId::random(), "?");
    let _turn = place.start_turn(begin.clone()).await;
    let append = |index: u64, bodies: Vec<EventBody>| Append {
        session: begin.session.clone(),
        turn: begin.turn,
        trace: begin.trace,
        index,
        events: bodies
            .into_iter()
            .map(|body| request::NewEvent::new(body).unwrap())
            .collect(),
    };
    let tools = || vec![tool_call("a", 0), tool_result("a", "[]", 0)];
    for _ in 0..3 {
        store.append(append(1, tools())).await.unwrap();
    }
    // After a gap nothing is written.
    let gap = store.append(append(4, tools())).await;
    assert_eq!(gap, Err(StoreError::Fenced));
    for _ in 0..3 {
        store.append(append(3, vec![answer("!")])).await.unwrap();
    }
    let more = store.append(append(4, tools())).await;
    assert_eq!(more, Err(StoreError::Fenced));
    // Not even when another turn runs.
    let _next = place.start(&begin.session, "next").await;
    store.append(append(3, vec![answer("!")])).await.unwrap();
    let more = store.append(append(4, vec![answer("!")])).await;
    assert_eq!(more, Err(StoreError::Fenced));
    assert_eq!(
        place.kinds(&begin.session).await,
        "user call result agent user"
    );
}

#[tokio::test]
async fn a_second_writer_goes_on_where_the_log_ends() {
    let place = Place::new().await;
    let begin = question(&SessionId::random(), "?");
    let mut turn = place.start_turn(begin.clone()).await;
    turn.text("ab").unwrap();
    turn.append(vec![tool_call("a", 2)]).await.unwrap();
    let session = begin.session.clone();
    let mut second = place.store.turn_writer(session, begin.turn, begin.trace);
    assert_eq!(
        (second.text_len(), second.text_so_far().as_str()),
        (2, "ab")
    );
    second.finish(answer("ab")).await.unwrap();
    assert_eq!(place.kinds(&begin.session).await, "user call agent");
}

async fn a_writer_that_is_dropped_ends_its_turn() {
    let place = Place::new().await;
    let session = SessionId::random();
    let mut turn = place.start(&session, "?").await;
    turn.text("The answer is").unwrap();
    drop(turn);
    place.settled().await;
    let log = place.log(&session).await;
    assert_eq!(kinds(&log), "user error");
    let EventBody::Error {
        reason, partial, ..
    } = &log[1].body
    else {
        unreachable!();
    };
    assert_eq!(*reason, TurnErrorReason::Interrupted);
    assert_eq!(&**partial, "The answer is");
    place.start(&session, "again").await;
}

async fn the_log_is_read_backwards_in_pages() {
    let place = Place::new().await;
    let session = SessionId::random();
    for _ in 0..5 {
        place.turn(&session, "?").await;
    }
    let page = async |before, limit| {
        let events = place
            .store
            .read_before(&session, before, limit)
            .await
            .unwrap();
        events.iter().map(|event| event.seq).collect::<Vec<_>>()
    };
    assert_eq!(page(u64::MAX, 3).await, [8, 9, 10]);
    assert_eq!(page(8, 100).await, (1..8).collect::<Vec<_>>());
    assert_eq!(page(1, 10).await, [0; 0]);
    assert_eq!(page(0, 10).await, [0; 0]);
    assert_eq!(page(5, 0).await, [0; 0]);
    let nobody = place.store.read_before(&SessionId::random(), 10, 10).await;
    assert_eq!(nobody, Ok(Vec::new()));
}

on_both!(
    a_turn_reads_back_as_it_was_written,
    every_error_reason_and_finish_reads_back,
    of_fifty_questions_at_once_one_runs_and_the_positions_have_no_gap,
    fifty_sessions_at_once_do_not_disturb_each_other,
    a_message_is_accepted_once,
    a_repeated_begin_starts_nothing_new,
    a_writer_that_is_dropped_ends_its_turn,
    the_log_is_read_backwards_in_pages,
);
