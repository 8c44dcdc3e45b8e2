//! `power`: Chassis Control and the power bit of Get Chassis Status (§28.2, §28.3).

use ipmi::command::chassis::{ChassisControl, GetChassisStatus};
use serde_json::json;

use crate::ipmi::args::PowerAction;
use crate::ipmi::report::Report;
use crate::ipmi::talk::{Line, Outcome};

/// Switches power, or tells whether it is on.
pub(super) async fn run(line: Line, action: PowerAction) -> Outcome {
    let Some(control) = action.control() else {
        let on = line.call(&GetChassisStatus).await?.is_on();
        let state = if on { "on" } else { "off" };
        let text = format!("Chassis Power is {state}");
        return Ok(Report::line(text, json!({ "power": state })));
    };
    line.call(&ChassisControl { action: control }).await?;
    let (text, name) = match action {
        PowerAction::On => ("Up/On", "on"),
        PowerAction::Off => ("Down/Off", "off"),
        PowerAction::Cycle => ("Cycle", "cycle"),
        PowerAction::Reset => ("Reset", "reset"),
        PowerAction::Soft => ("Soft", "soft"),
        PowerAction::Diag | PowerAction::Status => ("Diag", "diag"),
    };
    Ok(Report::line(
        format!("Chassis Power Control: {text}"),
        json!({ "control": name }),
    ))
}
