//! Settings: which source wins, what bad ones are told, and that what is shown can be read again.

mod catalogs;
mod complete;
mod environment;
mod problems;
mod program;
mod servers;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use dragoman::config::{self, ConfigError, Flags, Loaded, Origin};
use tempfile::TempDir;

/// Sources of settings, to be loaded.
struct Sources {
    folder: TempDir,
    flags: Flags,
    variables: Vec<(OsString, OsString)>,
}

impl Sources {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            flags: Flags::default(),
            variables: Vec::new(),
        }
    }

    fn file(mut self, text: &str) -> Self {
        std::fs::write(self.path(), text).unwrap();
        self.flags.config = Some(self.path());
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    fn flag(mut self, key: &'static str, value: &str) -> Self {
        self.flags.settings.push((key, value.to_owned()));
        self
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("dragoman.toml")
    }

    fn load(&self) -> Result<Loaded, ConfigError> {
        config::load(&self.flags, self.variables.clone())
    }

    /// The error, with the folder's random name left out.
    fn refused(&self) -> String {
        let folder = format!("{}/", self.folder.path().display());
        self.load().unwrap_err().to_string().replace(&folder, "")
    }
}

fn environment(name: &str) -> Origin {
    Origin::Environment(name.to_owned())
}

#[test]
fn without_any_source_the_defaults_hold() {
    let loaded = Sources::new().load().unwrap();
    assert_eq!(loaded.config.http, "127.0.0.1:8000");
    assert_eq!(loaded.config.grpc, "127.0.0.1:50051");
    assert_eq!(loaded.origin("http"), &Origin::Default);
    assert_eq!(loaded.file, None);
}

#[test]
fn flags_win_over_environment_over_file_over_defaults() {
    let file = "http = \"127.0.0.1:1\"\n";
    let sources = Sources::new().file(file);
    let loaded = sources.load().unwrap();
    assert_eq!(loaded.config.http, "127.0.0.1:1");
    let path = sources.path();
    assert_eq!(loaded.origin("http"), &Origin::File { path, line: 1 });

    let sources = sources.variable("DRAGOMAN_HTTP", "127.0.0.1:2");
    let loaded = sources.load().unwrap();
    assert_eq!(loaded.config.http, "127.0.0.1:2");
    assert_eq!(loaded.origin("http"), &environment("DRAGOMAN_HTTP"));

    let sources = sources.flag("http", "127.0.0.1:3");
    let loaded = sources.load().unwrap();
    assert_eq!(loaded.config.http, "127.0.0.1:3");
    assert_eq!(loaded.origin("http"), &Origin::Flag("--http".to_owned()));
}

#[test]
fn the_flag_names_another_file_than_the_environment() {
    let sources = Sources::new().file("guide_pace = \"1ms\"");
    let other = sources.folder.path().join("other.toml");
    std::fs::write(&other, "guide_pace = \"2ms\"").unwrap();
    let mut sources = sources.variable("DRAGOMAN_CONFIG", other.to_str().unwrap());
    let pace = |sources: &Sources| sources.load().unwrap().config.model.guide_pace.as_millis();
    assert_eq!(pace(&sources), 1);
    sources.flags.config = None;
    assert_eq!(pace(&sources), 2);
}

#[test]
fn paths_in_the_file_are_relative_to_it_and_others_to_the_working_folder() {
    let sources = Sources::new().file("store = \"sqlite:s.db\"\ncatalog = \"c.json\"");
    let config = sources.load().unwrap().config;
    let in_folder = |name: &str| sources.folder.path().join(name);
    assert_eq!(
        config.store,
        dragoman::store::Config::Sqlite(in_folder("s.db"))
    );
    assert_eq!(
        config.catalog.sources[0].source,
        dragoman::catalog::Source::File(in_folder("c.json"))
    );

    let config = Sources::new()
        .flag("model", "scripted:steps.json")
        .load()
        .unwrap()
        .config;
    let here = std::path::absolute(Path::new("steps.json")).unwrap();
    assert_eq!(config.model.kind, dragoman::model::Kind::Scripted(here));
}

#[test]
fn values_can_be_written_in_several_ways() {
    let file = "\
gateway.frame_bytes = 1_048_576
limits.question_bytes = \"8 KiB\"
gateway.silence_timeout = \"1m 40s\"
telemetry.sample_ratio = 1
agent.max_steps = 0x10
";
    let config = Sources::new().file(file).load().unwrap().config;
    assert_eq!(config.gateway.frame_bytes, 1024 * 1024);
    assert_eq!(config.limits.question_bytes, 8 * 1024);
    assert_eq!(config.gateway.silence_timeout.as_secs(), 100);
    assert_eq!(config.telemetry.sample_permille, 1_000);
    assert_eq!(config.agent.max_steps, 16);

    let loaded = Sources::new()
        .variable("DRAGOMAN_TELEMETRY_SAMPLE_RATIO", "0.125")
        .variable(
            "DRAGOMAN_GATEWAY_ORIGINS",
            "https://*.Example.com, http://localhost:3000",
        )
        .load();
    let config = loaded.unwrap().config;
    assert_eq!(config.telemetry.sample_permille, 125);
    assert_eq!(
        config.gateway.origins,
        ["https://*.example.com", "http://localhost:3000"]
    );
}
