use std::net::SocketAddr;
use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Streaming};

use super::*;
use crate::rpc::proto::chat_server::{Chat, ChatServer};
use crate::rpc::proto::{
    Accepted, AgentMessage, AskResponse, CancelTurnRequest, CancelTurnResponse, ConverseRequest,
    ConverseResponse, EraseSessionRequest, EraseSessionResponse, Event, ListEventsRequest,
    ListEventsResponse, ListSessionsRequest, ListSessionsResponse, ask_response, event,
};

type Sent<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A service that answers every question in the way its content asks for.
struct Fake;

#[tonic::async_trait]
impl Chat for Fake {
    type ConverseStream = Sent<ConverseResponse>;
    type AskStream = Sent<AskResponse>;

    async fn converse(
        &self,
        _: Request<Streaming<ConverseRequest>>,
    ) -> Result<Response<Self::ConverseStream>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn cancel_turn(
        &self,
        _: Request<CancelTurnRequest>,
    ) -> Result<Response<CancelTurnResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_events(
        &self,
        _: Request<ListEventsRequest>,
    ) -> Result<Response<ListEventsResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn list_sessions(
        &self,
        _: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn erase_session(
        &self,
        _: Request<EraseSessionRequest>,
    ) -> Result<Response<EraseSessionResponse>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn ask(&self, request: Request<AskRequest>) -> Result<Response<Self::AskStream>, Status> {
        let request = request.into_inner();
        let question = request.question.unwrap();
        assert_eq!(question.request_id.len(), 32);
        let message = |response| {
            Ok(AskResponse {
                response: Some(response),
            })
        };
        let accepted = message(ask_response::Response::Accepted(Accepted {
            session_id: request.session_id,
            trace_id: "7".repeat(32),
            ..Accepted::default()
        }));
        let agent = message(ask_response::Response::Event(Event {
            body: Some(event::Body::Agent(AgentMessage {
                content: "Two.".to_owned(),
                ..AgentMessage::default()
            })),
            ..Event::default()
        }));
        let sent: Vec<Result<AskResponse, Status>> = match question.content.as_str() {
            "answer" => vec![accepted, agent],
            "cut" => vec![accepted],
            "break" => vec![
                accepted,
                Err(Status::unavailable("dragoman stops: ask again")),
            ],
            _ => return Err(Status::resource_exhausted("too many questions: wait 3 s")),
        };
        Ok(Response::new(stream::iter(sent).boxed()))
    }
}

/// Asks a [`Fake`]: what was printed, what was noted, and how it went.
async fn asked(question: &str) -> (String, String, Result<Outcome, AskError>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let server = Server::builder()
        .add_service(ChatServer::new(Fake))
        .serve_with_incoming(TcpListenerStream::new(listener));
    let arguments = AskArguments {
        question: question.to_owned(),
        server: format!("http://{address}"),
        session: Some(crate::chat::SessionId::parse("s-1").unwrap()),
    };
    let (mut output, mut notes) = (Vec::new(), Vec::new());
    let told = {
        let mut answer = Answer::new(&mut output, &mut notes, false);
        tokio::select! {
            told = tell(&arguments, &mut answer) => told,
            served = server => panic!("the server ended: {served:?}"),
        }
    };
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output), text(notes), told)
}

#[tokio::test]
async fn an_answer_is_printed_and_its_session_noted() {
    let (output, notes, told) = asked("answer").await;
    assert_eq!(output, "Two.\n");
    assert_eq!(notes, format!("session s-1, trace {}\n", "7".repeat(32)));
    assert_eq!(told.unwrap(), Outcome::Answered);
}

#[tokio::test]
async fn failures_have_a_sentence_and_an_exit_code_of_their_own() {
    let cases = [
        ("refuse", "too many questions: wait 3 s", 75),
        ("break", "dragoman stops: ask again", 69),
        (
            "cut",
            "the connection ended before the answer; the turn may go on, its session is s-1",
            69,
        ),
    ];
    for (question, sentence, code) in cases {
        let (output, _, told) = asked(question).await;
        let error = told.unwrap_err();
        assert_eq!(output, "");
        assert_eq!(error.to_string(), sentence);
        assert_eq!(error.exit_code(), ExitCode::from(code));
    }
}

#[test]
fn ctrl_c_says_that_the_turn_goes_on() {
    let stopped = AskError::Interrupted {
        session: Some("s-1".to_owned()),
    };
    assert_eq!(
        stopped.to_string(),
        "stopped listening; the turn goes on, its session is s-1"
    );
    assert_eq!(stopped.exit_code(), ExitCode::from(130));
    let early = AskError::Interrupted { session: None };
    assert_eq!(
        early.to_string(),
        "stopped before dragoman had taken the question"
    );
}
