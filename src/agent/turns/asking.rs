//! A question until it is a turn, waits, or is refused.

use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::running::Started;
use super::slots::{Cancelled, Queue, SlotUse, Waiting};
use super::{Accepted, AskError, Asked, Turns};
use crate::agent::history;
use crate::chat::{EventBody, TurnId, WhenBusy};
use crate::store::{Begin, BeginTurn, Day, StoreError};
use crate::telemetry::spans;

/// How long a question waits for others of its session that are just being taken, or for a turn that is just ending.
const TAKE_TIMEOUT: Duration = Duration::from_secs(15);
/// A position after every event.
const END: u64 = u64::MAX >> 1;

/// A question that is being taken.
#[derive(Debug)]
pub(super) struct Taking {
    pub(super) begin: BeginTurn,
    pub(super) when_busy: WhenBusy,
    pub(super) span: Span,
}

// === impl Turns ===

impl Turns {
    pub(super) async fn take(
        self,
        taking: Taking,
        answer: oneshot::Sender<Result<Asked, AskError>>,
    ) {
        let begin = &taking.begin;
        let used = self.0.slots.enter(&begin.session);
        let Ok(mut queue) = timeout(TAKE_TIMEOUT, used.queue.lock()).await else {
            let _ = answer.send(Err(AskError::Store(StoreError::Unavailable(
                "it is slow to answer".into(),
            ))));
            return;
        };
        if let Some(joined) = self.join_waiting(begin, &mut queue) {
            let _ = answer.send(joined);
            return;
        }
        // Whoever waits for a turn elsewhere must not be overtaken by who asks just when it has ended.
        if let Some(turn) = queue.elsewhere.filter(|_| !queue.waiting.is_empty()) {
            let asked = match self.known(begin).await {
                Ok(Some(accepted)) => Ok(Asked::Accepted(accepted)),
                Ok(None) => self.busy(taking, &used, &mut queue, turn),
                Err(error) => Err(error.into()),
            };
            let _ = answer.send(asked);
            return;
        }
        let cancel = CancellationToken::new();
        let asked = match self.begin(&used, begin, &cancel).await {
            Ok(Begin::Started { seq }) => {
                let tell = |accepted| drop(answer.send(Ok(Asked::Accepted(accepted))));
                return self.start(taking.begin, seq, cancel, &taking.span, tell);
            }
            Ok(Begin::Duplicate { turn, trace, seq }) => {
                Ok(Asked::Accepted(Accepted::again(turn, trace, seq)))
            }
            Ok(Begin::Busy { turn }) => self.busy(taking, &used, &mut queue, turn),
            Err(error) => Err(error),
        };
        let _ = answer.send(asked);
    }

    /// A question that waits already, sent again, gets the same answer: it neither waits nor counts twice.
    fn join_waiting(
        &self,
        begin: &BeginTurn,
        queue: &mut Queue,
    ) -> Option<Result<Asked, AskError>> {
        let message = begin.message.as_ref()?;
        let (ahead, known) = queue
            .waiting
            .iter_mut()
            .enumerate()
            .find(|(_, known)| known.begin.message.as_ref() == Some(message))?;
        let limit = self.0.limits.waiting_questions;
        Some(if known.begin.content != begin.content {
            Err(StoreError::Conflict.into())
        } else if known.answers.len() >= limit {
            Err(AskError::QueueFull { limit })
        } else {
            let (sender, answer) = oneshot::channel();
            known.answers.push(sender);
            Ok(Asked::Queued { ahead, answer })
        })
    }

    /// The turn of a question that was accepted before, found without beginning one.
    async fn known(&self, begin: &BeginTurn) -> Result<Option<Accepted>, StoreError> {
        let Some(message) = &begin.message else {
            return Ok(None);
        };
        let store = &self.0.store;
        let events = store
            .read_before(&begin.session, END, history::EVENTS)
            .await?;
        for event in events {
            if let EventBody::User {
                content,
                message: of,
            } = &event.body
                && of.as_ref() == Some(message)
            {
                return if *content == begin.content {
                    Ok(Some(Accepted::again(event.turn, event.trace, event.seq)))
                } else {
                    Err(StoreError::Conflict)
                };
            }
        }
        Ok(None)
    }

    /// What becomes of a question while `turn` runs, here or elsewhere.
    fn busy(
        &self,
        taking: Taking,
        used: &SlotUse,
        queue: &mut Queue,
        turn: TurnId,
    ) -> Result<Asked, AskError> {
        if self.0.draining.is_cancelled() {
            return Err(AskError::Stopping);
        }
        let interrupts = match taking.when_busy {
            WhenBusy::Reject => return Err(AskError::TurnRunning),
            WhenBusy::Queue => false,
            WhenBusy::Interrupt => true,
        };
        let (waiting, limit) = (queue.waiting.len(), self.0.limits.waiting_questions);
        if waiting >= limit {
            return Err(AskError::QueueFull { limit });
        }
        let session = taking.begin.session.clone();
        let (sender, answer) = oneshot::channel();
        let question = Waiting {
            begin: taking.begin,
            span: taking.span,
            interrupts,
            answers: vec![sender],
        };
        let ahead = if interrupts {
            queue.waiting.push_front(question);
            0
        } else {
            queue.waiting.push_back(question);
            waiting
        };
        if used.is_free() {
            self.watch(used, queue, turn);
        }
        if interrupts && used.cancel(None) == Cancelled::Nothing {
            drop(self.stop_elsewhere(session, Some(turn)));
        }
        Ok(Asked::Queued { ahead, answer })
    }

    /// Turns a question into a turn, if the session is free. The caller holds the slot's lock.
    ///
    /// The turn is noted as running before the store has it: whoever reads its question in the log can cancel it.
    pub(super) async fn begin(
        &self,
        used: &SlotUse,
        begin: &BeginTurn,
        cancel: &CancellationToken,
    ) -> Result<Begin, AskError> {
        self.check_daily_tokens(begin).await?;
        let noted = used.set_becoming(begin.turn, cancel);
        let begun = self.0.store.begin_turn(begin.clone()).await;
        if matches!(begun, Err(StoreError::Unavailable(_))) {
            // Its answer may have been lost on the way. A turn that did begin is ended by dropping its writer.
            let session = begin.session.clone();
            drop(self.0.store.turn_writer(session, begin.turn, begin.trace));
        }
        if matches!(begun, Ok(Begin::Started { .. })) {
            used.set_running(begin.turn, cancel);
        } else if noted {
            used.set_free(begin.turn);
        }
        Ok(begun?)
    }

    /// Refuses a question of somebody who has used up what the day allows, unless it was accepted before.
    async fn check_daily_tokens(&self, begin: &BeginTurn) -> Result<(), AskError> {
        let limit = self.0.limits.daily_tokens;
        if limit == 0 {
            return Ok(());
        }
        let now = SystemTime::now();
        let day = Day::of(now);
        let spent = self.0.store.spend(&begin.owner, day, 0).await?;
        if usize::try_from(spent).unwrap_or(usize::MAX) < limit {
            return Ok(());
        }
        match self.known(begin).await? {
            Some(_) => Ok(()),
            None => Err(AskError::DailyTokens {
                limit,
                retry_after: day.left(now),
            }),
        }
    }

    /// Runs a turn that the store has begun. The caller holds the slot's lock.
    ///
    /// Whoever asked is told before the turn's task exists, so that nobody hears of its end first.
    pub(super) fn start(
        &self,
        begin: BeginTurn,
        seq: u64,
        cancel: CancellationToken,
        parent: &Span,
        tell: impl FnOnce(Accepted),
    ) {
        spans::record_turn(parent, begin.turn);
        tell(Accepted {
            turn: begin.turn,
            trace: begin.trace,
            seq,
            duplicate: false,
        });
        let store = &self.0.store;
        let log = store.turn_writer(begin.session.clone(), begin.turn, begin.trace);
        let started = Started {
            begin,
            seq,
            cancel,
            log,
        };
        self.spawn_turn(started, parent);
    }

    /// Runs a turn that this process has. The caller holds the slot's lock.
    pub(super) fn spawn_turn(&self, started: Started, parent: &Span) {
        let begin = &started.begin;
        let span = spans::invoke_agent(parent, &begin.session, begin.turn);
        let used = self.0.slots.enter(&begin.session);
        let task = self.clone().run_and_seal(used, started, span);
        self.0.tasks.spawn(self.0.running.track_future(task));
    }
}
