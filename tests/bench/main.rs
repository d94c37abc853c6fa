//! What dragoman costs, in ratios from one run: `tests/run bench`, or `cargo bench --bench bench -- ROW…` for some rows.
//!
//! Servers run on the first core, the client that loads them on the last one, in processes of their own: this executable
//! again, so that neither's CPU is counted for the other. Every goal is reported as met or missed and none is asserted:
//! figures are those of the machine. The exit code is 0 unless something could not be measured.

#![expect(clippy::print_stdout, reason = "a report is printed")]

mod bare;
mod client;
mod job;
mod proc;
mod report;
mod rows;
mod server;
mod socket;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use tokio::runtime::Builder;

use crate::report::Report;

/// How often what is noisy is measured; the median counts.
const ROUNDS: usize = 5;

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        // As the product: a thread for every core that the process may use.
        ["bare"] => Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(bare::serve())?,
        ["store", store] => Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(rows::store::measure(store))?,
        ["catalog", file] => Builder::new_multi_thread()
            .enable_all()
            .build()?
            .block_on(rows::catalog::measure(file))?,
        ["client", job] => Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(client::run(job))?,
        ["model-server"] => Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(rows::model::serve())?,
        ["model-reader", task] => Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(rows::model::read(task))?,
        wanted => {
            return Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(measure(wanted));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures the rows that are `wanted`, all if none is named, and prints them.
async fn measure(wanted: &[&str]) -> anyhow::Result<ExitCode> {
    let mut rounds = ROUNDS;
    let mut names = Vec::new();
    let mut arguments = wanted.iter();
    while let Some(&argument) = arguments.next() {
        match argument {
            // What `cargo bench` says to every bench.
            "--bench" => {}
            "--rounds" => {
                let count = arguments.next().context("--rounds wants a number")?;
                rounds = count.parse().context("--rounds wants a number")?;
            }
            name if rows::NAMES.contains(&name) => names.push(name),
            name => bail!(
                "no row is called {name}; there are: {}",
                rows::NAMES.join(" ")
            ),
        }
    }
    if names.is_empty() {
        names.extend(rows::NAMES);
    }
    let mut report = Report::default();
    for name in names {
        println!("measuring {name}");
        if let Err(error) = rows::run(name, rounds.max(1), &mut report).await {
            report.failed(name, &error);
        }
    }
    report.print();
    Ok(report.exit_code())
}
