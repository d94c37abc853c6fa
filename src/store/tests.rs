/// Runs the same test on both stores.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        $(
            mod $name {
                use super::super::{KIND, Kind};

                #[tokio::test]
                async fn sqlite() {
                    KIND.scope(Kind::Sqlite, super::$name()).await;
                }

                #[tokio::test]
                async fn redis() {
                    KIND.scope(Kind::Redis, super::$name()).await;
                }
            }
        )+
    };
}

mod approvals;
mod follow;
mod limits;
mod log;
mod on_redis;
mod open;
mod owed;
mod random;
pub(crate) mod server;
mod sessions;
mod shared;
mod spending;
mod trouble;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tokio::time::timeout;

use crate::chat::{
    EventBody, Finish, MessageId, TextChange, ToolCall, ToolResult, TurnErrorReason, Usage,
};

use super::*;

use self::server::Server;

/// Longest wait for something that should come soon; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Which store a test is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Redis,
}

tokio::task_local! {
    /// The store of the test that runs; SQLite outside of [`on_both!`].
    static KIND: Kind;
}

/// A store in a folder, or on a server, of its own.
struct Place {
    store: Store,
    folder: TempDir,
    server: Option<Server>,
}

impl Place {
    async fn new() -> Self {
        Self::with(generous()).await
    }

    async fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kind = KIND.try_with(|kind| *kind).unwrap_or(Kind::Sqlite);
        let server = (kind == Kind::Redis).then(|| Server::start(folder.path()));
        let config = match &server {
            Some(server) => server.config(),
            None => Config::Sqlite(folder.path().join("sessions.db")),
        };
        let store = Store::open(&config, limits, &Sessions::default())
            .await
            .unwrap();
        Self {
            store,
            folder,
            server,
        }
    }

    /// What was left to be done is done. SQLite does things in order.
    async fn settled(&self) {
        self.store.check().await.unwrap();
        if self.server.is_some() {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("sessions.db")
    }

    /// What another program sees, such as an operator's shell.
    fn shell(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).unwrap()
    }

    /// Begins a turn that must start.
    async fn start(&self, session: &SessionId, content: &str) -> TurnWriter {
        self.start_turn(question(session, content)).await
    }

    async fn start_turn(&self, begin: BeginTurn) -> TurnWriter {
        let (session, turn, trace) = (begin.session.clone(), begin.turn, begin.trace);
        let begun = self.store.begin_turn(begin).await.unwrap();
        assert!(matches!(begun, Begin::Started { .. }), "{begun:?}");
        let mut writer = self.store.turn_writer(session, turn, trace);
        let mut keeper = writer.keeper();
        drop(spawn(async move { keeper.lost().await }));
        writer
    }

    async fn follow(&self, session: &SessionId, start: Start) -> Follower {
        self.store.follow(session.clone(), start).await.unwrap()
    }

    /// Runs a turn that answers with its question.
    async fn turn(&self, session: &SessionId, content: &str) {
        self.start(session, content)
            .await
            .finish(answer(content))
            .await
            .unwrap();
    }

    async fn log(&self, session: &SessionId) -> Vec<Arc<Event>> {
        whole_log(&self.store, session).await
    }

    async fn kinds(&self, session: &SessionId) -> String {
        kinds(&self.log(session).await)
    }

    fn feeds(&self) -> usize {
        match &self.store {
            Store::Sqlite(store) => store.feeds(),
            Store::Redis(store) => store.feeds(),
        }
    }
}

/// Limits that are in nobody's way.
fn generous() -> Limits {
    Limits {
        rate_questions: 1_000_000,
        ..Limits::default()
    }
}

/// All of a log, page by page.
async fn whole_log(store: &Store, session: &SessionId) -> Vec<Arc<Event>> {
    let mut log = Vec::new();
    let mut before = u64::MAX;
    loop {
        let mut page = store.read_before(session, before, 1_000).await.unwrap();
        let Some(first) = page.first() else {
            return log;
        };
        before = first.seq;
        page.append(&mut log);
        log = page;
    }
}

fn question(session: &SessionId, content: &str) -> BeginTurn {
    BeginTurn {
        session: session.clone(),
        owner: Subject::anonymous(),
        turn: TurnId::random(),
        trace: TraceId(7),
        message: None,
        content: Arc::from(content),
    }
}

fn message(session: &SessionId, id: &str, content: &str) -> BeginTurn {
    BeginTurn {
        message: Some(MessageId::parse(id).unwrap()),
        ..question(session, content)
    }
}

fn tool_call(id: &str, text_offset: usize) -> EventBody {
    EventBody::ToolCall {
        call: ToolCall {
            id: Arc::from(id),
            name: Arc::from("list_tables"),
            arguments: Arc::from("{}"),
        },
        text_offset,
    }
}

fn tool_result(id: &str, content: &str, text_offset: usize) -> EventBody {
    EventBody::ToolResult {
        result: ToolResult {
            call_id: Arc::from(id),
            name: Arc::from("list_tables"),
            content: Arc::from(content),
            failed: false,
        },
        text_offset,
    }
}

fn answer(content: &str) -> EventBody {
    EventBody::Agent {
        content: Arc::from(content),
        finish: Finish::Completed,
        usage: Usage::default(),
        drawing: None,
    }
}

fn kinds(log: &[Arc<Event>]) -> String {
    let kind = |event: &Arc<Event>| match event.body {
        EventBody::User { .. } => "user",
        EventBody::ToolCall { .. } => "call",
        EventBody::ToolResult { .. } => "result",
        EventBody::ApprovalRequest { .. } => "asks",
        EventBody::ApprovalDecision { .. } => "decided",
        EventBody::Agent { .. } => "agent",
        EventBody::Error { .. } => "error",
    };
    log.iter().map(kind).collect::<Vec<_>>().join(" ")
}

async fn next(follower: &mut Follower) -> Followed {
    timeout(Duration::from_secs(5), follower.next())
        .await
        .expect("nothing came")
        .unwrap()
}

async fn next_event(follower: &mut Follower) -> Arc<Event> {
    match next(follower).await {
        Followed::Event(event) => event,
        other => panic!("not an event: {other:?}"),
    }
}

/// The next thing must be text; `=` stands for replace, `+` for append.
async fn next_text(follower: &mut Follower) -> String {
    match next(follower).await {
        Followed::Text { change, .. } => match change {
            TextChange::Replace(text) => format!("={text}"),
            TextChange::Append(text) => format!("+{text}"),
        },
        other => panic!("not text: {other:?}"),
    }
}

async fn nothing_more(follower: &mut Follower) {
    let more = timeout(Duration::from_millis(50), follower.next()).await;
    assert!(more.is_err(), "{more:?}");
}

/// Runs something beside the test.
#[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
fn spawn<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    tokio::spawn(task)
}
