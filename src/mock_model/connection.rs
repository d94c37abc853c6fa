use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::asked::Asked;
use super::case::Entry;
use super::dialect::{Dialect, Fault};
use super::http::{Request, Unread};
use super::player::{Ended, Player};
use super::wire::{Stopped, Wire};
use super::{Notice, Shared};

/// How long a request may take to come.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a reply may take, hangs included.
const REPLY_TIMEOUT: Duration = Duration::from_hours(1);

/// Answers one request. Connections are not used again: what is to be seen of one is over with its reply.
pub(super) async fn serve(shared: &Shared, mut stream: TcpStream) {
    let reading = timeout(READ_TIMEOUT, Request::read(&mut stream));
    let Some(read) = shared.stop.stopped.run_until_cancelled(reading).await else {
        return;
    };
    let started = Instant::now();
    let wire = Wire::new(stream, started + REPLY_TIMEOUT);
    let request = match read.unwrap_or(Err(Unread::Refused(408, "the request did not come"))) {
        Ok(request) => request,
        Err(Unread::Gone) => return,
        Err(Unread::Refused(status, why)) => {
            tracing::info!(status, "a request that cannot be read: {why}");
            return refuse(wire, Dialect::OpenAi, status, why).await;
        }
    };
    let (method, path) = request.target();
    let (method, path) = (method.to_owned(), path.to_owned());
    let asked = match understand(&method, &path, request) {
        Ok(asked) => asked,
        Err((dialect, status, why)) => {
            tracing::info!(
                method,
                path,
                status,
                "a request that cannot be answered: {why}"
            );
            return refuse(wire, dialect, status, why).await;
        }
    };
    tell(shared, || Notice::Asked(asked.clone()));
    let (case, reply, entries) = choose(shared, &asked);
    let id = shared.answers.fetch_add(1, Ordering::Relaxed);
    let playing = Player::new(&asked, id, wire).play(&entries);
    let ended = shared.stop.stopped.run_until_cancelled(playing).await;
    let outcome = match ended {
        Some(Ended::Played) => "played",
        Some(Ended::Stopped(Stopped::Left)) => "the client left",
        Some(Ended::Stopped(Stopped::TooLong)) => "given up",
        None => "stopped",
    };
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        path,
        model = asked.model,
        case,
        reply,
        outcome,
        duration_ms,
        "asked"
    );
    if ended == Some(Ended::Stopped(Stopped::Left)) {
        tell(shared, || Notice::Left);
    }
}

fn understand(
    method: &str,
    path: &str,
    request: Request,
) -> Result<Asked, (Dialect, u16, &'static str)> {
    let (dialect, deployment) = Dialect::of_path(path).ok_or((
        Dialect::OpenAi,
        404,
        "a mock model is asked at /v1/chat/completions, /v1/messages, or where Azure's clients ask",
    ))?;
    if method != "POST" {
        return Err((dialect, 405, "a model is asked with POST"));
    }
    Asked::new(dialect, deployment.as_deref(), request).map_err(|why| (dialect, 400, why))
}

/// The name of the case, the number of its reply, and what is played.
fn choose(shared: &Shared, asked: &Asked) -> (String, usize, Vec<Entry>) {
    let config = &shared.config;
    let name = config.always.as_deref().unwrap_or(&asked.model);
    let Some(case) = config.cases.get(name) else {
        let message = format!(
            "The model `{}` does not exist: this mock model has cases, and `dragoman mock-model --list` names them",
            asked.model
        );
        let refusal = Entry::Refuse {
            status: 404,
            headers: BTreeMap::new(),
            code: "model_not_found".into(),
            kind: None,
            message,
        };
        return ("none".to_owned(), 0, vec![refusal]);
    };
    let conversation = asked.dialect.conversation(&asked.body);
    let turns = shared.turns.lock();
    // Whoever panicked while counting left a number behind all the same.
    let mut turns = turns.unwrap_or_else(std::sync::PoisonError::into_inner);
    let reply = turns.next(name, &case, conversation.results.is_empty());
    let entries = reply.and_then(|reply| case.replies.get(reply).cloned());
    (
        name.to_owned(),
        reply.unwrap_or_default(),
        entries.unwrap_or_else(|| vec![Entry::Honest]),
    )
}

fn tell(shared: &Shared, notice: impl FnOnce() -> Notice) {
    if let Some(observer) = &shared.config.observer {
        // Nobody is waited for: an observer that is full or gone misses it.
        let _ = observer.try_send(notice());
    }
}

async fn refuse(mut wire: Wire, dialect: Dialect, status: u16, why: &str) {
    let fault = Fault {
        status,
        code: &serde_json::Value::Null,
        kind: None,
        message: why,
        named: false,
    };
    let body = dialect.error(&fault).to_string();
    let answered = wire
        .answer(status, "application/json", &BTreeMap::new(), &body)
        .await;
    // Who does not hear why has left.
    if answered.is_ok() {
        let _ = wire.close().await;
    }
}
