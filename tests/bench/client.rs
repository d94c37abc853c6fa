//! The client process: does its job with a server, and prints what it saw.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures_util::{StreamExt as _, stream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::job::{Job, Kind, Seen};
use crate::proc;
use crate::server::Question;
use crate::socket::{Counters, Frame, Socket};

/// Connections that are opened at a time.
const CONNECTING: usize = 100;
/// Held connections that have their turn at a time.
const HELD_AT_ONCE: usize = 200;
/// The time over which questions are spread, so that answers are not in step.
const SPREAD: Duration = Duration::from_secs(1);
/// When measuring begins after the first question, and how long it takes.
const WARM_UP: Duration = Duration::from_millis(1_500);
const MEASURED: Duration = Duration::from_millis(3_500);
/// How long connections are silent before memory is read.
const SILENCE: Duration = Duration::from_secs(15);
/// Between two short questions.
const PAUSE: Duration = Duration::from_millis(5);
/// Questions of one session, which the product limits.
const QUESTIONS_OF_ONE: usize = 50;
/// The subprotocol in which text is appended.
const DELTAS: &str = "dragoman.v1.delta";

/// Connections, each in a task of its own.
struct Client {
    job: Job,
    counters: Arc<Counters>,
    seen: Seen,
}

/// Does the job and prints what was seen.
#[expect(clippy::print_stdout, reason = "the answer")]
pub(crate) async fn run(job: &str) -> anyhow::Result<()> {
    let job: Job = serde_json::from_str(job)?;
    let mut client = Client {
        counters: Arc::default(),
        seen: Seen {
            resident_before: resident(&job)?,
            ..Seen::default()
        },
        job,
    };
    match client.job.kind.clone() {
        Kind::Stream { active, held } => client.stream(active, held).await?,
        Kind::Hold {
            connections,
            at_once,
        } => client.hold(connections, at_once).await?,
        Kind::FirstPartial { questions } => client.first_partial(questions).await?,
        Kind::Answer { deltas } => client.answer(deltas).await?,
    }
    println!("{}", serde_json::to_string(&client.seen)?);
    Ok(())
}

// === impl Client ===

impl Client {
    /// Many answers at a time: CPU and frames of a window in the middle of them.
    async fn stream(&mut self, active: usize, held: usize) -> anyhow::Result<()> {
        let mut holders = JoinSet::new();
        let silent = self.connect(held).await?;
        for socket in self.have_turns(silent, HELD_AT_ONCE).await? {
            holders.spawn(keep(socket));
        }
        let before = self.counters.ended.load(Ordering::Relaxed);
        let mut streams = JoinSet::new();
        let start = Instant::now();
        for (number, socket) in self.connect(active).await?.into_iter().enumerate() {
            let share = u32::try_from(number)? * SPREAD / u32::try_from(active)?;
            streams.spawn(first_partial_at(socket, start + share));
        }
        let start = Instant::now();
        sleep_until(start + WARM_UP).await;
        let (cpu, began) = (self.cpu()?, Instant::now());
        let counted = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let partials = counted(&self.counters.partials);
        let bytes = counted(&self.counters.bytes);
        sleep_until(start + WARM_UP + MEASURED).await;
        self.seen.partials = counted(&self.counters.partials) - partials;
        self.seen.bytes = counted(&self.counters.bytes) - bytes;
        self.seen.seconds = began.elapsed().as_secs_f64();
        let after = self.cpu()?;
        self.seen.cpu = after
            .iter()
            .zip(&cpu)
            .map(|(after, cpu)| after - cpu)
            .collect();
        let ended = counted(&self.counters.ended) - before;
        ensure!(ended == 0, "{ended} answers ended before the measuring did");
        while let Some(first) = streams.join_next().await {
            self.seen.first_partial.push(first??);
        }
        ensure!(holders.try_join_next().is_none(), "a held connection ended");
        Ok(())
    }

    /// Many connections that have had a turn and are silent.
    async fn hold(&mut self, connections: usize, at_once: usize) -> anyhow::Result<()> {
        let sockets = self.connect(connections).await?;
        self.seen.resident_connected = resident(&self.job)?;
        let mut holders = JoinSet::new();
        for socket in self.have_turns(sockets, at_once).await? {
            holders.spawn(keep(socket));
        }
        sleep(SILENCE).await;
        self.seen.resident_after = resident(&self.job)?;
        ensure!(holders.try_join_next().is_none(), "a held connection ended");
        Ok(())
    }

    /// One question after the other, on a server that does nothing else.
    async fn first_partial(&mut self, questions: usize) -> anyhow::Result<()> {
        let mut sockets = Vec::new();
        for number in 0..questions {
            if number.is_multiple_of(QUESTIONS_OF_ONE) {
                sockets = self.connect(1).await?;
            }
            let socket = sockets.first_mut().context("a connection")?;
            sleep(PAUSE).await;
            let asked = Instant::now();
            socket.ask(Question::Word).await?;
            while socket.next().await? != Frame::Partial {}
            self.seen.first_partial.push(milliseconds(asked));
            socket.until_answer().await?;
        }
        Ok(())
    }

    /// One long answer.
    async fn answer(&mut self, deltas: bool) -> anyhow::Result<()> {
        let protocol = deltas.then_some(DELTAS);
        let counters = Arc::clone(&self.counters);
        let mut socket = Socket::connect(self.job.server, 0, protocol, counters).await?;
        let began = Instant::now();
        socket.ask(Question::Long).await?;
        socket.until_answer().await?;
        self.seen.seconds = began.elapsed().as_secs_f64();
        self.seen.partials = self.counters.partials.load(Ordering::Relaxed);
        self.seen.bytes = self.counters.bytes.load(Ordering::Relaxed);
        Ok(())
    }

    async fn connect(&self, connections: usize) -> anyhow::Result<Vec<Socket>> {
        let mut connecting = stream::iter(0..connections)
            .map(|number| {
                let counters = Arc::clone(&self.counters);
                Socket::connect(self.job.server, number, None, counters)
            })
            .buffer_unordered(CONNECTING);
        let mut sockets = Vec::new();
        while let Some(socket) = connecting.next().await {
            sockets.push(socket?);
        }
        Ok(sockets)
    }

    /// A turn for each, so many at a time.
    async fn have_turns(
        &self,
        sockets: Vec<Socket>,
        at_once: usize,
    ) -> anyhow::Result<Vec<Socket>> {
        let mut turns = stream::iter(sockets)
            .map(async |mut socket| {
                socket.ask(Question::Short).await?;
                socket.until_answer().await?;
                anyhow::Ok(socket)
            })
            .buffer_unordered(at_once);
        let mut sockets = Vec::new();
        while let Some(socket) = turns.next().await {
            sockets.push(socket?);
        }
        Ok(sockets)
    }

    fn cpu(&self) -> anyhow::Result<Vec<f64>> {
        let processes = self.job.processes.iter();
        processes
            .map(|&process| proc::cpu_seconds(process))
            .collect()
    }
}

fn resident(job: &Job) -> anyhow::Result<Vec<u64>> {
    let processes = job.processes.iter();
    processes
        .map(|&process| proc::resident_kib(process))
        .collect()
}

/// Asks at a time, and reads everything. Returns how long the first partial took.
async fn first_partial_at(mut socket: Socket, at: Instant) -> anyhow::Result<f64> {
    sleep_until(at).await;
    let asked = Instant::now();
    socket.ask(Question::Stream).await?;
    while socket.next().await? != Frame::Partial {}
    let first = milliseconds(asked);
    socket.until_answer().await?;
    Ok(first)
}

/// Answers pings, for ever.
async fn keep(mut socket: Socket) -> anyhow::Result<()> {
    loop {
        socket.next().await?;
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}
