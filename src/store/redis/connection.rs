//! The way to the server: one multiplexed connection, or a cluster's.

mod single;

use std::time::Duration;

use ::redis::aio::{ConnectionLike, ConnectionManagerConfig};
use ::redis::cluster::ClusterClient;
use ::redis::cluster_async::ClusterConnection;
use ::redis::io::tcp::TcpSettings;
use ::redis::{Client, Cmd, Pipeline, RedisFuture, RedisResult, Value};

use self::single::SingleConnection;
use super::address::RedisAddress;

/// How long one command may take. The library's own default is half of it.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How often a broken connection is tried again for one command. The library's default lets a caller wait ten seconds.
const RETRIES: usize = 1;
/// The longest wait before that, in milliseconds.
const LONGEST_WAIT: u64 = 500;

/// How long the other side of a connection may not confirm what it was sent (tcp(7), TCP_USER_TIMEOUT).
const UNCONFIRMED_TIMEOUT: Duration = Duration::from_secs(5);

/// One server, or a cluster. Clones share the connections.
#[derive(Clone)]
pub(super) enum Connection {
    Single(SingleConnection),
    Cluster(ClusterConnection),
}

/// Connects.
pub(super) async fn connect(address: &RedisAddress) -> RedisResult<Connection> {
    if address.is_cluster() {
        let client = ClusterClient::builder(address.nodes())
            .connection_timeout(CONNECT_TIMEOUT)
            .response_timeout(RESPONSE_TIMEOUT)
            .retries(2)
            .max_retry_wait(LONGEST_WAIT)
            .tcp_settings(TcpSettings::default().set_user_timeout(UNCONFIRMED_TIMEOUT))
            .build()?;
        return client.get_async_connection().await.map(Connection::Cluster);
    }
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_number_of_retries(RETRIES)
        .set_max_delay(Duration::from_millis(LONGEST_WAIT));
    let connecting = SingleConnection::connect(client(address)?, config);
    connecting.await.map(Connection::Single)
}

/// A client of the first server there is.
pub(super) fn client(address: &RedisAddress) -> RedisResult<Client> {
    Client::open(address.first())
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => Box::pin(connection.command(command)),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => Box::pin(connection.commands(pipeline, offset, count)),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.database(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
