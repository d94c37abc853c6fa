//! Servers that cannot be used, and what is said about them.

use super::*;

async fn opened(url: &str) -> Result<Store, Unusable> {
    let config = Config::Redis(RedisAddress::parse(url).unwrap());
    match Store::open(&config, generous(), &short()).await {
        Ok(store) => Ok(store),
        Err(OpenError::Redis(unusable)) => Err(unusable),
        Err(other) => panic!("{other}"),
    }
}

fn server(arguments: &[&str]) -> (Server, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Server::with(folder.path(), arguments), folder)
}

#[tokio::test]
async fn nothing_listens() {
    let (mut server, _folder) = server(&[]);
    server.kill();
    let refused = opened(&server.url("")).await.unwrap_err();
    assert!(matches!(refused, Unusable::Unreachable { .. }), "{refused}");
    let cluster = server.url("").replace("redis:", "redis-cluster:");
    let refused = opened(&cluster).await.unwrap_err();
    assert!(matches!(refused, Unusable::Unreachable { .. }), "{refused}");
}

#[tokio::test]
async fn a_password_is_missing_or_wrong() {
    let (server, _folder) = server(&["--requirepass", "right"]);
    for user in ["", ":wrong@", "nobody:right@"] {
        let refused = opened(&server.url(user)).await.unwrap_err();
        assert!(matches!(refused, Unusable::Password { .. }), "{refused}");
        assert!(!refused.to_string().contains("wrong@"), "{refused}");
    }
    opened(&server.url(":right@"))
        .await
        .unwrap()
        .check()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_replica_is_read_only() {
    let (primary, _folder) = server(&[]);
    let of = ["--replicaof", "127.0.0.1", &primary.port().to_string()];
    let (replica, _other) = server(&of);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !replica
        .command(&["INFO", "replication"])
        .contains("master_link_status:up")
    {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let refused = opened(&replica.url("")).await.unwrap_err();
    assert!(matches!(refused, Unusable::ReadOnly { .. }), "{refused}");
}

#[tokio::test]
async fn a_user_that_may_do_what_is_advised_can_do_everything() {
    let (server, _folder) = server(&[]);
    server.command(&["ACL", "SETUSER", "me", "on", ">secret", "~other:*", "+@all"]);
    let refused = opened(&server.url("me:secret@")).await.unwrap_err();
    assert!(matches!(refused, Unusable::Permission { .. }), "{refused}");
    let advice = advised();
    assert!(
        refused.to_string().ends_with(&advice.join(" ")),
        "{refused}"
    );
    let mut words = vec!["ACL", "SETUSER", "me", "reset", "on", ">secret"];
    words.extend(advice.iter().map(String::as_str));
    server.command(&words);
    let a = opened(&server.url("me:secret@")).await.unwrap();
    let b = opened(&server.url("me:secret@")).await.unwrap();
    everything(&a, &b).await;
    // And nothing else.
    let url = server.url("me:secret@");
    let mut connection = ::redis::Client::open(url)
        .unwrap()
        .get_connection()
        .unwrap();
    for command in [
        &["CONFIG", "GET", "dir"][..],
        &["GET", "other"],
        &["FLUSHALL"],
    ] {
        let mut asked = ::redis::cmd(command[0]);
        asked.arg(&command[1..]);
        let refused = asked.query::<::redis::Value>(&mut connection);
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Some("NOPERM"), "{command:?}: {refused}");
    }
}
