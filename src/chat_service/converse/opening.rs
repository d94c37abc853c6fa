//! The first message of a conversation, and the answer to it.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use tonic::{Status, Streaming};

use super::Conversation;
use super::owed::Owed;
use crate::chat::Cursor;
use crate::chat_service::{ChatService, deadline, outcome};
use crate::gate::Gate;
use crate::mutant::{self, Mutant};
use crate::rpc::proto::converse_request::Request;
use crate::rpc::proto::converse_response::Response;
use crate::rpc::proto::{self, ConverseRequest};
use crate::rpc::{convert, status};
use crate::store::Start;

/// How long the first message may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// A conversation before its `open`.
pub(super) struct Opening {
    pub(super) service: ChatService,
    pub(super) requests: Streaming<ConverseRequest>,
    pub(super) deadline: Option<Instant>,
}

// === impl Opening ===

impl Opening {
    pub(super) async fn open(mut self) -> Result<(Response, Conversation), Status> {
        let open = self.first().await?;
        let session = convert::session_id(&open.session_id)?;
        let keeps_no_cursor = open.missed && !mutant::is(Mutant::NoDelivered);
        let start = match open.after {
            Some(after) => Start::After(convert::cursor(after)),
            None => Start::Live,
        };
        let wanted = start.clone();
        let store = &self.service.store;
        let follower = store.follow(session.clone(), start).await;
        let follower = follower.map_err(|error| outcome::store_failed(&error))?;
        let at = follower.opened();
        let (store, tasks) = (store.clone(), self.service.tasks.clone());
        let (owed, missed) = match (keeps_no_cursor, &wanted) {
            (true, Start::Live) => {
                let (owed, missed) = Owed::new(store, tasks, session.clone(), at).await;
                (Some(owed), missed)
            }
            (true, Start::After(_)) => {
                let owed = Owed::inherited(store, tasks, session.clone(), at);
                (Some(owed), None)
            }
            (false, _) => (None, None),
        };
        let mut missed = VecDeque::from_iter(missed);
        if let (Some(turn), Start::Live) = (at.running, &wanted) {
            let turns = &self.service.turns;
            let waiting = turns.waiting_calls(&session, turn, at.end.seq).await;
            missed.extend(waiting.map_err(|error| outcome::store_failed(&error))?);
        }
        let opened = proto::Opened {
            end: Some(convert::cursor_to_proto(&at.end)),
            running_turn_id: at.running.map(|turn| turn.to_string()).unwrap_or_default(),
            limits: Some(convert::limits_to_proto(self.service.turns.limits())),
        };
        let conversation = Conversation {
            opened_at: at.end.seq,
            caught_up: is_at_end(&wanted, &at.end),
            draining: Gate::new(Box::pin(self.service.draining.clone().cancelled_owned())),
            closed: Gate::new(Box::pin(self.service.closed.clone().cancelled_owned())),
            missed,
            owed,
            service: self.service,
            requests: Some(Gate::new(self.requests)),
            deadline: self.deadline,
            session,
            follower,
            waiting: FuturesUnordered::new(),
            refused: VecDeque::new(),
            told_to_go: false,
            asked: HashMap::new(),
        };
        Ok((Response::Opened(opened), conversation))
    }

    async fn first(&mut self) -> Result<proto::Open, Status> {
        let first = tokio::select! {
            first = self.requests.message() => first?,
            () = tokio::time::sleep(OPEN_TIMEOUT) => {
                return Err(Status::deadline_exceeded("no `open` came within 10 s"));
            }
            () = deadline::passed(self.deadline) => return Err(status::deadline_exceeded()),
            () = self.service.closed.cancelled() => return Err(outcome::stopping()),
        };
        if let Some(Request::Open(open)) = first.and_then(|first| first.request) {
            Ok(open)
        } else {
            let message = "the first message of a conversation must be `open`";
            Err(status::wrong_order(message))
        }
    }
}

/// Whether a follower that starts there has nothing to deliver of a log that ends at `end`.
fn is_at_end(start: &Start, end: &Cursor) -> bool {
    match start {
        Start::Live => true,
        Start::After(after) => {
            let same = after.fingerprint.is_none() || after.fingerprint == end.fingerprint;
            after.seq == end.seq && (same || end.seq == 0)
        }
    }
}
