//! `hpm`: firmware upgrade by HPM.1, step by step.

mod wait;

use std::rc::Rc;
use std::time::Duration;

use ipmi::command::Bytes;
use ipmi::command::Command;
use ipmi::command::app::GetDeviceId;
use ipmi::command::picmg::hpm::{
    AbortFirmwareUpgrade, ActivateFirmware, BLOCK_MAX, FinishFirmwareUpload, FirmwareVersion,
    GetComponentProperties, GetTargetUpgradeCapabilities, GetUpgradeStatus, IN_PROGRESS,
    InitiateManualRollback, InitiateUpgradeAction, Section, StepState, UploadFirmwareBlock,
};
use ipmi::command::table;
use ipmi::number::{CompletionCode, DefiningBody, HpmAction, HpmCapabilities, HpmProperty, NetFn};
use ipmi::upgrade::{ImageAction, Misfit, UpgradeImage, Window};
use serde_json::{Value, json};
use wait::{Restart, Step};

use super::{ADMINISTRATOR, Start, USER, start};
use crate::error::ProgramError;
use crate::ipmi::args::{HpmCommand, HpmWait};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::Report;
use crate::ipmi::talk::{CallError, CallFault, Line, Outcome};

/// The largest image file, in bytes.
const FILE_MAX: u64 = 256 << 20;

/// Bytes of a block, in turn, as long as the controller refuses its length.
const BLOCKS: [usize; 4] = [BLOCK_MAX, 64, 32, 16];

/// How often a block is sent whose answer does not come: a controller takes the same number twice as one.
const BLOCK_SENDINGS: u32 = 4;

/// How often a step is sent whose answer is lost, or for which the controller has no time.
const STEP_SENDINGS: u32 = 3;

/// How often a controller may have a block wait because it is busy.
const BUSY_MAX: u32 = 120;

/// How often a long step is asked after, and the pause between: ten minutes in all.
const CHECKS_MAX: u32 = 1_200;
const CHECK_PAUSE: Duration = Duration::from_millis(500);

/// After so many unanswered questions in a row the session is given up: nothing in it will be answered any more.
const SILENT_MAX: u32 = 10;

/// How far an upload comes before that is told, in percent.
const TOLD_PERCENT: u64 = 10;

/// How to begin it.
///
/// # Errors
/// The image can't be used.
pub(super) fn begin(command: HpmCommand) -> Result<Start, ProgramError> {
    Ok(match command {
        HpmCommand::Check => start(USER, check),
        HpmCommand::Status => start(USER, status),
        HpmCommand::Upgrade {
            file,
            no_activate,
            wait,
            newer_only,
        } => {
            let usage = |error: String| ProgramError::Usage(format!("{}: {error}", file.display()));
            let image: Rc<[u8]> = super::read_file(&file, FILE_MAX)?.into();
            UpgradeImage::parse(&image).map_err(|error| usage(error.to_string()))?;
            let end = match (no_activate, wait) {
                (true, _) => End::Loaded,
                (false, false) => End::Activated,
                (false, true) => End::Running,
            };
            start(ADMINISTRATOR, move |line| {
                upgrade(line, Rc::clone(&image), end, newer_only)
            })
        }
        HpmCommand::Activate(HpmWait { wait: false }) => start(ADMINISTRATOR, activate),
        HpmCommand::Rollback(HpmWait { wait: false }) => start(ADMINISTRATOR, roll_back),
        HpmCommand::Activate(HpmWait { wait: true }) => {
            start(ADMINISTRATOR, |line| awaited(line, Step::Activation))
        }
        HpmCommand::Rollback(HpmWait { wait: true }) => {
            start(ADMINISTRATOR, |line| awaited(line, Step::Rollback))
        }
    })
}

/// A version; `None` where there is none.
async fn version(
    line: &Line,
    component: u8,
    property: HpmProperty,
) -> Result<Option<FirmwareVersion>, CallError> {
    let question = GetComponentProperties {
        component,
        property,
    };
    match line.call(&question).await {
        Ok(found) => Ok(FirmwareVersion::from_data(&found.data)),
        Err(error) if error.completion().is_some() => Ok(None),
        Err(error) => Err(error),
    }
}

fn text(version: Option<FirmwareVersion>) -> String {
    let Some(version) = version else {
        return "-".to_owned();
    };
    // The minor version is two decimal digits, four bits each (HPM.1 table 3-6).
    let auxiliary: String = version
        .auxiliary
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    format!("{}.{:02x} {auxiliary}", version.major, version.minor)
}

async fn check(line: Line) -> Outcome {
    let target = line.call(&GetTargetUpgradeCapabilities {}).await?;
    let mut lines = vec![format!(
        "{:<3} {:<12} {:<16} {:<16} {}",
        "ID", "Name", "Active", "Backup", "Deferred"
    )];
    let mut list = Vec::<Value>::new();
    for component in (0..8_u8).filter(|number| target.components >> number & 1 == 1) {
        let question = GetComponentProperties {
            component,
            property: HpmProperty::DESCRIPTION,
        };
        let name = line.call(&question).await?.data;
        let end = name.iter().position(|byte| *byte == 0);
        let name = String::from_utf8_lossy(&name[..end.unwrap_or(name.len())]).into_owned();
        let mut versions = Vec::new();
        for property in [
            HpmProperty::CURRENT_VERSION,
            HpmProperty::ROLLBACK_VERSION,
            HpmProperty::DEFERRED_VERSION,
        ] {
            versions.push(text(version(&line, component, property).await?));
        }
        let [active, backup, deferred] = versions.as_slice() else {
            continue;
        };
        let row = format!("{component:<3} {name:<12} {active:<16} {backup:<16} {deferred}");
        lines.push(row);
        list.push(json!({
            "component": component,
            "name": name,
            "active": active,
            "backup": backup,
            "deferred": deferred,
        }));
    }
    let capabilities: Vec<_> = target.capabilities.names().collect();
    let value = json!({ "capabilities": capabilities, "components": list });
    Ok(Report::of(lines, value))
}

async fn status(line: Line) -> Outcome {
    let status = line.call(&GetUpgradeStatus {}).await?;
    let state = match status.completion {
        IN_PROGRESS => "in progress".to_owned(),
        code => code.to_string(),
    };
    let percent = status.percent.map(|percent| percent & 0x7f);
    let of = table::find(
        NetFn::GROUP_EXTENSION,
        status.command,
        &[DefiningBody::PICMG.0],
    );
    let name = of.map_or_else(
        || format!("{:02X}h", status.command),
        |row| row.name.to_owned(),
    );
    let shown = percent.map_or_else(String::new, |percent| format!(", {percent} %"));
    Ok(Report::line(
        format!("{name}: {state}{shown}"),
        json!({ "command": status.command, "state": state, "percent": percent }),
    ))
}

/// How far an upgrade is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The firmware is in the controller.
    Loaded,
    /// The controller was told to run it.
    Activated,
    /// The controller runs it.
    Running,
}

/// Loads what the image has, and activates it.
async fn upgrade(line: Line, file: Rc<[u8]>, end: End, newer_only: bool) -> Outcome {
    // The file was checked before any host was asked.
    let image = UpgradeImage::parse(&file).map_err(|error| Failure::Unfit {
        kind: "no_image",
        cause: format!("the file is no usable image: {error}"),
        remedy: "take an HPM.1 image".to_owned(),
    })?;
    look(&line, &image).await?;
    if newer_only && !is_newer(&line, &image).await? {
        return Err(Failure::Unfit {
            kind: "not_newer",
            cause: "the image has no newer version than the controller".to_owned(),
            remedy: "load it all the same with --newer-only off".to_owned(),
        });
    }
    line.leaves_unfinished(
        "the upgrade is unfinished: 'hpm status' tells what the controller is doing; run the command again"
            .to_owned(),
    );
    let restart = match end {
        End::Running => Some(Restart::before(&line, &image).await?),
        End::Loaded | End::Activated => None,
    };
    for action in &image.actions {
        let done = carry_out(&line, action).await;
        if let Err(failure) = done {
            // The controller waits for the rest of an upgrade until it is told that none comes.
            let _ = line.call(&AbortFirmwareUpgrade {}).await;
            return Err(failure);
        }
    }
    if end == End::Loaded {
        return check(line).await;
    }
    let told = activate(line.clone()).await?;
    match restart {
        None => Ok(told),
        Some(restart) => {
            restart.end(&line).await?;
            check(line).await
        }
    }
}

/// Whether the image is for this controller, and the controller ready for it. Changes nothing.
async fn look(line: &Line, image: &UpgradeImage<'_>) -> Result<(), Failure> {
    let device = line.call(&GetDeviceId).await?;
    image.header.check_device(&device).map_err(misfit)?;
    image.header.check_earliest(&device).map_err(misfit)?;
    let target = line.call(&GetTargetUpgradeCapabilities {}).await?;
    image.header.check_components(&target).map_err(misfit)?;
    let status = line.call(&GetUpgradeStatus {}).await;
    let is_busy = status.is_ok_and(|status| status.completion == IN_PROGRESS);
    if is_busy || target.capabilities.contains(HpmCapabilities::UNDESIRABLE) {
        return Err(Failure::Unfit {
            kind: "not_now",
            cause: if is_busy {
                "another upgrade of this controller is under way".to_owned()
            } else {
                "the controller says that an upgrade is not desirable now".to_owned()
            },
            remedy: "try again later; 'hpm status' tells what the controller is doing".to_owned(),
        });
    }
    Ok(())
}

fn misfit(misfit: Misfit) -> Failure {
    Failure::Unfit {
        kind: match misfit {
            Misfit::Device { .. } => "other_product",
            Misfit::TooOld { .. } => "too_old",
            Misfit::Components(_) => "no_such_component",
        },
        cause: format!("the image does not fit: {misfit}"),
        remedy: "take the image for this product and its firmware".to_owned(),
    }
}

async fn is_newer(line: &Line, image: &UpgradeImage<'_>) -> Result<bool, CallError> {
    let rank = |v: FirmwareVersion| (v.major, v.minor, v.auxiliary);
    for upload in image.uploads() {
        let now = version(line, upload.component, HpmProperty::CURRENT_VERSION).await?;
        if now.is_none_or(|now| rank(upload.version) > rank(now)) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn carry_out(line: &Line, action: &ImageAction<'_>) -> Result<(), Failure> {
    let initiate = |components, action| InitiateUpgradeAction { components, action };
    match action {
        ImageAction::Backup(components) => {
            let backup = initiate(*components, HpmAction::BACKUP);
            step(line, &backup, Lost::AskAgain).await
        }
        ImageAction::Prepare(components) => {
            let prepare = initiate(*components, HpmAction::PREPARE);
            step(line, &prepare, Lost::AskAgain).await
        }
        ImageAction::Upload(firmware) => {
            let component = firmware.component;
            let begin = initiate(1 << component, HpmAction::UPLOAD);
            step(line, &begin, Lost::AskAgain).await?;
            let length = upload(line, firmware.data).await?;
            let finish = FinishFirmwareUpload { component, length };
            step(line, &finish, Lost::Remembered).await
        }
    }
}

/// Sends the firmware, in the order that the controller wants; how many bytes it took.
async fn upload(line: &Line, data: &[u8]) -> Result<u32, Failure> {
    let (mut window, mut size) = (Window::new(data), 0);
    let mut told = 0;
    while let Some(piece) = window.piece(BLOCKS[size]) {
        let percent = u64::from(window.sent()) * 100 / (data.len() as u64).max(1);
        if percent >= told + TOLD_PERCENT {
            told = percent;
            line.tell(format!("{percent} % of the firmware are loaded"));
        }
        match send_block(line, window.number(), piece).await? {
            Block::TooLong(_) if window.sent() == 0 && size + 1 < BLOCKS.len() => size += 1,
            Block::TooLong(error) => return Err(error.into()),
            Block::Taken(section) => {
                let taken = window.taken(piece.len(), section);
                taken.map_err(|error| Failure::Unfit {
                    kind: "upgrade_failed",
                    cause: format!("the image does not fit: {error}"),
                    remedy: "check that the image is for this controller".to_owned(),
                })?;
            }
        }
    }
    Ok(window.sent())
}

/// How sending a block ended.
enum Block {
    /// The controller has it, and wants this section next where it names one.
    Taken(Option<Section>),
    TooLong(CallError),
}

async fn send_block(line: &Line, number: u8, piece: &[u8]) -> Result<Block, Failure> {
    let block = UploadFirmwareBlock {
        number,
        data: Bytes::new(piece).unwrap_or(Bytes::EMPTY),
    };
    let (mut silent, mut busy) = (0, 0);
    loop {
        let error = match line.call(&block).await {
            Ok(uploaded) => return Ok(Block::Taken(uploaded.section)),
            Err(error) => error,
        };
        match error.completion() {
            Some(IN_PROGRESS) => {
                settled(line).await?;
                return Ok(Block::Taken(None));
            }
            Some(CompletionCode::NODE_BUSY | CompletionCode::TIMEOUT) if busy < BUSY_MAX => {
                busy += 1;
                line.pause(CHECK_PAUSE).await;
            }
            _ if error.asks_for_less() || error.fault == CallFault::TooLong => {
                return Ok(Block::TooLong(error));
            }
            Some(_) => return Err(error.into()),
            None => {
                silent += 1;
                if silent == BLOCK_SENDINGS {
                    return Err(session_lost(&error));
                }
            }
        }
    }
}

async fn activate(line: Line) -> Outcome {
    let command = ActivateFirmware {
        rollback_override: None,
    };
    let is_confirmed = restart(&line, &command).await?;
    Ok(restarting(
        "activates the firmware",
        "activating",
        is_confirmed,
    ))
}

async fn roll_back(line: Line) -> Outcome {
    let is_confirmed = restart(&line, &InitiateManualRollback {}).await?;
    Ok(restarting(
        "goes back to its earlier firmware",
        "rolling_back",
        is_confirmed,
    ))
}

/// Has the controller restart into firmware that it has, and waits until it runs it.
async fn awaited(line: Line, step: Step) -> Outcome {
    let restart = Restart::into_stored(&line, step).await?;
    match step {
        Step::Activation => activate(line.clone()).await?,
        Step::Rollback => roll_back(line.clone()).await?,
    };
    restart.end(&line).await?;
    check(line).await
}

/// The report of a restart into other firmware, whose end no session sees.
fn restarting(does: &str, key: &str, is_confirmed: bool) -> Report {
    let text = if is_confirmed {
        format!("The controller {does} and may restart; 'hpm check' tells what it has")
    } else {
        format!(
            "The controller has not answered, as one does not that {does} and restarts; look at 'hpm check' when it \
             answers again"
        )
    };
    Report::line(text, json!({ key: true, "confirmed": is_confirmed }))
}

/// Sends a command that has the controller restart, which ends the session with or without an answer. Whether the
/// controller said that it does it.
async fn restart<C: Command>(line: &Line, command: &C) -> Result<bool, Failure> {
    let mut sendings = 0;
    loop {
        let Err(error) = line.call(command).await else {
            return Ok(true);
        };
        sendings += 1;
        match (error.completion(), error.fault) {
            (Some(IN_PROGRESS), _) => return Ok(true),
            (Some(CompletionCode::NODE_BUSY), _) if sendings < STEP_SENDINGS => {
                line.pause(CHECK_PAUSE).await;
                continue;
            }
            (Some(_), _) => return Err(error.into()),
            // The session was lost before: nothing was sent.
            (
                _,
                CallFault::Unanswered {
                    maybe_executed: false,
                },
            ) => return Err(session_lost(&error)),
            _ => {}
        }
        let Ok(status) = line.call(&GetUpgradeStatus {}).await else {
            return Ok(false);
        };
        match status.of::<C>() {
            StepState::UnderWay => return Ok(true),
            StepState::Ended(code) => return ended(C::CMD, code).map(|()| true),
            // It never arrived.
            StepState::Unheard if sendings < STEP_SENDINGS => {}
            StepState::Unheard => return Err(error.into()),
        }
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

/// Carries a step out, to its end.
async fn step<C: Command>(line: &Line, command: &C, lost: Lost) -> Result<(), Failure> {
    let mut sendings = 0;
    loop {
        let Err(error) = line.call(command).await else {
            return Ok(());
        };
        sendings += 1;
        let is_last = sendings == STEP_SENDINGS;
        match error.completion() {
            Some(IN_PROGRESS) => return settled(line).await,
            Some(CompletionCode::NODE_BUSY) if !is_last => {
                line.pause(CHECK_PAUSE).await;
                continue;
            }
            Some(_) => return Err(error.into()),
            None => {}
        }
        if let Ok(status) = line.call(&GetUpgradeStatus {}).await {
            match status.of::<C>() {
                StepState::UnderWay => return settled(line).await,
                StepState::Ended(code) if lost == Lost::Remembered => return ended(C::CMD, code),
                StepState::Ended(_) | StepState::Unheard => {}
            }
        }
        if is_last {
            return Err(session_lost(&error));
        }
    }
}

/// Waits for the end of a step that takes long.
async fn settled(line: &Line) -> Result<(), Failure> {
    let mut silent = 0;
    for _ in 0..CHECKS_MAX {
        line.pause(CHECK_PAUSE).await;
        match line.call(&GetUpgradeStatus {}).await {
            Ok(status) if status.completion == IN_PROGRESS => silent = 0,
            Ok(status) => return ended(status.command, status.completion),
            // Busy with the step, controllers say this, too.
            Err(error) if error.completion().is_some() => silent = 0,
            Err(error) => {
                silent += 1;
                if silent == SILENT_MAX {
                    return Err(session_lost(&error));
                }
            }
        }
    }
    Err(Failure::Unfit {
        kind: "upgrade_stuck",
        cause: "the controller does not finish".to_owned(),
        remedy: "look at 'hpm status'".to_owned(),
    })
}

/// How a step ended, by its completion code.
fn ended(command: u8, completion: CompletionCode) -> Result<(), Failure> {
    if completion == CompletionCode::OK {
        return Ok(());
    }
    Err(Failure::Unfit {
        kind: "upgrade_failed",
        cause: format!(
            "the controller failed at step {command:02X}h with {:02X}h",
            completion.0
        ),
        remedy: "check that the image is for this controller; 'hpm check' tells what it has"
            .to_owned(),
    })
}

/// The failure of an upgrade whose controller does not answer any more.
fn session_lost(error: &CallError) -> Failure {
    Failure::Unfit {
        kind: "session_lost",
        cause: format!(
            "{}: no answer, several times: the session with the controller is lost",
            error.request()
        ),
        remedy: "when the controller answers again, look at 'hpm status' and 'hpm check', and run the command again"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests;
