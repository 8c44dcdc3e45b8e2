//! What becomes of an image: it goes to its targets, a few at a time, each a part of one task.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Asked, Image, Installed, Installing, MAX_UPDATES_AT_ONCE, Origin, Staged, Update};
use crate::error::{Error, messages_of};
use crate::message::{self, update as messages};
use crate::resource::update_service;
use crate::respond::no_content;
use crate::task::{Answer, Handle, Note, TASKS_PATH};
use crate::{Backend, Failure, Path};

/// How a whole update ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Done,
    Stopped,
}

/// What went wrong, and at which resource.
type Failed = (Failure, String);

/// How many reasons why an image doesn't fit are told.
const MAX_REASONS: usize = 4;

/// What installs images.
#[derive(Clone)]
pub(super) struct Installer {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) installing: Installing,
}

impl Installer {
    /// Carries an update out, to the end of its task.
    pub(super) async fn run(self, staged: Staged) {
        let Staged {
            task,
            asked,
            image,
            percent,
        } = staged;
        let task = Arc::new(task);
        let response = match installed(&task, &asked, (&image, percent), &self).await {
            Ok(Ended::Done) => no_content(),
            Ok(Ended::Stopped) => return task.stopped().await,
            Err((failure, uri)) => Error::Backend(failure, uri).into_response(),
        };
        task.finish(Answer::of(response)).await;
    }

    /// Installs on one target, unless another task does so on the same machine.
    async fn one(self, update: Update) -> Result<Installed, Failure> {
        let updater = self.backend.updater().ok_or(Failure::NotFound)?;
        let machine = updater.machine(&update.target);
        let turn = self.installing.begin(machine, update.whole.id());
        let _turn = turn.map_err(|other| Failure::InUse {
            reason: format!(
                "The task {TASKS_PATH}/{other} installs firmware on this machine. Nothing was changed. Wait until that \
                 task has ended, or call it off with DELETE, then send the image again."
            ),
        })?;
        updater.update(&update).await
    }

    fn machine(&self, target: &Path) -> String {
        let updater = self.backend.updater();
        updater.map_or_else(|| target.to_string(), |updater| updater.machine(target))
    }
}

async fn installed(
    task: &Arc<Handle>,
    asked: &Asked,
    (image, before): (&Image, u8),
    installer: &Installer,
) -> Result<Ended, Failed> {
    let service = || update_service::PATH.to_owned();
    let updater = installer.backend.updater();
    let all = updater.ok_or_else(|| (Failure::NotFound, service()))?.all();
    let is_for_all = asked.targets.is_empty();
    let targets = if is_for_all {
        all
    } else {
        asked.targets.clone()
    };
    let update = |target: &Path, part: &Arc<Handle>| Update {
        target: target.clone(),
        image: image.clone(),
        force: asked.force,
        task: Arc::clone(part),
        whole: Arc::clone(task),
        // Of a part nothing was done before.
        before: if Arc::ptr_eq(part, task) { before } else { 0 },
    };
    match targets.as_slice() {
        [] => Err((nothing_to_update(), service())),
        [target] => {
            let found = installer.clone().one(update(target, task)).await;
            tell(task, image, target, &found);
            match found {
                Ok(Installed::Done | Installed::UpToDate) => Ok(Ended::Done),
                Ok(Installed::Stopped) => Ok(Ended::Stopped),
                Ok(Installed::NotForIt(reason)) => {
                    let failure = wrong_image(&asked.origin, &reason);
                    Err((failure, target.to_string()))
                }
                Err(failure) => Err((failure, target.to_string())),
            }
        }
        targets => {
            let parts = Parts {
                task,
                image,
                origin: &asked.origin,
                before,
                is_for_all,
                total: targets.len(),
                ended: 0,
                stopped: 0,
                fits: 0,
                misfits: Vec::new(),
                failed: None,
            };
            parts.run(installer, targets, update).await
        }
    }
}

/// Notes in a task what became of a target.
fn tell(task: &Handle, image: &Image, target: &Path, found: &Result<Installed, Failure>) {
    let (image, target) = (image.name(), target.to_string());
    let message = match found {
        Ok(Installed::Done) => messages::update_successful(target, image),
        Ok(Installed::UpToDate) => {
            messages::no_targets_determined(image).with_resolution(format!(
                "Nothing was done: {target} runs what is in the image already. Set ForceUpdate to install it again."
            ))
        }
        Ok(Installed::Stopped) => return,
        Ok(Installed::NotForIt(reason)) => messages::no_targets_determined(image)
            .with_resolution(format!("The image is not for {target}: {reason}.")),
        Err(failure) => {
            let why = messages_of(failure.clone(), &target);
            let why = why.first().map(|message| message.resolution().to_owned());
            messages::apply_failed(image, target).with_resolution(why.unwrap_or_default())
        }
    };
    task.note(Note::from(&message));
}

/// An update of several targets.
struct Parts<'a> {
    task: &'a Arc<Handle>,
    image: &'a Image,
    origin: &'a Origin,
    /// How much of the task was done before, in percent.
    before: u8,
    /// Nobody has named targets: those that the image is not for are passed over.
    is_for_all: bool,
    total: usize,
    /// How many parts have ended, in whatever way.
    ended: usize,
    /// How many of those were called off.
    stopped: usize,
    /// To how many the image fits.
    fits: usize,
    /// Why it doesn't fit the others, each reason once.
    misfits: Vec<String>,
    failed: Option<Failed>,
}

impl Parts<'_> {
    async fn run(
        mut self,
        installer: &Installer,
        targets: &[Path],
        update: impl Fn(&Path, &Arc<Handle>) -> Update,
    ) -> Result<Ended, Failed> {
        let mut waiting: VecDeque<&Path> = targets.iter().collect();
        let mut running = JoinSet::new();
        // Parts of one machine get the image one after the other.
        let mut machines = Vec::new();
        loop {
            while running.len() < MAX_UPDATES_AT_ONCE && !self.task.is_cancelled() {
                let is_free = |target: &&Path| !machines.contains(&installer.machine(target));
                let next = waiting.iter().position(is_free);
                let Some(target) = next.and_then(|next| waiting.remove(next)) else {
                    break;
                };
                let part = self.task.part(format!("Update of {target}")).await;
                let part = Arc::new(part);
                let (update, target) = (update(target, &part), target.clone());
                machines.push(installer.machine(&target));
                let installer = installer.clone();
                running.spawn(async move { (target, part, installer.one(update).await) });
            }
            match running.join_next().await {
                None => break,
                Some(Ok((target, part, found))) => {
                    let machine = installer.machine(&target);
                    machines.retain(|other| *other != machine);
                    self.ended(&target, &part, found).await;
                }
                Some(Err(error)) => {
                    let failure = Failure::Internal(error.to_string());
                    self.failed = Some((failure, update_service::PATH.to_owned()));
                }
            }
        }
        match self.failed {
            Some(failed) => Err(failed),
            // Called off after everything was done, everything is done.
            None if self.stopped > 0 || self.ended < self.total => Ok(Ended::Stopped),
            None if self.fits == 0 => {
                let failure = wrong_image(self.origin, &self.misfits.join("; "));
                Err((failure, update_service::PATH.to_owned()))
            }
            None => Ok(Ended::Done),
        }
    }

    async fn ended(&mut self, target: &Path, part: &Handle, found: Result<Installed, Failure>) {
        tell(part, self.image, target, &found);
        if !matches!(&found, Ok(Installed::NotForIt(_)) if self.is_for_all) {
            tell(self.task, self.image, target, &found);
        }
        let response = match found {
            Ok(Installed::Stopped) => {
                self.stopped += 1;
                None
            }
            Ok(Installed::Done | Installed::UpToDate) => {
                self.fits += 1;
                Some(no_content())
            }
            Ok(Installed::NotForIt(reason)) if self.is_for_all => {
                if self.misfits.len() < MAX_REASONS && !self.misfits.contains(&reason) {
                    self.misfits.push(reason);
                }
                Some(no_content())
            }
            Ok(Installed::NotForIt(reason)) => {
                Some(self.failure(wrong_image(self.origin, &reason), target))
            }
            Err(failure) => Some(self.failure(failure, target)),
        };
        match response {
            Some(response) => part.finish(Answer::of(response)).await,
            None => part.stopped().await,
        }
        self.ended += 1;
        let percent = self.ended * 100 / self.total;
        let percent = u8::try_from(percent).unwrap_or(100);
        self.task.progress(super::after(self.before, percent));
    }

    /// The answer for a part that failed. The first failure is the whole update's.
    fn failure(
        &mut self,
        failure: Failure,
        target: &Path,
    ) -> http::Response<http_body_util::Full<bytes::Bytes>> {
        let target = target.to_string();
        if self.failed.is_none() {
            self.failed = Some((failure.clone(), target.clone()));
        }
        Error::Backend(failure, target).into_response()
    }
}

/// The image can't be installed, whatever the machine's state.
fn wrong_image(origin: &Origin, reason: &str) -> Failure {
    let wrong = match origin {
        Origin::Pushed => message::property_value_error("UpdateFile").about("/UpdateFile"),
        Origin::Fetched(_) => {
            message::action_parameter_value_error("ImageURI", update_service::SIMPLE_UPDATE)
                .about("/ImageURI")
        }
    };
    let wrong = wrong.with_resolution(format!("Send another image: {reason}."));
    Failure::Messages(vec![wrong])
}

fn nothing_to_update() -> Failure {
    Failure::WrongState {
        reason: "the service has no machine that takes firmware over the network".to_owned(),
    }
}
