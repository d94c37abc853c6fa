//! What happens in all sessions that somebody here follows: one subscription connection for the process.
//!
//! What is published only tells that something happened. Whatever does not fit, and everything after a break, is asked of
//! the store again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::aio::{PubSubSink, PubSubStream};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::chat::SessionId;
use crate::mutant::{self, Mutant};
use crate::store::feed::Heard;
use crate::store::feeds::Feeds;
use crate::store::{Lost, StoreError};

use super::commands::{Commands, RELEASED};
use super::message::Message;

/// Channels subscribed to with one command.
const BATCH: usize = 500;
/// How long the server may take to confirm that.
const CONFIRM_DEADLINE: Duration = Duration::from_secs(2);
/// How often a silent connection is tested.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// How long to wait before a broken connection is made again, doubled each time.
const RECONNECT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Sessions that are asked about at the same time.
const ASKING: usize = 32;
/// How long to wait before a session is asked about again after a failure.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// How often it is looked whether the lease of a running turn is over, while there are any.
const TICK: Duration = Duration::from_millis(200);
/// The shortest time between noticing that a lease is over and ending the turn.
const SHORTEST_MOMENT: Duration = Duration::from_millis(500);
/// How much later than its end that is believed.
const SLACK: Duration = Duration::from_millis(100);

/// Keeps the feeds of this process up to date.
#[derive(Debug)]
pub(super) struct Hub {
    commands: Commands,
    feeds: Arc<Feeds>,
    state: Mutex<State>,
    /// Something is doubted.
    doubt: Notify,
    /// A turn may be there to be taken over.
    pub(super) released: Notify,
    stop: CancellationToken,
}

#[derive(Debug)]
struct State {
    /// Sessions the store has to be asked about.
    doubted: HashSet<SessionId>,
    /// When the lease of a running turn is over, unless something is heard of it.
    leases: HashMap<SessionId, Instant>,
    /// Sessions whose turn is ended if it still has no lease when they are asked about.
    suspected: HashSet<SessionId>,
    /// The last time the store did not answer, or this process was not there.
    trouble: Instant,
}

// === impl Hub ===

impl Hub {
    pub(super) fn new(commands: Commands, feeds: Arc<Feeds>, stop: CancellationToken) -> Self {
        Self {
            commands,
            feeds,
            state: Mutex::new(State {
                doubted: HashSet::new(),
                leases: HashMap::new(),
                suspected: HashSet::new(),
                trouble: Instant::now(),
            }),
            doubt: Notify::new(),
            released: Notify::new(),
            stop,
        }
    }

    /// True if turns whose lease is over may be ended. After trouble with the store nobody does so for one lease: their
    /// owners must have had the time to give a sign of life.
    pub(super) fn may_reap(&self) -> bool {
        self.lock().trouble.elapsed() > self.commands.lease() + SLACK
    }

    /// The store did not answer.
    pub(super) fn note_trouble(&self) {
        self.lock().trouble = Instant::now();
    }

    /// The store has to be asked about a session.
    pub(super) fn ask_about(&self, session: &SessionId) {
        self.lock().doubted.insert(session.clone());
        self.doubt.notify_one();
    }

    /// Listens until the store is closed.
    pub(super) async fn listen(&self) {
        let mut wait = RECONNECT.0;
        let mut subscribed = false;
        loop {
            let listening = async {
                let pubsub = self.commands.pubsub().await?;
                let (sink, stream) = pubsub.split();
                self.listen_on(sink, stream, &mut subscribed).await
            };
            let ended = tokio::select! {
                ended = listening => ended,
                () = self.stop.cancelled() => return,
            };
            if let Err(error) = ended {
                tracing::warn!(%error, "session store: nothing is heard from the Redis server, trying again");
            }
            self.note_trouble();
            for session in self.feeds.sessions() {
                if let Some(feed) = self.feeds.find(&session) {
                    feed.forget();
                }
            }
            if std::mem::take(&mut subscribed) {
                wait = RECONNECT.0;
            }
            tokio::select! {
                () = sleep(wait) => {}
                () = self.stop.cancelled() => return,
            }
            wait = (wait * 2).min(RECONNECT.1);
        }
    }

    /// Listens on one connection until it breaks.
    async fn listen_on(
        &self,
        mut sink: PubSubSink,
        mut stream: PubSubStream,
        subscribed: &mut bool,
    ) -> Result<(), StoreError> {
        confirmed(sink.subscribe(RELEASED)).await?;
        // Whoever is followed now is asked about below, and so is whoever comes meanwhile.
        let mut channels = HashSet::new();
        self.follow_all(&mut sink, &mut channels, self.feeds.sessions())
            .await?;
        *subscribed = true;
        self.released.notify_one();
        loop {
            tokio::select! {
                message = stream.next() => match message {
                    Some(message) => {
                        let payload: String = message.get_payload().unwrap_or_default();
                        self.hear(message.get_channel_name(), &payload);
                    }
                    None => return Err(StoreError::Unavailable("the connection broke".into())),
                },
                touched = self.feeds.touched() => {
                    self.follow_all(&mut sink, &mut channels, touched).await?;
                }
                () = sleep(PING_INTERVAL) => confirmed(sink.ping::<::redis::Value>()).await.map(drop)?,
            }
        }
    }

    /// Subscribes to the sessions that are followed, and leaves those that are not any more.
    async fn follow_all(
        &self,
        sink: &mut PubSubSink,
        channels: &mut HashSet<SessionId>,
        sessions: Vec<SessionId>,
    ) -> Result<(), StoreError> {
        let (held, left): (Vec<_>, Vec<_>) = sessions
            .into_iter()
            .partition(|session| self.feeds.find(session).is_some());
        let left: Vec<_> = left
            .into_iter()
            .filter(|session| channels.remove(session))
            .collect();
        for batch in left.chunks(BATCH) {
            let names: Vec<_> = batch.iter().map(Commands::channel).collect();
            confirmed(sink.unsubscribe(names)).await?;
        }
        let new: Vec<_> = held
            .iter()
            .filter(|session| !channels.contains(*session))
            .collect();
        for batch in new.chunks(BATCH) {
            let names: Vec<_> = batch
                .iter()
                .map(|session| Commands::channel(session))
                .collect();
            confirmed(sink.subscribe(names)).await?;
        }
        channels.extend(new.into_iter().cloned());
        let mut state = self.lock();
        state.doubted.extend(held);
        drop(state);
        self.doubt.notify_one();
        Ok(())
    }

    fn hear(&self, channel: &str, payload: &str) {
        if channel == RELEASED {
            self.released.notify_one();
            return;
        }
        let Some(session) = session_of(channel) else {
            return;
        };
        let Some(feed) = self.feeds.find(&session) else {
            return;
        };
        let heard = match Message::read(payload) {
            Some(Message::Event { published, before }) => {
                let ends = published.event.body.is_final();
                let heard = feed.hear_event(&published, before.as_ref());
                if ends {
                    self.lock().leases.remove(&session);
                } else {
                    self.renew(&session, self.commands.lease());
                }
                heard
            }
            Some(Message::Text {
                turn,
                offset,
                delta,
            }) => {
                self.renew(&session, self.commands.lease());
                feed.hear_text(turn, offset, delta)
            }
            Some(Message::Stop(turn)) => {
                feed.tell_keeper(turn, Lost::Stopped);
                Heard::Taken
            }
            Some(Message::Decided) => {
                feed.tell_decided();
                Heard::Taken
            }
            Some(Message::Erased(last)) => {
                self.lock().leases.remove(&session);
                match last {
                    Some(last) => feed.erase_up_to(last),
                    None => feed.erase(),
                }
                Heard::Taken
            }
            None => Heard::Doubt,
        };
        if heard == Heard::Doubt {
            self.ask_about(&session);
        }
    }

    fn renew(&self, session: &SessionId, lease: Duration) {
        let over = Instant::now() + lease + SLACK;
        let mut state = self.lock();
        state.suspected.remove(session);
        let first = state.leases.is_empty();
        state.leases.insert(session.clone(), over);
        drop(state);
        if first {
            // The clock does not run while there is nothing to look at.
            self.doubt.notify_one();
        }
    }

    /// The lease of a running turn is over. If only the server stood still, its owner is about to be heard of: it is
    /// given a moment.
    fn suspect(&self, session: &SessionId) {
        let moment = (self.commands.lease() / 10).max(SHORTEST_MOMENT);
        let mut state = self.lock();
        state.suspected.insert(session.clone());
        state
            .leases
            .insert(session.clone(), Instant::now() + moment);
    }

    /// Asks the store about sessions that are doubted, or whose turn may have lost its owner.
    pub(super) async fn ask(&self) {
        let mut asking = FuturesUnordered::new();
        // One clock for all rounds of the loop: however much is asked, it goes on.
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            while asking.len() < ASKING {
                let next = self.lock().take_doubted();
                let Some(session) = next else {
                    break;
                };
                asking.push(self.ask_one(session));
            }
            let has_leases = !self.lock().leases.is_empty();
            tokio::select! {
                Some(()) = asking.next(), if !asking.is_empty() => {}
                () = self.doubt.notified() => {}
                _ = tick.tick(), if has_leases => self.doubt_leases(),
                () = self.stop.cancelled() => return,
            }
        }
    }

    /// Doubts the sessions whose running turn has not been heard of for a lease.
    fn doubt_leases(&self) {
        let now = Instant::now();
        let mut state = self.lock();
        let over: Vec<_> = state
            .leases
            .iter()
            .filter(|(_, over)| **over <= now)
            .map(|(session, _)| session.clone())
            .collect();
        for session in over {
            state.leases.remove(&session);
            state.doubted.insert(session);
        }
    }

    async fn ask_one(&self, session: SessionId) {
        let Some(feed) = self.feeds.find(&session) else {
            self.lock().suspected.remove(&session);
            return;
        };
        let asked = feed.known_end();
        let reap = self.lock().suspected.remove(&session) && self.may_reap();
        let reap = reap || mutant::is(Mutant::NoReapGrace) || mutant::is(Mutant::NoLeaseCheck);
        match self
            .commands
            .snapshot(&session, Some(asked.seq), reap)
            .await
        {
            Ok(snapshot) => {
                if !feed.learn(&asked, &snapshot.told) {
                    self.ask_about(&session);
                }
                match snapshot.lease_left {
                    Some(left) if left.is_zero() => self.suspect(&session),
                    Some(left) => self.renew(&session, left),
                    None => {}
                }
            }
            Err(error) => {
                tracing::debug!(%error, session = session.short(), "session store: cannot ask about a session");
                self.note_trouble();
                sleep(ASK_AGAIN).await;
                self.ask_about(&session);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    fn take_doubted(&mut self) -> Option<SessionId> {
        let session = self.doubted.iter().next().cloned()?;
        self.doubted.remove(&session);
        Some(session)
    }
}

/// The session a channel belongs to.
fn session_of(channel: &str) -> Option<SessionId> {
    let id = channel.strip_prefix("dragoman:{")?.strip_suffix("}:c")?;
    SessionId::parse(id).ok()
}

async fn confirmed<T>(
    command: impl Future<Output = ::redis::RedisResult<T>>,
) -> Result<T, StoreError> {
    match timeout(CONFIRM_DEADLINE, command).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(StoreError::Unavailable(error.to_string().into())),
        Err(_) => Err(StoreError::Unavailable(
            "subscriptions are not confirmed in time".into(),
        )),
    }
}
