//! A gateway whose agents break off: at every position, in every way, nobody notices.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dragoman::config::Role;
use dragoman::rpc::proto::chat_server::{self, ChatServer};
use dragoman::rpc::proto::converse_request::Request as Say;
use dragoman::rpc::proto::converse_response::Response as Said;
use dragoman::rpc::proto::event::Body;
use dragoman::rpc::proto::text::Change;
use dragoman::rpc::proto::{self, ConverseRequest, ConverseResponse};
use futures_util::Stream;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_util::task::TaskTracker;
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use crate::support::TestApp;

/// How a conversation is broken off.
const WAYS: [&str; 3] = ["unavailable", "closed", "go-away"];
/// More responses than one turn has.
const POSITIONS: usize = 9;
/// What the turn says, and then its whole answer.
const TEXTS: [&str; 3] = ["One ", "two ", "three"];
const TURN: &str = "0e4c1f9a5d8b4c0f9a7e6d5c4b3a2910";

/// Agents with one memory. The name of a session says how and where its first conversation is broken off.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<HashMap<String, Session>>>);

#[derive(Default)]
struct Session {
    /// What a follower from the very start has been told.
    told: Vec<Said>,
    /// Ids of questions.
    asked: Vec<String>,
    conversations: usize,
    /// How far its only turn is.
    texts: usize,
    ended: bool,
}

type Responses<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

fn event(seq: u64, body: Body) -> Said {
    Said::Event(proto::Event {
        seq,
        fingerprint: format!("f{seq}"),
        turn_id: TURN.to_owned(),
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
        create_time: Some(std::time::SystemTime::UNIX_EPOCH.into()),
        body: Some(body),
    })
}

fn words(change: Change) -> Said {
    Said::Text(proto::Text {
        turn_id: TURN.to_owned(),
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
        change: Some(change),
    })
}

impl Session {
    fn ask(&mut self, question: &proto::Question) -> Said {
        let duplicate = self.asked.contains(&question.request_id);
        if !duplicate {
            self.asked.push(question.request_id.clone());
            let seq = self.asked.len() as u64;
            self.told.push(event(
                seq,
                Body::User(proto::UserMessage {
                    content: question.content.clone(),
                    request_id: question.request_id.clone(),
                }),
            ));
        }
        Said::Accepted(proto::Accepted {
            request_id: question.request_id.clone(),
            turn_id: TURN.to_owned(),
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".to_owned(),
            duplicate,
            seq: 1,
            session_id: String::new(),
        })
    }

    /// Says a little more.
    fn go_on(&mut self) {
        if self.asked.is_empty() || self.ended {
            return;
        }
        if let Some(text) = TEXTS.get(self.texts) {
            self.texts += 1;
            self.told.push(words(Change::Append((*text).to_owned())));
        } else {
            self.ended = true;
            self.told.push(event(
                2,
                Body::Agent(proto::AgentMessage {
                    content: TEXTS.concat(),
                    ..Default::default()
                }),
            ));
        }
    }

    /// What one that opens after `after` is told at once.
    fn opened(&self, after: u64) -> Vec<Said> {
        let events = self.told.iter().filter_map(|said| match said {
            Said::Event(event) => Some(event),
            _ => None,
        });
        let end = events.clone().count() as u64;
        let running = end == 1;
        let mut said = vec![Said::Opened(proto::Opened {
            end: Some(proto::Cursor {
                seq: end,
                fingerprint: format!("f{end}"),
            }),
            running_turn_id: if running { TURN } else { "" }.to_owned(),
            limits: None,
        })];
        let missing = events.filter(|event| event.seq > after);
        said.extend(missing.cloned().map(Said::Event));
        if running && self.texts > 0 {
            said.push(words(Change::Replace(TEXTS[..self.texts].concat())));
        }
        said
    }
}

impl Fake {
    fn with<R>(&self, session: &str, act: impl FnOnce(&mut Session) -> R) -> R {
        act(self
            .0
            .lock()
            .unwrap()
            .entry(session.to_owned())
            .or_default())
    }

    async fn talk(
        self,
        mut requests: Streaming<ConverseRequest>,
        responses: mpsc::Sender<Result<ConverseResponse, Status>>,
    ) -> Option<()> {
        let Some(Say::Open(open)) = requests.message().await.ok()??.request else {
            panic!("not opened")
        };
        let name = open.session_id;
        let (way, position) = name.rsplit_once('-').unwrap();
        let after = open.after.map(|after| after.seq);
        let (mut said, mut known, first) = self.with(&name, |session| {
            session.conversations += 1;
            let after = after.unwrap_or(session.asked.len() as u64 + u64::from(session.ended));
            let first = session.conversations == 1;
            (session.opened(after), session.told.len(), first)
        });
        let break_at: usize = position.parse().unwrap();
        let mut count = 0;
        loop {
            for response in said.drain(..) {
                if first && count == break_at {
                    match way {
                        "unavailable" => {
                            let status = Status::unavailable("broken off on purpose");
                            responses.send(Err(status)).await.ok()?;
                            return None;
                        }
                        "closed" => return None,
                        _ => {
                            let response = Some(Said::GoAway(proto::GoAway { time_left: None }));
                            let leaving = ConverseResponse { response };
                            // The first thing said is that it is open.
                            if count > 0 {
                                responses.send(Ok(leaving)).await.ok()?;
                            }
                        }
                    }
                }
                count += 1;
                let response = Some(response);
                responses
                    .send(Ok(ConverseResponse { response }))
                    .await
                    .ok()?;
            }
            tokio::select! {
                request = requests.message() => match request.ok()??.request {
                    Some(Say::Ask(question)) => {
                        said.push(self.with(&name, |session| session.ask(&question)));
                    }
                    Some(Say::Delivered(_)) => {}
                    other => panic!("{other:?}"),
                },
                () = tokio::time::sleep(Duration::from_millis(15)) => self.with(&name, |session| {
                    if known == session.told.len() {
                        session.go_on();
                    }
                    said.extend(session.told[known..].iter().cloned());
                    known = session.told.len();
                }),
            }
        }
    }
}

#[tonic::async_trait]
impl chat_server::Chat for Fake {
    type ConverseStream = Responses<ConverseResponse>;
    type AskStream = Responses<proto::AskResponse>;

    async fn converse(
        &self,
        request: Request<Streaming<ConverseRequest>>,
    ) -> Result<Response<Self::ConverseStream>, Status> {
        let (sender, responses) = mpsc::channel(1);
        TaskTracker::new().spawn(self.clone().talk(request.into_inner(), sender));
        Ok(Response::new(Box::pin(ReceiverStream::new(responses))))
    }

    async fn ask(
        &self,
        _: Request<proto::AskRequest>,
    ) -> Result<Response<Self::AskStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn decide_approval(
        &self,
        _: Request<proto::DecideApprovalRequest>,
    ) -> Result<Response<proto::DecideApprovalResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn cancel_turn(
        &self,
        _: Request<proto::CancelTurnRequest>,
    ) -> Result<Response<proto::CancelTurnResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_events(
        &self,
        _: Request<proto::ListEventsRequest>,
    ) -> Result<Response<proto::ListEventsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_sessions(
        &self,
        _: Request<proto::ListSessionsRequest>,
    ) -> Result<Response<proto::ListSessionsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn erase_session(
        &self,
        _: Request<proto::EraseSessionRequest>,
    ) -> Result<Response<proto::EraseSessionResponse>, Status> {
        Err(Status::unimplemented(""))
    }
}

async fn serve(fake: Fake) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<ChatServer<Fake>>().await;
    let server = Server::builder()
        .add_service(ChatServer::new(fake))
        .add_service(health_service);
    TaskTracker::new().spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

#[tokio::test]
async fn a_conversation_broken_off_anywhere_is_whole_for_the_client() {
    let fake = Fake::default();
    let agents = [serve(fake.clone()).await, serve(fake.clone()).await];
    let app = TestApp::with(|config| {
        config.only = Role::Gateway;
        config.agents = agents.map(|agent| format!("http://{agent}")).into();
        config.gateway.partial_interval = Duration::from_millis(1);
    })
    .await;
    for way in WAYS {
        for position in 0..POSITIONS {
            let session = format!("{way}-{position}");
            let mut client = app.chat(&session).await;
            client
                .send_json(json!({ "content": "Hello", "id": "q" }))
                .await;
            let turn = client.turn().await;
            let seqs = turn.iter().filter_map(|frame| frame["seq"].as_u64());
            assert_eq!(seqs.collect::<Vec<_>>(), [1, 2], "{session}: {turn:#?}");
            assert_eq!(turn.last().unwrap()["content"], TEXTS.concat(), "{session}");
            assert!(
                client.is_quiet(Duration::from_millis(60)).await,
                "{session}: more than the turn"
            );
            let (asked, conversations) =
                fake.with(&session, |known| (known.asked.len(), known.conversations));
            assert_eq!(asked, 1, "{session}");
            // Opened, accepted, the question, three texts, the answer: what comes after is nothing to break off at.
            let broken = position < 7 && !(way == "go-away" && position == 0);
            assert_eq!(conversations > 1, broken, "{session}: {conversations}");
        }
    }
    app.stop().await;
}
