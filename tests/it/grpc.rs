//! The Chat service as `chat.proto` says it.

mod busy;

use std::time::Duration;

use dragoman::rpc::proto::ask_response::Response as Asked;
use dragoman::rpc::proto::converse_request::Request as Say;
use dragoman::rpc::proto::converse_response::Response as Said;
use dragoman::rpc::proto::event::Body;
use dragoman::rpc::proto::text::Change;
use dragoman::rpc::proto::{
    AskRequest, AskResponse, Cancel, ConverseRequest, ConverseResponse, Cursor, Event, Finish,
    Open, Question,
};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Status, Streaming};
use tonic_types::StatusExt as _;

use crate::support::{PATIENCE, TestApp};

fn question(content: &str, request_id: &str) -> Question {
    Question {
        content: content.to_owned(),
        request_id: request_id.to_owned(),
        trace_context: None,
        when_busy: 0,
    }
}

fn ask(session: &str, content: &str) -> AskRequest {
    AskRequest {
        session_id: session.to_owned(),
        question: Some(question(content, "")),
    }
}

fn open(session: &str, after: Option<u64>) -> Say {
    Say::Open(Open {
        session_id: session.to_owned(),
        after: after.map(|seq| Cursor {
            seq,
            fingerprint: String::new(),
        }),
        missed: false,
    })
}

async fn all(mut stream: Streaming<AskResponse>) -> Result<Vec<Asked>, Status> {
    let mut responses = vec![];
    while let Some(response) = timeout(PATIENCE, stream.message()).await.unwrap()? {
        responses.push(response.response.unwrap());
    }
    Ok(responses)
}

/// Everything one question gets.
async fn answered(app: &TestApp, request: AskRequest) -> Vec<Asked> {
    let stream = app.grpc().await.ask(request).await.unwrap();
    all(stream.into_inner()).await.unwrap()
}

/// A conversation from outside.
struct Conversation {
    requests: Option<mpsc::Sender<ConverseRequest>>,
    responses: Streaming<ConverseResponse>,
}

impl Conversation {
    async fn start(app: &TestApp, first: Say) -> Self {
        let (requests, receiver) = mpsc::channel(64);
        let conversation = Self {
            requests: Some(requests),
            responses: app
                .grpc()
                .await
                .converse(ReceiverStream::new(receiver))
                .await
                .unwrap()
                .into_inner(),
        };
        conversation.say(first).await;
        conversation
    }

    async fn say(&self, request: Say) {
        let request = ConverseRequest {
            request: Some(request),
        };
        self.requests.as_ref().unwrap().send(request).await.unwrap();
    }

    async fn next(&mut self) -> Result<Option<Said>, Status> {
        let response = timeout(PATIENCE, self.responses.message()).await.unwrap()?;
        Ok(response.map(|response| response.response.unwrap()))
    }

    async fn said(&mut self) -> Said {
        self.next().await.unwrap().unwrap()
    }

    async fn event(&mut self) -> Event {
        loop {
            if let Said::Event(event) = self.said().await {
                return event;
            }
        }
    }
}

#[tokio::test]
async fn ask_streams_one_turn_and_ends() {
    let app = TestApp::start().await;
    let responses = answered(&app, ask("ask", "tools")).await;
    let Asked::Accepted(accepted) = &responses[0] else {
        panic!("{responses:#?}")
    };
    assert_eq!(accepted.session_id, "ask");
    assert_eq!(accepted.trace_id.len(), 32);
    let (mut text, mut kinds) = (String::new(), vec![]);
    for response in &responses[1..] {
        match response {
            Asked::Text(change) => match change.change.as_ref().unwrap() {
                Change::Replace(whole) => whole.clone_into(&mut text),
                Change::Append(more) => text.push_str(more),
            },
            Asked::Event(event) => {
                assert_eq!(event.turn_id, accepted.turn_id);
                assert_eq!(event.trace_id, accepted.trace_id);
                kinds.push(match event.body.as_ref().unwrap() {
                    Body::User(_) => "user",
                    Body::ToolCall(_) => "call",
                    Body::ToolResult(result) => {
                        assert!(!result.failed, "{result:?}");
                        assert_eq!(result.text_offset, 12);
                        "result"
                    }
                    Body::Agent(answer) => {
                        assert!(answer.content.starts_with(&text), "{text:?}");
                        let usage = answer.usage.unwrap();
                        assert_eq!((usage.steps, usage.tool_calls), (2, 2));
                        assert_eq!((usage.input_tokens, usage.output_tokens), (100, 20));
                        "agent"
                    }
                    Body::ApprovalRequest(_) | Body::ApprovalDecision(_) => "approval",
                    Body::Error(error) => panic!("{error:?}"),
                });
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(kinds, ["user", "call", "call", "result", "result", "agent"]);
    app.stop().await;
}

#[tokio::test]
async fn a_question_without_a_session_gets_a_new_one() {
    let app = TestApp::start().await;
    let responses = answered(&app, ask("", "Hello")).await;
    let Asked::Accepted(accepted) = &responses[0] else {
        panic!("{responses:#?}")
    };
    assert!(accepted.session_id.len() >= 32);
    app.stop().await;
}

#[tokio::test]
async fn a_browser_and_a_service_share_a_turn() {
    let app = TestApp::start().await;
    let mut browser = app.chat("both").await;
    let mut service = Conversation::start(&app, open("both", None)).await;
    assert!(matches!(service.said().await, Said::Opened(_)));
    browser.send_json(serde_json::json!({ "content": 1 })).await;
    browser.frame().await;

    service
        .say(Say::Ask(question("tools", "from-service")))
        .await;
    let Said::Accepted(accepted) = service.said().await else {
        panic!("not accepted")
    };
    let frames = browser.turn().await;
    assert_eq!(frames[0]["turn_id"], accepted.turn_id);
    assert_eq!(frames[0]["trace_id"], accepted.trace_id);
    let last = loop {
        if let Body::Agent(answer) = service.event().await.body.unwrap() {
            break answer;
        }
    };
    assert_eq!(frames.last().unwrap()["content"], last.content);
    app.stop().await;
}

#[tokio::test]
async fn the_log_is_read_from_a_cursor_and_a_closed_client_side_ends_it() {
    let app = TestApp::start().await;
    answered(&app, ask("log", "Hello")).await;
    let mut reader = Conversation::start(&app, open("log", Some(0))).await;
    reader.requests = None;
    let Said::Opened(opened) = reader.said().await else {
        panic!("not opened")
    };
    let end = opened.end.unwrap();
    assert_eq!(end.seq, 2);
    let limits = opened.limits.unwrap();
    assert_eq!(
        (limits.rate_questions, limits.rate_window.unwrap().seconds),
        (20, 60)
    );
    let first = reader.event().await;
    let second = reader.event().await;
    assert_eq!((first.seq, second.seq), (1, 2));
    assert_eq!(second.fingerprint, end.fingerprint);
    assert_eq!(
        reader.next().await.unwrap(),
        None,
        "the end of what there was is the end"
    );

    let mut foreign = Conversation::start(
        &app,
        Say::Open(Open {
            session_id: "log".to_owned(),
            after: Some(Cursor {
                seq: 1,
                fingerprint: "of another log".to_owned(),
            }),
            missed: false,
        }),
    )
    .await;
    assert!(matches!(foreign.said().await, Said::Opened(_)));
    assert!(matches!(foreign.said().await, Said::Reset(_)));
    assert_eq!(foreign.event().await.seq, 1);
    app.stop().await;
}

#[tokio::test]
async fn a_second_question_waits_and_is_told_so() {
    let app = TestApp::start().await;
    let mut client = Conversation::start(&app, open("wait", None)).await;
    client.said().await;
    client.say(Say::Ask(question("slow", "1"))).await;
    client.say(Say::Ask(question("Hello", "2"))).await;
    client.requests = None;
    let (mut queued, mut accepted, mut answers) = (vec![], vec![], 0);
    while let Some(said) = client.next().await.unwrap() {
        match said {
            Said::Queued(said) => queued.push(said.request_id),
            Said::Accepted(said) => accepted.push(said.request_id),
            Said::Event(event) => answers += u32::from(matches!(event.body, Some(Body::Agent(_)))),
            _ => {}
        }
    }
    assert_eq!(
        (queued, accepted, answers),
        (
            vec!["2".to_owned()],
            vec!["1".to_owned(), "2".to_owned()],
            2
        )
    );
    app.stop().await;
}

#[tokio::test]
async fn cancel_stops_the_running_turn() {
    let app = TestApp::start().await;
    let mut client = Conversation::start(&app, open("cancel", None)).await;
    client.said().await;
    client.say(Say::Ask(question("hang", ""))).await;
    while !matches!(client.said().await, Said::Text(_)) {}
    client.say(Say::Cancel(Cancel::default())).await;
    let Body::Agent(answer) = client.event().await.body.unwrap() else {
        panic!("no answer")
    };
    assert_eq!(answer.finish(), Finish::Cancelled);
    assert_eq!(answer.content, "I begin, and then");
    client
        .say(Say::Cancel(Cancel {
            turn_id: "x".to_owned(),
        }))
        .await;
    let Said::Rejected(rejected) = client.said().await else {
        panic!("not rejected")
    };
    assert_eq!(rejected.status.unwrap().code, Code::InvalidArgument as i32);
    app.stop().await;
}

#[tokio::test]
async fn a_deadline_ends_the_stream_but_not_the_turn() {
    let app = TestApp::start().await;
    let mut request = Request::new(AskRequest {
        session_id: "deadline".to_owned(),
        question: Some(question("slow", "again")),
    });
    request.set_timeout(Duration::from_millis(150));
    let result = match app.grpc().await.ask(request).await {
        Ok(response) => all(response.into_inner()).await.map(|_| ()),
        Err(status) => Err(status),
    };
    assert_eq!(result.unwrap_err().code(), Code::DeadlineExceeded);
    let again = AskRequest {
        session_id: "deadline".to_owned(),
        question: Some(question("slow", "again")),
    };
    let responses = answered(&app, again).await;
    assert!(matches!(&responses[0], Asked::Accepted(accepted) if accepted.duplicate));
    let Some(Asked::Event(last)) = responses.last() else {
        panic!("{responses:#?}")
    };
    assert!(
        matches!(&last.body, Some(Body::Agent(answer)) if answer.content == "slowly ".repeat(30))
    );
    app.stop().await;
}

#[tokio::test]
async fn a_cancelled_call_leaves_the_turn_running() {
    let app = TestApp::start().await;
    let mut stream = app
        .grpc()
        .await
        .ask(ask("dropped", "slow"))
        .await
        .unwrap()
        .into_inner();
    assert!(stream.message().await.unwrap().is_some());
    drop(stream);
    let mut reader = Conversation::start(&app, open("dropped", Some(0))).await;
    loop {
        if let Body::Agent(answer) = reader.event().await.body.unwrap() {
            assert_eq!(answer.finish(), Finish::Completed);
            break;
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn refusals_say_which_field_and_when_to_try_again() {
    let app = TestApp::start().await;
    let mut grpc = app.grpc().await;
    let status = grpc.ask(ask("a b", "Hello")).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let violation = &status.get_details_bad_request().unwrap().field_violations[0];
    assert_eq!(violation.field, "session_id");
    assert!(violation.description.contains("1 to 64"), "{violation:?}");

    let status = grpc.ask(ask("empty", "  ")).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let status = grpc
        .ask(ask("long", &"x".repeat(17_000)))
        .await
        .unwrap_err();
    assert!(status.message().contains("16384"), "{status:?}");
    let status = grpc
        .ask(ask("huge", &"x".repeat(400_000)))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);

    for _ in 0..20 {
        all(grpc.ask(ask("rate", "Hello")).await.unwrap().into_inner())
            .await
            .unwrap();
    }
    let status = grpc.ask(ask("rate", "Hello")).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let retry = status
        .get_details_retry_info()
        .unwrap()
        .retry_delay
        .unwrap();
    assert!(
        retry > Duration::from_secs(30) && retry <= Duration::from_mins(1),
        "{retry:?}"
    );

    let mut conversation = Conversation::start(&app, open("rate", None)).await;
    conversation.said().await;
    conversation.say(Say::Ask(question("Hello", "21"))).await;
    let Said::Rejected(rejected) = conversation.said().await else {
        panic!("not rejected")
    };
    assert_eq!(rejected.request_id, "21");
    let status = rejected.status.unwrap();
    assert_eq!(status.code, Code::ResourceExhausted as i32);
    assert!(
        status
            .details
            .iter()
            .any(|detail| detail.type_url.ends_with("RetryInfo"))
    );
    app.stop().await;
}

#[tokio::test]
async fn a_conversation_begins_with_open_and_has_only_one() {
    let app = TestApp::start().await;
    let mut early = Conversation::start(&app, Say::Ask(question("Hello", ""))).await;
    let status = early.next().await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("`open`"), "{status:?}");

    let mut twice = Conversation::start(&app, open("twice", None)).await;
    twice.said().await;
    twice.say(open("twice", None)).await;
    assert_eq!(
        twice.next().await.unwrap_err().code(),
        Code::InvalidArgument
    );

    let mut bad = Conversation::start(&app, open("no/id", None)).await;
    let status = bad.next().await.unwrap_err();
    assert!(status.get_details_bad_request().is_some(), "{status:?}");
    app.stop().await;
}

#[tokio::test]
async fn health_and_both_reflections_answer() {
    use tonic_reflection::pb::{v1, v1alpha};
    let app = TestApp::start().await;
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", app.grpc)).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel.clone());
    for service in ["", "dragoman.chat.v1.Chat"] {
        let request = tonic_health::pb::HealthCheckRequest {
            service: service.to_owned(),
        };
        let status = health.check(request).await.unwrap().into_inner().status;
        assert_eq!(status, 1, "{service:?} is serving");
    }
    let mut reflection = v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let list = v1::server_reflection_request::MessageRequest::ListServices(String::new());
    let request = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(list),
    };
    let mut answers = reflection
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    let answer = format!("{:?}", answers.message().await.unwrap());
    assert!(answer.contains("dragoman.chat.v1.Chat"), "{answer}");
    let mut old = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let file = v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
        "dragoman.chat.v1.Chat".to_owned(),
    );
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(file),
    };
    let mut answers = old
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    let answer = format!("{:?}", answers.message().await.unwrap());
    assert!(answer.contains("FileDescriptorResponse"), "{answer}");
    app.stop().await;
}

#[tokio::test]
async fn a_cursor_that_does_not_fit_is_answered_also_if_the_client_side_is_closed() {
    let app = TestApp::start().await;
    answered(&app, ask("misfit", "Hello")).await;
    for (seq, fingerprint) in [(99, ""), (2, "of another log"), (1, "of another log")] {
        let first = Say::Open(Open {
            session_id: "misfit".to_owned(),
            after: Some(Cursor {
                seq,
                fingerprint: fingerprint.to_owned(),
            }),
            missed: false,
        });
        let mut reader = Conversation::start(&app, first).await;
        reader.requests = None;
        let mut said = vec![];
        while let Some(response) = reader.next().await.unwrap() {
            said.push(match response {
                Said::Opened(_) => 100,
                Said::Reset(_) => 0,
                Said::Event(event) => event.seq,
                other => panic!("{other:?}"),
            });
        }
        assert_eq!(said, [100, 0, 1, 2], "{seq} {fingerprint}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_deadline_holds_while_the_store_does_not_answer() {
    let app = TestApp::start().await;
    let shell = rusqlite::Connection::open(app.folder().join("sessions.db")).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let requests = [open("stuck", None), Say::Ask(question("Hello", "q"))];
    let requests = requests.map(|request| ConverseRequest {
        request: Some(request),
    });
    let mut request = Request::new(tokio_stream::StreamExt::chain(
        tokio_stream::iter(requests),
        tokio_stream::pending(),
    ));
    request.set_timeout(Duration::from_millis(500));
    let begun = tokio::time::Instant::now();
    let mut responses = app
        .grpc()
        .await
        .converse(request)
        .await
        .unwrap()
        .into_inner();
    assert!(responses.message().await.unwrap().is_some());
    let status = responses.message().await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );

    let mut request = Request::new(ask("stuck-too", "Hello"));
    request.set_timeout(Duration::from_millis(500));
    let status = app.grpc().await.ask(request).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    shell.execute_batch("COMMIT").unwrap();

    // What was asked stays asked.
    let again = AskRequest {
        session_id: "stuck".to_owned(),
        question: Some(question("Hello", "q")),
    };
    let again = app.grpc().await.ask(again).await.unwrap();
    let responses = all(again.into_inner()).await.unwrap();
    assert!(matches!(&responses[0], Asked::Accepted(accepted) if accepted.duplicate));
    app.stop().await;
}

#[tokio::test]
async fn a_deadline_that_has_passed_already_asks_nothing() {
    let app = TestApp::start().await;
    let mut request = Request::new(ask("late", "Hello"));
    request
        .metadata_mut()
        .insert("grpc-timeout", "1n".parse().unwrap());
    let status = app.grpc().await.ask(request).await.unwrap_err();
    // Before the request has been read it is tonic's timer that answers, with CANCELLED.
    assert!(
        matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{status:?}"
    );
    let mut late = Conversation::start(&app, open("late", Some(0))).await;
    let Said::Opened(opened) = late.said().await else {
        panic!("not opened")
    };
    assert_eq!(opened.end.unwrap().seq, 0);
    app.stop().await;
}

#[tokio::test]
async fn who_watches_the_health_is_told_of_a_drain_and_does_not_hold_it_up() {
    let app = TestApp::start().await;
    let mut browser = app.chat("health").await;
    browser.ask("slow").await;
    assert_eq!(browser.frame().await["type"], "user");
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", app.grpc)).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    let request = tonic_health::pb::HealthCheckRequest {
        service: "dragoman.chat.v1.Chat".to_owned(),
    };
    let mut watch = health.watch(request).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 1);
    let told = async {
        let status = timeout(PATIENCE, watch.message()).await.unwrap();
        assert_eq!(status.unwrap().unwrap().status, 2, "not serving");
        // The turn goes on meanwhile.
        while browser.frame().await["type"] != "agent" {}
        while let Ok(Some(_)) = timeout(PATIENCE, watch.message()).await.unwrap() {}
    };
    tokio::join!(app.stop(), told);
}
