//! Time from a question to its first partial, one question at a time.

use crate::job::Kind;
use crate::report::{Report, percentiles};
use crate::server::{Server, Subject};

const QUESTIONS: usize = 500;

pub(super) async fn run(report: &mut Report) -> anyhow::Result<()> {
    report.table(&["first partial, one question at a time", "p50 / p99"]);
    let subjects = [
        ("bare axum handler, which keeps nothing", Subject::Bare),
        ("all in one process", Subject::AllInOne),
        ("gateway and agent", Subject::Split),
    ];
    for (what, subject) in subjects {
        let mut server = Server::start(subject, None).await?;
        let load = Kind::FirstPartial {
            questions: QUESTIONS,
        };
        let seen = server.load(load).await?;
        report.row([what.to_owned(), percentiles(&seen.first_partial)]);
    }
    Ok(())
}
