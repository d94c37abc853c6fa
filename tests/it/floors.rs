//! Modules stand on floors and use only what is below them; some crates belong to some modules.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Module → the modules it may use. Those of one floor know nothing of each other.
const ALLOWED: &[(&str, &[&str])] = &[
    ("backoff", &[]),
    ("chat", &[]),
    ("gate", &[]),
    ("matching", &[]),
    ("mutant", &[]),
    ("secret", &[]),
    ("telemetry", &["chat"]),
    (
        "catalog",
        &["backoff", "chat", "matching", "secret", "telemetry"],
    ),
    (
        "model",
        &["backoff", "chat", "matching", "secret", "telemetry"],
    ),
    // A server beside the product: it knows nothing of it.
    ("mock_model", &[]),
    ("rpc", &["backoff", "chat", "mutant", "telemetry"]),
    ("store", &["chat", "mutant", "telemetry"]),
    (
        "tools",
        &[
            "backoff",
            "catalog",
            "chat",
            "matching",
            "model",
            "secret",
            "telemetry",
        ],
    ),
    (
        "agent",
        &[
            "chat",
            "gate",
            "model",
            "mutant",
            "store",
            "telemetry",
            "tools",
        ],
    ),
    (
        "chat_service",
        &[
            "agent",
            "chat",
            "gate",
            "mutant",
            "rpc",
            "store",
            "telemetry",
        ],
    ),
    // A translator: never agent, model, tools, catalog or store.
    ("gateway", &["chat", "gate", "mutant", "rpc", "telemetry"]),
    ("lifecycle", &[]),
    (
        "config",
        &[
            "agent",
            "catalog",
            "chat",
            "chat_service",
            "gateway",
            "lifecycle",
            "model",
            "mutant",
            "secret",
            "store",
            "telemetry",
            "tools",
        ],
    ),
    (
        "app",
        &[
            "agent",
            "catalog",
            "chat_service",
            "config",
            "gateway",
            "lifecycle",
            "model",
            "mutant",
            "rpc",
            "store",
            "telemetry",
            "tools",
        ],
    ),
    (
        "cli",
        &[
            "app",
            "chat",
            "config",
            "lifecycle",
            "mock_model",
            "rpc",
            "telemetry",
        ],
    ),
    ("main", &["cli"]),
];

/// Crate → the only modules that may name it.
const FENCES: &[(&str, &[&str])] = &[
    ("axum", &["gateway"]),
    ("hyper_util", &["gateway"]),
    ("tungstenite", &["gateway"]),
    ("tonic", &["app", "chat_service", "cli", "rpc"]),
    ("tonic_health", &["app", "rpc"]),
    ("tonic_reflection", &["app"]),
    ("tonic_types", &["rpc"]),
    ("prost", &["rpc"]),
    ("prost_types", &["rpc"]),
    ("rusqlite", &["store"]),
    ("clap", &["cli"]),
    ("toml", &["config"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_otlp", &["telemetry"]),
    ("opentelemetry_prometheus", &["telemetry"]),
    ("prometheus", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("tracing_opentelemetry", &["telemetry"]),
    ("redis", &["store"]),
    ("reqwest", &["catalog", "model", "tools"]),
    ("rustls", &["catalog", "model", "tools"]),
    ("rustls_native_certs", &["catalog"]),
    ("tokio_postgres", &["catalog"]),
    ("tokio_postgres_rustls", &["catalog"]),
    ("rmcp", &["tools"]),
    ("rustix", &["tools"]),
    ("sse_stream", &["tools"]),
    ("nucleo_matcher", &["matching"]),
    ("strsim", &["config", "matching", "model"]),
    ("schemars", &["tools"]),
];

#[test]
fn modules_use_only_what_is_below_them() {
    let mut wrong = Vec::new();
    for (file, module) in sources() {
        let text = fs::read_to_string(&file).unwrap();
        let allowed = allowed(&module);
        for (number, line) in code_lines(&text) {
            // The binary names the library by its name.
            let prefix = if module == "main" {
                "dragoman::"
            } else {
                "crate::"
            };
            for used in paths(line, prefix) {
                if used.is_empty() {
                    wrong.push(format!(
                        "{}:{number}: name one module a `use` line",
                        file.display()
                    ));
                } else if used != module && !allowed.contains(&used.as_str()) {
                    wrong.push(format!(
                        "{}:{number}: {module} may not use {used}",
                        file.display()
                    ));
                }
            }
            for (fenced, owners) in FENCES {
                let named = paths(line, &format!("{fenced}::")).next().is_some()
                    && names_crate(line, fenced);
                if named && !owners.contains(&module.as_str()) {
                    wrong.push(format!(
                        "{}:{number}: {module} may not use {fenced}",
                        file.display()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_floors_have_no_way_up() {
    // A module that is allowed may not allow back, over any number of steps.
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    for &start in allowed.keys() {
        let mut seen: Vec<&str> = allowed[start].to_vec();
        let mut next = 0;
        while let Some(&module) = seen.get(next) {
            assert_ne!(module, start, "{start} reaches itself");
            for &below in allowed[module] {
                if !seen.contains(&below) {
                    seen.push(below);
                }
            }
            next += 1;
        }
    }
}

#[test]
fn what_is_forbidden_would_be_seen() {
    let used = |line: &str| paths(line, "crate::").collect::<Vec<_>>();
    assert_eq!(used("use crate::agent::Turns;"), ["agent"]);
    assert_eq!(
        used("    let x = crate::store::open(crate::chat::ids());"),
        ["store", "chat"]
    );
    assert_eq!(used("use crate::{agent, store};"), [""]);
    assert!(names_crate("use tonic::Status;", "tonic"));
    assert!(!names_crate("use my_tonic::Status;", "tonic"));
    let test = "fn a() {}\n#[cfg(test)]\nmod tests {\n use crate::agent;\n}";
    assert_eq!(code_lines(test).count(), 1);
}

/// Every source file with the top module it belongs to.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![];
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let first = path
                    .strip_prefix(&root)
                    .unwrap()
                    .components()
                    .next()
                    .unwrap();
                let module = Path::new(&first)
                    .file_stem()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                files.push((path, module));
            }
        }
    }
    assert!(files.len() > 40, "the tree was not found");
    files
        .retain(|(path, module)| module != "lib" && !path.ends_with("tests.rs") && !in_tests(path));
    files
}

fn in_tests(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests")
}

fn allowed(module: &str) -> &'static [&'static str] {
    let entry = ALLOWED.iter().find(|(name, _)| *name == module);
    entry
        .unwrap_or_else(|| panic!("{module} has no floor: add it to ALLOWED"))
        .1
}

/// Lines of product code: no comments, nothing from the test module on.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(index, line)| (index + 1, line))
}

/// What follows `prefix` each time; empty for a group in braces.
fn paths<'a>(line: &'a str, prefix: &'a str) -> impl Iterator<Item = String> + 'a {
    line.match_indices(prefix).filter_map(move |(at, _)| {
        let before = line[..at].chars().next_back();
        if before.is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':') {
            return None;
        }
        let rest = &line[at + prefix.len()..];
        let end = rest.find(|next: char| !next.is_alphanumeric() && next != '_');
        Some(rest[..end.unwrap_or(rest.len())].to_owned())
    })
}

fn names_crate(line: &str, name: &str) -> bool {
    let path = format!("{name}::");
    line.match_indices(&path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':')
    })
}
