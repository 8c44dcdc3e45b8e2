//! Switching a host's power.

use std::time::Duration;

use hardware::{ApplyError, Power, PowerAction};
use ipmi::command::chassis::{ChassisControl, ChassisStatus, GetChassisStatus};
use ipmi::number::ChassisControlAction;
use ipmi::quirk::Quirk;

use super::{changing, power_of};
use crate::script::Line;

/// After which pauses a look is taken whether the power is as it should be: machines take their time.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];
/// How often a command is sent again that did nothing.
const REPETITIONS: u32 = 1;

/// Carries out a power command and looks what the power is. A command that switches is sent once more to a BMC that
/// took it and did nothing for [`PAUSES`].
pub(super) async fn switch(
    line: &Line,
    action: PowerAction,
) -> (Result<(), ApplyError>, Option<ChassisStatus>) {
    let mut outcome = command(line, action).await;
    let mut status = line.call(&GetChassisStatus).await.ok();
    let wanted = match action {
        PowerAction::On => Power::On,
        PowerAction::ForceOff => Power::Off,
        _ => return (outcome, status),
    };
    let is_missed = |status: &Option<ChassisStatus>| {
        status
            .as_ref()
            .is_some_and(|status| power_of(status) != wanted)
    };
    for repetition in 0..=REPETITIONS {
        for pause in PAUSES {
            if outcome.is_err() || !is_missed(&status) {
                return (outcome, status);
            }
            line.pause(pause).await;
            status = line.call(&GetChassisStatus).await.ok();
        }
        if is_missed(&status) && repetition < REPETITIONS {
            line.note(Quirk::PowerCommandIgnored);
            outcome = command(line, action).await;
            status = line.call(&GetChassisStatus).await.ok();
        }
    }
    (outcome, status)
}

async fn command(line: &Line, action: PowerAction) -> Result<(), ApplyError> {
    let action = match action {
        PowerAction::On => ChassisControlAction::POWER_UP,
        PowerAction::ForceOff => ChassisControlAction::POWER_DOWN,
        PowerAction::GracefulShutdown => ChassisControlAction::SOFT_SHUTDOWN,
        PowerAction::ForceRestart => ChassisControlAction::HARD_RESET,
        PowerAction::PowerCycle => ChassisControlAction::POWER_CYCLE,
        PowerAction::Nmi => ChassisControlAction::DIAGNOSTIC_INTERRUPT,
    };
    line.call(&ChassisControl { action })
        .await
        .map(|_| ())
        .map_err(|error| changing(error, &format!("Chassis Control ({action})")))
}
