//! `hpm`: firmware upgrade by HPM.1, step by step.

use std::rc::Rc;
use std::time::Duration;

use ipmi::command::Bytes;
use ipmi::command::Command;
use ipmi::command::app::GetDeviceId;
use ipmi::command::picmg::hpm::{
    AbortFirmwareUpgrade, ActivateFirmware, BLOCK_MAX, FinishFirmwareUpload, FirmwareVersion,
    GetComponentProperties, GetTargetUpgradeCapabilities, GetUpgradeStatus, IN_PROGRESS,
    InitiateManualRollback, InitiateUpgradeAction, UploadFirmwareBlock,
};
use ipmi::number::{CompletionCode, HpmAction, HpmProperty};
use ipmi::upgrade::{ImageAction, UpgradeImage};
use serde_json::{Value, json};

use super::{ADMINISTRATOR, Start, USER, start};
use crate::error::ProgramError;
use crate::ipmi::args::HpmCommand;
use crate::ipmi::failure::Failure;
use crate::ipmi::report::Report;
use crate::ipmi::talk::{CallError, CallFault, Line, Outcome};

/// The largest image file, in bytes.
const FILE_MAX: u64 = 256 << 20;

/// Bytes of a block, in turn, as long as the controller refuses its length.
const BLOCKS: [usize; 4] = [BLOCK_MAX, 64, 32, 16];

/// How often a block is sent whose answer does not come: a controller takes the same number twice as one.
const BLOCK_SENDINGS: u32 = 4;

/// How often a long step is asked after, and the pause between: ten minutes in all.
const CHECKS_MAX: u32 = 1_200;
const CHECK_PAUSE: Duration = Duration::from_millis(500);

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
            newer_only,
        } => {
            let usage = |error: String| ProgramError::Usage(format!("{}: {error}", file.display()));
            let image: Rc<[u8]> = super::read_file(&file, FILE_MAX)?.into();
            UpgradeImage::parse(&image).map_err(|error| usage(error.to_string()))?;
            start(ADMINISTRATOR, move |line| {
                upgrade(line, Rc::clone(&image), !no_activate, newer_only)
            })
        }
        HpmCommand::Activate => start(ADMINISTRATOR, |line| async move {
            activate(&line).await?;
            Ok(activating())
        }),
        HpmCommand::Rollback => start(ADMINISTRATOR, |line| async move {
            step(&line, &InitiateManualRollback {}).await?;
            check(line).await
        }),
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
    let of = ipmi::print::command_name(ipmi::number::NetFn::GROUP_EXTENSION, status.command);
    let name = of.map_or_else(|| format!("{:02X}h", status.command), str::to_owned);
    let shown = percent.map_or_else(String::new, |percent| format!(", {percent} %"));
    Ok(Report::line(
        format!("{name}: {state}{shown}"),
        json!({ "command": status.command, "state": state, "percent": percent }),
    ))
}

/// Loads what the image has, and activates it.
async fn upgrade(line: Line, file: Rc<[u8]>, activates: bool, newer_only: bool) -> Outcome {
    // The file was checked before any host was asked.
    let image = UpgradeImage::parse(&file).map_err(|error| Failure::Unfit {
        kind: "no_image",
        cause: format!("the file is no usable image: {error}"),
        remedy: "take an HPM.1 image".to_owned(),
    })?;
    let header = &image.header;
    let device = line.call(&GetDeviceId).await?;
    let is_for = (device.manufacturer, device.product)
        == (
            ipmi::number::EnterpriseNumber(header.manufacturer),
            header.product,
        );
    if !is_for {
        return Err(Failure::Unfit {
            kind: "other_product",
            cause: format!(
                "the image is for maker {} product {:04x}h, and this is maker {} product {:04x}h",
                header.manufacturer, header.product, device.manufacturer, device.product
            ),
            remedy: "take the image for this product".to_owned(),
        });
    }
    if newer_only && !is_newer(&line, &image).await? {
        return Err(Failure::Unfit {
            kind: "not_newer",
            cause: "the image has no newer version than the controller".to_owned(),
            remedy: "load it all the same with --newer-only off".to_owned(),
        });
    }
    for action in &image.actions {
        let done = carry_out(&line, action).await;
        if let Err(failure) = done {
            // The controller waits for the rest of an upgrade until it is told that none comes.
            let _ = line.call(&AbortFirmwareUpgrade {}).await;
            return Err(failure);
        }
    }
    if activates {
        activate(&line).await?;
        return Ok(activating());
    }
    check(line).await
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
            step(line, &initiate(*components, HpmAction::BACKUP)).await
        }
        ImageAction::Prepare(components) => {
            step(line, &initiate(*components, HpmAction::PREPARE)).await
        }
        ImageAction::Upload(firmware) => {
            let component = firmware.component;
            step(line, &initiate(1 << component, HpmAction::UPLOAD)).await?;
            upload(line, firmware.data).await?;
            let finish = FinishFirmwareUpload {
                component,
                length: u32::try_from(firmware.data.len()).unwrap_or(u32::MAX),
            };
            step(line, &finish).await
        }
    }
}

async fn upload(line: &Line, data: &[u8]) -> Result<(), Failure> {
    let (mut sent, mut number, mut size, mut sendings) = (0, 0_u8, 0, 0);
    while sent < data.len() {
        let part = &data[sent..data.len().min(sent + BLOCKS[size])];
        let block = UploadFirmwareBlock {
            number,
            data: Bytes::new(part).unwrap_or(Bytes::EMPTY),
        };
        match line.call(&block).await.err() {
            None => {}
            Some(error) if error.completion() == Some(IN_PROGRESS) => finished(line).await?,
            Some(error) if error.asks_for_less() && sent == 0 && size + 1 < BLOCKS.len() => {
                size += 1;
                continue;
            }
            Some(error)
                if matches!(error.fault, CallFault::Unanswered { .. })
                    && sendings < BLOCK_SENDINGS =>
            {
                sendings += 1;
                continue;
            }
            Some(error) => return Err(error.into()),
        }
        sent += part.len();
        number = number.wrapping_add(1);
        sendings = 0;
    }
    Ok(())
}

async fn activate(line: &Line) -> Result<(), Failure> {
    let command = ActivateFirmware {
        rollback_override: None,
    };
    match line.call(&command).await {
        // Unanswered: the controller restarts, and the session is gone with it.
        Ok(_)
        | Err(CallError {
            fault: CallFault::Unanswered { .. },
            ..
        }) => Ok(()),
        Err(error) if error.completion() == Some(IN_PROGRESS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The report of an activation, whose end no session sees.
fn activating() -> Report {
    Report::line(
        "The controller activates the firmware and may restart; 'hpm check' tells what it has",
        json!({ "activating": true }),
    )
}

/// Sends a command, and waits until what it begins is done.
async fn step<C: Command>(line: &Line, command: &C) -> Result<(), Failure> {
    match line.call(command).await {
        Ok(_) => Ok(()),
        Err(error) if error.completion() == Some(IN_PROGRESS) => finished(line).await,
        // The answer is lost, or the controller restarts: what became of it is in the status.
        Err(CallError {
            fault: CallFault::Unanswered { .. },
            ..
        }) => finished(line).await,
        Err(error) => Err(error.into()),
    }
}

/// Waits until the controller is done; fails where it says that it failed.
async fn finished(line: &Line) -> Result<(), Failure> {
    for _ in 0..CHECKS_MAX {
        match line.call(&GetUpgradeStatus {}).await {
            Ok(status) if status.completion == IN_PROGRESS => {}
            Ok(status) if status.completion == CompletionCode::OK => return Ok(()),
            Ok(status) => {
                return Err(Failure::Unfit {
                    kind: "upgrade_failed",
                    cause: format!(
                        "the controller failed at step {:02X}h with {:02X}h",
                        status.command, status.completion.0
                    ),
                    remedy:
                        "check that the image is for this controller; 'hpm check' tells what it has"
                            .to_owned(),
                });
            }
            // It restarts.
            Err(error) if error.completion().is_none() => {}
            Err(error) => return Err(error.into()),
        }
        line.pause(CHECK_PAUSE).await;
    }
    Err(Failure::Unfit {
        kind: "upgrade_stuck",
        cause: "the controller does not finish".to_owned(),
        remedy: "look at 'hpm status'".to_owned(),
    })
}
