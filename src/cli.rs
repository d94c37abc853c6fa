//! The command line: `dragoman [serve]`, `dragoman config check|show`, `dragoman ask`, `dragoman mock-model`.

mod arguments;
mod ask;
mod mock_model;
mod output;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::runtime::{Builder, Runtime};

use crate::app;
use crate::config::{self, ConfigError, Loaded};

use arguments::{Arguments, AskArguments, Command, ConfigCommand, SettingFlags};
use output::{complain, print};

/// The exit code of a program whose configuration is wrong (`EX_CONFIG` of sysexits).
const EXIT_CONFIG: u8 = 78;
/// Most threads for work that computes or blocks, which is what tools do. The library's own bound of 512 is for work that
/// mostly waits; a rush of questions would leave that many stacks behind.
const BLOCKING_THREADS: usize = 16;
/// How long threads that block may hold up the end of the process, after everything has been
/// stopped.
const BLOCKED_THREADS: Duration = Duration::from_secs(1);

/// Does what the command line says.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are "errors" with code 0. If not even they can be printed, nobody
            // listens.
            let _ = error.print();
            return u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    match arguments.command {
        None => serve(&arguments.settings),
        Some(Command::Serve(settings)) => serve(&settings),
        Some(Command::Config(ConfigCommand::Check(settings))) => with_config(&settings, |loaded| {
            print(&format!("ok: {}\n", loaded.summary()))
        }),
        Some(Command::Config(ConfigCommand::Show(settings))) => {
            with_config(&settings, |loaded| print(&loaded.show()))
        }
        Some(Command::Ask(question)) => ask(&question),
        Some(Command::MockModel(arguments)) => mock_model::run(&arguments),
    }
}

fn serve(settings: &SettingFlags) -> ExitCode {
    with_config(settings, |loaded| {
        with_runtime(
            |runtime| match runtime.block_on(app::serve(loaded.config)) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    complain(&format!("{error:#}"));
                    ExitCode::FAILURE
                }
            },
        )
    })
}

fn ask(arguments: &AskArguments) -> ExitCode {
    with_runtime(|runtime| runtime.block_on(ask::run(arguments)))
}

fn with_config(settings: &SettingFlags, use_it: impl FnOnce(Loaded) -> ExitCode) -> ExitCode {
    let loaded: Result<Loaded, ConfigError> =
        config::load(&settings.to_flags(), config::read_environment());
    match loaded {
        Ok(loaded) => use_it(loaded),
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(EXIT_CONFIG)
        }
    }
}

fn with_runtime(use_it: impl FnOnce(&Runtime) -> ExitCode) -> ExitCode {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build();
    match runtime {
        Ok(runtime) => {
            let code = use_it(&runtime);
            runtime.shutdown_timeout(BLOCKED_THREADS);
            code
        }
        Err(error) => {
            complain(&format!("cannot start threads: {error}"));
            ExitCode::FAILURE
        }
    }
}
