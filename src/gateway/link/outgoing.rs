//! What a client has asked for and nobody has answered: kept, to be asked again on the next conversation.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::chat::{MessageId, TurnId};
use crate::mutant::{self, Mutant};
use crate::rpc::client::{NotSent, Requests};
use crate::rpc::convert::{Decide, Question};
use crate::rpc::status::{Refusal, RefusalKind};

/// Most questions of one connection that wait for an answer, and most bytes of them.
const QUESTIONS: usize = 1_024;
const QUESTION_BYTES: usize = 1024 * 1024;
/// Most decisions of one connection that wait for an answer.
const DECISIONS: usize = 64;
/// How often a question is asked of agents that cannot take it.
const MOST_TRIES: u8 = 3;

/// The way towards the service, whichever agent it is.
#[derive(Clone)]
pub(in crate::gateway) struct LinkRequests(pub(super) Arc<Outgoing>);

/// Shared by both directions.
pub(super) struct Outgoing(Mutex<State>);

#[derive(Default)]
struct State {
    /// False in one process: nothing is kept there.
    keeps: bool,
    /// Of the conversation in use.
    requests: Option<Requests>,
    asked: VecDeque<Asked>,
    asked_bytes: usize,
    /// The turn whose question was passed on, and not yet its end.
    running: Option<TurnId>,
    /// The turn that somebody wants stopped.
    cancelled: Option<TurnId>,
    /// What was said of calls that wait to be allowed, and not answered.
    decided: VecDeque<Decide>,
    /// The last event that was passed on.
    passed: u64,
}

/// A question that was neither accepted nor refused.
struct Asked {
    question: Question,
    /// The last event that had been passed on when it was asked.
    after: u64,
    /// True if the conversation in use has it.
    sent: bool,
    tries: u8,
}

/// What becomes of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The client hears it.
    PassOn,
    /// Another agent is asked.
    Keep,
}

// === impl LinkRequests ===

impl LinkRequests {
    /// Asks a question.
    pub(in crate::gateway) fn ask(&self, question: Question) -> Result<(), NotSent> {
        let mut state = self.0.locked();
        if !state.keeps {
            return match &mut state.requests {
                Some(requests) => requests.ask(question),
                None => Err(NotSent::Ended),
            };
        }
        let bytes = question.content.len();
        if state.asked.len() >= QUESTIONS || state.asked_bytes + bytes > QUESTION_BYTES {
            return Err(NotSent::Full);
        }
        let after = state.passed;
        state.asked_bytes += bytes;
        state.asked.push_back(Asked {
            question,
            after,
            sent: false,
            tries: 0,
        });
        state.pump();
        Ok(())
    }

    /// Stops a turn; `None` means the running one.
    pub(in crate::gateway) fn cancel(&self, turn: Option<TurnId>) -> Result<(), NotSent> {
        let mut state = self.0.locked();
        // Which turn is meant is settled now: on the next conversation another one may run.
        let turn = match turn {
            None if state.keeps => state.running,
            turn => turn,
        };
        let sent = match &mut state.requests {
            Some(requests) => requests.cancel(turn),
            None => Err(NotSent::Ended),
        };
        if !state.keeps {
            return sent;
        }
        if turn.is_some() && turn == state.running {
            state.cancelled = turn;
        }
        match sent {
            // It is sent with the next conversation.
            Err(NotSent::Ended) => Ok(()),
            sent => sent,
        }
    }

    /// Allows a call that waits, or does not.
    pub(in crate::gateway) fn decide(&self, decide: Decide) -> Result<(), NotSent> {
        let mut state = self.0.locked();
        if !state.keeps {
            return match &mut state.requests {
                Some(requests) => requests.decide(decide),
                None => Err(NotSent::Ended),
            };
        }
        if state.decided.len() >= DECISIONS {
            return Err(NotSent::Full);
        }
        // On the next conversation another turn may run.
        let turn = decide.turn.or(state.running);
        let decide = Decide { turn, ..decide };
        let sent = match &mut state.requests {
            Some(requests) => requests.decide(decide.clone()),
            None => Err(NotSent::Ended),
        };
        match sent {
            Err(NotSent::Full) => Err(NotSent::Full),
            // To say it again does no harm.
            Ok(()) | Err(NotSent::Ended) => {
                state.decided.push_back(decide);
                Ok(())
            }
        }
    }
}

// === impl LinkRequests ===

impl LinkRequests {
    /// Tells that the final event at `seq` was shown to somebody.
    pub(in crate::gateway) fn delivered(&self, seq: u64) -> Result<(), NotSent> {
        match &mut self.0.locked().requests {
            Some(requests) => requests.delivered(seq),
            None => Err(NotSent::Ended),
        }
    }
}

// === impl Outgoing ===

impl Outgoing {
    pub(super) fn new(keeps: bool) -> Self {
        Self(Mutex::new(State {
            keeps,
            ..State::default()
        }))
    }

    /// Sends on the first conversation.
    pub(super) fn connect(&self, requests: Requests) {
        self.locked().requests = Some(requests);
    }

    /// Nothing can be sent.
    pub(super) fn disconnect(&self) {
        self.locked().requests = None;
    }

    /// Sends on another conversation, which is asked everything again that was not answered.
    pub(super) fn reconnect(&self, mut requests: Requests) {
        let mut state = self.locked();
        if let Some(cancelled) = state.cancelled {
            // The channel is empty.
            let _ = requests.cancel(Some(cancelled));
        }
        for decide in &state.decided {
            if requests.decide(decide.clone()).is_err() {
                break;
            }
        }
        state.requests = Some(requests);
        if mutant::is(Mutant::NoAskAgain) {
            state.asked.clear();
            state.asked_bytes = 0;
        }
        for asked in &mut state.asked {
            asked.sent = false;
        }
        state.pump();
    }

    /// Sends what had to wait.
    pub(super) fn pump(&self) {
        self.locked().pump();
    }

    /// An event was passed on.
    pub(super) fn passed(&self, seq: u64) {
        self.locked().passed = seq;
    }

    /// The turn that runs, as far as it was passed on.
    pub(super) fn running(&self) -> Option<TurnId> {
        self.locked().running
    }

    pub(super) fn runs(&self, turn: Option<TurnId>) {
        self.locked().running = turn;
    }

    pub(super) fn ended(&self, turn: TurnId) {
        let mut state = self.locked();
        if state.running == Some(turn) {
            state.running = None;
        }
        state.decided.retain(|decide| decide.turn != Some(turn));
        if state.cancelled == Some(turn) {
            state.cancelled = None;
        }
    }

    /// What was said of a call is answered.
    pub(super) fn decided(&self, call_id: &str) {
        if !call_id.is_empty() {
            let decided = &mut self.locked().decided;
            decided.retain(|decide| decide.call_id != call_id);
        }
    }

    /// A question was accepted, with its first event at `seq`. True if a duplicate of it is one of ours: it was asked
    /// again, and became a turn only after it had been asked first.
    pub(super) fn accepted(&self, id: &str, seq: u64) -> bool {
        let mut state = self.locked();
        let asked = state.find(id).and_then(|index| state.remove(index));
        asked.is_some_and(|asked| asked.tries > 1 && seq > asked.after)
    }

    /// A question was refused by an agent that `leaves` or not.
    pub(super) fn rejected(&self, id: &str, refusal: &Refusal, leaves: bool) -> Verdict {
        let mut state = self.locked();
        let Some(index) = state.find(id) else {
            return Verdict::PassOn;
        };
        let tried_enough = state
            .asked
            .get(index)
            .is_none_or(|asked| asked.tries >= MOST_TRIES);
        if refusal.kind == RefusalKind::Unavailable && leaves && !tried_enough {
            return Verdict::Keep;
        }
        state.remove(index);
        Verdict::PassOn
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    /// In the order in which they were asked, as many as there is room for.
    fn pump(&mut self) {
        let Some(requests) = &mut self.requests else {
            return;
        };
        for asked in self.asked.iter_mut().filter(|asked| !asked.sent) {
            if requests.ask(asked.question.clone()).is_err() {
                return;
            }
            asked.sent = true;
            asked.tries = asked.tries.saturating_add(1);
        }
    }

    fn find(&self, id: &str) -> Option<usize> {
        self.asked.iter().position(|asked| {
            asked.sent && asked.question.message.as_ref().map(MessageId::as_str) == Some(id)
        })
    }

    fn remove(&mut self, index: usize) -> Option<Asked> {
        let asked = self.asked.remove(index)?;
        self.asked_bytes -= asked.question.content.len();
        Some(asked)
    }
}
