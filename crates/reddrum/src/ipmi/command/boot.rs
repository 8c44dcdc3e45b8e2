//! `boot`: Set and Get System Boot Options (§28.12, §28.13).

use ipmi::command::chassis::{
    BootFlags, BootParameter, GetSystemBootOptions, SetSystemBootOptions,
};
use ipmi::number::{
    BootDevice, BootFlagKeep, BootOptionParameter, BootPersistence, BootType, CompletionCode,
};
use serde_json::{Value, json};

use crate::ipmi::args::{BootArgs, BootClearing, Device};
use crate::ipmi::failure::Failure;
use crate::ipmi::report::Report;
use crate::ipmi::talk::{CallError, CallFault, Line, Outcome};

/// Completion code of the boot options (§28.12): a set is in progress by another party.
const SET_IN_PROGRESS: CompletionCode = CompletionCode(0x81);

/// Who may have handled the boot information: all five parties of the acknowledge mask (§28.13, parameter 4).
const ALL_PARTIES: u8 = 0x1f;

/// What may clear the flags before the machine starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clearing {
    /// Not a minute without a start, where the BMC can be told so.
    ByNoTimeout,
    /// What could before, but for these.
    Said(BootClearing),
}

/// Sets what to boot from, or tells it.
pub(super) async fn run(line: Line, args: BootArgs) -> Outcome {
    let Some(device) = args.device else {
        let flags = get(&line).await?;
        return Ok(Report::line(text(&flags), value(&flags)));
    };
    let wanted = flags(device, args.is_persistent(), args.is_uefi());
    change(&line, &wanted, Clearing::ByNoTimeout).await
}

/// `bootparam set bootflag`: sets what to boot from at the next start, and what clears that before.
pub(super) async fn set_bootflag(line: Line, device: Device, clearing: BootClearing) -> Outcome {
    let wanted = flags(device, false, false);
    change(&line, &wanted, Clearing::Said(clearing)).await
}

fn flags(device: Device, persistent: bool, uefi: bool) -> BootFlags {
    let device = BootDevice::from(device);
    let overrides = device != BootDevice::NO_OVERRIDE;
    BootFlags {
        valid: overrides,
        persistence: if persistent && overrides {
            BootPersistence::ALL_BOOTS
        } else {
            BootPersistence::NEXT_BOOT
        },
        boot_type: if uefi {
            BootType::EFI
        } else {
            BootType::PC_COMPATIBLE
        },
        device,
        ..BootFlags::default()
    }
}

/// Sets the flags, and reads them back.
async fn change(line: &Line, wanted: &BootFlags, clearing: Clearing) -> Outcome {
    set_guarded(line, *wanted, clearing).await?;
    // A BMC may take the command and keep something else: what counts is what it says now.
    let kept = get(line).await?;
    if is_kept(wanted, &kept) {
        return Ok(Report::line(text(&kept), value(&kept)));
    }
    Err(not_kept(&text(&kept)))
}

fn not_kept(now: &str) -> Failure {
    Failure::Unfit {
        kind: "not_kept",
        cause: format!("the BMC took the command, but now says: {now}"),
        remedy: "ask for what it supports; see its manual".to_owned(),
    }
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
async fn set_guarded(line: &Line, flags: BootFlags, clearing: Clearing) -> Result<(), Failure> {
    let guarded = match set(
        line,
        BootParameter::SetInProgress(ipmi::number::SetInProgress(1)),
    )
    .await
    {
        Ok(()) => true,
        Err(error) if error.completion() == Some(SET_IN_PROGRESS) => return Err(error.into()),
        Err(error) if error.completion().is_some() => false,
        Err(error) => return Err(error.into()),
    };
    let outcome = set_flags(line, flags, clearing).await;
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

/// Sets what clears the flags and then the flags, with the boot information marked as not yet handled.
async fn set_flags(line: &Line, flags: BootFlags, clearing: Clearing) -> Result<(), Failure> {
    match clearing {
        Clearing::ByNoTimeout => {
            let keep = BootParameter::ValidBitClearing(BootFlagKeep::TIMEOUT);
            set_optional(line, keep).await?;
        }
        Clearing::Said(said) => set_clearing(line, said).await?,
    }
    let unhandled = BootParameter::InfoAcknowledge {
        write_mask: ipmi::number::BootParties(ALL_PARTIES),
        parties: ipmi::number::BootParties(ALL_PARTIES),
    };
    set_optional(line, unhandled).await?;
    Ok(set(line, BootParameter::Flags(flags)).await?)
}

/// Sets a parameter that is optional: a BMC without it takes the flags all the same.
async fn set_optional(line: &Line, parameter: BootParameter) -> Result<(), CallError> {
    match set(line, parameter).await {
        Err(error) if !matches!(error.fault, CallFault::Refused(_)) => Err(error),
        _ => Ok(()),
    }
}

/// Changes what was said of what clears the flags; the rest stays. It is what the operator asked for, so that a BMC without it
/// fails.
async fn set_clearing(line: &Line, said: BootClearing) -> Result<(), Failure> {
    if said == BootClearing::default() {
        return Ok(());
    }
    let before = kept_from(line).await?;
    let wanted = before.with(said.cleared, false).with(said.kept, true);
    set(line, BootParameter::ValidBitClearing(wanted)).await?;
    match kept_from(line).await? {
        kept if kept == wanted => Ok(()),
        kept => Err(not_kept(&clearing_text(kept))),
    }
}

/// What does not clear the flags.
async fn kept_from(line: &Line) -> Result<BootFlagKeep, CallError> {
    let command = GetSystemBootOptions::new(BootOptionParameter::VALID_BIT_CLEARING);
    Ok(match line.call(&command).await?.parameter {
        BootParameter::ValidBitClearing(keep) => keep,
        _ => BootFlagKeep::default(),
    })
}

/// The same in words.
pub(super) fn clearing_text(keep: BootFlagKeep) -> String {
    let names: Vec<_> = keep.names().collect();
    match names.as_slice() {
        [] => "the boot flags are cleared by every restart and after a minute".to_owned(),
        names => format!("the boot flags are not cleared by: {}", names.join("; ")),
    }
}

/// The flags in a line.
pub(super) fn text(flags: &BootFlags) -> String {
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
    fn what_clears_a_bootflag_changes_as_it_was_said_and_no_further() {
        let said = BootClearing {
            kept: BootFlagKeep::TIMEOUT,
            cleared: BootFlagKeep::PEF,
        };
        for (clearing, before, after) in [
            (said, 0x11, 0x09),
            (BootClearing::default(), 0x11, 0x11),
            (
                BootClearing {
                    kept: BootFlagKeep::WATCHDOG,
                    ..said
                },
                0,
                0x04,
            ),
        ] {
            let (mut keep, mut flags) = (before, vec![0; 5]);
            let talk = Talk::new(|line| set_bootflag(line, Device::Pxe, clearing));
            let outcome = play::run(talk, |call| {
                let number = call.data[0];
                if call.target.cmd == GetSystemBootOptions::CMD {
                    let data = if number == 3 {
                        vec![keep]
                    } else {
                        flags.clone()
                    };
                    return Some((CompletionCode::OK, [&[1, number], &data[..]].concat()));
                }
                match number {
                    3 => keep = call.data[1],
                    5 => flags = call.data[1..].to_vec(),
                    _ => {}
                }
                Some((CompletionCode::OK, vec![]))
            });
            let lines = outcome.unwrap().lines;
            assert_eq!(lines, ["Boot device: PXE (next start, legacy)"]);
            assert_eq!((keep, flags[0]), (after, 0x80));
        }
    }

    #[test]
    fn nothing_is_set_while_another_party_sets_boot_options() {
        let (outcome, parameters) = bmc(0xff, SET_IN_PROGRESS);
        assert!(outcome.unwrap_err().cause().contains("another party"));
        assert_eq!(parameters, [0]);
    }
}
