//! Sockets: TLS, HTTP/1.1 and HTTP/2, clear text where it is asked for, and the limits of a connection.

mod clear_text;
mod crowd;
mod door;
mod security;
mod taken;
mod watched;

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::uri::Authority;
use http::{Request, Response, Version};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::audit::{Deed, Entry};
use crate::proxy::{Peer, TrustedProxies};
use crate::service::LoggedIn;
use crate::tls::{Pace, Presented, TlsConfig, Vouched, refusal_of_certificate};
use crate::{Outgoing, Service};
use crowd::{Activity, Crowd, Place};
use door::{Door, Way};
pub use security::HSTS_MAX_AGE_S;
use taken::Taken;
pub use watched::MAX_FORGOTTEN_BYTES;
use watched::Watched;

/// How many connections are open at once. For one more, the one that seems least worth keeping is closed: silent
/// ones before active ones, and those of strangers before those that somebody has logged in on. While all of them
/// are answering requests, further ones wait in the listener's backlog.
pub const MAX_CONNECTIONS: usize = 2048;
/// How many connections to listeners that only redirect are open at once, beside those.
pub const MAX_REDIRECT_CONNECTIONS: usize = 64;
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

/// How long an idle connection may take to say goodbye, in seconds.
const GOODBYE_TIMEOUT_S: u64 = 1;
/// The port of HTTPS where nothing says another.
const HTTPS_PORT: u16 = 443;

/// Serves `service` with TLS on `listener` until `shutdown` completes; then finishes the requests that are running and
/// closes every connection. TLS versions, certificate and ALPN are those of `tls`. [`Front`] has more ways in.
pub async fn serve(
    listener: TcpListener,
    tls: impl Into<TlsConfig>,
    service: Arc<Service>,
    shutdown: impl Future<Output = ()>,
) {
    let front = Front::new().https(listener, tls);
    front.serve(service, shutdown).await;
}

/// Everything between the network and a [`Service`]: its listeners, and whose word about a client counts.
#[derive(Debug)]
pub struct Front {
    doors: Vec<Door>,
    proxies: TrustedProxies,
    public_host: Option<Authority>,
    hsts_max_age_s: u32,
}

impl Default for Front {
    fn default() -> Self {
        Self {
            doors: Vec::new(),
            proxies: TrustedProxies::default(),
            public_host: None,
            hsts_max_age_s: HSTS_MAX_AGE_S,
        }
    }
}

impl Front {
    /// A front without a listener, that trusts no proxy.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes requests over TLS, from anybody.
    #[must_use]
    pub fn https(mut self, listener: TcpListener, tls: impl Into<TlsConfig>) -> Self {
        self.doors.push(Door::https(listener, tls.into()));
        self
    }

    /// Takes requests in clear text from the trusted proxies only: other connections are closed at once. A request
    /// whose proxy doesn't say that its client came by HTTPS is answered as by [`redirect`](Self::redirect).
    #[must_use]
    pub fn proxy(mut self, listener: TcpListener) -> Self {
        self.doors.push(Door::proxy(listener));
        self
    }

    /// As [`proxy`](Self::proxy), on a Unix socket. Whoever may open it counts as a trusted proxy.
    #[must_use]
    pub fn proxy_socket(mut self, listener: UnixListener) -> Self {
        self.doors.push(Door::proxy_socket(listener));
        self
    }

    /// Takes requests in clear text from anybody and sends them to HTTPS. One with credentials, or that changes
    /// something, is refused.
    #[must_use]
    pub fn redirect(mut self, listener: TcpListener) -> Self {
        self.doors.push(Door::redirect(listener));
        self
    }

    /// Believes these proxies.
    #[must_use]
    pub fn trusting(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Redirects go to this host and port, whatever a client calls the service.
    #[must_use]
    pub fn public_host(mut self, host: Authority) -> Self {
        self.public_host = Some(host);
        self
    }

    /// For how long a browser is told to use HTTPS only, in seconds ([`HSTS_MAX_AGE_S`] where not called); 0 = it isn't
    /// told.
    #[must_use]
    pub fn hsts_max_age_s(mut self, max_age_s: u32) -> Self {
        self.hsts_max_age_s = max_age_s;
        self
    }

    /// Serves until `shutdown` completes; then finishes the requests that are running and closes every connection.
    pub async fn serve(self, service: Arc<Service>, shutdown: impl Future<Output = ()>) {
        let https_port = self.doors.iter().find_map(Door::https_port);
        let server = Arc::new(Server {
            http: http(),
            service,
            proxies: self.proxies,
            public_host: self.public_host,
            https_port: https_port.unwrap_or(HTTPS_PORT),
            strict_transport: security::strict_transport(self.hsts_max_age_s),
            refusals: Pace::default(),
        });
        let (close, closing) = watch::channel(());
        let crowd = Crowd::new(MAX_CONNECTIONS);
        let passers_by = Crowd::new(MAX_REDIRECT_CONNECTIONS);
        let mut doors = JoinSet::new();
        for door in self.doors {
            let crowd = if door.only_redirects() {
                &passers_by
            } else {
                &crowd
            };
            doors.spawn(door.keep(Arc::clone(&server), Arc::clone(crowd), closing.clone()));
        }
        tokio::select! {
            () = shutdown => {}
            // It has no end of its own.
            () = server.service.work() => {}
        }
        server.service.end_streams();
        drop(close);
        let ended = async { while doors.join_next().await.is_some() {} };
        // What takes longer than the grace is cut off.
        let _ = timeout(Duration::from_secs(SHUTDOWN_GRACE_S), ended).await;
        doors.shutdown().await;
        server.service.close().await;
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
    http: auto::Builder<TokioExecutor>,
    service: Arc<Service>,
    proxies: TrustedProxies,
    public_host: Option<Authority>,
    https_port: u16,
    strict_transport: Option<HeaderValue>,
    /// How often a refused certificate is told of.
    refusals: Pace,
}

/// One connection: what is the same for all its requests.
struct Line {
    server: Arc<Server>,
    activity: Arc<Activity>,
    peer: Peer,
    way: Way,
    /// The certificates that the client has shown, once TLS is up.
    presented: OnceLock<Arc<Presented>>,
}

type Ended = Result<(), Box<dyn Error + Send + Sync>>;

impl Server {
    /// Serves one connection to its end; `closing` ends with the server. Needs no socket: a test has it on a pipe.
    async fn connection<S>(
        self: Arc<Self>,
        stream: S,
        peer: Peer,
        way: Way,
        place: &Place,
        mut closing: watch::Receiver<()>,
    ) -> Ended
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let line = Arc::new(Line {
            server: self,
            activity: Arc::clone(place.activity()),
            peer,
            way,
            presented: OnceLock::new(),
        });
        let Way::Https(tls) = &line.way else {
            return line.requests(stream, closing).await;
        };
        let limit = Duration::from_secs(HANDSHAKE_TIMEOUT_S);
        let config = tls.current();
        let acceptor = TlsAcceptor::from(Arc::clone(&config));
        let stream = tokio::select! {
            stream = timeout(limit, acceptor.accept(stream)) => {
                stream?.inspect_err(|error| line.tell_of_certificate(error))?
            }
            () = line.activity.shown_out() => return Ok(()),
            _ = closing.changed() => return Ok(()),
        };
        let certificates = stream.get_ref().1.peer_certificates();
        if let Some(presented) = tls.presented(&config, certificates) {
            // Nobody else sets it.
            let _ = line.presented.set(Arc::new(presented));
        }
        line.requests(stream, closing).await
    }
}

impl Line {
    /// A certificate that is refused ends the handshake: the client hears one word of TLS, so the audit log has the cause.
    fn tell_of_certificate(&self, error: &io::Error) {
        if let Some(cause) = refusal_of_certificate(error)
            && self.server.refusals.lets_through()
        {
            let client = match self.peer {
                Peer::Address(address) => Some(address.to_canonical()),
                Peer::Local => None,
            };
            self.server.service.audit().record(&Entry {
                user: None,
                client,
                deed: Deed::CertificateRefused(cause),
            });
        }
    }

    /// Answers what comes over the connection, until it ends.
    async fn requests<S>(self: &Arc<Self>, stream: S, mut closing: watch::Receiver<()>) -> Ended
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let activity = &self.activity;
        let stream = TokioIo::new(Watched::new(stream, Arc::clone(activity)));
        let respond = service_fn(|request| Arc::clone(self).answer(request));
        let mut connection = std::pin::pin!(self.server.http.serve_connection(stream, respond));
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

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Outgoing>, Infallible> {
        let _running = self.activity.run();
        let (server, way) = (&*self.server, &self.way);
        let (mut parts, body) = request.into_parts();
        let version = parts.version;
        let origin = server
            .proxies
            .settle(&mut parts, self.peer, way.is_encrypted());
        let is_encrypted = origin.is_encrypted && !way.only_redirects();
        let is_chunked = parts.headers.contains_key(header::TRANSFER_ENCODING);
        let has_body = !body.is_end_stream();
        let (body, ending) = Taken::new(body);
        let mut response = if !is_encrypted {
            let port = match way {
                Way::Redirect => server.https_port,
                // The proxy's own HTTPS, which is where its client is sent to.
                Way::Https(_) | Way::Proxy => HTTPS_PORT,
            };
            clear_text::answer(&parts, server.public_host.as_ref(), port).map(Outgoing::Whole)
        } else if is_chunked && parts.headers.contains_key(header::CONTENT_LENGTH) {
            crate::error::Error::TwoLengths
                .into_response()
                .map(Outgoing::Whole)
        } else {
            if let (Way::Https(tls), Some(presented)) = (way, self.presented.get())
                && let Some(client) = tls.client(presented)
            {
                parts.extensions.insert(client.clone());
                let vouched = Vouched::new(tls.clone(), Arc::clone(presented));
                parts.extensions.insert(vouched);
            }
            let request = Request::from_parts(parts, body);
            server.service.handle(request, origin.client).await
        };
        if response.extensions().get::<LoggedIn>().is_some() {
            self.activity.trust();
        }
        if has_body && response.status().is_client_error() {
            self.activity.refuse();
        }
        let is_left = ending.is_missing() && version < Version::HTTP_2;
        if is_left || is_chunked {
            // The rest of a body is not looked through for the next request, and the client is told so: else it might
            // send one on a connection that is closing. And where the end of a request can be read in two ways, what
            // follows isn't trusted: a length that stands behind this header is gone before we see it
            // (RFC 9112 §6.1).
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        let strict_transport = server.strict_transport.as_ref().filter(|_| is_encrypted);
        security::protect(response.headers_mut(), strict_transport);
        Ok(response)
    }
}

#[cfg(test)]
mod tests;
