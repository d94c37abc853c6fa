//! The table of settings in the README is the one in the code.

use std::fmt::Write as _;
use std::path::Path;

use dragoman::config::{MCP_SETTINGS, SETTINGS, Setting};

const HEADER: &str = "| Setting | Environment | Default | What it is |";

/// A row: the setting with what stands before its key, its variables, its default, what it is.
fn row<C: Clone + Default>(setting: &Setting<C>, section: &str, variables: &str) -> String {
    let default = match setting.default_text() {
        empty if empty.is_empty() => "(empty)".to_owned(),
        text => format!("`{text}`"),
    };
    format!(
        "| `{section}{}` | {variables} | {default} | {} ({}) |\n",
        setting.key,
        setting.help,
        setting.accepts()
    )
}

fn expected_table() -> String {
    let mut table = format!("{HEADER}\n|---|---|---|---|\n");
    for setting in SETTINGS {
        let mut variables = format!("`{}`", setting.variable());
        for other in setting.also {
            write!(variables, ", `{other}`").unwrap();
        }
        table += &row(setting, "", &variables);
    }
    table
}

fn expected_server_table() -> String {
    let mut table = format!("{HEADER}\n|---|---|---|---|\n");
    for setting in MCP_SETTINGS {
        let variable = format!("`DRAGOMAN_MCP_NAME_{}`", setting.key.to_uppercase());
        table += &row(setting, "mcp.NAME.", &variable);
    }
    table
}

/// The first table of settings in a section of the README.
fn found_table(title: &str) -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let section = readme
        .split("\n## ")
        .find(|section| section.starts_with(&format!("{title}\n")))
        .unwrap_or_else(|| panic!("README.md has no section `## {title}`"));
    section
        .lines()
        .skip_while(|line| *line != HEADER)
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| [line, "\n"])
        .collect()
}

#[test]
fn the_readme_lists_every_setting() {
    for (title, expected) in [
        ("Configuration", expected_table()),
        ("Tools of your own (MCP)", expected_server_table()),
    ] {
        let found = found_table(title);
        assert!(
            found == expected,
            "the table in README.md's section {title} must be:\n\n{expected}\nbut is:\n\n{found}"
        );
    }
}
