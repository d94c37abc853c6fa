use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use super::arguments::MockModelArguments;
use super::output::{complain, print};
use super::{EXIT_CONFIG, with_runtime};
use crate::lifecycle::{self, Lifecycle};
use crate::mock_model::{Cases, CasesError, Config, MockModel, Stop};
use crate::telemetry::{self, Telemetry};

/// How long replies that are being played may take at the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// Traces go nowhere, so nothing is waited for.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves a mock model until a signal comes, or lists what it can play.
pub(super) fn run(arguments: &MockModelArguments) -> ExitCode {
    let cases = match cases(arguments) {
        Ok(cases) => cases,
        Err(error) => {
            complain(&error.to_string());
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    if arguments.list {
        return print(&list(&cases));
    }
    let config = Config {
        cases,
        always: arguments.always.as_deref().map(Into::into),
        observer: None,
    };
    with_runtime(|runtime| match runtime.block_on(serve(arguments, config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    })
}

fn cases(arguments: &MockModelArguments) -> Result<Cases, CasesError> {
    let built_in = Cases::built_in()?;
    match &arguments.cases {
        Some(file) => built_in.with_file(file),
        None => Ok(built_in),
    }
}

fn list(cases: &Cases) -> String {
    let width = cases.list().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for (name, about) in cases.list() {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{name:<width$}  {about}");
    }
    text
}

async fn serve(arguments: &MockModelArguments, config: Config) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&telemetry::Config::default())?;
    let life = Lifecycle::new();
    let stop = Stop {
        draining: life.draining().clone(),
        stopped: life.stopped().clone(),
    };
    let model = MockModel::start(arguments.listen, config, stop, life.tasks()).await?;
    let address = model.address;
    tracing::info!(
        "OpenAI at http://{address}/v1, Azure at http://{address}, Anthropic at http://{address}; \
         the model's name is the case"
    );
    // Always the last line: who waits for the start waits for it.
    tracing::info!("mock model on http://{address}");
    let result = life.until_signal().await;
    let drain = lifecycle::Config {
        drain_timeout: DRAIN_TIMEOUT,
    };
    life.stop(&drain, model.idle()).await;
    tracing::info!("stopped");
    telemetry.shutdown(FLUSH_TIMEOUT).await;
    result.map_err(Into::into)
}
