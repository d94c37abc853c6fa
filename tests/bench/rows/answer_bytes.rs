//! Bytes on the wire for an answer of 8,000 characters: the text so far in every partial, and only what is new.

use crate::job::Kind;
use crate::report::{Report, thousands};
use crate::server::{Cores, Server, Subject};

pub(super) async fn run(report: &mut Report) -> anyhow::Result<()> {
    report.table(&[
        "an answer of 8,000 characters, 2,000 words, 10 ms each",
        "partials",
        "KiB of frames",
    ]);
    let ways = [
        ("the text so far, with every word", Some("0s"), false),
        (
            "the text so far, at most every 40 ms (the default)",
            None,
            false,
        ),
        ("dragoman.v1.delta, with every word", Some("0s"), true),
        ("dragoman.v1.delta, at most every 40 ms", None, true),
    ];
    for (what, interval, deltas) in ways {
        let mut server = Server::start(Subject::AllInOne, Cores::First, interval).await?;
        let seen = server.load(Kind::Answer { deltas }).await?;
        report.row([
            what.to_owned(),
            thousands(seen.partials),
            thousands(seen.bytes / 1024),
        ]);
    }
    Ok(())
}
