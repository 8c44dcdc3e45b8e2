//! The outcome of a change, handed from the engine's thread to whoever waits for it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use hardware::ApplyError;

use crate::drive::is_failing;

#[derive(Debug, Default)]
struct Shared {
    outcome: Option<Result<(), ApplyError>>,
    waker: Option<Waker>,
}

/// The end that waits.
#[derive(Debug)]
pub struct Outcome(Arc<Mutex<Shared>>);

/// The end that tells. Dropped without telling, it tells that the machine was not reached; by a panic, that it may
/// have been.
#[derive(Debug)]
pub struct OutcomeSender(Option<Arc<Mutex<Shared>>>);

/// Both ends for one change.
#[must_use]
pub fn outcome() -> (OutcomeSender, Outcome) {
    let shared = Arc::new(Mutex::new(Shared::default()));
    (OutcomeSender(Some(Arc::clone(&shared))), Outcome(shared))
}

impl OutcomeSender {
    /// Tells the outcome.
    pub fn tell(mut self, outcome: Result<(), ApplyError>) {
        self.put(outcome);
    }

    fn put(&mut self, outcome: Result<(), ApplyError>) {
        if let Some(shared) = self.0.take() {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            shared.outcome = Some(outcome);
            if let Some(waker) = shared.waker.take() {
                waker.wake();
            }
        }
    }
}

impl Drop for OutcomeSender {
    fn drop(&mut self) {
        self.put(Err(match is_failing() {
            // Whoever had it in hand may have sent it.
            true => ApplyError::Unconfirmed {
                what: "the command because the service failed".to_owned(),
            },
            false => ApplyError::Unreachable {
                reason: "the service is shutting down".to_owned(),
            },
        }));
    }
}

impl Outcome {
    /// The outcome where it is known already; takes it.
    pub fn try_take(&self) -> Option<Result<(), ApplyError>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .outcome
            .take()
    }
}

impl Future for Outcome {
    type Output = Result<(), ApplyError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match shared.outcome.take() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                shared.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_told_once_and_a_dropped_sender_tells_too() {
        let (sender, waiting) = outcome();
        assert_eq!(waiting.try_take(), None);
        sender.tell(Ok(()));
        assert_eq!(waiting.try_take(), Some(Ok(())));
        assert_eq!(waiting.try_take(), None);

        let (sender, waiting) = outcome();
        drop(sender);
        assert!(matches!(
            waiting.try_take(),
            Some(Err(ApplyError::Unreachable { .. }))
        ));
    }
}
