//! The rate limit: a sliding window of admissions, exact at every moment.

use std::time::Duration;

use rusqlite::{OptionalExtension, params};

use crate::chat::SessionId;

use super::log::{Failure, Log, unsigned};

/// How long an admission is remembered after it left the window: as long as its question may wait
/// for another turn, so that it is not counted a second time when it is asked again.
const ADMISSION_KEPT: Duration = Duration::from_hours(1);

/// Whole milliseconds, rounded up: a limit must not end too early.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}

// === impl Log ===

impl Log<'_> {
    /// Counts the question against the rate limit, once for each turn id. `Some` is how long it
    /// has to wait; then it was not counted.
    pub(super) fn admit(
        &self,
        session: &SessionId,
        turn: &str,
    ) -> Result<Option<Duration>, Failure> {
        let admitted = self
            .db
            .prepare_cached("SELECT 1 FROM admission WHERE session = ? AND turn = ?")?
            .exists([session.as_str(), turn])?;
        if admitted {
            return Ok(None);
        }
        let window = millis(self.limits.rate_window);
        let start = self.now.saturating_sub(window);
        let Some(others) = self.limits.rate_questions.checked_sub(1) else {
            return Ok(Some(self.limits.rate_window));
        };
        // The newest admission that must have left the window before there is room for this one.
        // One from the future was made before the clock was set back, and would never leave.
        let in_the_way: Option<i64> = self
            .db
            .prepare_cached(
                "SELECT time FROM admission WHERE session = ? AND time > ? AND time <= ?
                 ORDER BY time DESC LIMIT 1 OFFSET ?",
            )?
            .query_row(
                params![
                    session.as_str(),
                    start,
                    self.now,
                    i64::try_from(others).unwrap_or(i64::MAX)
                ],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(time) = in_the_way {
            let wait = unsigned(time.saturating_add(window).saturating_sub(self.now));
            return Ok(Some(Duration::from_millis(wait)));
        }
        self.db
            .prepare_cached("INSERT INTO admission (session, turn, time) VALUES (?, ?, ?)")?
            .execute(params![session.as_str(), turn, self.now])?;
        self.db
            .prepare_cached("DELETE FROM admission WHERE session = ? AND time <= ?")?
            .execute(params![
                session.as_str(),
                start.saturating_sub(millis(ADMISSION_KEPT))
            ])?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rusqlite::Connection;

    use crate::chat::{EventBody, Limits, Subject, TraceId, TurnId};
    use crate::store::request::NewEvent;
    use crate::store::{Begin, BeginTurn, StoreError};

    use super::super::schema;
    use super::*;

    const START: i64 = 1_700_000_000_000;

    /// A session, asked at moments the test chooses.
    struct Asked {
        db: Connection,
        limits: Limits,
        session: SessionId,
    }

    impl Asked {
        fn new(rate_questions: usize) -> Self {
            let mut db = Connection::open_in_memory().unwrap();
            schema::migrate(&mut db, 0).unwrap();
            Self {
                db,
                limits: Limits {
                    rate_questions,
                    ..Limits::default()
                },
                session: SessionId::random(),
            }
        }

        fn ask(&self, turn: TurnId, after: i64) -> Result<Begin, StoreError> {
            let begin = BeginTurn {
                session: self.session.clone(),
                owner: Subject::anonymous(),
                turn,
                trace: TraceId(1),
                message: None,
                content: Arc::from("?"),
            };
            let user = NewEvent::new(EventBody::User {
                content: Arc::from("?"),
                message: None,
            });
            let log = Log::new(&self.db, &self.limits, START + after);
            log.begin(&begin, user.unwrap()).unwrap().outcome
        }

        /// Asks and ends the turn at once. The answer is how long to wait, 0 if it was taken.
        fn wait(&self, after: i64) -> i64 {
            match self.ask(TurnId::random(), after) {
                Ok(Begin::Started { .. }) => {
                    self.db
                        .execute("UPDATE session SET running = 0", [])
                        .unwrap();
                    0
                }
                Err(StoreError::RateLimited { retry_after }) => {
                    i64::try_from(retry_after.as_millis()).unwrap()
                }
                other => panic!("{other:?}"),
            }
        }

        fn admissions(&self) -> i64 {
            let count = "SELECT count(*) FROM admission";
            self.db.query_row(count, [], |row| row.get(0)).unwrap()
        }
    }

    #[test]
    fn of_twenty_five_questions_twenty_are_taken() {
        let asked = Asked::new(20);
        let waits: Vec<_> = (0..25).map(|second| asked.wait(second * 1_000)).collect();
        assert_eq!(waits[..20], [0; 20]);
        // The first leaves the window a minute after it came.
        assert_eq!(waits[20..], [40_000, 39_000, 38_000, 37_000, 36_000]);
        assert_eq!(asked.admissions(), 20, "a refused question must not count");
    }

    #[test]
    fn the_window_is_exact_at_its_edge() {
        let asked = Asked::new(2);
        assert_eq!(asked.wait(0), 0);
        assert_eq!(asked.wait(10), 0);
        assert_eq!(asked.wait(59_999), 1);
        assert_eq!(asked.wait(60_000), 0);
        // Now 10 and 60,000 are in it.
        assert_eq!(asked.wait(60_000), 10);
        assert_eq!(asked.wait(60_009), 1);
        assert_eq!(asked.wait(60_010), 0);
    }

    #[test]
    fn no_window_ever_has_more() {
        let asked = Asked::new(5);
        let mut taken = Vec::new();
        let mut now = 0;
        for step in 0..2_000_i64 {
            now += (step * 7_919) % 9_973;
            if asked.wait(now) == 0 {
                taken.push(now);
            }
        }
        let most = |window: &[i64]| window[5] - window[0];
        assert!(taken.windows(6).all(|window| most(window) >= 60_000));
        assert!(taken.len() > 500, "{}", taken.len());
    }

    #[test]
    fn a_smaller_limit_after_a_restart_waits_for_enough_to_leave() {
        let mut asked = Asked::new(4);
        for after in [0, 100, 200, 300] {
            assert_eq!(asked.wait(after), 0);
        }
        asked.limits.rate_questions = 2;
        // Three of the four have to leave.
        assert_eq!(asked.wait(1_000), 59_200);
        assert_eq!(asked.wait(60_200), 0);
        asked.limits.rate_questions = 0;
        assert_eq!(asked.wait(1_000_000), 60_000);
    }

    #[test]
    fn a_question_that_waited_longer_than_the_window_is_not_counted_again() {
        let asked = Asked::new(1);
        let (running, waiting) = (TurnId::random(), TurnId::random());
        assert_eq!(asked.ask(running, 0), Ok(Begin::Started { seq: 1 }));
        assert_eq!(
            asked.ask(waiting, 60_000),
            Ok(Begin::Busy { turn: running })
        );
        for after in [61_000, 120_000, 300_000] {
            assert_eq!(asked.ask(waiting, after), Ok(Begin::Busy { turn: running }));
        }
        asked
            .db
            .execute("UPDATE session SET running = 0", [])
            .unwrap();
        assert_eq!(asked.ask(waiting, 300_000), Ok(Begin::Started { seq: 2 }));
        asked
            .db
            .execute("UPDATE session SET running = 0", [])
            .unwrap();
        assert_eq!(asked.wait(300_000), 0);
    }

    #[test]
    fn old_admissions_are_forgotten() {
        let asked = Asked::new(3);
        for hour in 0..20 {
            assert_eq!(asked.wait(hour * 3_600_000), 0);
        }
        assert!(asked.admissions() <= 3, "{}", asked.admissions());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let asked = Asked::new(1);
        assert_eq!(asked.wait(3_600_000), 0);
        assert_eq!(asked.wait(0), 0);
        assert_eq!(asked.wait(1), 59_999);
    }
}
