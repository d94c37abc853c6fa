//! Agents and gateways as processes of their own, on one Redis server.

use std::time::Duration;

use dragoman::rpc::proto::chat_client::ChatClient;
use dragoman::rpc::proto::converse_request::Request as Say;
use dragoman::rpc::proto::converse_response::Response as Said;
use dragoman::rpc::proto::event::Body;
use dragoman::rpc::proto::{ConverseRequest, Cursor, Open};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

use crate::support::process::Process;
use crate::support::redis::{Server, free_port};
use crate::support::{Client, PATIENCE, get};

/// What all processes of a test share.
struct Cluster {
    redis: Server,
    folder: TempDir,
}

impl Cluster {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            redis: Server::start(folder.path()),
            folder,
        }
    }

    async fn agent(&self) -> Process {
        self.agent_at("127.0.0.1:0").await
    }

    async fn agent_at(&self, grpc: &str) -> Process {
        let store = self.redis.url("");
        let arguments = ["--only", "agent", "--store", store.as_str()];
        let environment = [
            ("DRAGOMAN_SESSIONS_LEASE", "2s"),
            ("DRAGOMAN_SESSIONS_HEARTBEAT", "500ms"),
            ("DRAGOMAN_GRPC", grpc),
        ];
        Process::start_without_ports(self.folder.path(), &arguments, &environment).await
    }

    /// A gateway that is ready.
    async fn gateway(&self, agents: &[&Process]) -> Process {
        let urls: Vec<String> = agents
            .iter()
            .map(|agent| format!("http://{}", agent.grpc))
            .collect();
        let gateway = self.gateway_to(&urls.join(",")).await;
        until_ready(&gateway).await;
        gateway
    }

    async fn gateway_to(&self, agents: &str) -> Process {
        let arguments = ["--only", "gateway"];
        let environment = [("DRAGOMAN_AGENTS", agents)];
        Process::start_without_ports(self.folder.path(), &arguments, &environment).await
    }
}

async fn until_ready(process: &Process) {
    let ready = async {
        while !get(process.http, "/readyz")
            .await
            .starts_with("HTTP/1.1 200")
        {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, ready).await.expect("ready in time");
}

fn text(frame: &Value) -> &str {
    frame["content"].as_str().unwrap()
}

/// Frames of the log: what every follower must have been sent alike.
fn logged(frames: &[Value]) -> Vec<Value> {
    let logged = frames.iter().filter(|frame| frame.get("seq").is_some());
    logged.cloned().collect()
}

/// What a gRPC client is sent of a session until the end of its first turn.
async fn positions_at(agent: &Process, session: &str) -> Vec<u64> {
    let address = format!("http://{}", agent.grpc);
    let mut chat = ChatClient::connect(address).await.unwrap();
    let open = ConverseRequest {
        request: Some(Say::Open(Open {
            session_id: session.to_owned(),
            after: Some(Cursor::default()),
            missed: false,
        })),
    };
    let requests =
        tokio_stream::StreamExt::chain(tokio_stream::once(open), tokio_stream::pending());
    let mut said = chat.converse(requests).await.unwrap().into_inner();
    let mut positions = vec![];
    loop {
        let next = timeout(PATIENCE, said.message()).await.expect("in time");
        let Some(Said::Event(event)) = next.unwrap().unwrap().response else {
            continue;
        };
        positions.push(event.seq);
        if matches!(event.body, Some(Body::Agent(_) | Body::Error(_))) {
            return positions;
        }
    }
}

#[tokio::test]
async fn a_question_over_one_gateway_is_seen_over_another_and_at_another_agent() {
    let cluster = Cluster::new();
    let (one, two) = (cluster.agent().await, cluster.agent().await);
    let gateway = cluster.gateway(&[&one]).await;
    let other = cluster.gateway(&[&two]).await;
    let mut asker = gateway.chat("/ws/shared").await;
    let mut watcher = other.chat("/ws/shared").await;
    let watching = async { watcher.turn().await };
    let (asked, watched, positions) =
        tokio::join!(asker.asked("tools"), watching, positions_at(&two, "shared"));
    assert_eq!(logged(&asked), logged(&watched));
    assert_eq!(asked.last().unwrap()["type"], "agent");
    let last = asked.last().unwrap()["seq"].as_u64().unwrap();
    assert_eq!(positions, (1..=last).collect::<Vec<_>>());
    // An agent answers probes, and has no page and no chats.
    until_ready(&one).await;
    assert!(get(one.http, "/").await.starts_with("HTTP/1.1 404"));
    for process in [gateway, other, one, two] {
        process.signal("TERM").await;
        let ended = process.ended().await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn an_agent_killed_in_mid_turn_leaves_a_sealed_error_and_an_open_connection() {
    let cluster = Cluster::new();
    let one = cluster.agent().await;
    // Only one is there when the question is asked: it is the one that runs the turn.
    let port = free_port();
    let urls = format!("http://{},http://127.0.0.1:{port}", one.grpc);
    let gateway = cluster.gateway_to(&urls).await;
    until_ready(&gateway).await;
    let mut client = gateway.chat("/ws/killed").await;
    client.ask("hang").await;
    assert_eq!(client.frame().await["type"], "user");
    let partial = client.frame().await;
    assert_eq!(partial["type"], "agent_partial");
    let _two = cluster.agent_at(&format!("127.0.0.1:{port}")).await;
    one.kill().await;
    let sealed = client.frame().await;
    assert_eq!(sealed["type"], "error", "{sealed}");
    assert_eq!(sealed["turn_id"], partial["turn_id"]);
    assert_eq!(sealed["seq"], 2);
    let answered = client.asked("Hello").await;
    assert_eq!(answered[0]["seq"], 3);
    assert_eq!(answered.last().unwrap()["type"], "agent");
}

#[tokio::test]
async fn a_question_sent_while_no_agent_is_there_is_answered_by_the_next_one() {
    let cluster = Cluster::new();
    let one = cluster.agent().await;
    let address = one.grpc.to_string();
    let gateway = cluster.gateway(&[&one]).await;
    let mut client = gateway.chat("/ws/gap").await;
    client.asked("Hello").await;
    one.kill().await;
    client
        .send_json(json!({ "content": "Hello", "id": "q" }))
        .await;
    sleep(Duration::from_secs(1)).await;
    assert!(
        get(gateway.http, "/readyz")
            .await
            .starts_with("HTTP/1.1 503")
    );
    let _again = cluster.agent_at(&address).await;
    let answered = client.turn().await;
    assert_eq!(answered[0]["id"], "q");
    assert_eq!(answered[0]["seq"], 3);
    assert_eq!(answered.last().unwrap()["type"], "agent");
    assert!(client.is_quiet(Duration::from_millis(300)).await);
}

#[tokio::test]
async fn agents_that_leave_one_after_the_other_cost_nothing() {
    let cluster = Cluster::new();
    let (mut one, mut two) = (cluster.agent().await, cluster.agent().await);
    let gateway = cluster.gateway(&[&one, &two]).await;
    let mut clients: Vec<Client> = vec![];
    for number in 0..6 {
        clients.push(gateway.chat(&format!("/ws/rolling-{number}")).await);
    }
    for round in 0..2 {
        for client in &mut clients {
            client.ask("slow").await;
        }
        for client in &mut clients {
            assert_eq!(client.frame().await["type"], "user");
        }
        let address = one.grpc.to_string();
        one.signal("TERM").await;
        for client in &mut clients {
            let mut text_so_far = String::new();
            loop {
                let frame = client.frame().await;
                assert!(text(&frame).starts_with(&text_so_far), "{frame}");
                text_so_far = text(&frame).to_owned();
                if frame["type"] == "agent" {
                    assert_eq!(frame["seq"], (round + 1) * 2);
                    break;
                }
                assert_eq!(frame["type"], "agent_partial", "{frame}");
            }
            assert_eq!(text_so_far, "slowly ".repeat(30));
        }
        let ended = one.ended().await;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        one = two;
        two = cluster.agent_at(&address).await;
        until_ready(&two).await;
        // Until the gateway has found it.
        sleep(Duration::from_secs(6)).await;
    }
}

#[tokio::test]
async fn a_gateway_that_drains_sends_its_clients_away_and_the_turn_goes_on() {
    let cluster = Cluster::new();
    let agent = cluster.agent().await;
    let gateway = cluster.gateway(&[&agent]).await;
    let other = cluster.gateway(&[&agent]).await;
    let mut client = gateway.chat("/ws/moved").await;
    client.ask("slow").await;
    let first = client.frame().await;
    assert_eq!(first["type"], "user");
    gateway.signal("TERM").await;
    assert_eq!(client.close_code().await, Some(1001));
    let ended = gateway.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut client = other.chat("/ws/moved?after=0").await;
    assert_eq!(client.frame().await, first);
    let mut last = client.frame().await;
    while last["type"] == "agent_partial" {
        last = client.frame().await;
    }
    assert_eq!(last["type"], "agent");
    assert_eq!(text(&last), "slowly ".repeat(30));
}

#[tokio::test]
async fn an_agent_that_is_none_is_told_of_once_and_found_when_it_comes() {
    let cluster = Cluster::new();
    let port = free_port();
    let refusing = format!("127.0.0.1:{port}");
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http1 = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (silent_at, http1_at) = (silent.local_addr().unwrap(), http1.local_addr().unwrap());
    let answering = TaskTracker::new().spawn(async move {
        while let Ok((mut stream, _)) = http1.accept().await {
            let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.write_all(answer).await;
            let _ = stream.read(&mut [0; 1024]).await;
        }
    });
    let urls =
        format!("http://{refusing},http://{silent_at},http://{http1_at},http://no.such.invalid:1");
    let gateway = cluster.gateway_to(&urls).await;
    sleep(Duration::from_secs(8)).await;
    let answer = get(gateway.http, "/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("no agent serves at http://"), "{answer}");
    let mut early = gateway.chat("/ws/early").await;
    assert_eq!(early.frame().await["type"], "error");
    assert_eq!(early.close_code().await, Some(1011));

    let _agent = cluster.agent_at(&refusing).await;
    until_ready(&gateway).await;
    let mut client = gateway.chat("/ws/late").await;
    assert_eq!(client.asked("Hello").await.last().unwrap()["type"], "agent");
    gateway.signal("TERM").await;
    let ended = gateway.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for address in [refusing, silent_at.to_string(), http1_at.to_string()] {
        let told = ended
            .stderr
            .lines()
            .filter(|line| line.contains("is not used") && line.contains(&address));
        assert_eq!(told.count(), 1, "{address}: {}", ended.stderr);
    }
    let unresolved = ended.stderr.matches("cannot be resolved").count();
    assert_eq!(unresolved, 1, "{}", ended.stderr);
    answering.abort();
}
