//! Two processes that share a store: each [`Place`] stands for one.

use super::*;
use crate::chat::{ToolCall, ToolResult};
use crate::store::tests::server::Server;

pub(super) struct Both {
    server: Server,
    pub(super) a: Place,
    pub(super) b: Place,
    _folder: TempDir,
}

impl Both {
    pub(super) async fn new(steps: Value) -> Self {
        Self::with(steps.clone(), steps).await
    }

    /// Models that answer with different steps.
    async fn with(a: Value, b: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path());
        let open = async |steps| {
            let folder = tempfile::tempdir().unwrap();
            Place::open(steps, folder, &server.config()).await
        };
        let (a, b) = (open(a).await, open(b).await);
        a.tasks.spawn(a.turns.clone().adopt_all());
        b.tasks.spawn(b.turns.clone().adopt_all());
        Self {
            server,
            a,
            b,
            _folder: folder,
        }
    }

    /// Both stop, and nothing of them is left.
    pub(super) async fn idle(&self) {
        self.a.stopped.cancel();
        self.b.stopped.cancel();
        self.a.idle().await;
        self.b.idle().await;
    }

    pub(super) async fn kinds(&self, session: &SessionId) -> String {
        let events = self.b.store.read_before(session, 100, 100).await.unwrap();
        let kinds = events.iter().map(|event| match event.body {
            EventBody::User { .. } => "user",
            EventBody::ToolCall { .. } => "call",
            EventBody::ToolResult { .. } => "result",
            EventBody::ApprovalRequest { .. } => "asks",
            EventBody::ApprovalDecision { .. } => "decided",
            EventBody::Agent { .. } => "agent",
            EventBody::Error { .. } => "error",
        });
        kinds.collect::<Vec<_>>().join(" ")
    }
}

fn hangs() -> Value {
    json!([[{ "text": "I begin" }, "hang"]])
}

async fn later(waits: oneshot::Receiver<Result<Accepted, AskError>>) -> Accepted {
    timeout(PATIENCE, waits).await.unwrap().unwrap().unwrap()
}

fn answer(end: EventBody) -> (String, Finish) {
    match end {
        EventBody::Agent {
            content, finish, ..
        } => (content.to_string(), finish),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn questions_wait_for_a_turn_of_another_process_in_their_order() {
    let both = Both::new(hangs()).await;
    let session = SessionId::random();
    let first = accepted(both.a.ask(&session, Some("1")).await);
    let second = queued(both.b.ask(&session, Some("2")).await);
    let third = queued(both.b.ask(&session, Some("3")).await);
    // What was accepted elsewhere is known here, also behind others.
    let again = accepted(both.b.ask(&session, Some("1")).await);
    assert_eq!((again.turn, again.duplicate), (first.turn, true));
    let reject = Question {
        when_busy: WhenBusy::Reject,
        ..question("?", None)
    };
    let rejected = both.b.turns.ask(&session, reject).await;
    assert_eq!(rejected.unwrap_err(), AskError::TurnRunning);

    assert_eq!(both.b.turns.cancel(&session, None).await, Ok(true));
    let end = timeout(Duration::from_secs(1), both.b.end(&session, 0)).await;
    assert_eq!(answer(end.unwrap()).1, Finish::Cancelled);
    let second = later(second).await;
    assert_eq!(both.a.turns.cancel(&session, None).await, Ok(true));
    let third = later(third).await;
    assert!(second.seq < third.seq);
    assert_eq!(both.a.turns.cancel(&session, None).await, Ok(true));
    both.b.end(&session, third.seq).await;
    assert_eq!(both.a.turns.cancel(&session, None).await, Ok(false));
    both.idle().await;
}

#[tokio::test]
async fn a_turn_of_another_process_is_interrupted() {
    let both = Both::new(hangs()).await;
    let session = SessionId::random();
    accepted(both.a.ask(&session, None).await);
    let waits = queued(both.b.ask(&session, None).await);
    let interrupt = Question {
        when_busy: WhenBusy::Interrupt,
        ..question("?", None)
    };
    let next = later(queued(both.b.turns.ask(&session, interrupt).await)).await;
    assert_eq!(answer(both.b.end(&session, 0).await).1, Finish::Cancelled);
    both.b
        .turns
        .cancel(&session, Some(next.turn))
        .await
        .unwrap();
    let waits = later(waits).await;
    assert!(next.seq < waits.seq);
    both.idle().await;
}

#[tokio::test]
async fn who_waits_for_another_process_is_told_when_the_store_fails() {
    let mut both = Both::new(hangs()).await;
    let session = SessionId::random();
    accepted(both.a.ask(&session, None).await);
    let waits = queued(both.b.ask(&session, None).await);
    both.server.kill();
    let told = timeout(2 * PATIENCE, waits).await.unwrap().unwrap();
    assert!(
        matches!(told, Err(AskError::Store(StoreError::Unavailable(_)))),
        "{told:?}"
    );
    both.idle().await;
}

#[tokio::test]
async fn a_turn_whose_store_cannot_be_reached_ends_as_interrupted() {
    let both = Both::new(hangs()).await;
    let session = SessionId::random();
    accepted(both.a.ask(&session, None).await);
    sleep(Duration::from_millis(200)).await;
    both.server.signal("STOP");
    sleep(Duration::from_millis(3_500)).await;
    both.server.signal("CONT");
    let end = both.b.end(&session, 0).await;
    assert!(
        matches!(&end, EventBody::Error { reason: TurnErrorReason::Interrupted, partial, .. }
            if &**partial == "I begin"),
        "{end:?}"
    );
    both.idle().await;
    assert_eq!(both.kinds(&session).await, "user error");
}

#[tokio::test]
async fn a_turn_goes_on_in_another_process_without_a_seam() {
    let text = "word ".repeat(40);
    let steps = json!([
        [{ "text": "I look." }, { "call": { "name": "list_tables", "arguments": {} } }],
        [{ "cut": { "text": text, "characters": 3, "pause_ms": 20 } }],
    ]);
    let both = Both::new(steps).await;
    let session = SessionId::random();
    let first = accepted(both.a.ask(&session, Some("1")).await);
    let waits = queued(both.a.ask(&session, Some("2")).await);
    sleep(Duration::from_millis(600)).await;
    both.a.stopped.cancel();
    assert_eq!(waits.await.unwrap(), Err(AskError::Stopping));
    both.a.idle().await;
    assert_eq!(both.kinds(&session).await, "user call result");
    let again = accepted(both.b.ask(&session, Some("1")).await);
    assert_eq!((again.turn, again.duplicate), (first.turn, true));
    let (content, finish) = answer(both.b.end(&session, 0).await);
    assert_eq!(content, format!("I look.\n\n{text}"));
    assert_eq!(finish, Finish::Completed);
    assert_eq!(both.kinds(&session).await, "user call result agent");
    both.idle().await;
}

#[tokio::test]
async fn a_model_that_says_something_else_begins_a_new_paragraph() {
    let steps = json!([[{ "text": "Another answer." }]]);
    let both = Both::with(hangs(), steps).await;
    let session = SessionId::random();
    accepted(both.a.ask(&session, None).await);
    sleep(Duration::from_millis(100)).await;
    both.a.stopped.cancel();
    let (content, _) = answer(both.b.end(&session, 0).await);
    assert_eq!(content, "I begin\n\nAnother answer.");
    both.idle().await;
}

#[tokio::test]
async fn a_call_without_a_result_is_run_again() {
    let result = result_of_interrupted("list_tables").await;
    assert!(!result.failed, "{result:?}");
}

#[tokio::test]
async fn a_call_of_a_server_without_a_result_is_not_run_again() {
    let result = result_of_interrupted("wiki__write").await;
    assert!(result.failed, "{result:?}");
    let told = "it is not known whether it was done";
    assert!(result.content.contains(told), "{result:?}");
}

/// What comes of a call whose turn was taken over before there was a result.
async fn result_of_interrupted(tool: &str) -> ToolResult {
    let steps = json!([
        [{ "text": "I look." }, { "call": { "name": tool, "arguments": {} } }],
        [{ "text": "There they are." }],
    ]);
    let both = Both::new(steps).await;
    both.a.draining.cancel();
    let begin = BeginTurn {
        session: SessionId::random(),
        owner: Subject::anonymous(),
        turn: TurnId::random(),
        trace: TraceId(1),
        message: None,
        content: "?".into(),
    };
    both.a.store.begin_turn(begin.clone()).await.unwrap();
    let session = begin.session.clone();
    let store = &both.a.store;
    let mut writer = store.turn_writer(session.clone(), begin.turn, begin.trace);
    writer.text("I look.").unwrap();
    let call = ToolCall {
        id: "c".into(),
        name: tool.into(),
        arguments: "{}".into(),
    };
    let called = EventBody::ToolCall {
        call,
        text_offset: 7,
    };
    writer.append(vec![called]).await.unwrap();
    writer.release().await.unwrap();
    let EventBody::Agent { content, usage, .. } = both.b.end(&session, 0).await else {
        panic!("no answer");
    };
    assert_eq!(&*content, "I look.\n\nThere they are.");
    assert_eq!((usage.steps, usage.tool_calls), (2, 1));
    assert_eq!(both.kinds(&session).await, "user call result agent");
    let events = both.b.store.read_before(&session, 100, 100).await.unwrap();
    both.idle().await;
    let result = events.iter().find_map(|event| match &event.body {
        EventBody::ToolResult { result, .. } => Some(result.clone()),
        _ => None,
    });
    result.expect("a result")
}
