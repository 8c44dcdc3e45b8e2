//! Upgrade of a controller's firmware (HPM.1 §3): the actions of the image one by one, then activation.
//!
//! ```text
//!   image and machine are checked ─► backup, prepare ─► for each component: initiate, upload, finish ─► activate ─► verify
//!                                    └─────────── given up with Abort where anything fails ──────┘
//! ```
//!
//! A controller says that a step takes long (80h), and is then asked how far it is. Steps may be lost, and the whole
//! controller may restart in between: what an answer would have said is then asked for.

mod upload;

use std::time::Duration;

use hardware::{ApplyError, Installation};
use ipmi::command::Command;
use ipmi::command::app::{DeviceId, GetDeviceId};
use ipmi::command::picmg::hpm::{
    AbortFirmwareUpgrade, ActivateFirmware, FirmwareVersion, GetComponentProperties,
    GetTargetUpgradeCapabilities, GetUpgradeStatus, IMAGE_MISMATCH, IN_PROGRESS,
    InitiateUpgradeAction, LENGTH_MISMATCH, QuerySelfTestResults, StepState,
    TargetUpgradeCapabilities,
};
use ipmi::number::{CompletionCode, HpmAction, HpmCapabilities, HpmProperty, SelfTestResult};
use ipmi::upgrade::{ImageAction, ImageHeader, Misfit, UpgradeImage};

use super::FirmwareNow;
use crate::call::CallError;
use crate::contact::firmware;
use crate::script::Line;

/// The pause between two questions how far a step is.
const POLL_PAUSE: Duration = Duration::from_secs(1);
/// How long a step may take at least, in seconds: controllers promise less than they need.
const STEP_MIN_S: u32 = 60;
/// How often a step is sent whose answer is lost.
const STEP_SENDINGS: u32 = 3;
/// How often the controller is looked for after its activation, each time in a new session.
const SEARCHES_MAX: u32 = 8;
/// Percent of the work that are done when the components are prepared, uploaded, and the new firmware runs.
const PREPARED: u8 = 5;
const UPLOADED: u8 = 90;
const ACTIVATED: u8 = 97;

/// The firmware as the controller tells of it now.
pub(super) async fn read_now(line: &Line) -> Result<FirmwareNow, CallError> {
    let device = line.call(&GetDeviceId).await?;
    Ok(FirmwareNow {
        controller: version_of(&device).into(),
        components: firmware::read(line).await?,
    })
}

fn version_of(device: &DeviceId) -> String {
    format!("{}.{:02x}", device.firmware_major, device.firmware_minor)
}

/// Installs an image and starts it. Well ended, the controller says that it runs; what runs already is left alone.
pub(super) async fn install(line: &Line, order: &Installation) -> Result<(), ApplyError> {
    let image = UpgradeImage::parse(&order.image).map_err(|error| wrong(error.to_string()))?;
    let mut upgrade = Upgrade::look(line, order, &image).await?;
    if upgrade.wanted == 0 {
        return Err(ApplyError::UpToDate);
    }
    let carried_out = upgrade.carry_out(&image).await;
    if let Err(error) = carried_out {
        // Also where the controller seems to be gone: it may have heard everything but not been heard.
        let _ = line.call(&AbortFirmwareUpgrade).await;
        return Err(error);
    }
    upgrade.activate().await?;
    upgrade.verify(&image).await?;
    order.watch.progress(100);
    Ok(())
}

/// An upgrade under way.
struct Upgrade<'a> {
    line: &'a Line,
    order: &'a Installation,
    target: TargetUpgradeCapabilities,
    /// Components that are to be upgraded, bit n for component n.
    wanted: u8,
    /// Firmware to be uploaded, and uploaded so far, in bytes.
    bytes: u64,
    bytes_done: u64,
    /// Progress told so far, in percent.
    told: u8,
}

/// Why a step was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StepError {
    Refused(CompletionCode),
    /// No answer, although it was sent several times.
    Silent,
    /// The controller says for too long that it is not done yet.
    Endless,
}

impl<'a> Upgrade<'a> {
    /// Looks whether the image is for this machine, and what of it is needed. Changes nothing.
    async fn look(
        line: &'a Line,
        order: &'a Installation,
        image: &UpgradeImage<'_>,
    ) -> Result<Self, ApplyError> {
        let device = line.call(&GetDeviceId).await.map_err(looking)?;
        image.header.check_device(&device).map_err(misfit)?;
        if !order.force {
            image.header.check_earliest(&device).map_err(misfit)?;
        }
        let target = line.call(&GetTargetUpgradeCapabilities).await;
        let target = target.map_err(looking)?;
        image.header.check_components(&target).map_err(misfit)?;
        let is_bad_time = target.capabilities.contains(HpmCapabilities::UNDESIRABLE);
        if is_bad_time && !order.force {
            return Err(wrong_state(
                "the machine says that an upgrade is not desirable now",
            ));
        }
        let status = line.call(&GetUpgradeStatus).await;
        if status.is_ok_and(|status| status.completion == IN_PROGRESS) {
            return Err(wrong_state("another upgrade of this machine is under way"));
        }
        let mut upgrade = Self {
            line,
            order,
            target,
            wanted: 0,
            bytes: 0,
            bytes_done: 0,
            told: 0,
        };
        let mut has_any = false;
        for upload in image.uploads() {
            if order.component.is_some_and(|only| only != upload.component) {
                continue;
            }
            has_any = true;
            let runs = upgrade.current(upload.component).await;
            if order.force || runs != Some(upload.version) {
                upgrade.wanted |= 1 << upload.component;
                upgrade.bytes += upload.data.len() as u64;
            }
        }
        if has_any {
            Ok(upgrade)
        } else {
            Err(wrong("it has nothing for this component".into()))
        }
    }

    /// The version that a component runs, where it tells.
    async fn current(&self, component: u8) -> Option<FirmwareVersion> {
        let get = GetComponentProperties {
            component,
            property: HpmProperty::CURRENT_VERSION,
        };
        let answer = self.line.call(&get).await.ok()?;
        FirmwareVersion::from_data(&answer.data)
    }

    /// Everything up to the last upload.
    async fn carry_out(&mut self, image: &UpgradeImage<'_>) -> Result<(), ApplyError> {
        for action in &image.actions {
            self.check_cancelled()?;
            match action {
                ImageAction::Backup(components) => {
                    self.initiate(*components, HpmAction::BACKUP).await?;
                }
                ImageAction::Prepare(components) => {
                    self.initiate(*components, HpmAction::PREPARE).await?;
                    self.progress(PREPARED);
                }
                ImageAction::Upload(upload) if self.wanted >> upload.component & 1 == 1 => {
                    self.upload(upload).await?;
                }
                ImageAction::Upload(_) => {}
            }
        }
        self.check_cancelled()
    }

    fn check_cancelled(&self) -> Result<(), ApplyError> {
        if self.order.watch.is_cancelled() {
            Err(ApplyError::Cancelled)
        } else {
            Ok(())
        }
    }

    /// Tells how far it is, if it is further than before: an upload may begin anew.
    fn progress(&mut self, percent: u8) {
        if percent > self.told {
            self.told = percent;
            self.order.watch.progress(percent);
        }
    }

    /// Starts an action for those of the components that are wanted, and waits for its end.
    async fn initiate(&self, components: u8, action: HpmAction) -> Result<(), ApplyError> {
        let components = components & self.wanted;
        if components == 0 {
            return Ok(());
        }
        let initiate = InitiateUpgradeAction { components, action };
        let done = self.step(&initiate, Lost::AskAgain).await;
        done.map_err(|error| failed(error, &action.to_string()))
    }

    /// Carries a step out, to its end.
    async fn step<C: Command>(&self, command: &C, lost: Lost) -> Result<(), StepError> {
        for _ in 0..STEP_SENDINGS {
            let Err(error) = self.line.call(command).await else {
                return Ok(());
            };
            match error.completion() {
                Some(IN_PROGRESS) => return self.settled().await,
                Some(CompletionCode::NODE_BUSY) => self.line.pause(POLL_PAUSE).await,
                Some(code) => return Err(StepError::Refused(code)),
                None => {
                    let Ok(status) = self.line.call(&GetUpgradeStatus).await else {
                        continue;
                    };
                    match status.of::<C>() {
                        StepState::UnderWay => return self.settled().await,
                        StepState::Ended(code) if lost == Lost::Remembered => return ended(code),
                        StepState::Ended(_) | StepState::Unheard => {}
                    }
                }
            }
        }
        Err(StepError::Silent)
    }

    /// Waits for the end of a step that takes long.
    async fn settled(&self) -> Result<(), StepError> {
        let longest_s = STEP_MIN_S.max(5 * u32::from(self.target.upgrade_5s));
        let mut silent = 0;
        for _ in 0..longest_s {
            self.line.pause(POLL_PAUSE).await;
            match self.line.call(&GetUpgradeStatus).await {
                Ok(status) if status.completion == IN_PROGRESS => {}
                Ok(status) => return ended(status.completion),
                // Busy with the step, controllers say this, too.
                Err(CallError::Refused { .. }) => {}
                Err(_) => {
                    silent += 1;
                    if silent == STEP_SENDINGS {
                        return Err(StepError::Silent);
                    }
                }
            }
        }
        Err(StepError::Endless)
    }

    /// Starts the new firmware. The controller may restart before it answers, or after.
    async fn activate(&self) -> Result<(), ApplyError> {
        const WHAT: &str = "activation";
        let activate = ActivateFirmware {
            rollback_override: None,
        };
        let refused = |code| failed(StepError::Refused(code), WHAT);
        for _ in 0..STEP_SENDINGS {
            match self.line.call(&activate).await {
                Ok(_) => return Ok(()),
                Err(error) => match error.completion() {
                    // It restarts now, as nearly all do, or has done so already: its sessions end.
                    None | Some(IN_PROGRESS) => self.line.reopen().await,
                    Some(code) => return Err(refused(code)),
                },
            }
            match self.found_again().await? {
                // It restarted so thoroughly that it knows of nothing: what runs tells the rest.
                None => return Ok(()),
                Some((ActivateFirmware::CMD, code)) => {
                    return ended(code).map_err(|e| failed(e, WHAT));
                }
                // The command never arrived.
                Some(_) => {}
            }
        }
        Err(failed(StepError::Silent, WHAT))
    }

    /// Waits for the end of the activation: command and completion code that the controller has last. `None` where it has
    /// none.
    async fn found_again(&self) -> Result<Option<(u8, CompletionCode)>, ApplyError> {
        let longest_s = STEP_MIN_S.max(
            5 * u32::from(self.target.upgrade_5s) + 5 * u32::from(self.target.inaccessible_5s),
        );
        let mut searches = 0;
        for _ in 0..longest_s {
            self.line.pause(POLL_PAUSE).await;
            match self.line.call(&GetUpgradeStatus).await {
                Ok(status) if status.completion == IN_PROGRESS => {}
                Ok(status) => return Ok(Some((status.command, status.completion))),
                Err(CallError::Refused {
                    completion: CompletionCode::NODE_BUSY,
                    ..
                }) => {}
                Err(CallError::Refused { .. } | CallError::Garbled { .. }) => return Ok(None),
                Err(CallError::Unanswered { .. } | CallError::Mute { .. })
                    if searches < SEARCHES_MAX =>
                {
                    searches += 1;
                    self.line.reopen().await;
                }
                Err(CallError::Unanswered { .. } | CallError::Mute { .. }) => {
                    return Err(failed(StepError::Silent, "activation"));
                }
            }
        }
        Err(failed(StepError::Endless, "activation"))
    }

    /// Whether the new firmware is content with itself, and runs.
    async fn verify(&self, image: &UpgradeImage<'_>) -> Result<(), ApplyError> {
        self.order.watch.progress(ACTIVATED);
        self.self_test(&image.header).await?;
        for upload in image.uploads() {
            if self.wanted >> upload.component & 1 == 0 {
                continue;
            }
            // A controller that doesn't tell is no failure: it said that it has done what was asked.
            let Some(runs) = self.running(upload.component).await? else {
                continue;
            };
            if (runs.major, runs.minor) != (upload.version.major, upload.version.minor) {
                return Err(ApplyError::Refused {
                    reason: format!(
                        "component {} runs version {runs} after the upgrade to {}: the machine went back to its \
                         old firmware",
                        upload.component, upload.version
                    ),
                });
            }
        }
        Ok(())
    }

    /// The version that a component runs after the activation, where the controller tells. Some restart only after they
    /// have said that they are done: one that is silent is looked for.
    async fn running(&self, component: u8) -> Result<Option<FirmwareVersion>, ApplyError> {
        let get = GetComponentProperties {
            component,
            property: HpmProperty::CURRENT_VERSION,
        };
        for _ in 0..SEARCHES_MAX {
            match self.line.call(&get).await {
                Ok(answer) => return Ok(FirmwareVersion::from_data(&answer.data)),
                Err(CallError::Unanswered { .. }) => self.line.reopen().await,
                Err(_) => return Ok(None),
            }
        }
        Err(failed(StepError::Silent, "activation"))
    }

    async fn self_test(&self, header: &ImageHeader) -> Result<(), ApplyError> {
        if !self
            .target
            .capabilities
            .contains(HpmCapabilities::SELF_TEST)
        {
            return Ok(());
        }
        let longest_s = 5 * u32::from(self.target.self_test_5s.max(header.self_test_5s)).max(1);
        for _ in 0..longest_s {
            match self.line.call(&QuerySelfTestResults).await {
                Ok(test)
                    if test.result == SelfTestResult::PASSED
                        || test.result == SelfTestResult::NOT_IMPLEMENTED =>
                {
                    return Ok(());
                }
                Ok(test) => {
                    return Err(ApplyError::Refused {
                        reason: format!(
                            "the new firmware failed its self test ({:02X}h {:02X}h)",
                            test.result.0, test.detail
                        ),
                    });
                }
                Err(error) if error.completion() == Some(IN_PROGRESS) => {
                    self.line.pause(POLL_PAUSE).await;
                }
                // There is no result: the version that runs has to do.
                Err(_) => return Ok(()),
            }
        }
        Err(failed(StepError::Endless, "self test"))
    }
}

/// What to do about a step whose answer is lost, once the controller says that it has nothing under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lost {
    /// Send it again: doing it twice does no harm.
    AskAgain,
    /// Send it again, unless the controller names it as its last command.
    Remembered,
}

fn ended(completion: CompletionCode) -> Result<(), StepError> {
    match completion {
        CompletionCode::OK => Ok(()),
        code => Err(StepError::Refused(code)),
    }
}

fn misfit(misfit: Misfit) -> ApplyError {
    wrong(misfit.to_string())
}

fn wrong(reason: String) -> ApplyError {
    ApplyError::WrongImage { reason }
}

fn wrong_state(reason: &str) -> ApplyError {
    ApplyError::WrongState {
        reason: reason.to_owned(),
    }
}

/// The error of a look at the machine.
fn looking(error: CallError) -> ApplyError {
    super::preparing(error, "firmware upgrades over the network (HPM.1)")
}

/// The error of a step.
fn failed(error: StepError, step: &str) -> ApplyError {
    match error {
        StepError::Refused(IMAGE_MISMATCH) => {
            wrong("the machine says that the firmware is not for it, or damaged".into())
        }
        StepError::Refused(LENGTH_MISMATCH) => ApplyError::Refused {
            reason: format!("{step}: the machine has not got all of the firmware"),
        },
        StepError::Refused(code) => ApplyError::Refused {
            reason: format!("{step}: {code} ({:02X}h)", code.0),
        },
        StepError::Silent => ApplyError::Unconfirmed {
            what: format!("the upgrade's {step}"),
        },
        StepError::Endless => ApplyError::Refused {
            reason: format!("{step}: the machine does not come to an end"),
        },
    }
}

#[cfg(test)]
mod tests;
