//! A catalog read from PostgreSQL 12 or newer: what the role may read, as the server's own catalog has it.
//!
//! One connection and one read-only transaction see one state of everything. Nothing is asked of `information_schema`,
//! which shows the keys of a table only to who may write to it.

mod address;
mod error;
mod pattern;
mod reading;
mod rows;
mod tables;
mod tls;

use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::Client;

use super::format;
use crate::secret::Secret;

pub use address::{Address, SslMode};
pub use error::{PostgresError, Problem};
pub use pattern::SchemaPattern;

/// How PostgreSQL sources are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The password, for addresses that have none in them.
    pub password: Option<Secret>,
    /// Patterns of the schemas that are read; empty for all but those of the server itself.
    pub schemas: Vec<SchemaPattern>,
    /// The certificates of the authorities to trust, as PEM, instead of those of the system.
    pub ca_file: Option<PathBuf>,
    /// How long it may take until the server has let the role in.
    pub connect_timeout: Duration,
    /// How long the server may work on one query, at least a millisecond.
    pub statement_timeout: Duration,
}

/// How long a goodbye may take. The server notices a closed socket too.
const GOODBYE: Duration = Duration::from_secs(1);

/// What the server says of its tables.
pub(super) async fn read(
    address: &Address,
    config: &Config,
) -> Result<format::File, PostgresError> {
    read_all(address, config)
        .await
        .map_err(|problem| PostgresError::new(address, problem))
}

/// The connection is polled here, beside what is asked over it: it ends with this future, on every path.
async fn read_all(address: &Address, config: &Config) -> Result<format::File, Problem> {
    let limit = config.connect_timeout;
    let connecting = Box::pin(connect(address, config));
    let connected = timeout(limit, connecting).await;
    let (client, connection) = connected.map_err(|_| Problem::ConnectTimeout { limit })??;
    let mut connection = pin!(connection);
    let file = tokio::select! {
        file = reading::read(&client, config) => file?,
        ended = &mut connection => return Err(ended.map_or_else(Problem::from, |()| Problem::Closed)),
    };
    // Ends the transaction, and the session on the server.
    drop(client);
    let _ = timeout(GOODBYE, connection).await;
    Ok(file)
}

async fn connect(
    address: &Address,
    config: &Config,
) -> Result<
    (
        Client,
        impl Future<Output = Result<(), tokio_postgres::Error>> + Send,
    ),
    Problem,
> {
    let connector = tls::connector(address.ssl_mode(config), config.ca_file.as_deref()).await?;
    let settings = address.settings(config);
    settings.connect(connector).await.map_err(Problem::from)
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            password: None,
            schemas: Vec::new(),
            ca_file: None,
            connect_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(15),
        }
    }
}
