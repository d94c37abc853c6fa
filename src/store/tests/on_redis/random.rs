//! Three processes on one server that is cut off, stands still, and is killed, at random. Whatever happens, every follower
//! sees the log and nothing but the log, and nothing that was acknowledged is lost.

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::super::random::{Client, Dice};
use super::*;

const SESSIONS: u64 = 4;
const FOLLOWERS: u64 = 4;
const TURNS: u64 = 20;
/// The longest time the server stands still, well below a lease.
const PAUSE: u64 = 800;
/// Longest run of one seed.
const LIMIT: Duration = Duration::from_mins(1);

fn sessions() -> Sessions {
    Sessions {
        lease: Duration::from_secs(10),
        heartbeat: Duration::from_millis(500),
        ..short()
    }
}

impl Dice {
    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

/// Calls until the store answers.
macro_rules! insist {
    ($call:expr) => {
        loop {
            match $call.await {
                Err(StoreError::Unavailable(_)) => sleep(Duration::from_millis(20)).await,
                answer => break answer.unwrap(),
            }
        }
    };
}

/// Writes turns, each in another process, and returns where the log ends.
async fn write(stores: Vec<Store>, session: SessionId, mut dice: Dice) -> u64 {
    let words = ["alfa ", "β", "čau ", "€ ", "\n", "🦀", "x"];
    let mut end = 0;
    for turn in 0..TURNS {
        let store = dice.one_of(&stores).clone();
        let begin = question(&session, &format!("question {turn}"));
        let begun = insist!(store.begin_turn(begin.clone()));
        assert_eq!(begun, Begin::Started { seq: end + 1 });
        end += 1;
        let mut writer = store.turn_writer(session.clone(), begin.turn, begin.trace);
        let mut keeper = writer.keeper();
        let mut keeping = JoinSet::new();
        keeping.spawn(async move { keeper.lost().await });
        for step in 0..dice.below(12) {
            for _ in 0..dice.below(8) {
                writer.text(dice.one_of::<&str>(&words)).unwrap();
                dice.pause(80).await;
            }
            if dice.below(2) == 0 {
                let (id, offset) = (step.to_string(), writer.text_len());
                let bodies = vec![tool_call(&id, offset), tool_result(&id, "[]", offset)];
                end += 2;
                insist!(writer.append(bodies.clone()));
            }
        }
        end += 1;
        if dice.below(6) == 0 {
            // Its task was aborted.
            keeping.shutdown().await;
            drop(writer);
        } else {
            let text = answer(&writer.text_so_far());
            insist!(writer.finish(text.clone()));
        }
        insist!(store.ended(&session, begin.turn));
    }
    end
}

/// Follows to the end, now in this process and now in that.
async fn follow(
    stores: Vec<Store>,
    session: SessionId,
    mut end: watch::Receiver<Option<u64>>,
    mut dice: Dice,
) -> Client {
    let mut client = Client::default();
    loop {
        let store = dice.one_of(&stores).clone();
        let cursor = client
            .log
            .last()
            .map_or(Cursor::default(), |last| last.cursor());
        let start = Start::After(cursor);
        let mut follower = insist!(store.follow(session.clone(), start.clone()));
        client.text = None;
        for _ in 0..=dice.below(100) {
            let known = *end.borrow();
            if known == Some(client.log.len() as u64) {
                return client;
            }
            tokio::select! {
                followed = follower.next() => match followed {
                    Ok(followed) => client.take(followed),
                    Err(StoreError::Unavailable(_)) => break,
                    Err(error) => panic!("{error}"),
                },
                changed = end.changed(), if known.is_none() => changed.unwrap(),
                () = sleep(Duration::from_secs(25)) => panic!("forgotten at {}", client.log.len()),
            }
        }
    }
}

/// What happens to the server, until all is written.
async fn trouble(server: &mut Server, store: &Store, mut dice: Dice) {
    loop {
        sleep(Duration::from_millis(50 + dice.below(300))).await;
        match dice.below(7) {
            0 | 1 => drop(server.command(&["CLIENT", "KILL", "TYPE", "pubsub"])),
            2 | 3 => drop(server.command(&["CLIENT", "KILL", "TYPE", "normal"])),
            4 | 5 => {
                server.signal("STOP");
                sleep(Duration::from_millis(dice.below(PAUSE))).await;
                server.signal("CONT");
            }
            _ => {
                server.kill();
                sleep(Duration::from_millis(dice.below(PAUSE))).await;
                server.restart();
            }
        }
        insist!(store.check());
    }
}

async fn run(seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    let mut stores = Vec::new();
    for _ in 0..3 {
        let opened = Store::open(&server.config(), generous(), &sessions()).await;
        stores.push(opened.unwrap());
    }
    let mut checks = JoinSet::new();
    for number in 0..SESSIONS {
        let session = SessionId::random();
        let dice = |part: u64| Dice(seed ^ (number * 1_000 + part).wrapping_mul(0x9e37_79b9));
        let (ended, end) = watch::channel(None);
        let mut followers = JoinSet::new();
        for follower in 0..FOLLOWERS {
            let (stores, session) = (stores.clone(), session.clone());
            followers.spawn(follow(stores, session, end.clone(), dice(1 + follower)));
        }
        let (stores, writer) = (stores.clone(), dice(0));
        checks.spawn(async move {
            let last = write(stores.clone(), session.clone(), writer).await;
            ended.send(Some(last)).unwrap();
            let clients = followers.join_all().await;
            let start = Cursor::default();
            let page = insist!(stores[0].events(&session, &start, 1_000));
            let Page::Events(log) = page else {
                panic!("nothing fits better than the start");
            };
            assert_eq!(log.len() as u64, last);
            assert!(clients.iter().all(|client| client.log == log));
            clients.iter().map(|client| client.texts).sum::<usize>()
        });
    }
    let began = Instant::now();
    let store = stores[0].clone();
    let texts = tokio::select! {
        texts = timeout(LIMIT, checks.join_all()) => texts.unwrap(),
        () = trouble(&mut server, &store, Dice(seed)) => unreachable!("it goes on for ever"),
    };
    // Otherwise the test has looked at nothing but the log.
    let texts: usize = texts.iter().sum();
    assert!(texts > 100, "{texts} texts");
    println!("seed {seed}: {texts} texts in {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_agree_whatever_happens_to_the_server() {
    run(20_261_124).await;
}
