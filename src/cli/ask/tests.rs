use std::net::SocketAddr;
use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Streaming};

use super::*;
use crate::rpc::proto::chat_server::{Chat, ChatServer};
use crate::rpc::proto::{
    Accepted, AgentMessage, ApprovalDecision, ApprovalRequest, AskResponse, CancelTurnRequest,
    CancelTurnResponse, ConverseRequest, ConverseResponse, DecideApprovalRequest,
    DecideApprovalResponse, Decision, EraseSessionRequest, EraseSessionResponse, Event,
    ListEventsRequest, ListEventsResponse, ListSessionsRequest, ListSessionsResponse, ask_response,
    event,
};

type Sent<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A service that answers every question in the way its content asks for.
#[derive(Default)]
struct Fake {
    decided: watch::Sender<Option<bool>>,
}

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

    async fn decide_approval(
        &self,
        request: Request<DecideApprovalRequest>,
    ) -> Result<Response<DecideApprovalResponse>, Status> {
        let request = request.into_inner();
        assert_eq!(
            (&*request.session_id, &*request.turn_id, &*request.call_id),
            ("s-1", "t-1", "c-1")
        );
        self.decided.send_replace(Some(request.approved));
        Ok(Response::new(DecideApprovalResponse::default()))
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
            "asks" => return Ok(Response::new(self.asks(accepted, agent))),
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

impl Fake {
    /// A turn with a call that waits until it is decided.
    fn asks(
        &self,
        accepted: Result<AskResponse, Status>,
        agent: Result<AskResponse, Status>,
    ) -> Sent<AskResponse> {
        let event = |body| {
            Ok(AskResponse {
                response: Some(ask_response::Response::Event(Event {
                    turn_id: "t-1".to_owned(),
                    body: Some(body),
                    ..Event::default()
                })),
            })
        };
        let request = event(event::Body::ApprovalRequest(ApprovalRequest {
            call_id: "c-1".to_owned(),
            name: "drop_\u{1b}[2Jtables".to_owned(),
            ..ApprovalRequest::default()
        }));
        let mut decided = self.decided.subscribe();
        let decision = async move {
            let approved = *decided.wait_for(Option::is_some).await.unwrap();
            let decision = if approved == Some(true) {
                Decision::Approved
            } else {
                Decision::Denied
            };
            event(event::Body::ApprovalDecision(ApprovalDecision {
                call_id: "c-1".to_owned(),
                decision: decision.into(),
                ..ApprovalDecision::default()
            }))
        };
        stream::iter([accepted, request])
            .chain(stream::once(decision))
            .chain(stream::iter([agent]))
            .boxed()
    }
}

/// Asks a [`Fake`]: what was printed, what was noted, and how it went.
async fn asked(question: &str) -> (String, String, Result<Outcome, AskError>) {
    asked_by(question, Typist::Nobody, Fake::default()).await
}

async fn asked_by(
    question: &str,
    typist: Typist,
    fake: Fake,
) -> (String, String, Result<Outcome, AskError>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let server = Server::builder()
        .add_service(ChatServer::new(fake))
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
            told = tell(&arguments, &mut answer, typist) => told,
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

#[tokio::test]
async fn whoever_sits_there_is_asked_until_it_is_a_clear_yes_or_no() {
    for (typed, told_of_it) in [
        (&["", "sure", " Yes "][..], "the call was allowed"),
        (&["n"][..], "the call was denied"),
    ] {
        let (lines, typist) = mpsc::channel(8);
        for line in typed {
            lines.send((*line).to_owned()).await.unwrap();
        }
        let typist = Typist::Lines(typist);
        let (output, notes, told) = asked_by("asks", typist, Fake::default()).await;
        assert_eq!(output, "Two.\n");
        let prompt = "Allow drop_[2Jtables? y or n: ";
        assert_eq!(notes.matches(prompt).count(), typed.len(), "{notes}");
        assert!(notes.contains("waits to be allowed"), "{notes}");
        assert!(notes.contains(told_of_it), "{notes}");
        assert!(!notes.contains('\u{1b}'), "{notes:?}");
        assert_eq!(told.unwrap(), Outcome::Answered);
    }
}

#[tokio::test]
async fn without_a_terminal_it_says_how_to_allow_the_call_and_waits() {
    let fake = Fake::default();
    let decided = fake.decided.clone();
    let elsewhere = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        decided.send_replace(Some(true));
    };
    let asking = asked_by("asks", Typist::Nobody, fake);
    let ((_, notes, told), ()) = tokio::join!(asking, elsewhere);
    let how = "call DecideApproval with session_id s-1, turn_id t-1, call_id c-1";
    assert!(notes.contains(how), "{notes}");
    assert!(notes.contains("the call was allowed"), "{notes}");
    assert_eq!(told.unwrap(), Outcome::Answered);
}
