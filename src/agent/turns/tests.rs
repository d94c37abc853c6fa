//! Questions, turns and their ends, with a store and a scripted model and without any transport.

mod approvals;
mod busy;
mod elsewhere;
mod shared;

use std::time::Duration;

use futures_util::poll;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{sleep, timeout};

use super::*;
use crate::agent;
use crate::catalog::Catalog;
use crate::chat::{EventBody, Finish, TurnErrorReason};
use crate::model::{self, Model};
use crate::store;
use crate::tools::{ToolPatterns, Tools};

const PATIENCE: Duration = Duration::from_secs(20);

struct Place {
    turns: Turns,
    store: Store,
    draining: CancellationToken,
    stopped: CancellationToken,
    tasks: TaskTracker,
    folder: TempDir,
}

impl Place {
    /// A model that answers everything with these entries of a script.
    async fn new(entries: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = store::Config::Sqlite(folder.path().join("sessions.db"));
        Self::open(json!([entries]), folder, &path).await
    }

    /// Some place else to keep sessions.
    async fn on(config: &store::Config, folder: TempDir, entries: Value) -> Self {
        Self::open(json!([entries]), folder, config).await
    }

    /// A model that answers everything with these steps of a script.
    async fn open(steps: Value, folder: TempDir, config: &store::Config) -> Self {
        let script = folder.path().join("script.json");
        let text = json!({ "scenarios": [{ "steps": steps }] }).to_string();
        std::fs::write(&script, text).unwrap();
        let model = Model::build(&model::Config {
            kind: model::Kind::Scripted(script),
            guide_pace: Duration::ZERO,
            ..model::Config::default()
        });
        let catalog = Catalog::demo().unwrap();
        let limits = Limits {
            rate_questions: 1_000,
            ..Limits::default()
        };
        let sessions = store::Sessions {
            lease: Duration::from_secs(2),
            heartbeat: Duration::from_millis(300),
            ..store::Sessions::default()
        };
        let store = Store::open(config, limits.clone(), &sessions)
            .await
            .unwrap();
        let config = agent::Config {
            answer_bytes: store::TEXT_BYTES,
            ask: ToolPatterns::new(vec!["get_lineage".to_owned()]).unwrap(),
            ..agent::Config::default()
        };
        let agent = Agent::new(config, model.unwrap(), Tools::new(Arc::new(catalog)));
        let (stopped, tasks) = (CancellationToken::new(), TaskTracker::new());
        let draining = stopped.child_token();
        let turns = Turns::new(
            agent,
            store.clone(),
            limits,
            draining.clone(),
            stopped.clone(),
            tasks.clone(),
        );
        Self {
            turns,
            store,
            draining,
            stopped,
            tasks,
            folder,
        }
    }

    async fn ask(&self, session: &SessionId, id: Option<&str>) -> Result<Asked, AskError> {
        self.turns.ask(session, question("?", id)).await
    }

    /// The next final event of a session, from position `after` on.
    async fn end(&self, session: &SessionId, after: u64) -> EventBody {
        let reading = async {
            loop {
                let events = self.store.read_before(session, u64::MAX >> 1, 50).await;
                let end = events
                    .unwrap()
                    .into_iter()
                    .find(|event| event.seq > after && event.body.is_final());
                match end {
                    Some(end) => return end.body.clone(),
                    None => sleep(Duration::from_millis(5)).await,
                }
            }
        };
        timeout(PATIENCE, reading)
            .await
            .expect("the turn is sealed")
    }

    async fn idle(&self) {
        self.tasks.close();
        timeout(PATIENCE, self.tasks.wait()).await.unwrap();
        assert_eq!(self.turns.0.slots.len(), 0, "a slot is left");
    }
}

fn question(content: &str, id: Option<&str>) -> Question {
    Question {
        content: content.to_owned(),
        message: id.map(|id| MessageId::parse(id).unwrap()),
        span: Span::none(),
        owner: Subject::anonymous(),
        when_busy: WhenBusy::Queue,
    }
}

fn queued(asked: Result<Asked, AskError>) -> oneshot::Receiver<Result<Accepted, AskError>> {
    match asked {
        Ok(Asked::Queued { answer, .. }) => answer,
        other => panic!("{other:?}"),
    }
}

fn accepted(asked: Result<Asked, AskError>) -> Accepted {
    match asked {
        Ok(Asked::Accepted(accepted)) => accepted,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_asks_and_leaves_at_any_moment_leaves_no_turn_that_nobody_runs() {
    let place = Place::new(json!([{ "text": "An answer." }])).await;
    for wait in [0, 1, 5, 50] {
        let session = SessionId::random();
        {
            let mut asking = std::pin::pin!(place.ask(&session, None));
            assert!(poll!(asking.as_mut()).is_pending());
            // The answer of the store comes meanwhile, and is never looked at.
            sleep(Duration::from_millis(wait)).await;
        }
        place.end(&session, 0).await;
        let next = accepted(place.ask(&session, None).await);
        place.end(&session, next.seq).await;
    }
    place.idle().await;
}

#[tokio::test]
async fn a_final_event_that_is_too_large_is_replaced_by_one_that_is_not() {
    let message = "x".repeat(2 * 1024 * 1024);
    let entries = json!([{ "error": { "kind": "server", "message": message } }]);
    let place = Place::new(entries).await;
    let session = SessionId::random();
    accepted(place.ask(&session, None).await);
    let end = place.end(&session, 0).await;
    assert!(
        matches!(
            &end,
            EventBody::Error {
                reason: TurnErrorReason::Limit,
                ..
            }
        ),
        "{end:?}"
    );
    place.idle().await;
}

#[tokio::test]
async fn a_model_that_never_pauses_is_cancelled_all_the_same() {
    let entries = json!([{ "repeat": { "text": "a", "times": 1_000_000 } }]);
    let place = Place::new(entries).await;
    let session = SessionId::random();
    accepted(place.ask(&session, None).await);
    // One thread: this goes on in the middle of the answer only if the turn lets it.
    sleep(Duration::from_millis(2)).await;
    place.turns.cancel(&session, None).await.unwrap();
    let EventBody::Agent { finish, .. } = place.end(&session, 0).await else {
        panic!("no answer");
    };
    assert_eq!(finish, Finish::Cancelled);
    place.idle().await;
}

#[tokio::test]
async fn a_turn_that_is_stopped_keeps_its_text() {
    let place = Place::new(json!([{ "text": "I begin" }, "hang"])).await;
    let session = SessionId::random();
    accepted(place.ask(&session, None).await);
    let waits = queued(place.ask(&session, None).await);
    sleep(Duration::from_millis(50)).await;
    place.stopped.cancel();
    let end = place.end(&session, 0).await;
    assert!(
        matches!(&end, EventBody::Error { reason: TurnErrorReason::Interrupted, partial, .. }
            if &**partial == "I begin"),
        "{end:?}"
    );
    assert_eq!(waits.await.unwrap(), Err(AskError::Stopping));
    place.idle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_slot_is_left_whatever_comes_together() {
    let place = Place::new(json!([{ "text": "An answer." }])).await;
    for _ in 0..300 {
        let session = SessionId::random();
        let (turns, asked) = (place.turns.clone(), session.clone());
        place.tasks.spawn(async move {
            for _ in 0..3 {
                let _ = turns.ask(&asked, question("?", None)).await;
            }
        });
        let turns = place.turns.clone();
        place.tasks.spawn(async move {
            for _ in 0..200 {
                let _ = turns.cancel(&session, None).await;
                tokio::task::yield_now().await;
            }
        });
    }
    place.idle().await;
}

#[tokio::test]
async fn a_store_that_is_locked_for_a_while_loses_no_end() {
    let place = Place::new(json!([{ "text": "An answer." }, { "delay_ms": 100 }])).await;
    let session = SessionId::random();
    accepted(place.ask(&session, None).await);
    let shell = rusqlite::Connection::open(place.folder.path().join("sessions.db")).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Longer than the store waits for the lock.
    sleep(Duration::from_secs(6)).await;
    let refused = place.ask(&session, None);
    let unlock = async {
        sleep(Duration::from_secs(1)).await;
        shell.execute_batch("COMMIT").unwrap();
    };
    let (asked, ()) = tokio::join!(refused, unlock);
    let end = place.end(&session, 0).await;
    assert!(matches!(end, EventBody::Agent { .. }), "{end:?}");
    drop(asked);
    place.idle().await;
}

#[tokio::test]
async fn the_last_count_of_tokens_of_a_request_is_the_one_that_counts() {
    let entries = json!([
        { "usage": { "input_tokens": 100, "output_tokens": 1 } },
        { "text": "An answer." },
        { "usage": { "input_tokens": 100, "output_tokens": 20 } },
    ]);
    let place = Place::new(entries).await;
    let session = SessionId::random();
    accepted(place.ask(&session, None).await);
    let EventBody::Agent { usage, .. } = place.end(&session, 0).await else {
        panic!("no answer");
    };
    assert_eq!((usage.input_tokens, usage.output_tokens), (100, 20));
    place.idle().await;
}
