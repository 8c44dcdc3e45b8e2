//! `chassis`: Get Chassis Status (§28.2), Set Power Restore Policy (§28.8), Get System Restart Cause (§28.11), Get POH Counter
//! (§28.14).

use ipmi::command::chassis::{
    ChassisStatus, GetChassisStatus, GetPohCounter, GetSystemRestartCause, SetPowerRestorePolicy,
};
use ipmi::number::{ChassisState, PowerRestorePolicy, PowerState};
use serde_json::json;

use crate::ipmi::failure::Failure;
use crate::ipmi::report::{Report, pair};
use crate::ipmi::talk::{Line, Outcome};

/// Width of the names in the report.
const WIDTH: usize = 21;

/// Tells the state of power and of the chassis.
pub(super) async fn status(line: Line) -> Outcome {
    let status = line.call(&GetChassisStatus).await?;
    Ok(report(&status))
}

/// All policies, in the order of their numbers.
const POLICIES: [PowerRestorePolicy; 3] = [
    PowerRestorePolicy::ALWAYS_OFF,
    PowerRestorePolicy::PREVIOUS,
    PowerRestorePolicy::ALWAYS_ON,
];

/// Sets what the machine does when mains power comes back, and looks whether the chassis keeps it; or tells what it can do.
pub(super) async fn policy(line: Line, wanted: Option<PowerRestorePolicy>) -> Outcome {
    let policy = wanted.unwrap_or(PowerRestorePolicy::UNKNOWN);
    let there = line.call(&SetPowerRestorePolicy { policy }).await?;
    let Some(wanted) = wanted else {
        let names = POLICIES
            .into_iter()
            .filter(|policy| there.supports(*policy))
            .map(|policy| policy.to_string());
        let names: Vec<_> = names.collect();
        let text = format!("Supported power restore policies: {}", names.join(", "));
        return Ok(Report::line(text, json!({ "supported": names })));
    };
    let kept = line.call(&GetChassisStatus).await?.restore_policy;
    if kept != wanted {
        return Err(Failure::Unfit {
            kind: "not_kept",
            cause: format!("the BMC took the command, but its policy is {kept}"),
            remedy: "'chassis policy list' tells what this chassis can do".to_owned(),
        });
    }
    let value = json!({ "power_restore_policy": kept.to_string() });
    Ok(Report::line(format!("Power restore policy: {kept}"), value))
}

/// Tells why the system started the last time.
pub(super) async fn restart_cause(line: Line) -> Outcome {
    let cause = line.call(&GetSystemRestartCause).await?.cause.to_string();
    let value = json!({ "restart_cause": cause });
    Ok(Report::line(
        format!("System restart cause: {cause}"),
        value,
    ))
}

/// Tells how long the machine has been on in its life.
pub(super) async fn poh(line: Line) -> Outcome {
    const MINUTES_A_DAY: u64 = 24 * 60;
    let minutes = line.call(&GetPohCounter).await?.minutes();
    let (days, rest) = (minutes / MINUTES_A_DAY, minutes % MINUTES_A_DAY);
    let text = format!(
        "Power-on time: {days} days, {} hours, {} minutes",
        rest / 60,
        rest % 60
    );
    Ok(Report::line(text, json!({ "power_on_minutes": minutes })))
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
    use ipmi::number::{IdentifyState, LastPowerEvent};

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
