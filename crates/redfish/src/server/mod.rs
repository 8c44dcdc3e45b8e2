//! Sockets: TLS, HTTP/1.1 and HTTP/2, and the limits of a connection.

mod crowd;
mod watched;

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::Service;
use crate::service::LoggedIn;
use crowd::{Activity, Crowd, Place};
use watched::Watched;

/// How many connections are open at once. For one more, the one that seems least worth keeping is closed: silent
/// ones before active ones, and those of strangers before those that somebody has logged in on. While all of them
/// are answering requests, further ones wait in the listener's backlog.
pub const MAX_CONNECTIONS: usize = 2048;
/// How long a TLS handshake may take, in seconds.
pub const HANDSHAKE_TIMEOUT_S: u64 = 10;
/// How long the head of an HTTP/1.1 request may take, counted from when the connection became idle, in seconds. It
/// is longer than [`IDLE_TIMEOUT_S`], which closes a connection in good order.
pub const HEAD_TIMEOUT_S: u64 = 75;
/// After how many seconds a connection is closed on which no request is being answered and no byte moves. It also
/// ends a client that takes no more of its response.
pub const IDLE_TIMEOUT_S: u64 = 60;
/// The largest head of a request, in bytes.
pub const MAX_HEAD_BYTES: usize = 32 * 1024;
/// How many requests run at once on one HTTP/2 connection.
pub const MAX_STREAMS: u32 = 64;
/// How many bytes an HTTP/2 client may send before the service has read them, over all streams of a connection.
pub const MAX_UNREAD_BYTES: u32 = 128 * 1024;
/// How long open requests may go on after the shutdown began, in seconds.
pub const SHUTDOWN_GRACE_S: u64 = 5;

/// How long to wait after `accept` failed, in milliseconds: the usual cause is that no file descriptor is left.
const ACCEPT_PAUSE_MS: u64 = 100;
/// How long an idle connection may take to say goodbye, in seconds.
const GOODBYE_TIMEOUT_S: u64 = 1;

/// Serves `service` on `listener` until `shutdown` completes; then finishes the requests that are running and
/// closes every connection. TLS versions, certificate and ALPN are those of `tls`.
pub async fn serve(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    service: Arc<Service>,
    shutdown: impl Future<Output = ()>,
) {
    let server = Arc::new(Server {
        acceptor: TlsAcceptor::from(tls),
        http: http(),
        service,
    });
    let (close, closing) = watch::channel(());
    let crowd = Crowd::new(MAX_CONNECTIONS);
    let mut tasks = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    for number in 0.. {
        let (stream, peer, place) = tokio::select! {
            () = &mut shutdown => break,
            admitted = admit(&listener, &crowd, number) => admitted,
        };
        // The tasks that have ended: never more than there are places.
        while tasks.try_join_next().is_some() {}
        let (server, closing) = (Arc::clone(&server), closing.clone());
        tasks.spawn(async move {
            // Responses are written whole; waiting for more to send would only delay them.
            let _ = stream.set_nodelay(true);
            if let Err(error) = server.connection(stream, peer.ip(), &place, closing).await {
                tracing::debug!(%peer, %error, "connection broke");
            }
        });
    }
    drop((listener, close));
    let ended = async { while tasks.join_next().await.is_some() {} };
    // What takes longer than the grace is cut off.
    let _ = timeout(Duration::from_secs(SHUTDOWN_GRACE_S), ended).await;
    tasks.shutdown().await;
}

/// The next connection, with a place for it.
async fn admit(
    listener: &TcpListener,
    crowd: &Arc<Crowd>,
    number: u64,
) -> (TcpStream, SocketAddr, Place) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, crowd.enter(number).await),
            Err(error) => {
                tracing::warn!(%error, "can't accept a connection");
                sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
            }
        }
    }
}

fn http() -> auto::Builder<TokioExecutor> {
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
        .initial_stream_window_size(MAX_UNREAD_BYTES / 2)
        .initial_connection_window_size(MAX_UNREAD_BYTES);
    builder
}

/// What all connections share.
struct Server {
    acceptor: TlsAcceptor,
    http: auto::Builder<TokioExecutor>,
    service: Arc<Service>,
}

impl Server {
    /// Serves one connection to its end; `closing` ends with the server. Needs no socket: a test has it on a pipe.
    async fn connection<S>(
        &self,
        stream: S,
        client: IpAddr,
        place: &Place,
        mut closing: watch::Receiver<()>,
    ) -> Result<(), Box<dyn Error + Send + Sync>>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let activity = place.activity();
        let limit = Duration::from_secs(HANDSHAKE_TIMEOUT_S);
        let stream = tokio::select! {
            stream = timeout(limit, self.acceptor.accept(stream)) => stream??,
            () = activity.shown_out() => return Ok(()),
            _ = closing.changed() => return Ok(()),
        };
        let stream = TokioIo::new(Watched {
            stream,
            activity: Arc::clone(activity),
        });
        let respond = service_fn(|request| {
            let (service, activity) = (Arc::clone(&self.service), Arc::clone(activity));
            answer(service, activity, request, client)
        });
        let mut connection = std::pin::pin!(self.http.serve_connection(stream, respond));
        let idle = tokio::select! {
            ended = connection.as_mut() => return ended,
            () = activity.shown_out() => return Ok(()),
            () = activity.idle_for(IDLE_TIMEOUT_S * 1000) => true,
            _ = closing.changed() => false,
        };
        connection.as_mut().graceful_shutdown();
        if !idle {
            return connection.await;
        }
        let limit = Duration::from_secs(GOODBYE_TIMEOUT_S);
        timeout(limit, connection).await.unwrap_or(Ok(()))
    }
}

async fn answer(
    service: Arc<Service>,
    activity: Arc<Activity>,
    request: Request<Incoming>,
    client: IpAddr,
) -> Result<http::Response<http_body_util::Full<bytes::Bytes>>, Infallible> {
    let _running = activity.run();
    let response = service.handle(request, Some(client)).await;
    if response.extensions().get::<LoggedIn>().is_some() {
        activity.trust();
    }
    Ok(response)
}

#[cfg(test)]
mod tests;
