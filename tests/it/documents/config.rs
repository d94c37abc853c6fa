//! The table of settings in the README is the one in the code.

use std::fmt::Write as _;
use std::path::Path;

use dragoman::config::SETTINGS;

const HEADER: &str = "| Setting | Environment | Default | What it is |";

fn expected_table() -> String {
    let mut table = format!("{HEADER}\n|---|---|---|---|\n");
    for setting in SETTINGS {
        let mut variables = format!("`{}`", setting.variable());
        for other in setting.also {
            write!(variables, ", `{other}`").unwrap();
        }
        let default = match setting.default_text() {
            empty if empty.is_empty() => "(empty)".to_owned(),
            text => format!("`{text}`"),
        };
        writeln!(
            table,
            "| `{}` | {variables} | {default} | {} ({}) |",
            setting.key,
            setting.help,
            setting.accepts()
        )
        .unwrap();
    }
    table
}

#[test]
fn the_readme_lists_every_setting() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let section = readme
        .split("\n## ")
        .find(|section| section.starts_with("Configuration\n"))
        .expect("README.md has a section `## Configuration`");
    let found: String = section
        .lines()
        .skip_while(|line| *line != HEADER)
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| [line, "\n"])
        .collect();
    let expected = expected_table();
    assert!(
        found == expected,
        "the table in README.md's section Configuration must be:\n\n{expected}\nbut is:\n\n{found}"
    );
}
