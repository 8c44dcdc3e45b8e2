//! One change at a time of one resource, so that of two changes with the same `If-Match` exactly one is made.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::Path;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// The resources that are being changed. It holds no more of them than changes run.
/// Clones share them.
#[derive(Default, Clone)]
pub(crate) struct PathLocks(Arc<Mutex<HashMap<Path, Lock>>>);

/// The right to change a resource. A change that goes on by itself takes it along.
pub(crate) struct PathLock {
    locks: PathLocks,
    path: Path,
    lock: Lock,
    held: Option<OwnedMutexGuard<()>>,
}

impl PathLocks {
    /// Waits until nobody else changes the resource at `path`.
    pub(crate) async fn lock(&self, path: &Path) -> PathLock {
        let lock = Arc::clone(self.by_path().entry(path.clone()).or_default());
        // From here on, dropping this future cleans up as well.
        let mut waiting = PathLock {
            locks: self.clone(),
            path: path.clone(),
            lock,
            held: None,
        };
        waiting.held = Some(Arc::clone(&waiting.lock).lock_owned().await);
        waiting
    }

    fn by_path(&self) -> std::sync::MutexGuard<'_, HashMap<Path, Lock>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PathLock {
    fn drop(&mut self) {
        let mut by_path = self.locks.by_path();
        self.held = None;
        // The table and this one: nobody else waits.
        if Arc::strong_count(&self.lock) == 2 {
            by_path.remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_resource_is_changed_by_one_at_a_time_and_forgotten_afterwards() {
        let locks = PathLocks::default();
        let (one, two) = (
            Path::parse("/redfish/v1/Systems/1").unwrap(),
            Path::parse("/redfish/v1/Systems/2").unwrap(),
        );
        let first = locks.lock(&one).await;
        drop(locks.lock(&two).await);
        let mut second = Box::pin(locks.lock(&one));
        let mut given_up = Box::pin(locks.lock(&one));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert!(given_up.as_mut().poll(&mut context).is_pending());
        drop(given_up);
        drop(first);
        drop(second.await);
        assert!(locks.by_path().is_empty());
    }
}
