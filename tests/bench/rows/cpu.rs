//! CPU for each partial that is delivered: 500 answers at a time, a partial every 20 ms each.

use crate::job::Kind;
use crate::report::{Report, at_most, median, percentiles};
use crate::server::{Cores, Server, Subject};

/// Answers at a time.
const ACTIVE: usize = 500;
/// More than the bare server, for each partial, at most.
const GOAL_ALL_IN_ONE: f64 = 1.25;
const GOAL_SPLIT: f64 = 1.4;

/// One subject, all rounds.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// CPU of the measured process for each partial, in microseconds.
    pub(super) cost: Vec<f64>,
    /// The same of the agent's process, where there are two.
    pub(super) agent_cost: Vec<f64>,
    /// Partials a second.
    pub(super) rate: Vec<f64>,
    pub(super) first_partial: Vec<f64>,
}

pub(super) async fn run(rounds: usize, report: &mut Report) -> anyhow::Result<()> {
    let (mut bare, mut all_in_one, mut split) = Default::default();
    let mut failure = None;
    for _ in 0..rounds {
        measure(Subject::Bare, 0, &mut bare).await?;
        measure(Subject::AllInOne, 0, &mut all_in_one).await?;
        if failure.is_none() {
            failure = measure(Subject::Split, 0, &mut split).await.err();
        }
    }
    if let Some(error) = failure {
        report.failed("CPU of a gateway", &error);
    }
    report.table(&[
        "500 answers at a time, a partial every 20 ms each",
        "CPU for a partial",
        "partials/s",
        "first partial p50 / p99",
        "against bare",
        "goal",
    ]);
    let subjects = [
        ("bare axum handler", &bare, None),
        ("all in one process", &all_in_one, Some(GOAL_ALL_IN_ONE)),
        ("gateway of two processes", &split, Some(GOAL_SPLIT)),
    ];
    let measured = subjects
        .iter()
        .filter(|(_, rounds, _)| !rounds.cost.is_empty());
    for &(what, measured, goal) in measured {
        let ratio = ratio(measured, &bare);
        let cost = median(&measured.cost);
        let agent = if measured.agent_cost.is_empty() {
            String::new()
        } else {
            format!(", its agent {:.1} µs", median(&measured.agent_cost))
        };
        report.row([
            what.to_owned(),
            format!("{cost:.1} µs{agent}"),
            format!("{:.0}", median(&measured.rate)),
            percentiles(&measured.first_partial),
            format!("{ratio:.2}"),
            goal.map(|goal| at_most(ratio, goal, ""))
                .unwrap_or_default(),
        ]);
    }
    Ok(())
}

/// The median of the rounds' ratios: a round's servers ran within a minute, under the same conditions.
fn ratio(measured: &Rounds, base: &Rounds) -> f64 {
    let rounds = measured.cost.iter().zip(&base.cost);
    median(&rounds.map(|(cost, base)| cost / base).collect::<Vec<_>>())
}

/// One round of one subject, beside `held` silent connections.
pub(super) async fn measure(
    subject: Subject,
    held: usize,
    rounds: &mut Rounds,
) -> anyhow::Result<()> {
    // As often as the model speaks: the pace is the script's.
    let mut server = Server::start(subject, Cores::First, Some("0s")).await?;
    let load = Kind::Stream {
        active: ACTIVE,
        held,
    };
    let mut seen = server.load(load).await?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let partials = seen.partials as f64;
    let cost = |seconds: f64| seconds * 1e6 / partials;
    rounds.cost.extend(seen.cpu.first().copied().map(cost));
    rounds.agent_cost.extend(seen.cpu.get(1).copied().map(cost));
    rounds.rate.push(partials / seen.seconds);
    rounds.first_partial.append(&mut seen.first_partial);
    Ok(())
}
