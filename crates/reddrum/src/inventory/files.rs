//! Files of lists, each asked by a thread of its own: a file system that doesn't answer holds up nobody but its list.
//!
//! Such a thread can't be ended. It is not waited for at the end of the program, either, as those of the runtime are.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

/// For how long a file system may be silent before that is told.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(10);

/// The most threads that ask file systems at a time: twice as many as there are lists, since some may be left of those that a
/// configuration named before.
const THREADS_MAX: usize = 128;

/// Who asks file systems. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    threads: Arc<Semaphore>,
    /// One thread for each file: what is asked while it waits comes after it.
    files: Arc<Mutex<HashMap<PathBuf, Arc<Semaphore>>>>,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            threads: Arc::new(Semaphore::new(THREADS_MAX)),
            files: Arc::default(),
        }
    }
}

impl Files {
    /// What `work` finds of a file.
    ///
    /// # Errors
    /// The file system doesn't answer, or the system has no thread left.
    pub(super) fn ask<T, W>(
        &self,
        path: &Path,
        work: W,
    ) -> impl Future<Output = Result<T, String>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce(&Path) -> T + Send + 'static,
    {
        let (alone, threads) = (self.turns(path), Arc::clone(&self.threads));
        let path = path.to_owned();
        let asked = async move {
            // Neither is ever closed.
            let turn = alone.acquire_owned().await.map_err(|e| e.to_string())?;
            let thread = threads.acquire_owned().await.map_err(|e| e.to_string())?;
            let (tell, told) = oneshot::channel();
            let asking = move || {
                let held = (turn, thread);
                let found = work(&path);
                drop(held);
                // Nobody may want it any more.
                let _ = tell.send(found);
            };
            let name = "list".to_owned();
            let begun = thread::Builder::new().name(name).spawn(asking);
            begun.map_err(|error| format!("there is no thread to read it: {error}"))?;
            told.await.map_err(|_| "it can't be read".to_owned())
        };
        async move {
            let silent = || {
                let seconds = ANSWER_MAX.as_secs();
                Err(format!("the file system doesn't answer within {seconds} s"))
            };
            timeout(ANSWER_MAX, asked)
                .await
                .unwrap_or_else(|_| silent())
        }
    }

    /// The turns of a file: one at a time.
    fn turns(&self, path: &Path) -> Arc<Semaphore> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody asks are made anew.
        files.retain(|_, turns| Arc::strong_count(turns) > 1);
        let turns = files.entry(path.to_owned());
        Arc::clone(turns.or_insert_with(|| Arc::new(Semaphore::new(1))))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_file_that_does_not_answer_has_one_thread_and_holds_up_no_other() {
        let (files, path) = (Files::default(), Path::new("hung"));
        let (release, held) = mpsc::channel::<()>();
        let hung = tokio::spawn(files.ask(path, move |_| held.recv().is_ok()));
        // It is under way.
        tokio::task::yield_now().await;
        let other = files.ask(Path::new("other"), Path::to_owned).await;
        assert_eq!(other.unwrap(), Path::new("other"));
        // Nothing but the hung one is waited for from here on.
        tokio::time::pause();
        let ran = Arc::new(AtomicU32::new(0));
        for _ in 0..3 {
            let ran = Arc::clone(&ran);
            let again = files.ask(path, move |_| ran.fetch_add(1, Ordering::SeqCst));
            let silent = again.await.unwrap_err();
            assert!(silent.contains("doesn't answer within 10 s"), "{silent}");
        }
        assert!(hung.await.unwrap().is_err());
        assert_eq!(ran.load(Ordering::SeqCst), 0, "it has a thread");
        assert_eq!(files.threads.available_permits(), THREADS_MAX - 1);
        tokio::time::resume();
        release.send(()).unwrap();
        let found = files.ask(path, |_| 7).await;
        assert_eq!(found, Ok(7), "once it answers");
        assert_eq!(files.files.lock().unwrap().len(), 1, "others are forgotten");
    }
}
