//! Writers and followers of one store.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use dragoman::chat::{EventBody, Finish, SessionId, Subject, ToolCall, TraceId, TurnId, Usage};
use dragoman::config::{self, Flags};
use dragoman::store::{Begin, BeginTurn, Followed, Start, Store, TurnWriter};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until, timeout};

/// How long each figure is measured.
const MEASURED: Duration = Duration::from_secs(4);
/// Writers that write as fast as they can.
const WRITERS: usize = 64;
/// Events of a turn besides its first and its last.
const EVENTS_OF_TURN: usize = 50;
/// Turns of a session: together fewer events than a session may have.
const TURNS_OF_SESSION: usize = 50;
/// Sessions that are written to at a pace, for latency, and that pace.
const PACED: usize = 100;
const PACE: Duration = Duration::from_millis(100);
/// How long a follower may take at the end.
const PATIENCE: Duration = Duration::from_secs(10);

/// What one store does.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Measured {
    /// Durable events a second, by one writer.
    pub(super) alone: u64,
    /// By 64.
    pub(super) together: u64,
    /// Events a second that the followers of these 64 sessions were given.
    pub(super) delivered: u64,
    /// From the call to append to the follower, in milliseconds.
    pub(super) latency: Vec<f64>,
}

/// Measures the store that the setting names, and prints what it does.
#[expect(clippy::print_stdout, reason = "the answer")]
pub(crate) async fn measure(setting: &str) -> anyhow::Result<()> {
    let store = open(setting).await?;
    let (alone, _) = write(&store, 1).await?;
    let (together, delivered) = write(&store, WRITERS).await?;
    let latency = latency(&store).await?;
    store.close().await;
    let measured = Measured {
        alone,
        together,
        delivered,
        latency,
    };
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

async fn open(setting: &str) -> anyhow::Result<Store> {
    let variable = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
    let environment = [
        variable("DRAGOMAN_STORE", setting),
        variable("DRAGOMAN_LIMITS_RATE_QUESTIONS", "10000"),
    ];
    let config = config::load(&Flags::default(), environment)?.config;
    Ok(Store::open(&config.store, config.limits, &config.sessions).await?)
}

/// So many sessions, each with a writer that never rests and a follower: events written and delivered, a second.
async fn write(store: &Store, writers: usize) -> anyhow::Result<(u64, u64)> {
    let until = Instant::now() + MEASURED;
    let delivered = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..writers {
        tasks.spawn(write_sessions(store.clone(), until, Arc::clone(&delivered)));
    }
    sleep_until(until).await;
    let delivered = delivered.load(Ordering::Relaxed);
    let mut written = 0;
    for events in tasks.join_all().await {
        written += events?;
    }
    let seconds = MEASURED.as_secs();
    Ok((written / seconds, delivered / seconds))
}

async fn write_sessions(
    store: Store,
    until: Instant,
    delivered: Arc<AtomicU64>,
) -> anyhow::Result<u64> {
    let mut written = 0;
    let mut followers = JoinSet::new();
    while Instant::now() < until {
        let session = SessionId::random();
        let mut follower = store.follow(session.clone(), Start::Live).await?;
        let count = Arc::clone(&delivered);
        followers.spawn(async move {
            while follower.next().await.is_ok() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        for _ in 0..TURNS_OF_SESSION {
            let mut writer = begin(&store, &session).await?;
            written += 1;
            for _ in 0..EVENTS_OF_TURN {
                if Instant::now() >= until {
                    break;
                }
                writer.append(vec![event(String::new())]).await?;
                written += 1;
            }
            writer.finish(answer()).await?;
            written += 1;
            if Instant::now() >= until {
                break;
            }
        }
    }
    Ok(written)
}

/// Sessions at a pace: the time from each append to its delivery.
async fn latency(store: &Store) -> anyhow::Result<Vec<f64>> {
    let mut tasks = JoinSet::new();
    for _ in 0..PACED {
        tasks.spawn(follow_paced(store.clone()));
    }
    let mut all = Vec::new();
    for latencies in tasks.join_all().await {
        all.extend(latencies?);
    }
    Ok(all)
}

async fn follow_paced(store: Store) -> anyhow::Result<Vec<f64>> {
    let epoch = Instant::now();
    let session = SessionId::random();
    let mut follower = store.follow(session.clone(), Start::Live).await?;
    let mut writer = begin(&store, &session).await?;
    let writing = async {
        let mut pace = interval(PACE);
        while epoch.elapsed() < MEASURED {
            pace.tick().await;
            let at = epoch.elapsed().as_nanos().to_string();
            writer.append(vec![event(at)]).await?;
        }
        writer.finish(answer()).await?;
        anyhow::Ok(())
    };
    let following = async {
        let mut latencies = Vec::new();
        loop {
            let followed = timeout(PATIENCE, follower.next()).await??;
            let Followed::Event(event) = followed else {
                continue;
            };
            match &event.body {
                EventBody::ToolCall { call, .. } => {
                    let at = Duration::from_nanos(call.id.parse()?);
                    latencies.push((epoch.elapsed().saturating_sub(at)).as_secs_f64() * 1e3);
                }
                body if body.is_final() => return anyhow::Ok(latencies),
                _ => {}
            }
        }
    };
    let (written, latencies) = tokio::join!(writing, following);
    written?;
    latencies
}

async fn begin(store: &Store, session: &SessionId) -> anyhow::Result<TurnWriter> {
    let begin = BeginTurn {
        owner: Subject::anonymous(),
        session: session.clone(),
        turn: TurnId::random(),
        trace: TraceId(1),
        message: None,
        content: Arc::from("How many?"),
    };
    let (turn, trace) = (begin.turn, begin.trace);
    let begun = timeout(PATIENCE, store.begin_turn(begin)).await;
    let begun = begun.context("no answer")??;
    ensure!(matches!(begun, Begin::Started { .. }), "{begun:?}");
    Ok(store.turn_writer(session.clone(), turn, trace))
}

/// About 350 bytes as JSON.
fn event(id: String) -> EventBody {
    let call = ToolCall {
        id: id.into(),
        name: Arc::from("search_columns"),
        arguments: "x".repeat(270).into(),
    };
    EventBody::ToolCall {
        call,
        text_offset: 0,
    }
}

fn answer() -> EventBody {
    EventBody::Agent {
        content: Arc::from("Many."),
        finish: Finish::Completed,
        usage: Usage::default(),
        drawing: None,
    }
}
