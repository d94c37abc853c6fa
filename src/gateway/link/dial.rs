//! Opening a conversation on some agent, more than once if it has to be.

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::chat::{Cursor, SessionId, TurnId};
use crate::mutant::{self, Mutant};
use crate::rpc::client::{Avoid, Backoff, Chat, Conversation, Update, random_part};
use crate::rpc::status::{Refusal, RefusalKind};

/// How long one agent may take to open a conversation.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a client that connects waits for an agent.
const FIRST_TIMEOUT: Duration = Duration::from_secs(8);
/// How long a conversation that broke is tried to be opened again.
const AGAIN_TIMEOUT: Duration = Duration::from_secs(30);
/// A conversation that was open for so long has come through.
const STABLE: Duration = Duration::from_secs(10);
/// The pauses between attempts.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// How often another agent is looked for while the one in use is about to leave.
const ELSEWHERE_PAUSE: Duration = Duration::from_secs(1);

/// A conversation whose `Opened` has been read: only then it counts.
pub(super) struct Dialed {
    pub(super) conversation: Conversation,
    pub(super) opened: Option<(Cursor, Option<TurnId>)>,
}

/// A conversation being opened.
pub(super) type Dial = Pin<Box<dyn Future<Output = Result<Dialed, Refusal>> + Send>>;

/// Opens conversations in one session.
#[derive(Clone)]
pub(super) struct Dialer {
    pub(super) chat: Chat,
    session: SessionId,
    /// True if the client cannot ask for what it has missed.
    keeps_no_cursor: bool,
    /// The agent of the conversation in use.
    pub(super) agent: Option<SocketAddr>,
}

/// How it has gone lately: what breaks again and again without anything new is tried less and less, and then given up.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    since: Option<(Instant, Backoff)>,
    opened_at: Option<Instant>,
}

// === impl Dialer ===

impl Dialer {
    pub(super) fn new(chat: Chat, session: SessionId, keeps_no_cursor: bool) -> Self {
        Self {
            chat,
            session,
            keeps_no_cursor,
            agent: None,
        }
    }

    /// The first one, for a client that connects.
    pub(super) async fn first(&self, after: Option<Cursor>) -> Result<Dialed, Refusal> {
        let deadline = Instant::now() + FIRST_TIMEOUT;
        let backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        self.clone()
            .until(Avoid::None, after, deadline, backoff)
            .await
    }

    /// One for a conversation that broke after `cursor`.
    pub(super) fn again(&self, avoid: Avoid, cursor: &Cursor, trouble: &mut Trouble) -> Dial {
        let (pause, deadline, backoff) = trouble.next();
        let (dialer, after) = (self.clone(), redial_cursor(cursor));
        Box::pin(async move {
            sleep(pause).await;
            dialer.until(avoid, after, deadline, backoff).await
        })
    }

    /// One with any agent but `agent`, as soon as there is another.
    pub(super) fn elsewhere(&self, agent: SocketAddr, cursor: &Cursor) -> Dial {
        let (dialer, after) = (self.clone(), redial_cursor(cursor));
        Box::pin(async move {
            loop {
                if let Ok(dialed) = dialer.dial(Avoid::Always(agent), after.clone()).await {
                    return Ok(dialed);
                }
                sleep(ELSEWHERE_PAUSE / 2 + random_part(ELSEWHERE_PAUSE)).await;
            }
        })
    }

    async fn until(
        self,
        mut avoid: Avoid,
        after: Option<Cursor>,
        deadline: Instant,
        mut backoff: Backoff,
    ) -> Result<Dialed, Refusal> {
        loop {
            let refusal = match self.dial(avoid, after.clone()).await {
                Ok(dialed) => return Ok(dialed),
                Err(refusal) => refusal,
            };
            if refusal.kind != RefusalKind::Unavailable {
                return Err(refusal);
            }
            let pause = backoff.pause();
            if Instant::now() + pause >= deadline {
                return Err(refusal);
            }
            tracing::debug!(%refusal, "no agent has opened a conversation, trying again");
            sleep(pause).await;
            // By now it may be back.
            avoid = match avoid {
                Avoid::IfPossible(_) => Avoid::None,
                avoid => avoid,
            };
        }
    }

    async fn dial(&self, avoid: Avoid, after: Option<Cursor>) -> Result<Dialed, Refusal> {
        let dial = async {
            let chat = &self.chat;
            let missed = self.keeps_no_cursor;
            let mut conversation = chat
                .converse_avoiding(avoid, &self.session, after, missed)
                .await?;
            match conversation.updates.next().await {
                Some(Ok(Update::Opened { end, running })) => Ok(Dialed {
                    conversation,
                    opened: Some((end, running)),
                }),
                Some(Err(refusal)) => Err(refusal),
                Some(Ok(_)) | None => Err(unavailable("the agent did not open the conversation")),
            }
        };
        timeout(DIAL_TIMEOUT, dial)
            .await
            .unwrap_or_else(|_| Err(unavailable("the agent does not answer")))
    }
}

// === impl Trouble ===

impl Trouble {
    /// Something new has come.
    pub(super) fn progress(&mut self) {
        self.since = None;
    }

    /// A conversation was opened again.
    pub(super) fn opened(&mut self, now: Instant) {
        self.opened_at = Some(now);
    }

    /// After which pause, and until when, the next attempt is made: the first at once.
    fn next(&mut self) -> (Duration, Instant, Backoff) {
        let opened_at = self.opened_at.take();
        if opened_at.is_some_and(|at| at.elapsed() > STABLE) {
            self.since = None;
        }
        if let Some((since, backoff)) = &mut self.since {
            let pause = backoff.pause();
            return (pause, *since + AGAIN_TIMEOUT, backoff.clone());
        }
        let (now, backoff) = (Instant::now(), Backoff::new(FIRST_PAUSE, LONGEST_PAUSE));
        self.since = Some((now, backoff.clone()));
        (Duration::ZERO, now + AGAIN_TIMEOUT, backoff)
    }
}

fn redial_cursor(cursor: &Cursor) -> Option<Cursor> {
    (!mutant::is(Mutant::NoRedialCursor)).then(|| cursor.clone())
}

fn unavailable(message: &str) -> Refusal {
    Refusal {
        kind: RefusalKind::Unavailable,
        message: message.to_owned(),
    }
}
