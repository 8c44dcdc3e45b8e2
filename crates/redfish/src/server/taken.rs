//! A request body that tells whether it was read to its end.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};

/// A body on its way through the service.
pub(super) struct Taken<B> {
    body: B,
    /// None where there is nothing to read.
    ended: Option<Arc<AtomicBool>>,
}

/// Whether a body was read to its end.
pub(super) struct Ending(Option<Arc<AtomicBool>>);

impl Ending {
    /// Whether something of it is left. Over HTTP/1 no other request can follow then.
    pub(super) fn is_missing(&self) -> bool {
        let ended = self.0.as_ref();
        ended.is_some_and(|ended| !ended.load(Ordering::Relaxed))
    }
}

impl<B: Body> Taken<B> {
    pub(super) fn new(body: B) -> (Self, Ending) {
        let ended = (!body.is_end_stream()).then(|| Arc::new(AtomicBool::new(false)));
        let ending = Ending(ended.clone());
        (Self { body, ended }, ending)
    }
}

impl<B: Body + Unpin> Body for Taken<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let is_end = frame.is_none() || self.body.is_end_stream();
        if let Some(ended) = self.ended.as_ref().filter(|_| is_end) {
            ended.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::{BodyExt, Full};

    use super::*;

    #[tokio::test]
    async fn a_body_that_nobody_reads_is_told() {
        let body = || Full::new(Bytes::from_static(b"{}"));
        let (unread, ending) = Taken::new(body());
        assert!(ending.is_missing());
        drop(unread);
        assert!(ending.is_missing());
        let (read, ending) = Taken::new(body());
        assert_eq!(read.collect().await.unwrap().to_bytes().len(), 2);
        assert!(!ending.is_missing());
        let (_, ending) = Taken::new(Full::new(Bytes::new()));
        assert!(!ending.is_missing());
    }
}
