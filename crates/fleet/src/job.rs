//! Operator commands: a wish becomes a sequence of IPMI commands, and its end an outcome.
//!
//! A command with side effects is sent once (`ipmi::console::Policy`); where its answer is lost the outcome says so
//! and the state is read again, so that the next snapshot shows what happened.

use std::sync::Arc;

use hardware::{
    ApplyError, BootChange, BootMode, BootOverride, BootPersistence, BootTarget, Change,
    FirmwareComponent, Indicator, Network, Power, PowerAction,
};
use ipmi::command::app::ColdReset;
use ipmi::command::chassis::{
    BootFlags, BootParameter, ChassisIdentify, ChassisStatus, GetChassisStatus,
    GetSystemBootOptions, SetSystemBootOptions,
};
use ipmi::number::{
    BootDevice, BootFlagKeep, BootOptionParameter, BootType, CompletionCode, IdentifyState,
};
use ipmi::quirk::Quirks;

use crate::call::CallError;
use crate::contact::log::Since;
use crate::script::Line;
use text::Text;

mod clear_log;
mod firmware;
mod network;
mod power;
pub(crate) mod text;

/// Completion codes of the boot options (§28.12): no such parameter; a set is in progress by another party.
const NO_SUCH_PARAMETER: CompletionCode = CompletionCode(0x80);
const SET_IN_PROGRESS: CompletionCode = CompletionCode(0x81);

/// Who may have handled the boot information: all five parties of the acknowledge mask (§28.13, parameter 4).
const ALL_PARTIES: u8 = 0x1f;

/// The longest interval of Chassis Identify, for BMCs that can't light it for good (§28.5).
const IDENTIFY_SECONDS_MAX: u8 = 255;

/// What the machine said of itself after a change.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Observed {
    pub(crate) status: Option<ChassisStatus>,
    pub(crate) boot: Option<BootOverride>,
    /// The network interface, read anew.
    pub(crate) network: Option<Network>,
    /// Owner's tag and controller's name, read anew; `Some(None)` = there is none now.
    pub(crate) asset_tag: Option<Option<String>>,
    pub(crate) controller_name: Option<Option<String>>,
    /// Its firmware, read anew after an installation.
    pub(crate) firmware: Option<FirmwareNow>,
}

/// The firmware of a controller as it is now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FirmwareNow {
    /// The controller's own version.
    pub(crate) controller: Arc<str>,
    pub(crate) components: Arc<[FirmwareComponent]>,
}

/// How a change ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct JobDone {
    pub(crate) outcome: Result<(), ApplyError>,
    pub(crate) observed: Observed,
    /// The controller restarts: nothing is answered in this session any more.
    pub(crate) session_ends: bool,
    /// What showed of the BMC's deviations.
    pub(crate) noticed: Quirks,
}

/// The host power that a change leads to at once, where it does.
pub(crate) const fn power_after(change: &Change) -> Option<Power> {
    match change {
        Change::Power(PowerAction::On) => Some(Power::On),
        Change::Power(PowerAction::ForceOff) => Some(Power::Off),
        _ => None,
    }
}

/// Power, identify light from Chassis Status.
pub(crate) fn power_of(status: &ChassisStatus) -> Power {
    if status.is_on() {
        Power::On
    } else {
        Power::Off
    }
}

/// The identify light from Chassis Status.
pub(crate) fn indicator_of(status: &ChassisStatus) -> Indicator {
    match status.identify {
        Some(IdentifyState::OFF) => Indicator::Off,
        Some(IdentifyState::TEMPORARY) => Indicator::Timed,
        Some(IdentifyState::INDEFINITE) => Indicator::On,
        _ => Indicator::Unknown,
    }
}

/// Carries a change out and looks at what became of it. `log` says how far the event log was read.
pub(crate) async fn run(line: Line, change: Change, log: Since) -> JobDone {
    let mut observed = Observed::default();
    let mut session_ends = false;
    let outcome = match change {
        Change::Power(action) => {
            let (outcome, status) = power::switch(&line, action).await;
            observed.status = status;
            outcome
        }
        Change::Boot(boot) => {
            let outcome = set_boot(&line, boot).await;
            observed.boot = read_boot(&line).await.ok();
            outcome
        }
        Change::Indicator(on) => {
            let outcome = identify(&line, on).await;
            observed.status = line.call(&GetChassisStatus).await.ok();
            outcome
        }
        Change::ClearLog => clear_log::clear(&line, log).await,
        Change::ResetController => {
            let outcome = reset_controller(&line).await;
            session_ends = outcome.is_ok();
            outcome
        }
        Change::Network(wanted) => {
            let outcome = network::set(&line, &wanted).await;
            observed.network = network::read(&line).await;
            outcome
        }
        Change::AssetTag(tag) => {
            let outcome = text::write(&line, Text::AssetTag, &tag).await;
            observed.asset_tag = text::read(&line, Text::AssetTag).await.ok();
            outcome
        }
        Change::ControllerName(name) => {
            let outcome = text::write(&line, Text::ControllerName, &name).await;
            observed.controller_name = text::read(&line, Text::ControllerName).await.ok();
            outcome
        }
        Change::Firmware(installation) => {
            let outcome = firmware::install(&line, &installation).await;
            observed.firmware = firmware::read_now(&line).await.ok();
            outcome
        }
    };
    JobDone {
        outcome,
        observed,
        session_ends,
        noticed: line.noticed(),
    }
}

/// The error of a command that changes something: without an answer it may have been carried out.
fn changing(error: CallError, what: &str) -> ApplyError {
    match error {
        CallError::Unanswered { .. } | CallError::Garbled { .. } | CallError::Mute { .. } => {
            ApplyError::Unconfirmed {
                what: what.to_owned(),
            }
        }
        CallError::Refused { completion, .. } => refused(completion, what),
    }
}

/// The error of a command that only looks or prepares: without an answer nothing has changed.
fn preparing(error: CallError, what: &str) -> ApplyError {
    match error {
        CallError::Unanswered { name } | CallError::Garbled { name } | CallError::Mute { name } => {
            ApplyError::Unreachable {
                reason: format!("no usable answer to {name}"),
            }
        }
        CallError::Refused { completion, .. } => refused(completion, what),
    }
}

fn refused(completion: CompletionCode, what: &str) -> ApplyError {
    match completion {
        CompletionCode::INVALID_COMMAND
        | CompletionCode::INVALID_FOR_LUN
        | CompletionCode::INVALID_DATA_FIELD
        | CompletionCode::PARAMETER_OUT_OF_RANGE
        | NO_SUCH_PARAMETER => ApplyError::Unsupported {
            what: what.to_owned(),
        },
        SET_IN_PROGRESS => ApplyError::WrongState {
            reason: "another party is changing the same settings; try again later".to_owned(),
        },
        CompletionCode::NOT_SUPPORTED_IN_STATE => ApplyError::WrongState {
            reason: format!("the machine says that it can't carry out {what} in its present state"),
        },
        _ => ApplyError::Refused {
            reason: format!("{completion} ({:02X}h)", completion.0),
        },
    }
}

async fn set_option(line: &Line, parameter: BootParameter) -> Result<(), CallError> {
    line.call(&SetSystemBootOptions {
        invalid: false,
        parameter,
    })
    .await
    .map(|_| ())
}

/// Sets the boot flags as §28.12 and §28.13 ask for: guarded by set-in-progress, with the valid bit kept from being
/// cleared after a minute, and the boot information marked as not yet handled. What the change leaves as it is comes
/// from the flags that the machine has now: somebody else may have set them a moment ago.
async fn set_boot(line: &Line, change: BootChange) -> Result<(), ApplyError> {
    const WHAT: &str = "setting boot options";
    let current = match read_boot(line).await {
        Ok(current) => current,
        // A BMC may take flags that it doesn't tell.
        Err(CallError::Refused { .. }) => BootOverride::default(),
        Err(error) => return Err(preparing(error, WHAT)),
    };
    let boot = change.on(current).ok_or_else(|| ApplyError::WrongState {
        reason: "the machine has no boot target set that the override could keep".to_owned(),
    })?;
    let flags = boot_flags(boot);
    let guarded = match set_option(
        line,
        BootParameter::SetInProgress(ipmi::number::SetInProgress(1)),
    )
    .await
    {
        Ok(()) => true,
        // The guard is optional.
        Err(error)
            if error
                .completion()
                .is_some_and(|code| code != SET_IN_PROGRESS) =>
        {
            false
        }
        Err(error) => return Err(preparing(error, WHAT)),
    };
    let set = set_flags(line, flags).await;
    if guarded {
        // Whatever became of the flags: nobody else can set any while the guard stands. The flags count without it.
        let _ = set_option(
            line,
            BootParameter::SetInProgress(ipmi::number::SetInProgress(0)),
        )
        .await;
    }
    set.map_err(|error| changing(error, WHAT))
}

async fn set_flags(line: &Line, flags: BootFlags) -> Result<(), CallError> {
    let keep = BootParameter::ValidBitClearing(BootFlagKeep::TIMEOUT);
    let unhandled = BootParameter::InfoAcknowledge {
        write_mask: ipmi::number::BootParties(ALL_PARTIES),
        parties: ipmi::number::BootParties(ALL_PARTIES),
    };
    for optional in [keep, unhandled] {
        // Both are optional; a BMC without them takes the flags all the same.
        if let Err(error @ CallError::Unanswered { .. }) = set_option(line, optional).await {
            return Err(error);
        }
    }
    set_option(line, BootParameter::Flags(flags)).await
}

fn boot_flags(boot: BootOverride) -> BootFlags {
    let device = match boot.target {
        BootTarget::None => BootDevice::NO_OVERRIDE,
        BootTarget::Pxe => BootDevice::PXE,
        BootTarget::Disk => BootDevice::DISK,
        BootTarget::Cd => BootDevice::CD_DVD,
        BootTarget::Removable => BootDevice::PRIMARY_REMOVABLE,
        BootTarget::Setup => BootDevice::BIOS_SETUP,
        BootTarget::Diagnostics => BootDevice::DIAGNOSTIC_PARTITION,
    };
    let wanted = boot.persistence != BootPersistence::Disabled && boot.target != BootTarget::None;
    BootFlags {
        valid: wanted,
        persistence: if wanted && boot.persistence == BootPersistence::Continuous {
            ipmi::number::BootPersistence::ALL_BOOTS
        } else {
            ipmi::number::BootPersistence::NEXT_BOOT
        },
        boot_type: if boot.mode == BootMode::Uefi {
            BootType::EFI
        } else {
            BootType::PC_COMPATIBLE
        },
        device: if wanted {
            device
        } else {
            BootDevice::NO_OVERRIDE
        },
        ..BootFlags::default()
    }
}

/// Reads what the host boots from next.
pub(crate) async fn read_boot(line: &Line) -> Result<BootOverride, CallError> {
    let get = GetSystemBootOptions::new(BootOptionParameter::BOOT_FLAGS);
    let options = line.call(&get).await?;
    Ok(boot_override(&options.parameter))
}

/// What the boot flags say; no override where they are not valid or something else.
pub(crate) fn boot_override(parameter: &BootParameter) -> BootOverride {
    let BootParameter::Flags(flags) = parameter else {
        return BootOverride::default();
    };
    let mode = if flags.boot_type == BootType::EFI {
        BootMode::Uefi
    } else {
        BootMode::Legacy
    };
    let target = match flags.device {
        BootDevice::PXE => BootTarget::Pxe,
        BootDevice::DISK | BootDevice::DISK_SAFE_MODE | BootDevice::REMOTE_DISK => BootTarget::Disk,
        BootDevice::CD_DVD | BootDevice::REMOTE_CD_DVD => BootTarget::Cd,
        BootDevice::PRIMARY_REMOVABLE
        | BootDevice::REMOTE_REMOVABLE
        | BootDevice::PRIMARY_REMOTE_MEDIA => BootTarget::Removable,
        BootDevice::BIOS_SETUP => BootTarget::Setup,
        BootDevice::DIAGNOSTIC_PARTITION => BootTarget::Diagnostics,
        _ => BootTarget::None,
    };
    if !flags.valid || target == BootTarget::None {
        return BootOverride {
            mode,
            ..BootOverride::default()
        };
    }
    let persistence = if flags.persistence == ipmi::number::BootPersistence::ALL_BOOTS {
        BootPersistence::Continuous
    } else {
        BootPersistence::Once
    };
    BootOverride {
        target,
        persistence,
        mode,
    }
}

/// Cold reset (§20.2): the controller's sessions end, the host goes on.
async fn reset_controller(line: &Line) -> Result<(), ApplyError> {
    let reset = line.call(&ColdReset).await;
    reset
        .map(|_| ())
        .map_err(|error| changing(error, "Cold Reset"))
}

async fn identify(line: &Line, on: bool) -> Result<(), ApplyError> {
    const WHAT: &str = "Chassis Identify";
    let command = if on {
        ChassisIdentify::Indefinitely
    } else {
        ChassisIdentify::Seconds(0)
    };
    match line.call(&command).await {
        Ok(_) => Ok(()),
        // "On until switched off" is new in IPMI 2.0 and optional; four minutes are better than dark.
        Err(CallError::Refused { completion, .. }) if on && is_about_data(completion) => line
            .call(&ChassisIdentify::Seconds(IDENTIFY_SECONDS_MAX))
            .await
            .map(|_| ())
            .map_err(|error| changing(error, WHAT)),
        Err(error) => Err(changing(error, WHAT)),
    }
}

const fn is_about_data(completion: CompletionCode) -> bool {
    matches!(
        completion,
        CompletionCode::REQUEST_LENGTH_INVALID
            | CompletionCode::INVALID_DATA_FIELD
            | CompletionCode::PARAMETER_OUT_OF_RANGE
            | CompletionCode::REQUEST_FIELD_LENGTH_EXCEEDED
    )
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::command::chassis::ChassisControl;
    use ipmi::number::ChassisControlAction;
    use ipmi::wire::Writer;

    use super::*;
    use crate::script::{Script, play};

    fn encoded<C: Command>(command: &C) -> (u8, Vec<u8>) {
        let mut buffer = [0; 64];
        let mut w = Writer::new(&mut buffer);
        command.encode(&mut w);
        (C::CMD, w.written().to_vec())
    }

    /// Runs a change; every call is noted and answered by `answer`.
    fn play(
        change: Change,
        mut answer: impl FnMut(u8, &[u8]) -> play::Reply,
    ) -> (JobDone, Vec<(u8, Vec<u8>)>) {
        let mut calls = Vec::new();
        let done = play::run(
            Script::new(|line| run(line, change, Since::Never)),
            |call| {
                calls.push((call.cmd, call.data().to_vec()));
                answer(call.cmd, call.data())
            },
        );
        (done, calls)
    }

    fn good(cmd: u8, on: bool) -> play::Reply {
        let data = match cmd {
            GetChassisStatus::CMD => vec![u8::from(on), 0, 0x60],
            GetSystemBootOptions::CMD => vec![1, 5, 0x80, 0x04, 0, 0, 0],
            _ => vec![],
        };
        Some((CompletionCode::OK, data))
    }

    #[test]
    fn power_off_is_one_chassis_control_and_a_look_at_the_status() {
        let (done, calls) = play(Change::Power(PowerAction::ForceOff), |cmd, _| {
            good(cmd, false)
        });
        assert_eq!(done.outcome, Ok(()));
        assert_eq!(
            done.observed.status.map(|status| power_of(&status)),
            Some(Power::Off)
        );
        let control = ChassisControl {
            action: ChassisControlAction::POWER_DOWN,
        };
        assert_eq!(calls, [encoded(&control), encoded(&GetChassisStatus)]);
    }

    #[test]
    fn a_lost_answer_to_a_power_command_is_unconfirmed_and_the_status_is_looked_at() {
        let (done, calls) = play(Change::Power(PowerAction::PowerCycle), |cmd, _| {
            if cmd == ChassisControl::CMD {
                None
            } else {
                good(cmd, true)
            }
        });
        assert!(matches!(done.outcome, Err(ApplyError::Unconfirmed { .. })));
        assert!(done.observed.status.is_some());
        let controls = calls
            .iter()
            .filter(|(cmd, _)| *cmd == ChassisControl::CMD)
            .count();
        assert_eq!(controls, 1, "never sent twice");
    }

    #[test]
    fn a_refusal_says_whether_the_machine_cannot_or_will_not() {
        for (code, unsupported) in [
            (CompletionCode::INVALID_COMMAND, true),
            (CompletionCode::INVALID_DATA_FIELD, true),
            (CompletionCode::INSUFFICIENT_PRIVILEGE, false),
        ] {
            let (done, _) = play(Change::Power(PowerAction::Nmi), |_, _| Some((code, vec![])));
            match done.outcome {
                Err(ApplyError::Unsupported { .. }) => assert!(unsupported, "{code}"),
                Err(ApplyError::Refused { .. }) => assert!(!unsupported, "{code}"),
                other => panic!("{code}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_the_present_state_forbids_is_no_refusal_for_good() {
        let (done, _) = play(Change::Power(PowerAction::Nmi), |_, _| {
            Some((CompletionCode::NOT_SUPPORTED_IN_STATE, vec![]))
        });
        assert!(matches!(done.outcome, Err(ApplyError::WrongState { .. })));
    }

    /// "Attempt to write a read-only parameter".
    const READ_ONLY: CompletionCode = CompletionCode(0x82);

    const PXE: Change = Change::Boot(BootChange {
        target: Some(BootTarget::Pxe),
        persistence: Some(BootPersistence::Once),
        mode: None,
    });

    const PXE_ONCE: BootOverride = BootOverride {
        target: BootTarget::Pxe,
        persistence: BootPersistence::Once,
        mode: BootMode::Legacy,
    };

    #[test]
    fn boot_flags_are_set_under_the_guard_and_read_back() {
        let (done, calls) = play(PXE, |cmd, _| good(cmd, true));
        assert_eq!(done.outcome, Ok(()));
        assert_eq!(done.observed.boot, Some(PXE_ONCE));
        let data: Vec<_> = calls.iter().map(|(_, data)| data.as_slice()).collect();
        assert_eq!(
            data,
            [
                &[5, 0, 0][..],
                &[0, 1],
                &[3, 0x08],
                &[4, 0x1f, 0x1f],
                &[5, 0x80, 0x04, 0, 0, 0],
                &[0, 0],
                &[5, 0, 0],
            ]
        );
    }

    #[test]
    fn a_bmc_with_nothing_but_boot_flags_takes_them() {
        let (done, calls) = play(PXE, |cmd, data| {
            if cmd == SetSystemBootOptions::CMD && data[0] != 5 {
                Some((NO_SUCH_PARAMETER, vec![]))
            } else {
                good(cmd, true)
            }
        });
        assert_eq!(done.outcome, Ok(()));
        assert_eq!(calls.len(), 6, "no guard was set, so none is lifted");
    }

    #[test]
    fn the_guard_is_lifted_when_the_flags_are_refused_and_left_alone_when_it_is_anothers() {
        let (done, calls) = play(PXE, |cmd, data| match (cmd, data[0]) {
            (SetSystemBootOptions::CMD, 5) => Some((READ_ONLY, vec![])),
            _ => good(cmd, true),
        });
        assert!(matches!(done.outcome, Err(ApplyError::Refused { .. })));
        assert!(calls.contains(&(SetSystemBootOptions::CMD, vec![0, 0])));

        let (done, calls) = play(PXE, |cmd, _| match cmd {
            SetSystemBootOptions::CMD => Some((SET_IN_PROGRESS, vec![])),
            _ => good(cmd, true),
        });
        assert!(matches!(done.outcome, Err(ApplyError::WrongState { .. })));
        assert_eq!(
            calls.len(),
            3,
            "one attempt at the guard between two looks at the flags"
        );
    }

    #[test]
    fn what_a_change_leaves_as_it_is_comes_from_the_machine_and_not_from_a_snapshot() {
        let change = Change::Boot(BootChange {
            mode: Some(BootMode::Uefi),
            ..BootChange::default()
        });
        // The machine boots from disk until changed; nobody here knew.
        let (done, calls) = play(change, |cmd, _| match cmd {
            GetSystemBootOptions::CMD => {
                Some((CompletionCode::OK, vec![1, 5, 0xc0, 0x08, 0, 0, 0]))
            }
            _ => good(cmd, true),
        });
        assert_eq!(done.outcome, Ok(()));
        assert!(calls.contains(&(SetSystemBootOptions::CMD, vec![5, 0xe0, 0x08, 0, 0, 0])));
    }

    #[test]
    fn an_override_without_any_target_sets_nothing_and_says_so() {
        let change = Change::Boot(BootChange {
            persistence: Some(BootPersistence::Once),
            ..BootChange::default()
        });
        let (done, calls) = play(change, |cmd, _| match cmd {
            GetSystemBootOptions::CMD => Some((CompletionCode::OK, vec![1, 5, 0, 0, 0, 0, 0])),
            _ => good(cmd, true),
        });
        assert!(matches!(done.outcome, Err(ApplyError::WrongState { .. })));
        assert!(
            calls
                .iter()
                .all(|(cmd, _)| *cmd != SetSystemBootOptions::CMD)
        );
    }

    #[test]
    fn a_controller_is_restarted_by_one_cold_reset() {
        let (done, calls) = play(Change::ResetController, |cmd, _| good(cmd, true));
        assert_eq!(done.outcome, Ok(()));
        assert_eq!(calls, [encoded(&ColdReset)]);
    }

    #[test]
    fn every_boot_override_survives_the_way_through_the_flags() {
        use BootPersistence::{Continuous, Once};
        use BootTarget::{Cd, Diagnostics, Disk, Pxe, Removable, Setup};
        for target in [Pxe, Disk, Cd, Removable, Setup, Diagnostics] {
            for persistence in [Once, Continuous] {
                for mode in [BootMode::Legacy, BootMode::Uefi] {
                    let boot = BootOverride {
                        target,
                        persistence,
                        mode,
                    };
                    assert_eq!(boot_override(&BootParameter::Flags(boot_flags(boot))), boot);
                }
            }
        }
        let none = BootOverride {
            persistence: BootPersistence::Disabled,
            ..PXE_ONCE
        };
        let back = boot_override(&BootParameter::Flags(boot_flags(none)));
        assert_eq!(back, BootOverride::default());
    }

    #[test]
    fn a_bmc_that_cannot_light_for_good_is_lit_for_as_long_as_it_can() {
        let (done, calls) = play(Change::Indicator(true), |cmd, data| {
            match (cmd, data.len()) {
                (ChassisIdentify::CMD, 2) => Some((CompletionCode::REQUEST_LENGTH_INVALID, vec![])),
                _ => good(cmd, true),
            }
        });
        assert_eq!(done.outcome, Ok(()));
        assert_eq!(calls[1], encoded(&ChassisIdentify::Seconds(255)));
        let indicator = done.observed.status.map(|status| indicator_of(&status));
        assert_eq!(indicator, Some(Indicator::On));
    }
}
