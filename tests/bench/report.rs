//! Tables in Markdown, with the goals beside what was measured.

use std::process::ExitCode;

/// Everything that was measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    tables: Vec<Table>,
    failures: usize,
}

/// One table.
#[derive(Debug)]
struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

// === impl Report ===

impl Report {
    /// Begins a table.
    pub(crate) fn table(&mut self, header: &[&str]) {
        self.tables.push(Table {
            header: header.iter().map(ToString::to_string).collect(),
            rows: Vec::new(),
        });
    }

    /// Adds a row to the table begun last.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        if let Some(table) = self.tables.last_mut() {
            table.rows.push(cells.into());
        }
    }

    /// Notes that something could not be measured.
    pub(crate) fn failed(&mut self, name: &str, error: &anyhow::Error) {
        println!("{name} could not be measured: {error:#}");
        self.failures += 1;
    }

    pub(crate) fn print(&self) {
        for table in &self.tables {
            table.print();
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(u8::from(self.failures > 0))
    }
}

// === impl Table ===

impl Table {
    fn print(&self) {
        let lines = || std::iter::once(&self.header).chain(&self.rows);
        let widths: Vec<usize> = (0..self.header.len())
            .map(|column| {
                let cells = lines().filter_map(|line| line.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        println!();
        for (at, line) in lines().enumerate() {
            let cells = line.iter().zip(&widths);
            let cells: Vec<String> = cells
                .map(|(cell, &width)| format!("{cell:<width$}"))
                .collect();
            println!("| {} |", cells.join(" | "));
            if at == 0 {
                let rules: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
                println!("| {} |", rules.join(" | "));
            }
        }
    }
}

/// A goal beside what was measured.
pub(crate) fn at_most(measured: f64, limit: f64, unit: &str) -> String {
    let word = if measured <= limit { "met" } else { "missed" };
    format!("≤ {limit}{unit}: {word}")
}

/// The middle one.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

/// The value that so many of a hundred do not exceed.
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// Median and 99th percentile of milliseconds, for a cell.
pub(crate) fn percentiles(milliseconds: &[f64]) -> String {
    let (p50, p99) = (percentile(milliseconds, 50), percentile(milliseconds, 99));
    format!("{p50:.2} / {p99:.2} ms")
}

/// A number with commas between thousands.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
