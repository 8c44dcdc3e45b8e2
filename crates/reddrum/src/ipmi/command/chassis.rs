//! `chassis status`: Get Chassis Status (§28.2).

use ipmi::command::chassis::{ChassisStatus, GetChassisStatus};
use ipmi::number::{ChassisState, PowerState};
use serde_json::json;

use crate::ipmi::report::{Report, pair};
use crate::ipmi::talk::{Line, Outcome};

/// Width of the names in the report.
const WIDTH: usize = 21;

/// Tells the state of power and of the chassis.
pub(super) async fn status(line: Line) -> Outcome {
    let status = line.call(&GetChassisStatus).await?;
    Ok(report(&status))
}

fn report(status: &ChassisStatus) -> Report {
    let power = if status.is_on() { "on" } else { "off" };
    let interlock = status.power.contains(PowerState::INTERLOCK);
    let events: Vec<_> = status.last_event.names().collect();
    let intrusion = status.state.contains(ChassisState::INTRUSION);
    let lockout = status.state.contains(ChassisState::FRONT_PANEL_LOCKOUT);
    let active = |is: bool| if is { "active" } else { "inactive" };
    let overload = status.power.contains(PowerState::OVERLOAD);
    let fault = status.power.contains(PowerState::FAULT);
    let control_fault = status.power.contains(PowerState::CONTROL_FAULT);
    let drive_fault = status.state.contains(ChassisState::DRIVE_FAULT);
    let cooling_fault = status.state.contains(ChassisState::COOLING_FAULT);
    let identify = status.identify.map(|state| state.to_string());
    let mut lines = vec![
        pair("System Power", WIDTH, power),
        pair("Power Overload", WIDTH, overload),
        pair("Power Interlock", WIDTH, active(interlock)),
        pair("Main Power Fault", WIDTH, fault),
        pair("Power Control Fault", WIDTH, control_fault),
        pair("Power Restore Policy", WIDTH, status.restore_policy),
        pair("Last Power Event", WIDTH, events.join(", ")),
        pair("Chassis Intrusion", WIDTH, active(intrusion)),
        pair("Front-Panel Lockout", WIDTH, active(lockout)),
        pair("Drive Fault", WIDTH, drive_fault),
        pair("Cooling/Fan Fault", WIDTH, cooling_fault),
    ];
    lines.extend(
        identify
            .as_ref()
            .map(|state| pair("Identify Light", WIDTH, state)),
    );
    let value = json!({
        "power": power,
        "power_overload": overload,
        "power_interlock": interlock,
        "power_fault": fault,
        "power_control_fault": control_fault,
        "power_restore_policy": status.restore_policy.to_string(),
        "last_power_event": events,
        "intrusion": intrusion,
        "front_panel_lockout": lockout,
        "drive_fault": drive_fault,
        "cooling_fault": cooling_fault,
        "identify": identify,
    });
    Report::of(lines, value)
}

#[cfg(test)]
mod tests {
    use ipmi::number::{IdentifyState, LastPowerEvent, PowerRestorePolicy};

    use super::*;

    #[test]
    fn faults_and_the_light_are_told() {
        let report = report(&ChassisStatus {
            power: PowerState::ON | PowerState::FAULT,
            restore_policy: PowerRestorePolicy::PREVIOUS,
            last_event: LastPowerEvent::AC_FAILED | LastPowerEvent::COMMAND,
            state: ChassisState::COOLING_FAULT,
            identify: Some(IdentifyState::TEMPORARY),
            front_panel: None,
        });
        for line in [
            "System Power         : on",
            "Main Power Fault     : true",
            "Power Restore Policy : previous",
            "Last Power Event     : ac-failed, command",
            "Cooling/Fan Fault    : true",
            "Identify Light       : temporary",
        ] {
            assert!(
                report.lines.iter().any(|l| l == line),
                "{line}: {:#?}",
                report.lines
            );
        }
        assert_eq!(report.value["cooling_fault"], true);
        assert_eq!(report.value["drive_fault"], false);
    }
}
