//! Takes questions.

use rusqlite::{OptionalExtension, named_params, params};

use crate::chat::{EventBody, MessageId, TraceId};
use crate::store::feed::Publication;
use crate::store::request::NewEvent;
use crate::store::{Begin, BeginTurn, SESSION_EVENTS, StoreError};

use super::log::{Done, Failure, Log, parse_turn, signed, unsigned};

// === impl Log ===

impl Log<'_> {
    /// Turns a question into a turn, or says why not.
    pub(super) fn begin(&self, begin: &BeginTurn, user: NewEvent) -> Result<Done<Begin>, Failure> {
        let turn = begin.turn.to_string();
        let session = self.session(&begin.session)?;
        if let Some(session) = &session
            && session.turn == turn
        {
            return Ok(Done::quiet(Begin::Started {
                seq: session.turn_seq,
            }));
        }
        if let Some(message) = &begin.message
            && let Some(known) = self.known_message(begin, message)?
        {
            return Ok(known);
        }
        let seq = session.as_ref().map_or(0, |session| session.seq);
        // Room for the question and for what ends it.
        if seq + 2 > SESSION_EVENTS {
            return Ok(Done::refused(StoreError::SessionFull));
        }
        if let Some(retry_after) = self.admit(&begin.session, &turn)? {
            return Ok(Done::refused(StoreError::RateLimited { retry_after }));
        }
        if let Some(session) = &session
            && session.running
        {
            let turn = session.turn()?;
            return Ok(Done::quiet(Begin::Busy { turn }));
        }

        let seq = seq + 1;
        self.db
            .prepare_cached(
                "INSERT INTO session
                     (id, seq, turn, turn_seq, trace, running, created, updated, owner)
                 VALUES (:id, :seq, :turn, :seq, :trace, 1, :now, :now, :owner)
                 ON CONFLICT (id) DO UPDATE SET seq = :seq, turn = :turn, turn_seq = :seq,
                     trace = :trace, running = 1, updated = :now, owed = 0, away = 0",
            )?
            .execute(named_params! {
                ":id": begin.session.as_str(),
                ":seq": signed(seq),
                ":turn": turn,
                ":trace": begin.trace.to_string(),
                ":now": self.now,
                ":owner": begin.owner.as_str(),
            })?;
        if let Some(message) = &begin.message {
            self.db
                .prepare_cached(
                    "INSERT INTO message (session, id, turn, seq, trace) VALUES (?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    begin.session.as_str(),
                    message.as_str(),
                    turn,
                    signed(seq),
                    begin.trace.to_string(),
                ])?;
        }
        let event = self.insert(&begin.session, seq, begin.turn, begin.trace, user)?;
        Ok(Done {
            outcome: Ok(Begin::Started { seq }),
            publication: Some(Publication {
                session: begin.session.clone(),
                events: vec![event],
            }),
        })
    }

    /// What to answer if the message was accepted before.
    fn known_message(
        &self,
        begin: &BeginTurn,
        message: &MessageId,
    ) -> Result<Option<Done<Begin>>, Failure> {
        let known = self
            .db
            .prepare_cached("SELECT turn, seq, trace FROM message WHERE session = ? AND id = ?")?
            .query_row([begin.session.as_str(), message.as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((turn, seq, trace)): Option<(String, i64, String)> = known else {
            return Ok(None);
        };
        let seq = unsigned(seq);
        let turn = parse_turn(&turn, seq)?;
        if turn == begin.turn {
            return Ok(Some(Done::quiet(Begin::Started { seq })));
        }
        let asked = match self.event(&begin.session, seq)? {
            Some(event) => event.body,
            None => return Ok(Some(Done::refused(StoreError::Conflict))),
        };
        Ok(Some(match asked {
            EventBody::User { content, .. } if content == begin.content => {
                Done::quiet(Begin::Duplicate {
                    turn,
                    trace: TraceId::from_hex(&trace),
                    seq,
                })
            }
            _ => Done::refused(StoreError::Conflict),
        }))
    }
}
