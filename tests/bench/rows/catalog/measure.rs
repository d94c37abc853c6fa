//! What the process of its own does.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use dragoman::catalog::{Config, Keeper, NamedSource, Source};
use dragoman::chat::ToolCall;
use dragoman::tools::Tools;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;

use crate::proc::status_kib;
use crate::report::median;

/// Words that names are made of, so that they resemble each other as those of a warehouse do.
const AREAS: [&str; 12] = [
    "sales",
    "purchase",
    "stock",
    "finance",
    "quality",
    "logistics",
    "service",
    "human",
    "asset",
    "project",
    "contract",
    "energy",
];
const THINGS: [&str; 14] = [
    "order", "invoice", "delivery", "item", "customer", "supplier", "plant", "material", "price",
    "budget", "shipment", "payment", "account", "position",
];
const COLUMNS: [&str; 16] = [
    "key", "number", "date", "amount", "quantity", "currency", "status", "name", "code", "unit",
    "created", "changed", "owner", "region", "rate", "note",
];
/// How often each call is made.
const ROUNDS: usize = 5;
/// Calls of tools, with arguments that take long in different ways.
const CALLS: [(&str, &str); 26] = [
    ("list_tables", "{}"),
    ("list_tables", r#"{"type": "FACT"}"#),
    ("list_tables", r#"{"schema": "dm_sales"}"#),
    ("list_tables", r#"{"name": "*order*77"}"#),
    ("list_tables", r#"{"name": "purchase invoice"}"#),
    ("list_tables", r#"{"name": "purchse invoce"}"#),
    ("get_table_details", r#"{"table": "fact_sales_order_0"}"#),
    (
        "get_table_details",
        r#"{"table": "dm_sales.fact_sales_order_0"}"#,
    ),
    ("get_table_details", r#"{"table": "sales order 0"}"#),
    ("get_table_details", r#"{"table": "fact_sale_ordr_0"}"#),
    (
        "get_table_details",
        r#"{"table": "nothing like any of them"}"#,
    ),
    ("get_table_details", r#"{"table": "qwertyuiop"}"#),
    ("find_relationships", r#"{"table": "fact_sales_order_0"}"#),
    (
        "find_relationships",
        r#"{"table": "fact_sales_order_0", "other": "fact_sales_order_84"}"#,
    ),
    (
        "find_relationships",
        r#"{"table": "fact_sales_order_0", "other": "fact_energy_order_99971"}"#,
    ),
    (
        "find_relationships",
        r#"{"table": "dim_sales_hub_1", "other": "dim_sales_hub_2"}"#,
    ),
    ("search_columns", r#"{"pattern": "order amount"}"#),
    ("search_columns", r#"{"pattern": "*_key"}"#),
    ("search_columns", r#"{"pattern": "*"}"#),
    ("search_columns", r#"{"pattern": "written by hand"}"#),
    ("search_columns", r#"{"pattern": "ordr amnt"}"#),
    ("search_columns", r#"{"pattern": "zzz"}"#),
    ("get_lineage", r#"{"table": "fact_sales_order_0"}"#),
    ("get_lineage", r#"{"table": "dim_sales_hub_1"}"#),
    (
        "get_lineage",
        r#"{"table": "dim_sales_hub_1", "direction": "downstream"}"#,
    ),
    ("get_lineage", r#"{"table": "fact_energy_position_99995"}"#),
];

/// What was measured.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) load_seconds: f64,
    pub(crate) resident_kib: u64,
    pub(crate) most_kib: u64,
    pub(crate) tools: Vec<Tool>,
}

/// One tool, in milliseconds and bytes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) average: f64,
    pub(crate) slowest: f64,
    pub(crate) slowest_arguments: String,
    pub(crate) longest: usize,
}

/// Loads the file, calls every tool, and prints what that took.
pub(crate) async fn measure(file: &str) -> anyhow::Result<()> {
    let mut config = Config::of(vec![NamedSource::new(Source::File(file.into()))]);
    config.timeout = std::time::Duration::from_mins(10);
    let began = Instant::now();
    let keeper = Keeper::open(&config).await?;
    let mut measured = Measured {
        load_seconds: began.elapsed().as_secs_f64(),
        resident_kib: status_kib(std::process::id(), "VmRSS:")?,
        most_kib: status_kib(std::process::id(), "VmHWM:")?,
        tools: Vec::new(),
    };
    let tools = Tools::new(keeper.handle());
    for (name, arguments) in CALLS {
        if measured.tools.last().is_none_or(|tool| tool.name != name) {
            measured.tools.push(Tool {
                name: name.to_owned(),
                ..Tool::default()
            });
        }
        let (milliseconds, length) = call(&tools, name, arguments)?;
        let tool = measured.tools.last_mut().context("a tool")?;

        tool.average += milliseconds;
        tool.longest = tool.longest.max(length);
        if milliseconds > tool.slowest {
            tool.slowest = milliseconds;
            arguments.clone_into(&mut tool.slowest_arguments);
        }
    }
    for tool in &mut measured.tools {
        let calls = CALLS.iter().filter(|(name, _)| *name == tool.name).count();
        tool.average /= f64::from(u32::try_from(calls)?);
    }
    println!("{}", serde_json::to_string(&measured)?);
    Ok(())
}

/// Median milliseconds of one call, and how long its answer is.
fn call(tools: &Tools, name: &str, arguments: &str) -> anyhow::Result<(f64, usize)> {
    let call = ToolCall {
        id: "1".into(),
        name: name.into(),
        arguments: arguments.into(),
    };
    let mut times = Vec::new();
    let mut length = 0;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let result = tools.run(&call);
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
        length = result.content.len();
        ensure!(!result.content.is_empty(), "{name} {arguments}: nothing");
    }
    Ok((median(&times), length))
}

/// Writes a catalog of so many tables with so many columns each: in every area facts that refer to each other and to a
/// few hubs, each made from the one before.
pub(crate) fn write(path: &Path, tables: usize, columns: usize) -> anyhow::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    write!(
        file,
        r#"{{"format": 1, "name": "large", "as_of": "2026-11-20", "tables": ["#
    )?;
    for place in 0..tables {
        let area = *AREAS.get(place % AREAS.len()).context("an area")?;
        let thing = *THINGS
            .get(place / AREAS.len() % THINGS.len())
            .context("a thing")?;
        let is_hub = place < AREAS.len() * 3 && place >= AREAS.len();
        let name = if is_hub {
            format!("dim_{area}_hub_{}", place / AREAS.len())
        } else {
            format!("fact_{area}_{thing}_{place}")
        };
        let hub = |number: usize| format!("dm_{area}.dim_{area}_hub_{number}");
        let before = AREAS.len() * 3 <= place;
        let names: Vec<String> = (0..columns)
            .map(|column| column_name(thing, place, column))
            .collect();
        let described: Vec<_> = names
            .iter()
            .map(|name| json!({"name": name, "type": "numeric(17,2)", "description": format!("The {} of the {thing}, as it was booked", name.replace('_', " "))}))
            .collect();
        let key = |hub: String, column: usize| json!({"columns": [names.get(column)], "references": hub, "to_columns": ["order_key"]});
        let keys: Vec<_> = if before {
            vec![key(hub(1), 1), key(hub(2), 2)]
        } else {
            Vec::new()
        };
        let upstream: Vec<String> = if before {
            vec![hub(1), hub(2)]
        } else {
            Vec::new()
        };
        let kind = if is_hub { "DIMENSION" } else { "FACT" };
        let table = json!({
            "schema": format!("dm_{area}"), "name": name, "type": kind,
            "description": format!("All {thing} records of {area}, number {place}. Loaded every night."),
            "synonyms": [format!("{thing} {area} book {place}")],
            "primary_key": [names.first()], "columns": described, "foreign_keys": keys,
            "lineage": {"status": "recorded", "upstream": upstream},
        });
        let comma = if place == 0 { "" } else { "," };
        write!(file, "{comma}\n{table}")?;
    }
    write!(file, "]}}")?;
    file.flush()?;
    Ok(())
}

/// Names repeat from table to table, but for one in four. The first is one that keys refer to.
fn column_name(thing: &str, place: usize, column: usize) -> String {
    let word = COLUMNS.get(column % COLUMNS.len()).copied().unwrap_or("x");
    match column {
        0 => "order_key".to_owned(),
        _ if column % 4 == 3 => format!("{thing}_{word}_{column}_{}", place % 5_000),
        _ => format!("{thing}_{word}_{column}"),
    }
}
