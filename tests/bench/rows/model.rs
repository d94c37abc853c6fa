//! CPU for each piece of text that a model sends: what the loop and the decoder add to a client that counts bytes and no more.
//! The model is a process that sends the same answers as fast as they are taken, over HTTP on this machine.

mod reader;
mod server;

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::report::{Report, at_most, median};
use crate::server::{last_core, on_cores, this_program};
pub(crate) use reader::read;
pub(crate) use server::serve;

/// Pieces of one answer. A whole answer of each API stays far below what the product takes of one.
const PIECES: usize = 100_000;
/// Events that are sent together.
const TOGETHER: usize = 64;
/// What a prototype of both took, in microseconds.
const GOAL: f64 = 1.8;

/// The formats of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Api {
    OpenAi,
    Anthropic,
}

/// What reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reader {
    Bare,
    Product,
}

/// What a reader is asked to do.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    reader: Reader,
    api: Api,
    server: String,
}

/// What it took.
#[derive(Debug, Serialize, Deserialize)]
struct Taken {
    /// CPU seconds.
    cpu: f64,
    pieces: usize,
    /// Those of the bodies; the product does not count them.
    bytes: usize,
}

pub(super) async fn run(rounds: usize, report: &mut Report) -> anyhow::Result<()> {
    let mut server = on_cores("0", &[this_program()?, "model-server".into()]);
    let mut server = server.stdout(std::process::Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(server.stdout.take().context("its output")?).lines();
    let address = lines.next_line().await?.context("its address")?;
    report.table(&[
        "answers of 100,000 pieces of 4 bytes, 64 events at a time",
        "bytes an event",
        "bare client, counting bytes",
        "loop and decoder",
        "against bare",
        "goal",
    ]);
    for (what, api) in [
        ("chat completions", Api::OpenAi),
        ("Anthropic's messages", Api::Anthropic),
    ] {
        let (mut bare, mut product, mut bytes) = (Vec::new(), Vec::new(), 0);
        for _ in 0..rounds {
            let taken = measure(Reader::Bare, api, &address).await?;
            bytes = taken.bytes / taken.pieces;
            bare.push(cost(&taken));
            product.push(cost(&measure(Reader::Product, api, &address).await?));
        }
        let ratios: Vec<f64> = product
            .iter()
            .zip(&bare)
            .map(|(one, other)| one / other)
            .collect();
        report.row([
            what.to_owned(),
            bytes.to_string(),
            format!("{:.2} µs", median(&bare)),
            format!("{:.2} µs", median(&product)),
            format!("{:.1}", median(&ratios)),
            at_most(median(&product), GOAL, " µs"),
        ]);
    }
    server.kill().await?;
    Ok(())
}

/// Microseconds of CPU for a piece.
fn cost(taken: &Taken) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let pieces = taken.pieces as f64;
    taken.cpu * 1e6 / pieces
}

/// Reads in a process of its own, on the last core.
async fn measure(reader: Reader, api: Api, server: &str) -> anyhow::Result<Taken> {
    let task = Task {
        reader,
        api,
        server: server.to_owned(),
    };
    let task: PathBuf = serde_json::to_string(&task)?.into();
    let core = last_core()?.to_string();
    let output = on_cores(&core, &[this_program()?, "model-reader".into(), task])
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the reader failed: {said}");
    Ok(serde_json::from_slice(&output.stdout)?)
}
