//! The accept loop: one tracked task a connection, slow handshakes bounded.

use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a client may take to send its request's headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// What the kernel keeps of frames that were written and not yet received, in bytes. Left to itself it keeps megabytes for a
/// client that does not read: memory, and partials that are out of date before they leave.
const SEND_BUFFER: usize = 64 * 1024;
/// How long to wait after a failed accept, which means that the process is out of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);

/// Serves `router` on `listener` until `draining` is cancelled. WebSockets go on after that: they are tasks of their own.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    draining: CancellationToken,
    tasks: TaskTracker,
) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = draining.cancelled() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
                continue;
            }
        };
        serve_connection(stream, &router, &graceful, &tasks);
    }
    graceful.shutdown().await;
}

fn serve_connection(
    stream: TcpStream,
    router: &Router,
    graceful: &GracefulShutdown,
    tasks: &TaskTracker,
) {
    // Frames are small and wanted at once.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    let service = TowerToHyperService::new(router.clone());
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let connection = graceful.watch(connection.into_owned());
    tasks.spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error, "a connection ended early");
        }
    });
}
