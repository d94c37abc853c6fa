//! What is measured, a file each.

mod answer_bytes;
pub(crate) mod catalog;
mod cpu;
mod first_partial;
mod growth;
mod memory;
pub(crate) mod model;
pub(crate) mod store;

use anyhow::bail;

use crate::report::Report;

/// In the order they are measured in.
pub(crate) const NAMES: [&str; 8] = [
    "cpu",
    "first-partial",
    "memory",
    "growth",
    "bytes",
    "store",
    "catalog",
    "model",
];

/// Measures one.
pub(crate) async fn run(name: &str, rounds: usize, report: &mut Report) -> anyhow::Result<()> {
    match name {
        "cpu" => cpu::run(rounds, report).await,
        "first-partial" => first_partial::run(report).await,
        "memory" => memory::run(report).await,
        "growth" => growth::run(rounds, report).await,
        "bytes" => answer_bytes::run(report).await,
        "store" => store::run(report).await,
        "catalog" => catalog::run(report).await,
        "model" => model::run(rounds, report).await,
        _ => bail!("no row is called {name}"),
    }
}
