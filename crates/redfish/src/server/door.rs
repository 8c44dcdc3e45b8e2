//! Listeners: how connections come in, and what each way in means for their requests.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Server;
use super::crowd::{Crowd, Place};
use crate::TlsConfig;
use crate::proxy::Peer;

/// How long to wait after `accept` failed, in milliseconds: the usual cause is that no file descriptor is left.
const ACCEPT_PAUSE_MS: u64 = 100;

/// A listener and what it is for.
#[derive(Debug)]
pub(super) struct Door {
    listener: Listener,
    way: Way,
}

#[derive(Debug)]
enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// How a connection came in.
#[derive(Clone)]
pub(super) enum Way {
    /// Over TLS.
    Https(TlsConfig),
    /// In clear text from a trusted proxy.
    Proxy,
    /// In clear text from anybody, to be sent to HTTPS.
    Redirect,
}

impl Way {
    pub(super) const fn is_encrypted(&self) -> bool {
        matches!(self, Self::Https(_))
    }

    pub(super) const fn only_redirects(&self) -> bool {
        matches!(self, Self::Redirect)
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Https(_) => "Https",
            Self::Proxy => "Proxy",
            Self::Redirect => "Redirect",
        })
    }
}

/// A connection that has been accepted.
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Door {
    pub(super) const fn https(listener: TcpListener, tls: TlsConfig) -> Self {
        Self {
            listener: Listener::Tcp(listener),
            way: Way::Https(tls),
        }
    }

    pub(super) const fn proxy(listener: TcpListener) -> Self {
        Self {
            listener: Listener::Tcp(listener),
            way: Way::Proxy,
        }
    }

    pub(super) const fn proxy_socket(listener: UnixListener) -> Self {
        Self {
            listener: Listener::Unix(listener),
            way: Way::Proxy,
        }
    }

    pub(super) const fn redirect(listener: TcpListener) -> Self {
        Self {
            listener: Listener::Tcp(listener),
            way: Way::Redirect,
        }
    }

    pub(super) const fn only_redirects(&self) -> bool {
        self.way.only_redirects()
    }

    /// The port, where it takes HTTPS.
    pub(super) fn https_port(&self) -> Option<u16> {
        match (&self.listener, &self.way) {
            (Listener::Tcp(listener), Way::Https(_)) => {
                listener.local_addr().ok().as_ref().map(SocketAddr::port)
            }
            _ => None,
        }
    }

    /// Lets connections in until the server closes, and then waits until they have ended.
    pub(super) async fn keep(
        self,
        server: Arc<Server>,
        crowd: Arc<Crowd>,
        mut closing: watch::Receiver<()>,
    ) {
        let mut tasks = JoinSet::new();
        loop {
            let (stream, peer, place) = tokio::select! {
                _ = closing.changed() => break,
                admitted = self.admit(&server, &crowd) => admitted,
            };
            // The tasks that have ended: never more than there are places.
            while tasks.try_join_next().is_some() {}
            let (server, closing, way) = (Arc::clone(&server), closing.clone(), self.way.clone());
            tasks.spawn(async move {
                let ended = match stream {
                    Stream::Tcp(stream) => {
                        // Responses are written whole; waiting for more to send would only delay them.
                        let _ = stream.set_nodelay(true);
                        server.connection(stream, peer, way, &place, closing).await
                    }
                    Stream::Unix(stream) => {
                        server.connection(stream, peer, way, &place, closing).await
                    }
                };
                if let Err(error) = ended {
                    tracing::debug!(?peer, %error, "connection broke");
                }
            });
        }
        drop(self);
        while tasks.join_next().await.is_some() {}
    }

    /// The next connection that may come in, with a place for it.
    async fn admit(&self, server: &Server, crowd: &Arc<Crowd>) -> (Stream, Peer, Place) {
        loop {
            match self.accept().await {
                Ok((_, peer)) if matches!(self.way, Way::Proxy) && !server.proxies.trusts(peer) => {
                    tracing::debug!(?peer, "not one of the trusted proxies: connection closed");
                }
                Ok((stream, peer)) => return (stream, peer, crowd.enter(next_number()).await),
                Err(error) => {
                    tracing::warn!(%error, "can't accept a connection");
                    sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                }
            }
        }
    }

    async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match &self.listener {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Stream::Tcp(stream), Peer::Address(peer.ip())))
            }
            Listener::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                // A Unix socket that anybody may open doesn't tell who did; its proxy says it.
                Ok((Stream::Unix(stream), Peer::Local))
            }
        }
    }
}

/// A number for a connection that no other of this process has.
fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
