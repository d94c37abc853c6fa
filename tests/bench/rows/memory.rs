//! Resident memory of connections that have had a turn and are silent.

use crate::job::{Kind, Seen};
use crate::report::{Report, at_most};
use crate::server::{Cores, Server, Subject};

const CONNECTIONS: u32 = 10_000;
/// Turns that run at the same time.
const AT_ONCE: usize = 1_000;
/// KiB for each connection, at most.
const GOAL: f64 = 16.0;

pub(super) async fn run(report: &mut Report) -> anyhow::Result<()> {
    report.table(&[
        "10,000 connections, memory of each",
        "before its first turn",
        "silent after a turn, 1,000 turns at a time",
        "goal",
    ]);
    let subjects = [
        ("bare axum handler", Subject::Bare, None),
        ("all in one process", Subject::AllInOne, Some(GOAL)),
        ("gateway of two processes", Subject::Split, None),
    ];
    for (what, subject, goal) in subjects {
        let seen = match hold(subject).await {
            Ok(seen) => seen,
            Err(error) => {
                report.failed(what, &error);
                continue;
            }
        };
        let each = |resident: &[u64]| -> anyhow::Result<Vec<f64>> {
            let grown = resident.iter().zip(&seen.resident_before);
            grown
                .map(|(now, before)| {
                    let grown = u32::try_from(now.saturating_sub(*before))?;
                    Ok(f64::from(grown) / f64::from(CONNECTIONS))
                })
                .collect()
        };
        let after = each(&seen.resident_after)?;
        let first = after.first().copied().unwrap_or(f64::NAN);
        report.row([
            what.to_owned(),
            cell(&each(&seen.resident_connected)?),
            cell(&after),
            goal.map(|goal| at_most(first, goal, " KiB"))
                .unwrap_or_default(),
        ]);
    }
    Ok(())
}

async fn hold(subject: Subject) -> anyhow::Result<Seen> {
    let mut server = Server::start(subject, Cores::All, None).await?;
    let load = Kind::Hold {
        connections: usize::try_from(CONNECTIONS)?,
        at_once: AT_ONCE,
    };
    server.load(load).await
}

/// The measured process, and the agent's where there are two.
fn cell(each: &[f64]) -> String {
    match each {
        [all] => format!("{all:.1} KiB"),
        [gateway, agent] => format!("{gateway:.1} KiB, its agent {agent:.1} KiB"),
        _ => String::new(),
    }
}
