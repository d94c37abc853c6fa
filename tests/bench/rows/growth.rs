//! Nothing that grows with the number of sessions held: the CPU of a partial beside 1,000 and beside 10,000 silent connections.

use super::cpu::{self, Rounds};
use crate::report::{Report, at_most, median};
use crate::server::Subject;

const FEW: usize = 1_000;
const MANY: usize = 10_000;
/// Beside many, against beside few, at most.
const GOAL: f64 = 1.1;

pub(super) async fn run(rounds: usize, report: &mut Report) -> anyhow::Result<()> {
    let (mut few, mut many) = (Rounds::default(), Rounds::default());
    for _ in 0..rounds.min(3) {
        cpu::measure(Subject::AllInOne, FEW, &mut few).await?;
        cpu::measure(Subject::AllInOne, MANY, &mut many).await?;
    }
    report.table(&[
        "500 answers at a time, all in one process",
        "beside 1,000 silent",
        "beside 10,000 silent",
        "ratio",
        "goal",
    ]);
    let ratio = median(&many.cost) / median(&few.cost);
    report.row([
        "CPU for a partial".to_owned(),
        format!("{:.1} µs", median(&few.cost)),
        format!("{:.1} µs", median(&many.cost)),
        format!("{ratio:.2}"),
        at_most(ratio, GOAL, ""),
    ]);
    Ok(())
}
