//! Who may connect. Refused clients are accepted first and closed then: a browser sees a close code only on a connection
//! that was open.

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{RawQuery, State};
use axum::http::header::{CONNECTION, UPGRADE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use std::time::Duration;

use super::close::Close;
use super::connection::Admitted;
use super::writer::Partials;
use super::{Gateway, connection};
use crate::chat::{Cursor, SessionId};

/// Bytes read at a time: most questions. The library's 128 KiB would be held by every idle connection.
const READ_BUFFER: usize = 512;
/// The library closes the connection without a word above its own bound; ours is checked first, with a close code.
const FRAME_SLACK: usize = 16;
/// The subprotocol of clients that want of an answer only what is new.
const DELTA: HeaderValue = HeaderValue::from_static("dragoman.v1.delta");
/// How long a refused client may take to answer the close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// `GET /ws/{session_id}`.
pub(super) async fn upgrade(
    State(gateway): State<Gateway>,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(mut upgrade) = upgrade else {
        return no_websocket();
    };
    let partials = partials(upgrade.requested_protocols());
    if partials == Partials::Delta {
        upgrade.set_selected_protocol(DELTA);
    }
    let admitted = admit(&gateway, uri.path(), query.as_deref(), &headers, partials);
    let tasks = gateway.0.tasks.clone();
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_frame_size(gateway.0.config.frame_bytes + FRAME_SLACK)
        .max_message_size(gateway.0.config.frame_bytes + FRAME_SLACK);
    upgrade.on_upgrade(move |socket| tasks.track_future(serve(gateway, admitted, Box::new(socket))))
}

async fn serve(gateway: Gateway, admitted: Result<Admitted, Close>, socket: Box<WebSocket>) {
    match admitted {
        Ok(admitted) => connection::run(gateway, admitted, socket).await,
        Err(close) => Box::pin(refuse(socket, close)).await,
    }
}

fn admit(
    gateway: &Gateway,
    path: &str,
    query: Option<&str>,
    headers: &HeaderMap,
    partials: Partials,
) -> Result<Admitted, Close> {
    let shared = &gateway.0;
    if !shared.origins.allow(headers) {
        return Err(Close::OriginNotAllowed);
    }
    // The alphabet of ids has nothing that needs percent-encoding.
    let id = path.strip_prefix("/ws/").unwrap_or_default();
    let session = SessionId::parse(id).map_err(|_| Close::InvalidSession)?;
    let after = after(query.unwrap_or_default())?;
    if shared.draining.is_cancelled() {
        return Err(Close::GoingAway);
    }
    let permit = Arc::clone(&shared.connections).try_acquire_owned();
    Ok(Admitted {
        session,
        after,
        partials,
        permit: permit.map_err(|_| Close::TryAgainLater)?,
    })
}

/// How the client wants its partials, by the subprotocols it offers. Ones that nobody knows mean nothing.
fn partials<'a>(mut offered: impl Iterator<Item = &'a HeaderValue>) -> Partials {
    if offered.any(|protocol| protocol == DELTA) {
        Partials::Delta
    } else {
        Partials::Cumulative
    }
}

/// `?after=SEQ`.
fn after(query: &str) -> Result<Option<Cursor>, Close> {
    let value = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("after="));
    let Some(value) = value else {
        return Ok(None);
    };
    let seq = value.parse().map_err(|_| Close::Policy)?;
    Ok(Some(Cursor {
        seq,
        fingerprint: None,
    }))
}

fn no_websocket() -> Response {
    let text = "this address speaks WebSocket: connect to it with a WebSocket client\n";
    let headers = [(UPGRADE, "websocket"), (CONNECTION, "upgrade")];
    (StatusCode::UPGRADE_REQUIRED, headers, text).into_response()
}

async fn refuse(mut socket: Box<WebSocket>, close: Close) {
    tracing::debug!(code = close.code(), "a connection was refused");
    let finish = async {
        if socket
            .send(Message::Close(Some(close.frame())))
            .await
            .is_ok()
        {
            // Until the client has closed too: a browser reports the code only then.
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, finish).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_a_whole_number_or_refused() {
        assert_eq!(after(""), Ok(None));
        assert_eq!(
            after("x=1&after=7").map(|after| after.map(|after| after.seq)),
            Ok(Some(7))
        );
        for bad in [
            "after=",
            "after=-1",
            "after=x",
            "after=1.5",
            "after=99999999999999999999",
        ] {
            assert_eq!(after(bad), Err(Close::Policy), "{bad}");
        }
    }
}
