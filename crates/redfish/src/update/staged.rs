//! Images that wait for `StartUpdate` (DSP0266 "Operation apply time"). They don't wait for ever: each holds one of a
//! few places.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{Asked, Image};
use crate::Failure;
use crate::error::Error;
use crate::resource::update_service;
use crate::task::{Answer, Handle, State};

/// How long an image waits for `StartUpdate`, in seconds: a day. Then it goes, and its task ends as failed.
pub const MAX_STAGED_S: u64 = 24 * 60 * 60;

/// An image that is there, and what is to be done with it.
pub(super) struct Staged {
    pub(super) task: Handle,
    pub(super) asked: Asked,
    pub(super) image: Image,
    /// How much of the task is done with that, in percent.
    pub(super) percent: u8,
}

/// All that wait, in the order in which they came. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<Vec<Waits>>>);

struct Waits {
    staged: Staged,
    /// Its timer ends with it.
    _timer: oneshot::Sender<()>,
}

impl Waiting {
    /// Keeps an image until it is started, called off, or too old.
    pub(super) fn push(&self, staged: Staged) {
        let (timer, over) = oneshot::channel::<()>();
        let id = staged.task.id();
        self.all().push(Waits {
            staged,
            _timer: timer,
        });
        // Strong, it would keep what waits beyond the end of the service.
        let waiting = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            tokio::select! {
                _ = over => return,
                () = tokio::time::sleep(Duration::from_secs(MAX_STAGED_S)) => {}
            }
            let Some(waiting) = waiting.upgrade().map(Self) else {
                return;
            };
            if let Some(staged) = waiting.take(id) {
                expire(staged).await;
            }
        });
    }

    /// Everything that waits; it waits no more.
    pub(super) fn take_all(&self) -> Vec<Staged> {
        let all = std::mem::take(&mut *self.all());
        all.into_iter().map(|waits| waits.staged).collect()
    }

    /// Lets go of images whose updates were called off.
    pub(super) fn sweep(&self) {
        self.all()
            .retain(|waits| waits.staged.task.state() == Some(State::Pending));
    }

    fn take(&self, id: u64) -> Option<Staged> {
        let mut all = self.all();
        let place = all.iter().position(|waits| waits.staged.task.id() == id)?;
        Some(all.remove(place).staged)
    }

    fn all(&self) -> MutexGuard<'_, Vec<Waits>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a task that nobody has started, unless somebody has called it off.
async fn expire(staged: Staged) {
    let Staged { task, image, .. } = staged;
    drop(image);
    if !task.take() {
        return;
    }
    let hours = MAX_STAGED_S / 3600;
    let failure = Failure::ParameterValueUnavailable {
        parameter: crate::action::APPLY_TIME.to_owned(),
        value: "OnStartUpdateRequest".to_owned(),
        remedy: format!(
            "Nobody started the update within {hours} hours, so the service let go of the image. Nothing was changed. \
             Send the image again and start it in time."
        ),
    };
    tracing::warn!(task = task.id(), "update not started in time");
    let error = Error::Backend(failure, update_service::PATH.to_owned());
    task.finish(Answer::of(error.into_response())).await;
}
