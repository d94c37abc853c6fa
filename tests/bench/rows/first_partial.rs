//! Time from a question to its first partial, one question at a time.

use crate::job::{Kind, Seen};
use crate::report::{Report, percentiles};
use crate::server::{Cores, Server, Subject};

const QUESTIONS: usize = 500;

pub(super) async fn run(report: &mut Report) -> anyhow::Result<()> {
    report.table(&["first partial, one question at a time", "p50 / p99"]);
    let subjects = [
        ("bare axum handler, which keeps nothing", Subject::Bare),
        ("all in one process", Subject::AllInOne),
        ("gateway and agent", Subject::Split),
    ];
    for (what, subject) in subjects {
        match ask(subject).await {
            Ok(seen) => report.row([what.to_owned(), percentiles(&seen.first_partial)]),
            Err(error) => report.failed(what, &error),
        }
    }
    Ok(())
}

async fn ask(subject: Subject) -> anyhow::Result<Seen> {
    let mut server = Server::start(subject, Cores::First, None).await?;
    let load = Kind::FirstPartial {
        questions: QUESTIONS,
    };
    server.load(load).await
}
