//! The client side of the Chat service, in our own words.

mod agent;
mod conversation;
mod pool;

use std::convert::Infallible;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt as _};

use self::pool::{Place, Pool};
use super::proto::chat_client::ChatClient;
use super::status::{self, Refusal, RefusalKind};
use super::{convert, proto};
use crate::chat::{Cursor, SessionId};

pub use crate::backoff::{Backoff, random_part};

pub use self::conversation::{Conversation, NotSent, Requests, Update, Updates};
pub use self::pool::Avoid;

/// A way to the service: in this process or over the network, callers cannot tell. The error type has no lifetime in it,
/// which futures that cross threads need here.
pub type Transport =
    BoxCloneSyncService<http::Request<Body>, http::Response<Body>, tonic::transport::Error>;

/// Conversations with the Chat service.
#[derive(Debug, Clone)]
pub struct Chat(Way);

/// Where the service is.
#[derive(Debug, Clone)]
enum Way {
    InProcess(ChatClient<Transport>),
    Pool(Pool),
}

// === impl Chat ===

impl Chat {
    /// A service in this process: no port, no socket, the same code path.
    pub fn in_process<S>(service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let transport = service.map_err(|never: Infallible| match never {});
        let client = ChatClient::new(BoxCloneSyncService::new(transport));
        Self(Way::InProcess(client))
    }

    /// Agents at `urls`, each `http://HOST:PORT`. What looks after them are `tasks`, which end when `closed` is cancelled.
    pub fn pool(urls: Vec<http::Uri>, tasks: &TaskTracker, closed: CancellationToken) -> Self {
        Self(Way::Pool(Pool::new(urls, tasks, closed)))
    }

    /// True if the service is in other processes, which come and go.
    pub fn is_remote(&self) -> bool {
        matches!(self.0, Way::Pool(_))
    }

    /// Answers if there is somebody to have a conversation with; otherwise the text says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        match &self.0 {
            Way::Pool(pool) if pool.serving() == 0 => Err(none_serves(pool)),
            Way::Pool(_) | Way::InProcess(_) => Ok(()),
        }
    }

    /// Opens a conversation in `session`, after `after` if a position is given. `missed`: for a client that keeps no
    /// position of its own, which is sent the end of the newest turn first if it may have missed it.
    pub async fn converse(
        &self,
        session: &SessionId,
        after: Option<Cursor>,
        missed: bool,
    ) -> Result<Conversation, Refusal> {
        self.converse_avoiding(Avoid::None, session, after, missed)
            .await
    }

    /// As [`Chat::converse`], and says which agent is not wanted.
    pub async fn converse_avoiding(
        &self,
        avoid: Avoid,
        session: &SessionId,
        after: Option<Cursor>,
        missed: bool,
    ) -> Result<Conversation, Refusal> {
        let (requests, receiver) = Requests::open(proto::Open {
            session_id: session.as_str().to_owned(),
            after: after.as_ref().map(convert::cursor_to_proto),
            missed,
        });
        let (response, agent, counted) = match &self.0 {
            Way::InProcess(client) => (client.clone().converse(receiver).await, None, None),
            Way::Pool(pool) => {
                let Some(place) = pool.place(avoid).await else {
                    return Err(Refusal {
                        kind: RefusalKind::Unavailable,
                        message: none_serves(pool),
                    });
                };
                let Place {
                    mut client,
                    address,
                    counted,
                } = place;
                (
                    client.converse(receiver).await,
                    Some(address),
                    Some(counted),
                )
            }
        };
        let stream = response
            .map_err(|status| status::refusal(&status))?
            .into_inner();
        Ok(Conversation {
            requests,
            updates: Updates {
                stream,
                _counted: counted,
            },
            agent,
        })
    }
}

fn none_serves(pool: &Pool) -> String {
    format!("no agent serves at {}", pool.names())
}
