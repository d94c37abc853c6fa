use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::chat::SessionId;
use crate::config::{self, Flags};

/// An interpreter and guide for a data catalog: ask in a browser or over gRPC, one engine answers.
#[derive(Debug, Parser)]
#[command(
    name = "dragoman",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Without a command, dragoman serves. Then open http://localhost:8000 in a browser."
)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) settings: SettingFlags,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve browsers and gRPC clients until told to stop (the default).
    #[command(after_help = "\
Every setting can also be given in the environment or in the --config file; flags are stronger \
than the environment, the environment is stronger than the file. `dragoman config show` lists them \
all.

Exit codes: 0 stopped as told, 1 could not start or failed, 78 wrong configuration.")]
    Serve(SettingFlags),
    /// Check the configuration, or show it.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask a running dragoman one question and print the answer as it comes.
    #[command(after_help = "\
The answer goes to standard output; the session, the tools that were used and errors go to \
standard error.
Ctrl-C ends this command, not the answer: it goes on and is kept in the session.

Exit codes: 0 answered, 1 the turn failed or was refused, 2 wrong use, 69 nothing reachable at \
--server, 75 too many questions, try later, 130 ended by Ctrl-C.")]
    Ask(AskArguments),
    /// Serve a model that is none, to rehearse what goes wrong with real ones.
    #[command(after_help = "\
The model's name is the case that is played, each with the fault it is named after. For example:
  dragoman mock-model
  OPENAI_BASE_URL=http://127.0.0.1:8090/v1 dragoman --model openai:429-then-ok

It speaks chat completions at /v1/chat/completions and as Azure does, and messages at /v1/messages; any key will do.

Exit codes: 0 stopped as told or listed, 1 could not start, 2 wrong use, 78 wrong cases.")]
    MockModel(MockModelArguments),
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Look for problems, print all of them; exit code 0 if there are none, 78 otherwise.
    Check(SettingFlags),
    /// Print every setting with its effective value and where that came from, as a TOML file.
    Show(SettingFlags),
}

/// The settings that have a flag.
#[derive(Debug, Args)]
pub(super) struct SettingFlags {
    #[arg(long, value_name = "agent|gateway", help = config::help("only"))]
    only: Option<String>,
    /// An agent that a gateway asks, once for each; the setting `agents`.
    #[arg(long = "agent", value_name = "URL")]
    agents: Vec<String>,
    #[arg(long, value_name = "HOST:PORT", help = config::help("http"))]
    http: Option<String>,
    #[arg(long, value_name = "HOST:PORT", help = config::help("grpc"))]
    grpc: Option<String>,
    #[arg(long, value_name = "sqlite:PATH|redis://…", help = config::help("store"))]
    store: Option<String>,
    #[arg(long, value_name = "[NAME=]SOURCE", help = config::help("catalog"))]
    catalog: Vec<String>,
    #[arg(long, value_name = "guide|openai[:NAME]|anthropic[:NAME]|scripted:FILE", help = config::help("model"))]
    model: Option<String>,
    /// TOML file with settings, also DRAGOMAN_CONFIG; none is read by itself.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct AskArguments {
    /// The question.
    pub(super) question: String,
    /// gRPC address of the dragoman to ask.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:50051")]
    pub(super) server: String,
    /// The session to ask in; without it, a new one.
    #[arg(long, value_name = "ID", value_parser = session_id)]
    pub(super) session: Option<SessionId>,
}

#[derive(Debug, Args)]
pub(super) struct MockModelArguments {
    /// Where it listens, on this machine only; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8090")]
    pub(super) listen: SocketAddr,
    /// More cases, in the format of `src/mock_model/format.md`; they count more than those that are built in.
    #[arg(long, value_name = "FILE")]
    pub(super) cases: Option<PathBuf>,
    /// Play this case whatever model is named.
    #[arg(long, value_name = "CASE")]
    pub(super) always: Option<String>,
    /// Print the cases, one a line, and do nothing else.
    #[arg(long)]
    pub(super) list: bool,
}

fn session_id(text: &str) -> Result<SessionId, String> {
    SessionId::parse(text).map_err(|error| error.to_string())
}

// === impl SettingFlags ===

impl SettingFlags {
    pub(super) fn to_flags(&self) -> Flags {
        let Self {
            only,
            agents,
            http,
            grpc,
            store,
            catalog,
            model,
            config,
        } = self;
        let agents = (!agents.is_empty()).then(|| agents.join(","));
        let catalog = (!catalog.is_empty()).then(|| catalog.join(","));
        let settings = [
            ("only", only),
            ("agents", &agents),
            ("http", http),
            ("grpc", grpc),
            ("store", store),
            ("catalog", &catalog),
            ("model", model),
        ];
        Flags {
            config: config.clone(),
            settings: settings
                .into_iter()
                .filter_map(|(key, value)| Some((key, value.clone()?)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_word_serve_can_be_left_out() {
        let flags = |words: &[&str]| {
            let arguments = Arguments::try_parse_from(words).unwrap();
            match arguments.command {
                Some(Command::Serve(settings)) => settings.to_flags(),
                None => arguments.settings.to_flags(),
                other => panic!("{other:?}"),
            }
        };
        let with = ["dragoman", "serve", "--http", "[::1]:0", "--model", "guide"];
        let without = ["dragoman", "--http", "[::1]:0", "--model", "guide"];
        assert_eq!(flags(&with), flags(&without));
        assert_eq!(
            flags(&with).settings,
            [
                ("http", "[::1]:0".to_owned()),
                ("model", "guide".to_owned())
            ]
        );
    }

    #[test]
    fn flags_before_another_command_are_refused_not_ignored() {
        let words = [
            "dragoman",
            "--http",
            "localhost:1",
            "ask",
            "which tables are there?",
        ];
        let error = Arguments::try_parse_from(words).unwrap_err();
        assert_eq!(error.kind(), clap::error::ErrorKind::ArgumentConflict);
    }

    #[test]
    fn a_session_that_is_none_is_wrong_use() {
        let words = ["dragoman", "ask", "hello", "--session", "a b"];
        let error = Arguments::try_parse_from(words).unwrap_err().to_string();
        assert!(error.contains("1 to 64 characters"), "{error}");
    }
}
