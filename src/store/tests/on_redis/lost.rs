//! A connection whose other side is gone without a word.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::*;

/// A way to the server on which connections can be lost: nothing passes on them any more, and nobody closes them.
struct Way {
    config: Config,
    lost: watch::Sender<bool>,
}

impl Way {
    async fn to(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (lost, losing) = watch::channel(false);
        let upstream = server.port();
        spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut losing = losing.clone();
                losing.borrow_and_update();
                spawn(async move {
                    let mut far = TcpStream::connect(("127.0.0.1", upstream)).await.unwrap();
                    tokio::select! {
                        biased;
                        _ = losing.changed() => std::future::pending().await,
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                    }
                });
            }
        });
        let address = RedisAddress::parse(&format!("redis://127.0.0.1:{port}")).unwrap();
        Self {
            config: Config::Redis(address),
            lost,
        }
    }

    /// Loses the connections there are. Later ones are good.
    fn lose(&self) {
        self.lost.send_replace(true);
    }
}

#[tokio::test]
async fn a_connection_that_was_lost_is_made_anew() {
    let both = Both::new().await;
    let way = Way::to(&both.server).await;
    let store = Store::open(&way.config, generous(), &short()).await;
    let store = store.unwrap();
    let session = SessionId::random();
    let mut follower = store.follow(session.clone(), Start::Live).await.unwrap();
    let (mut turn, kept) = start(&store, question(&session, "?")).await;
    next_event(&mut follower).await;

    way.lose();
    // That no answer comes is found out once.
    let refused = store.check().await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    assert_eq!(store.check().await, Ok(()));
    turn.append(vec![tool_call("a", 0)]).await.unwrap();
    // What listens for other processes has noticed too.
    assert_eq!(next_event(&mut follower).await.seq, 2);
    assert!(!kept.is_finished(), "the turn goes on");
    turn.finish(answer("!")).await.unwrap();
    assert_eq!(next_event(&mut follower).await.seq, 3);
}
