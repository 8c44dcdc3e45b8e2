//! Sockets: TLS, HTTP/1.1 and HTTP/2, and the limits of a connection.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::Service;

/// How many connections are open at once. Further ones wait in the listener's backlog.
pub const MAX_CONNECTIONS: usize = 2048;
/// How long a TLS handshake may take, in seconds.
pub const HANDSHAKE_TIMEOUT_S: u64 = 10;
/// How long the head of a request may take, counted from when the connection became idle, in seconds.
pub const HEAD_TIMEOUT_S: u64 = 60;
/// The largest head of a request, in bytes.
pub const MAX_HEAD_BYTES: usize = 32 * 1024;
/// How many requests run at once on one HTTP/2 connection.
pub const MAX_STREAMS: u32 = 64;
/// How long open requests may go on after the shutdown began, in seconds.
pub const SHUTDOWN_GRACE_S: u64 = 5;

/// How long to wait after `accept` failed, in milliseconds: the usual cause is that no file descriptor is left.
const ACCEPT_PAUSE_MS: u64 = 100;

/// Serves `service` on `listener` until `shutdown` completes; then finishes the requests that are running and
/// closes every connection. TLS versions, certificate and ALPN are those of `tls`.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    service: Arc<Service>,
    shutdown: impl Future<Output = ()>,
) {
    let acceptor = TlsAcceptor::from(tls);
    let builder = Arc::new(connection_builder());
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (stream, peer, permit) = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &permits) => accepted,
        };
        let (acceptor, service) = (acceptor.clone(), Arc::clone(&service));
        let (builder, watcher) = (Arc::clone(&builder), graceful.watcher());
        connections.spawn(async move {
            if let Err(error) = connection(stream, peer, acceptor, service, &builder, watcher).await
            {
                tracing::debug!(%peer, %error, "connection broke");
            }
            drop(permit);
        });
    }
    drop(listener);
    // What takes longer than the grace is cut off with the set of tasks.
    let _ = timeout(Duration::from_secs(SHUTDOWN_GRACE_S), graceful.shutdown()).await;
    connections.shutdown().await;
}

fn connection_builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEAD_TIMEOUT_S))
        .max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .keep_alive_interval(Duration::from_secs(HEAD_TIMEOUT_S));
    builder
}

/// The next connection, as soon as there is room for one more.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there always is a permit.
    let permit = Arc::clone(permits).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, permit),
            Err(error) => {
                tracing::warn!(%error, "can't accept a connection");
                sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: TlsAcceptor,
    service: Arc<Service>,
    builder: &auto::Builder<TokioExecutor>,
    watcher: Watcher,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    // Responses are written whole; waiting for more to send would only delay them.
    stream.set_nodelay(true)?;
    let handshake = acceptor.accept(stream);
    let stream = timeout(Duration::from_secs(HANDSHAKE_TIMEOUT_S), handshake).await??;
    let respond = service_fn(move |request: Request<Incoming>| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(service.handle(request, Some(peer.ip())).await) }
    });
    watcher
        .watch(builder.serve_connection(TokioIo::new(stream), respond))
        .await
}
