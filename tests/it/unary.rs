//! The calls of the Chat service with one answer, and what they do to those who follow.

use std::time::Duration;

use dragoman::rpc::proto::converse_request::Request as Say;
use dragoman::rpc::proto::converse_response::Response as Said;
use dragoman::rpc::proto::event::Body;
use dragoman::rpc::proto::{
    AskRequest, CancelTurnRequest, ConverseRequest, EraseSessionRequest, Event, Finish,
    ListEventsRequest, ListSessionsRequest, Open, Question,
};
use tokio::time::timeout;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::support::{Client, PATIENCE, TestApp};

/// How long nothing must come to be believed that nothing comes.
const QUIET: Duration = Duration::from_millis(300);

async fn ask(app: &TestApp, session: &str, content: &str) -> Result<Vec<Event>, Status> {
    use dragoman::rpc::proto::ask_response::Response;
    let request = AskRequest {
        session_id: session.to_owned(),
        question: Some(Question {
            content: content.to_owned(),
            ..Question::default()
        }),
    };
    let mut stream = app.grpc().await.ask(request).await?.into_inner();
    let mut events = vec![];
    while let Some(response) = timeout(PATIENCE, stream.message()).await.unwrap()? {
        if let Some(Response::Event(event)) = response.response {
            events.push(event);
        }
    }
    Ok(events)
}

fn list(session: &str, page_size: i32, page_token: &str) -> ListEventsRequest {
    ListEventsRequest {
        session_id: session.to_owned(),
        page_size,
        page_token: page_token.to_owned(),
    }
}

async fn erase(app: &TestApp, session: &str) -> bool {
    let session_id = session.to_owned();
    let request = EraseSessionRequest { session_id };
    let erased = app.grpc().await.erase_session(request).await.unwrap();
    erased.into_inner().erased
}

/// Cuts a connection in the middle of a turn, and waits until the service knows.
async fn cut(mut client: Client, question: Option<&str>) {
    if let Some(question) = question {
        client.ask(question).await;
    }
    while client.frame().await["type"] != "agent_partial" {}
    drop(client);
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// Waits until nothing runs in a session.
async fn ended(app: &TestApp, session: &str) {
    let ending = async {
        loop {
            let page = app.grpc().await.list_events(list(session, 0, "")).await;
            let events = page.unwrap().into_inner().events;
            if matches!(events.last().unwrap().body, Some(Body::Agent(_))) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, ending).await.unwrap();
}

#[tokio::test]
async fn a_transcript_is_paged_to_its_end() {
    let app = TestApp::start().await;
    let mut asked = vec![];
    for content in ["tools", "Hello", "fast"] {
        asked.extend(ask(&app, "paged", content).await.unwrap());
    }
    let mut client = app.grpc().await;
    for size in [1, 4, 1_000, 100_000] {
        let (mut events, mut token) = (vec![], String::new());
        loop {
            let page = client.list_events(list("paged", size, &token)).await;
            let page = page.unwrap().into_inner();
            assert!(!page.events.is_empty() && page.events.len() <= usize::try_from(size).unwrap());
            events.extend(page.events);
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(events, asked, "{size}");
    }
    let nobody = client.list_events(list("nobody", 0, "")).await.unwrap();
    let nobody = nobody.into_inner();
    assert!(nobody.events.is_empty() && nobody.next_page_token.is_empty());
    app.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_page_is_said() {
    let app = TestApp::start().await;
    ask(&app, "pages", "Hello").await.unwrap();
    let mut client = app.grpc().await;
    for (request, field) in [
        (list("no session!", 0, ""), "session_id"),
        (list("pages", -1, ""), "page_size"),
        (list("pages", 0, "seven"), "page_token"),
    ] {
        let refused = client.list_events(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        let violations = refused.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field);
    }
    let page = client.list_events(list("pages", 1, "")).await.unwrap();
    let token = page.into_inner().next_page_token;
    assert!(erase(&app, "pages").await);
    ask(&app, "pages", "Hello").await.unwrap();
    let refused = client.list_events(list("pages", 1, &token)).await;
    assert_eq!(refused.unwrap_err().code(), Code::Aborted);
    app.stop().await;
}

#[tokio::test]
async fn sessions_of_strangers_are_listed_only_if_the_operator_says_so() {
    let app = TestApp::start().await;
    let request = ListSessionsRequest::default();
    let refused = app.grpc().await.list_sessions(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.message().contains("grpc_server.list_anonymous"));
    app.stop().await;

    let app = TestApp::with(|config| config.chat_service.list_anonymous = true).await;
    let mut asked = vec![];
    for number in 0..5 {
        let session = format!("session-{number}");
        ask(&app, &session, "Hello").await.unwrap();
        asked.insert(0, session);
    }
    let mut client = app.grpc().await;
    let (mut listed, mut page_token) = (vec![], String::new());
    loop {
        let request = ListSessionsRequest {
            page_size: 2,
            page_token,
        };
        let page = client.list_sessions(request).await.unwrap().into_inner();
        assert!(!page.sessions.is_empty() && page.sessions.len() <= 2);
        for session in page.sessions {
            assert_eq!(session.end.unwrap().seq, 2);
            listed.push(session.session_id);
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, asked);
    app.stop().await;
}

#[tokio::test]
async fn a_running_turn_is_cancelled_by_a_call() {
    let app = TestApp::start().await;
    let mut client = app.chat("cancelled").await;
    client.ask("hang").await;
    while client.frame().await["type"] != "agent_partial" {}
    let cancel = || CancelTurnRequest {
        session_id: "cancelled".to_owned(),
        turn_id: String::new(),
    };
    let mut service = app.grpc().await;
    let first = service.cancel_turn(cancel()).await.unwrap().into_inner();
    assert!(first.cancelled);
    assert_eq!(client.frame().await["finish"], "cancelled");
    ended(&app, "cancelled").await;
    let again = service.cancel_turn(cancel()).await.unwrap().into_inner();
    assert!(!again.cancelled);
    let page = service.list_events(list("cancelled", 0, "")).await.unwrap();
    let last = page.into_inner().events.pop().unwrap().body;
    let Some(Body::Agent(agent)) = last else {
        panic!("{last:?}");
    };
    assert_eq!(agent.finish(), Finish::Cancelled);
    app.stop().await;
}

#[tokio::test]
async fn a_deadline_that_has_passed_erases_nothing() {
    let app = TestApp::start().await;
    ask(&app, "late", "Hello").await.unwrap();
    let mut request = Request::new(EraseSessionRequest {
        session_id: "late".to_owned(),
    });
    request.set_timeout(Duration::from_millis(1));
    let refused = app.grpc().await.erase_session(request).await.unwrap_err();
    assert!(
        matches!(refused.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{refused:?}"
    );
    assert!(erase(&app, "late").await, "it is still there");
    app.stop().await;
}

#[tokio::test]
async fn an_erased_session_is_gone_for_everybody_who_is_there() {
    let app = TestApp::start().await;
    let mut tab = app.chat("erased").await;
    tab.ask("hang").await;
    while tab.frame().await["type"] != "agent_partial" {}
    let open = ConverseRequest {
        request: Some(Say::Open(Open {
            session_id: "erased".to_owned(),
            ..Open::default()
        })),
    };
    // A client side that stays open.
    let requests = futures_util::StreamExt::chain(
        futures_util::stream::iter([open]),
        futures_util::stream::pending(),
    );
    let stream = app.grpc().await.converse(requests).await.unwrap();
    let mut stream = stream.into_inner();
    let opened = stream.message().await.unwrap().unwrap().response;
    assert!(matches!(opened, Some(Said::Opened(_))), "{opened:?}");
    let waiting = async { ask(&app, "erased", "slow").await };
    let erasing = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        erase(&app, "erased").await
    };
    // A question that waited finds a free id.
    let (answered, erased) = tokio::join!(waiting, erasing);
    assert!(erased);
    let ended = loop {
        match timeout(PATIENCE, stream.message()).await.unwrap() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it just ended"),
            Err(status) => break status,
        }
    };
    assert_eq!(ended.code(), Code::NotFound, "{ended:?}");
    assert_eq!(tab.close_code().await, Some(4001));
    assert_eq!(answered.unwrap()[0].seq, 1);
    assert!(erase(&app, "erased").await);
    assert!(!erase(&app, "erased").await);
    app.stop().await;
}

#[tokio::test]
async fn a_question_whose_session_is_erased_ends_with_not_found() {
    let app = TestApp::start().await;
    let asking = ask(&app, "asked", "hang");
    let erasing = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        erase(&app, "asked").await
    };
    let (answered, erased) = tokio::join!(asking, erasing);
    assert!(erased);
    assert_eq!(answered.unwrap_err().code(), Code::NotFound);
    app.stop().await;
}

#[tokio::test]
async fn an_old_client_that_was_cut_gets_the_end_once() {
    let app = TestApp::start().await;
    cut(app.chat("cut").await, Some("slow")).await;
    ended(&app, "cut").await;
    let mut back = app.chat("cut").await;
    let end = back.frame().await;
    assert_eq!((&end["type"], &end["seq"]), (&"agent".into(), &2.into()));
    assert!(back.is_quiet(QUIET).await);
    drop(back);
    let mut again = app.chat("cut").await;
    assert!(again.is_quiet(QUIET).await, "it was seen");
    let turn = again.asked("Hello").await;
    assert_eq!(turn[0]["type"], "user");
    app.stop().await;
}

#[tokio::test]
async fn of_two_old_tabs_the_one_that_was_cut_gets_the_end_too() {
    let app = TestApp::start().await;
    let mut stays = app.chat("tabs").await;
    let mut goes = app.chat("tabs").await;
    stays.ask("slow").await;
    assert_eq!(goes.frame().await["type"], "user");
    cut(goes, None).await;
    assert_eq!(stays.turn().await.last().unwrap()["type"], "agent");
    // As a browser does, it answers the ping that follows.
    assert!(stays.is_quiet(QUIET).await);
    let mut back = app.chat("tabs").await;
    assert_eq!(back.frame().await["type"], "agent");
    assert!(back.is_quiet(QUIET).await);
    let mut third = app.chat("tabs").await;
    assert!(third.is_quiet(QUIET).await, "nobody else was cut");
    assert!(stays.is_quiet(QUIET).await);
    app.stop().await;
}

#[tokio::test]
async fn an_old_client_that_comes_back_in_time_gets_the_end_once() {
    let app = TestApp::start().await;
    cut(app.chat("in-time").await, Some("slow")).await;
    let mut back = app.chat("in-time").await;
    while back.frame().await["type"] != "agent" {}
    // As a browser does, it answers the ping that follows.
    assert!(back.is_quiet(QUIET).await);
    drop(back);
    let mut again = app.chat("in-time").await;
    assert!(again.is_quiet(QUIET).await, "it was seen");
    app.stop().await;
}

#[tokio::test]
async fn an_old_client_that_comes_back_before_it_was_missed_gets_the_end_once() {
    let app = TestApp::start().await;
    let mut silent = app.chat("silent").await;
    let mut other = Client::connect(app.http, "/ws/silent?after=0", &[])
        .await
        .unwrap();
    other.ask("Hello").await;
    assert_eq!(silent.frame().await["type"], "user");
    // From here on nothing reaches `silent`, whose connection stays: nobody can know.
    while other.frame().await["type"] != "agent" {}
    assert!(other.is_quiet(QUIET).await, "it confirms the end meanwhile");
    let mut back = app.chat("silent").await;
    assert_eq!(back.frame().await["type"], "agent");
    assert!(back.is_quiet(QUIET).await);
    drop(silent);
    let mut again = app.chat("silent").await;
    assert!(again.is_quiet(QUIET).await, "it was seen");
    app.stop().await;
}
