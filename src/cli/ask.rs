//! `dragoman ask`: one question over gRPC, its answer as it comes.

mod answer;
mod approvals;
#[cfg(test)]
mod tests;

use std::error::Error as _;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use super::arguments::AskArguments;
use super::output::{complain, harmless};
use crate::chat::MessageId;
use crate::rpc::proto::chat_client::ChatClient;
use crate::rpc::proto::{AskRequest, Question, WhenBusy};

use answer::{Answer, Outcome};
use approvals::{Approvals, Typist};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// Nothing reachable (`EX_UNAVAILABLE` of sysexits).
const EXIT_UNAVAILABLE: u8 = 69;
/// Later it will work (`EX_TEMPFAIL` of sysexits).
const EXIT_TRY_LATER: u8 = 75;
/// What shells report for a program that Ctrl-C ended.
const EXIT_INTERRUPTED: u8 = 130;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum AskError {
    /// The address is none.
    #[error("--server {server:?} {reason}")]
    Server {
        server: String,
        reason: &'static str,
    },
    /// Nothing listens there.
    #[error("cannot connect to {server}: is dragoman running? --server names another address")]
    Connect { server: String },
    /// Something listens there that does not speak our gRPC, or the connection broke at once.
    #[error("no gRPC answer from {server}: is that the gRPC address that dragoman printed?")]
    NoGrpc { server: String },
    /// The service refused the question.
    #[error("{}", refusal(.0))]
    Refused(Box<Status>),
    /// The stream ended in the middle.
    #[error(
        "the connection ended before the answer; the turn may go on{}", again(.session.as_deref())
    )]
    Cut { session: Option<String> },
    /// Nobody reads the answer.
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
    /// Ctrl-C.
    #[error("{}", interrupted(.session.as_deref()))]
    Interrupted { session: Option<String> },
}

/// Asks, prints, and says how it went by the exit code.
pub(super) async fn run(arguments: &AskArguments) -> ExitCode {
    let shares_terminal = io::stdout().is_terminal() && io::stderr().is_terminal();
    let mut answer = Answer::new(io::stdout(), io::stderr(), shares_terminal);
    let told = tokio::select! {
        told = Box::pin(tell(arguments, &mut answer, Typist::find())) => Some(told),
        Ok(()) = tokio::signal::ctrl_c() => None,
    };
    let session = answer.session().map(str::to_owned);
    let closed = answer.close();
    match told.unwrap_or(Err(AskError::Interrupted { session })) {
        Ok(Outcome::Answered) if closed.is_ok() => ExitCode::SUCCESS,
        Ok(Outcome::Answered | Outcome::Failed) => ExitCode::FAILURE,
        Err(error) => {
            complain(&error.to_string());
            error.exit_code()
        }
    }
}

async fn tell(
    arguments: &AskArguments,
    answer: &mut Answer<impl Write, impl Write>,
    typist: Typist,
) -> Result<Outcome, AskError> {
    let mut client = ChatClient::new(connect(&arguments.server).await?);
    let mut approvals = Approvals::new(client.clone(), typist);
    let session = arguments.session.as_ref();
    let request = AskRequest {
        session_id: session.map_or_else(String::new, |id| id.as_str().to_owned()),
        question: Some(Question {
            content: arguments.question.clone(),
            request_id: MessageId::random().as_str().to_owned(),
            trace_context: None,
            when_busy: WhenBusy::Queue.into(),
        }),
    };
    let mut stream = match client.ask(request).await {
        Ok(response) => response.into_inner(),
        Err(status) if is_of_the_connection(&status) => {
            return Err(AskError::NoGrpc {
                server: arguments.server.clone(),
            });
        }
        Err(status) => return Err(status.into()),
    };
    loop {
        let message = tokio::select! {
            message = stream.message() => message,
            line = approvals.line() => {
                approvals.typed(&line, answer).await?;
                continue;
            }
        };
        match message {
            Ok(Some(message)) => {
                approvals.take(&message, answer)?;
                if let Some(outcome) = answer.take(message)? {
                    return Ok(outcome);
                }
            }
            Err(status) if !is_of_the_connection(&status) => return Err(status.into()),
            Ok(None) | Err(_) => {
                return Err(AskError::Cut {
                    session: answer.session().map(str::to_owned),
                });
            }
        }
    }
}

async fn connect(server: &str) -> Result<Channel, AskError> {
    let wrong = |reason| AskError::Server {
        server: server.to_owned(),
        reason,
    };
    if !server.starts_with("http://") {
        return Err(wrong("is not like http://127.0.0.1:50051"));
    }
    let endpoint = Endpoint::from_shared(server.to_owned())
        .map_err(|_| wrong("is not like http://127.0.0.1:50051"))?;
    endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .connect()
        .await
        .map_err(|_| AskError::Connect {
            server: server.to_owned(),
        })
}

/// True if nobody sent this status: tonic made it of an error of the connection.
fn is_of_the_connection(status: &Status) -> bool {
    status.source().is_some()
}

fn interrupted(session: Option<&str>) -> String {
    match session {
        Some(_) => format!("stopped listening; the turn goes on{}", again(session)),
        None => "stopped before dragoman had taken the question".to_owned(),
    }
}

fn refusal(status: &Status) -> String {
    match harmless(status.message()) {
        empty if empty.is_empty() => format!("refused: {}", status.code().description()),
        message => message,
    }
}

fn again(session: Option<&str>) -> String {
    session.map_or_else(String::new, |id| format!(", its session is {id}"))
}

// === impl AskError ===

impl From<Status> for AskError {
    fn from(status: Status) -> Self {
        Self::Refused(Box::new(status))
    }
}

impl AskError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Server { .. } => ExitCode::from(2),
            Self::Connect { .. } | Self::NoGrpc { .. } | Self::Cut { .. } => {
                ExitCode::from(EXIT_UNAVAILABLE)
            }
            Self::Refused(status) => match status.code() {
                Code::Unavailable => ExitCode::from(EXIT_UNAVAILABLE),
                Code::ResourceExhausted => ExitCode::from(EXIT_TRY_LATER),
                _ => ExitCode::FAILURE,
            },
            Self::Output(_) => ExitCode::FAILURE,
            Self::Interrupted { .. } => ExitCode::from(EXIT_INTERRUPTED),
        }
    }
}
