//! `boot`: Set and Get System Boot Options (§28.12, §28.13).

use ipmi::command::chassis::{
    BootFlags, BootParameter, GetSystemBootOptions, SetSystemBootOptions,
};
use ipmi::number::{
    BootDevice, BootFlagKeep, BootOptionParameter, BootPersistence, BootType, CompletionCode,
};
use serde_json::{Value, json};

use crate::ipmi::args::BootArgs;
use crate::ipmi::failure::Failure;
use crate::ipmi::report::Report;
use crate::ipmi::talk::{CallError, CallFault, Line, Outcome};

/// Completion code of the boot options (§28.12): a set is in progress by another party.
const SET_IN_PROGRESS: CompletionCode = CompletionCode(0x81);

/// Who may have handled the boot information: all five parties of the acknowledge mask (§28.13, parameter 4).
const ALL_PARTIES: u8 = 0x1f;

/// Sets what to boot from, or tells it.
pub(super) async fn run(line: Line, args: BootArgs) -> Outcome {
    let Some(device) = args.device else {
        let flags = get(&line).await?;
        return Ok(Report::line(text(&flags), value(&flags)));
    };
    let device = BootDevice::from(device);
    let wanted = BootFlags {
        valid: device != BootDevice::NO_OVERRIDE,
        persistence: if args.is_persistent() && device != BootDevice::NO_OVERRIDE {
            BootPersistence::ALL_BOOTS
        } else {
            BootPersistence::NEXT_BOOT
        },
        boot_type: if args.is_uefi() {
            BootType::EFI
        } else {
            BootType::PC_COMPATIBLE
        },
        device,
        ..BootFlags::default()
    };
    set_guarded(&line, wanted).await?;
    // A BMC may take the command and keep something else: what counts is what it says now.
    let kept = get(&line).await?;
    if is_kept(&wanted, &kept) {
        return Ok(Report::line(text(&kept), value(&kept)));
    }
    Err(Failure::Unfit {
        kind: "not_kept",
        cause: format!("the BMC took the command, but now says: {}", text(&kept)),
        remedy: "ask for what it supports; see its manual".to_owned(),
    })
}

/// Whether the machine will boot as it was told.
fn is_kept(wanted: &BootFlags, kept: &BootFlags) -> bool {
    if !wanted.valid {
        return !kept.valid || kept.device == BootDevice::NO_OVERRIDE;
    }
    let relevant = |flags: &BootFlags| {
        (
            flags.valid,
            flags.persistence,
            flags.boot_type,
            flags.device,
        )
    };
    relevant(wanted) == relevant(kept)
}

async fn get(line: &Line) -> Result<BootFlags, CallError> {
    let command = GetSystemBootOptions::new(BootOptionParameter::BOOT_FLAGS);
    let options = line.call(&command).await?;
    // Data of another length holds no flags, as from BMCs that have none set.
    Ok(match options.parameter {
        BootParameter::Flags(flags) => flags,
        _ => BootFlags::default(),
    })
}

async fn set(line: &Line, parameter: BootParameter) -> Result<(), CallError> {
    line.call(&SetSystemBootOptions {
        invalid: false,
        parameter,
    })
    .await?;
    Ok(())
}

/// Sets the flags guarded by "set in progress", where the BMC has that.
async fn set_guarded(line: &Line, flags: BootFlags) -> Result<(), CallError> {
    let guarded = match set(
        line,
        BootParameter::SetInProgress(ipmi::number::SetInProgress(1)),
    )
    .await
    {
        Ok(()) => true,
        Err(error) if error.completion() == Some(SET_IN_PROGRESS) => return Err(error),
        Err(error) if error.completion().is_some() => false,
        Err(error) => return Err(error),
    };
    let outcome = set_flags(line, flags).await;
    if guarded {
        // Whatever became of the flags: nobody else can set any while the guard stands. The flags count without it.
        let _ = set(
            line,
            BootParameter::SetInProgress(ipmi::number::SetInProgress(0)),
        )
        .await;
    }
    outcome
}

/// Sets the flags, kept from being cleared after a minute, with the boot information marked as not yet handled.
async fn set_flags(line: &Line, flags: BootFlags) -> Result<(), CallError> {
    let keep = BootParameter::ValidBitClearing(BootFlagKeep::TIMEOUT);
    let unhandled = BootParameter::InfoAcknowledge {
        write_mask: ipmi::number::BootParties(ALL_PARTIES),
        parties: ipmi::number::BootParties(ALL_PARTIES),
    };
    for optional in [keep, unhandled] {
        // Both are optional; a BMC without them takes the flags all the same.
        match set(line, optional).await {
            Err(error) if !matches!(error.fault, CallFault::Refused(_)) => return Err(error),
            _ => {}
        }
    }
    set(line, BootParameter::Flags(flags)).await
}

fn text(flags: &BootFlags) -> String {
    if !flags.valid || flags.device == BootDevice::NO_OVERRIDE {
        return "Boot device: no override".to_owned();
    }
    let when = if flags.persistence == BootPersistence::ALL_BOOTS {
        "every start"
    } else {
        "next start"
    };
    let mode = if flags.boot_type == BootType::EFI {
        "UEFI"
    } else {
        "legacy"
    };
    format!("Boot device: {} ({when}, {mode})", flags.device)
}

fn value(flags: &BootFlags) -> Value {
    let overrides = flags.valid && flags.device != BootDevice::NO_OVERRIDE;
    json!({
        "device": overrides.then(|| flags.device.to_string()),
        "persistent": overrides && flags.persistence == BootPersistence::ALL_BOOTS,
        "uefi": overrides && flags.boot_type == BootType::EFI,
    })
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;

    use super::*;
    use crate::ipmi::args::Device;
    use crate::ipmi::talk::{Talk, play};

    const ARGS: BootArgs = BootArgs {
        device: Some(Device::Pxe),
        persistent: true,
        uefi: true,
        options: None,
    };

    /// A BMC with flags only, which keeps those bits of the first byte that are set in `mask`.
    fn bmc(mask: u8, refused: CompletionCode) -> (Outcome, Vec<u8>) {
        let mut flags = vec![0; 5];
        let mut parameters = Vec::new();
        let outcome = play::run(Talk::new(|line| run(line, ARGS)), |call| {
            if call.target.cmd == GetSystemBootOptions::CMD {
                let mut answer = vec![1, 5];
                answer.extend_from_slice(&flags);
                return Some((CompletionCode::OK, answer));
            }
            parameters.push(call.data[0]);
            if call.data[0] != 5 {
                return Some((refused, vec![]));
            }
            flags.copy_from_slice(&call.data[1..]);
            flags[0] &= mask;
            Some((CompletionCode::OK, vec![]))
        });
        (outcome, parameters)
    }

    #[test]
    fn a_bmc_without_the_optional_parameters_takes_the_flags() {
        let (outcome, parameters) = bmc(0xff, CompletionCode(0x80));
        let report = outcome.unwrap();
        assert_eq!(report.lines, ["Boot device: PXE (every start, UEFI)"]);
        assert_eq!(
            report.value,
            json!({ "device": "PXE", "persistent": true, "uefi": true })
        );
        assert_eq!(parameters, [0, 3, 4, 5]);
    }

    #[test]
    fn flags_that_the_bmc_dropped_are_a_failure() {
        let (outcome, _) = bmc(0xa0, CompletionCode(0x80));
        let failure = outcome.unwrap_err();
        assert_eq!(failure.kind(), "not_kept");
        assert!(
            failure.cause().contains("PXE (next start, UEFI)"),
            "{failure}"
        );
    }

    #[test]
    fn nothing_is_set_while_another_party_sets_boot_options() {
        let (outcome, parameters) = bmc(0xff, SET_IN_PROGRESS);
        assert!(outcome.unwrap_err().cause().contains("another party"));
        assert_eq!(parameters, [0]);
    }
}
