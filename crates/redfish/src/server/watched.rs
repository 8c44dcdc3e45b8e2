//! A stream that tells when bytes move, and that ends so that its last response arrives.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::crowd::Activity;

/// How many bytes of a refused body are taken and forgotten before the connection is cut.
pub const MAX_FORGOTTEN_BYTES: usize = 1024 * 1024;
/// How long that may take, in seconds.
const LINGER_S: u64 = 2;

/// A stream whose every read and write is activity of its connection.
///
/// A kernel that closes a connection with bytes unread resets it, and the peer loses what it hasn't read yet: the very
/// response that says why. So after a refused body the stream goes on reading for a while.
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    /// What may still be read and forgotten, once the writing side is closed.
    linger: Option<Linger>,
}

struct Linger {
    left: usize,
    end: Pin<Box<Sleep>>,
}

impl<S: Unpin> Watched<S> {
    pub(super) const fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self {
            stream,
            activity,
            linger: None,
        }
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut S> {
        Pin::new(&mut self.get_mut().stream)
    }

    fn note(&self, written: &Poll<io::Result<usize>>) {
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.activity.moved();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = self.as_mut().stream().poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.activity.moved();
        }
        read
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.as_mut().stream().poll_write(context, bytes);
        self.note(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.as_mut().stream().poll_write_vectored(context, slices);
        self.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            ready!(self.as_mut().stream().poll_shutdown(context))?;
            if !self.activity.has_refused() {
                return Poll::Ready(Ok(()));
            }
        }
        self.get_mut().poll_forget(context).map(Ok)
    }
}

impl<S: AsyncRead + Unpin> Watched<S> {
    /// Reads on until the peer ends, too much came, or the time is up.
    fn poll_forget(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let linger = self.linger.get_or_insert_with(|| Linger {
            left: MAX_FORGOTTEN_BYTES,
            end: Box::pin(sleep(Duration::from_secs(LINGER_S))),
        });
        let mut scratch = [0; 4096];
        while linger.left > 0 {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    linger.left = linger.left.saturating_sub(buffer.filled().len());
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return linger.end.as_mut().poll(context),
            }
        }
        Poll::Ready(())
    }
}
