//! Several sessions, their writers, and many followers that attach at any moment, are slow, leave
//! and come back with their cursor. Whatever happens, each sees the log and nothing but the log.

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::*;

const SESSIONS: u64 = 5;
const FOLLOWERS: u64 = 8;
const TURNS: u64 = 12;

/// A linear congruential generator: the same seed, the same test.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    pub(super) async fn pause(&mut self, most: u64) {
        match self.below(4) {
            0 => sleep(Duration::from_millis(self.below(most + 1))).await,
            1 => tokio::task::yield_now().await,
            _ => {}
        }
    }
}

/// Writes turns, and returns where the log ends.
async fn write(store: Store, session: SessionId, mut dice: Dice) -> u64 {
    let words = ["alfa ", "β", "čau ", "€ ", "\n", "🦀", "x"];
    let mut end = 0;
    for turn in 0..TURNS {
        let begin = question(&session, &format!("question {turn}"));
        let Ok(Begin::Started { seq }) = store.begin_turn(begin.clone()).await else {
            panic!("nobody else writes here");
        };
        assert_eq!(seq, end + 1);
        end = seq;
        let mut writer = store.turn_writer(session.clone(), begin.turn, begin.trace);
        for step in 0..dice.below(30) {
            for _ in 0..dice.below(6) {
                let word = words[usize::try_from(dice.below(7)).unwrap()];
                writer.text(word).unwrap();
                dice.pause(3).await;
            }
            if dice.below(2) == 0 {
                let offset = writer.text_len();
                let id = step.to_string();
                let large = "x".repeat(usize::try_from(dice.below(30_000)).unwrap());
                let bodies = vec![tool_call(&id, offset), tool_result(&id, &large, offset)];
                end += 2;
                writer.append(bodies).await.unwrap();
            }
        }
        end += 1;
        if dice.below(5) == 0 {
            // Its task was aborted.
            drop(writer);
            store.check().await.unwrap();
        } else {
            let text = writer.text_so_far();
            writer.finish(answer(&text)).await.unwrap();
        }
        dice.pause(10).await;
    }
    end
}

/// What one client knows, kept over its reconnects, and checked with everything it gets.
#[derive(Default)]
pub(super) struct Client {
    pub(super) log: Vec<Arc<Event>>,
    pub(super) text: Option<(TurnId, String)>,
    pub(super) texts: usize,
    texts_before_tools: usize,
}

impl Client {
    pub(super) fn take(&mut self, followed: Followed) {
        match followed {
            Followed::Event(event) => self.take_event(event),
            Followed::Text { turn, change, .. } => {
                let last = self.log.last().expect("text before its question");
                assert_eq!(last.turn, turn, "text of another turn");
                assert!(!last.body.is_final(), "text of a turn that has ended");
                self.texts += 1;
                match (change, &mut self.text) {
                    (TextChange::Replace(text), None) => self.text = Some((turn, text)),
                    (TextChange::Append(more), Some((_, text))) => text.push_str(&more),
                    (change, text) => panic!("{change:?} after {text:?}"),
                }
            }
            Followed::Reset { reason } => panic!("{reason}"),
        }
    }

    fn take_event(&mut self, event: Arc<Event>) {
        assert_eq!(event.seq, self.log.len() as u64 + 1, "gap or repeat");
        let said = self.text.as_ref().map_or("", |(_, text)| text.as_str());
        match &event.body {
            EventBody::User { .. } => self.text = None,
            EventBody::ToolCall { text_offset, .. }
            | EventBody::ToolResult { text_offset, .. }
            | EventBody::ApprovalRequest { text_offset, .. }
            | EventBody::ApprovalDecision { text_offset, .. } => {
                assert!(said.len() <= *text_offset, "text ran ahead of the log");
                self.texts_before_tools += usize::from(said.len() == *text_offset);
            }
            EventBody::Agent { content: whole, .. } | EventBody::Error { partial: whole, .. } => {
                assert!(
                    whole.starts_with(said),
                    "{said:?} is not how {whole:?} starts"
                );
                self.text = None;
            }
        }
        self.log.push(event);
    }
}

/// Follows to the end, with interruptions.
async fn follow(
    store: Store,
    session: SessionId,
    mut end: watch::Receiver<Option<u64>>,
    mut dice: Dice,
) -> Client {
    let mut client = Client::default();
    let is_slow = dice.below(3) == 0;
    sleep(Duration::from_millis(dice.below(200))).await;
    loop {
        let cursor = client
            .log
            .last()
            .map_or(Cursor::default(), |last| last.cursor());
        let start = Start::After(cursor);
        let mut follower = store.follow(session.clone(), start).await.unwrap();
        client.text = None;
        for _ in 0..=dice.below(120) {
            let known = *end.borrow();
            if known == Some(client.log.len() as u64) {
                nothing_more(&mut follower).await;
                return client;
            }
            tokio::select! {
                followed = follower.next() => client.take(followed.unwrap()),
                changed = end.changed(), if known.is_none() => changed.unwrap(),
                () = sleep(Duration::from_secs(20)) => panic!("forgotten at {}", client.log.len()),
            }
            if is_slow {
                dice.pause(20).await;
            }
        }
    }
}

/// Starts live, and must see the log from there.
async fn follow_live(
    store: Store,
    session: SessionId,
    mut end: watch::Receiver<Option<u64>>,
    mut dice: Dice,
) {
    sleep(Duration::from_millis(dice.below(300))).await;
    let mut follower = store.follow(session.clone(), Start::Live).await.unwrap();
    let start = follower.opened().end.seq;
    let mut client = Client {
        log: whole_log(&store, &session).await,
        ..Client::default()
    };
    client.log.retain(|event| event.seq <= start);
    loop {
        let known = *end.borrow();
        if known == Some(client.log.len() as u64) {
            return;
        }
        tokio::select! {
            followed = follower.next() => client.take(followed.unwrap()),
            changed = end.changed(), if known.is_none() => changed.unwrap(),
            () = sleep(Duration::from_secs(20)) => panic!("forgotten at {}", client.log.len()),
        }
    }
}

async fn run(seed: u64) {
    let place = Place::new().await;
    let mut checks = JoinSet::new();
    for number in 0..SESSIONS {
        let session = SessionId::random();
        let dice = |part: u64| Dice(seed ^ (number * 1_000 + part).wrapping_mul(0x9e37_79b9));
        let (ended, end) = watch::channel(None);
        let mut followers = JoinSet::new();
        let mut live = JoinSet::new();
        for follower in 0..FOLLOWERS {
            let (store, session) = (place.store.clone(), session.clone());
            followers.spawn(follow(store, session, end.clone(), dice(1 + follower)));
        }
        for follower in 0..2 {
            let (store, session) = (place.store.clone(), session.clone());
            live.spawn(follow_live(
                store,
                session,
                end.clone(),
                dice(100 + follower),
            ));
        }
        let store = place.store.clone();
        let writer = dice(0);
        checks.spawn(async move {
            let last = write(store.clone(), session.clone(), writer).await;
            ended.send(Some(last)).unwrap();
            let log = whole_log(&store, &session).await;
            assert_eq!(log.len() as u64, last);
            let clients = followers.join_all().await;
            live.join_all().await;
            assert!(clients.iter().all(|client| client.log == log));
            let texts = clients.iter().map(|client| client.texts).sum::<usize>();
            let before = clients
                .iter()
                .map(|client| client.texts_before_tools)
                .sum::<usize>();
            (texts, before)
        });
    }
    let seen = checks.join_all().await;
    // Otherwise the test has looked at nothing but the log.
    let texts: usize = seen.iter().map(|(texts, _)| texts).sum();
    let before: usize = seen.iter().map(|(_, before)| before).sum();
    assert!(
        texts > 500 && before > 100,
        "{texts} texts, {before} in time for their tool"
    );
    assert_eq!(place.feeds(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_follower_sees_the_log_and_nothing_but_the_log() {
    for seed in [1, 20_261_103] {
        run(seed).await;
    }
}
