//! Three nodes that share the sessions among them.

use std::process::Command;

use super::*;

struct Cluster {
    nodes: Vec<Server>,
    _folders: Vec<TempDir>,
}

impl Cluster {
    async fn start() -> Self {
        let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
        let nodes: Vec<_> = folders
            .iter()
            .map(|folder| {
                let arguments = ["--cluster-enabled", "yes", "--appendonly", "yes"];
                Server::with(folder.path(), &arguments)
            })
            .collect();
        let made = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(
                nodes
                    .iter()
                    .map(|node| format!("127.0.0.1:{}", node.port())),
            )
            .arg("--cluster-yes")
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let agreeing = async {
            let agrees = |node: &Server| {
                node.command(&["CLUSTER", "INFO"])
                    .contains("cluster_state:ok")
            };
            while !nodes.iter().all(agrees) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, agreeing).await.unwrap();
        Self {
            nodes,
            _folders: folders,
        }
    }

    fn url(&self, user: &str) -> String {
        let nodes = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.port()));
        format!(
            "redis-cluster://{user}{}",
            nodes.collect::<Vec<_>>().join(",")
        )
    }
}

async fn open(url: &str) -> Store {
    let config = Config::Redis(RedisAddress::parse(url).unwrap());
    Store::open(&config, generous(), &short()).await.unwrap()
}

#[tokio::test]
async fn sessions_on_all_nodes_work() {
    let cluster = Cluster::start().await;
    let (a, b) = (open(&cluster.url("")).await, open(&cluster.url("")).await);
    for _ in 0..12 {
        everything(&a, &b).await;
    }
    for number in 0..12 {
        let begin = question(&SessionId::random(), &number.to_string());
        let (mut turn, _kept) = start(&a, begin).await;
        turn.finish(answer("!")).await.unwrap();
    }
    let listed = a.sessions(&Subject::anonymous(), None, 100).await.unwrap();
    assert_eq!(listed.len(), 12);
    // They are not all on one.
    for node in &cluster.nodes {
        let keys = node.times("dragoman:{");
        assert!(!keys.is_empty());
    }
}

#[tokio::test]
async fn the_advised_user_is_enough_for_a_cluster() {
    let cluster = Cluster::start().await;
    for node in &cluster.nodes {
        let mut words = vec!["ACL", "SETUSER", "me", "on", ">secret"];
        let advice = advised();
        words.extend(advice.iter().map(String::as_str));
        node.command(&words);
    }
    let url = cluster.url("me:secret@");
    let (a, b) = (open(&url).await, open(&url).await);
    everything(&a, &b).await;
}
