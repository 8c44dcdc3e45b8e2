//! `picmg` and `led`: units of AdvancedTCA and what is on them (PICMG 3.0 §3.2, §3.9).

use ipmi::command::picmg::{
    FruControl, GetAddressInfo, GetFanLevel, GetFanSpeedProperties, GetFruActivationPolicy,
    GetFruLedProperties, GetFruLedState, GetLedColorCapabilities, GetPicmgProperties,
    GetPowerLevel, LedBehaviour, SetFanLevel, SetFruActivation, SetFruLedState,
};
use ipmi::number::{
    FruActivation, FruControlAction, FruLedFunction, LampState, LedColor, PowerLevelType,
};
use serde_json::{Value, json};

use super::{ADMINISTRATOR, Start, USER, start};
use crate::ipmi::args::{
    Color, FanSpeed, LedCommand, LedState, PicmgCommand, UnitControl, UnitFanCommand,
};
use crate::ipmi::report::{Report, Sheet};
use crate::ipmi::talk::{Line, Outcome};

/// Width of the names in the reports.
const WIDTH: usize = 24;

/// Lights that every unit may have: the blue one and 1 to 3.
const STANDARD_LEDS: u8 = 4;

/// The highest number of a light: FFh stands for all lights of a unit.
const LED_MAX: u8 = 0xfe;

/// Half a second of a blinking light, in 10 ms.
const BLINK_10MS: u8 = 50;

/// Fan level that hands control back (PICMG 3.0 table 3-88): FEh an emergency stop, FFh local control.
const LOCAL_CONTROL: u8 = 0xff;

/// How to begin `picmg`.
pub(super) fn begin(command: PicmgCommand) -> Start {
    match command {
        PicmgCommand::Properties => start(USER, properties),
        PicmgCommand::Addrinfo(unit) => start(USER, move |line| address(line, unit.fru)),
        PicmgCommand::Activate(unit) => {
            start(ADMINISTRATOR, move |line| activate(line, unit.fru, true))
        }
        PicmgCommand::Deactivate(unit) => {
            start(ADMINISTRATOR, move |line| activate(line, unit.fru, false))
        }
        PicmgCommand::Policy(unit) => start(ADMINISTRATOR, move |line| policy(line, unit.fru)),
        PicmgCommand::Power(unit) => start(ADMINISTRATOR, move |line| power(line, unit.fru)),
        PicmgCommand::Frucontrol { action, unit } => {
            start(ADMINISTRATOR, move |line| control(line, unit.fru, action))
        }
        PicmgCommand::Fan(command) => begin_fan(command),
    }
}

/// How to begin `led`.
pub(super) fn begin_led(command: LedCommand) -> Start {
    match command {
        LedCommand::List(unit) => start(ADMINISTRATOR, move |line| leds(line, unit.fru)),
        LedCommand::Set {
            led,
            state,
            color,
            fru,
        } => start(ADMINISTRATOR, move |line| {
            set_led(line, (fru, led), state, color)
        }),
    }
}

/// How to begin `picmg fan`.
fn begin_fan(command: UnitFanCommand) -> Start {
    match command {
        UnitFanCommand::Get(unit) => start(ADMINISTRATOR, move |line| fan(line, unit.fru)),
        UnitFanCommand::Set { level, unit } => {
            start(ADMINISTRATOR, move |line| set_fan(line, unit.fru, level))
        }
    }
}

async fn properties(line: Line) -> Outcome {
    let found = line.call(&GetPicmgProperties {}).await?;
    let mut sheet = Sheet::new(WIDTH);
    // The major version says which of PICMG's families it is.
    let version = format!("{}.{}", found.major.0, found.minor);
    let text = format!("{version} ({})", found.major);
    sheet.put_as("PICMG Version", "version", text, version);
    sheet.put("Highest FRU", "fru_max", found.fru_max);
    sheet.put("FRU of This Controller", "fru", found.fru_id);
    Ok(sheet.report())
}

async fn address(line: Line, fru: u8) -> Outcome {
    let question = GetAddressInfo {
        fru_id: Some(fru),
        key_type: None,
        key: None,
        site_type: None,
    };
    let found = line.call(&question).await?;
    let mut sheet = Sheet::new(WIDTH);
    let hex = |byte: u8| format!("0x{byte:02x}");
    let hardware = found.hardware_address;
    sheet.put("Hardware Address", "hardware_address", hex(hardware));
    sheet.put(
        "IPMB-0 Address",
        "ipmb_0_address",
        hex(found.ipmb_0_address.get()),
    );
    sheet.put("FRU", "fru", found.fru_id);
    sheet.put("Site", "site", found.site_number);
    sheet.put("Site Type", "site_type", found.site_type.to_string());
    Ok(sheet.report())
}

async fn activate(line: Line, fru: u8, on: bool) -> Outcome {
    let command = SetFruActivation {
        fru_id: fru,
        activation: if on {
            FruActivation::ACTIVATE
        } else {
            FruActivation::DEACTIVATE
        },
    };
    line.call(&command).await?;
    let state = if on { "activated" } else { "deactivated" };
    let text = format!("FRU {fru} is to be {state}");
    Ok(Report::line(text, json!({ "fru": fru, "activate": on })))
}

async fn policy(line: Line, fru: u8) -> Outcome {
    let policy = line.call(&GetFruActivationPolicy { fru_id: fru }).await?;
    let names: Vec<_> = policy.policy.names().collect();
    let text = match names.as_slice() {
        [] => "may be activated and deactivated".to_owned(),
        names => names.join(", "),
    };
    Ok(Report::line(
        format!("FRU {fru}: {text}"),
        json!({ "fru": fru, "policy": names }),
    ))
}

async fn power(line: Line, fru: u8) -> Outcome {
    let mut sheet = Sheet::new(WIDTH);
    for (kind, name, key) in [
        (PowerLevelType::STEADY, "Steady State", "steady"),
        (
            PowerLevelType::DESIRED_STEADY,
            "Desired Steady State",
            "desired_steady",
        ),
    ] {
        let question = GetPowerLevel { fru_id: fru, kind };
        let levels = line.call(&question).await?;
        let watts = |draw: &u8| f64::from(*draw) * f64::from(levels.multiplier_100mw) / 10.0;
        let draws: Vec<_> = levels.draws.iter().map(watts).collect();
        let list: Vec<_> = draws.iter().map(|watts| format!("{watts} W")).collect();
        let text = format!("level {} of: {}", levels.level, list.join(", "));
        let value = json!({ "level": levels.level, "draws_w": draws });
        sheet.put_as(name, key, text, value);
    }
    Ok(sheet.report())
}

async fn control(line: Line, fru: u8, action: UnitControl) -> Outcome {
    let action = match action {
        UnitControl::Cold => FruControlAction::COLD_RESET,
        UnitControl::Warm => FruControlAction::WARM_RESET,
        UnitControl::Graceful => FruControlAction::GRACEFUL_REBOOT,
        UnitControl::Diag => FruControlAction::DIAGNOSTIC_INTERRUPT,
        UnitControl::Quiesce => FruControlAction::QUIESCE,
    };
    let command = FruControl {
        fru_id: fru,
        action,
    };
    line.call(&command).await?;
    let text = format!("FRU {fru}: {action}");
    let value = json!({ "fru": fru, "control": action.to_string() });
    Ok(Report::line(text, value))
}

async fn leds(line: Line, fru: u8) -> Outcome {
    let found = line.call(&GetFruLedProperties { fru_id: fru }).await?;
    let standard = [found.blue, found.led_1, found.led_2, found.led_3];
    let standard = (0..)
        .zip(standard)
        .filter_map(|(led, is)| is.then_some(led));
    let own = (STANDARD_LEDS..=LED_MAX).take(usize::from(found.application));
    let (mut lines, mut list) = (Vec::new(), Vec::<Value>::new());
    for led in standard.chain(own) {
        let question = GetFruLedState {
            fru_id: fru,
            led_id: ipmi::number::FruLedId(led),
        };
        let state = line.call(&question).await?;
        let can = line
            .call(&GetLedColorCapabilities {
                fru_id: fru,
                led_id: ipmi::number::FruLedId(led),
            })
            .await?;
        let overridden = state.state.contains(LampState::OVERRIDE);
        let shown = state.overriding.filter(|_| overridden);
        let shown = shown.unwrap_or(state.local);
        let colors: Vec<_> = can.colors.names().collect();
        let by = if overridden { "override" } else { "local" };
        let function = function(shown.function);
        // A light that is told no colour has its own.
        let color = match (shown.color, overridden) {
            (LedColor::DEFAULT, true) => can.default_override,
            (LedColor::DEFAULT, false) => can.default_local,
            (color, _) => color,
        };
        lines.push(format!(
            "LED {led}: {function}, {color}, by {by} control; can be {}",
            colors.join(", ")
        ));
        list.push(json!({
            "led": led,
            "function": function,
            "color": color.to_string(),
            "overridden": overridden,
            "colors": colors,
        }));
    }
    Ok(Report::of(lines, json!({ "fru": fru, "leds": list })))
}

/// Numbers between off and on are how long a blinking light is off, in 10 ms (PICMG 3.0 table 3-31).
fn function(function: FruLedFunction) -> String {
    match function.0 {
        1..=0xfa => "blinks".to_owned(),
        _ => function.to_string(),
    }
}

async fn set_led(
    line: Line,
    (fru_id, led_id): (u8, u8),
    state: LedState,
    color: Option<Color>,
) -> Outcome {
    let (function, on_10ms) = match state {
        LedState::On => (FruLedFunction::ON, 0),
        LedState::Off => (FruLedFunction::OFF, 0),
        LedState::Blink => (FruLedFunction(BLINK_10MS), BLINK_10MS),
        LedState::Auto => (FruLedFunction::LOCAL_CONTROL, 0),
    };
    let color = match color {
        None => LedColor::DEFAULT,
        Some(Color::Blue) => LedColor::BLUE,
        Some(Color::Red) => LedColor::RED,
        Some(Color::Green) => LedColor::GREEN,
        Some(Color::Amber) => LedColor::AMBER,
        Some(Color::Orange) => LedColor::ORANGE,
        Some(Color::White) => LedColor::WHITE,
    };
    let command = SetFruLedState {
        fru_id,
        led_id: ipmi::number::FruLedId(led_id),
        behaviour: LedBehaviour {
            function,
            on_10ms,
            color,
        },
    };
    line.call(&command).await?;
    leds(line, fru_id).await
}

async fn fan(line: Line, fru: u8) -> Outcome {
    let limits = line.call(&GetFanSpeedProperties { fru_id: fru }).await?;
    let level = line.call(&GetFanLevel { fru_id: fru }).await?;
    let mut sheet = Sheet::new(WIDTH);
    sheet.put("FRU", "fru", fru);
    let own = level.override_level == ipmi::number::FanLevelSetting(LOCAL_CONTROL);
    let override_level = (!own).then_some(level.override_level.0);
    sheet.put("Level Set", "level", override_level);
    sheet.put("Level of Own Control", "local_level", level.local_level);
    sheet.put("Minimum", "minimum", limits.minimum);
    sheet.put("Maximum", "maximum", limits.maximum);
    sheet.put("Normal", "normal", limits.normal);
    Ok(sheet.report())
}

async fn set_fan(line: Line, fru: u8, level: FanSpeed) -> Outcome {
    let command = SetFanLevel {
        fru_id: fru,
        level: ipmi::number::FanLevelSetting(level.0.unwrap_or(LOCAL_CONTROL)),
        local_control: None,
    };
    line.call(&command).await?;
    fan(line, fru).await
}

#[cfg(test)]
mod tests {
    use ipmi::command::Command;
    use ipmi::number::CompletionCode;

    use super::*;
    use crate::ipmi::talk::{Talk, play};

    #[test]
    fn a_light_that_is_told_no_colour_shows_its_own() {
        let set = |line| set_led(line, (0, 1), LedState::On, None);
        let report = play::run(Talk::new(set), |call| {
            let answer = match call.target.cmd {
                SetFruLedState::CMD => {
                    assert_eq!(call.data[5], LedColor::DEFAULT.0);
                    vec![0]
                }
                // LED 1 and no other.
                GetFruLedProperties::CMD => vec![0, 0b10, 0],
                // Overridden; off in green by itself, on in the default colour by override.
                GetFruLedState::CMD => vec![0, 0b11, 0, 0, 3, 0xff, 0, 0x0f],
                // Red and amber; amber by itself, red when overridden.
                _ => vec![0, 0b1_0100, 4, 2],
            };
            Some((CompletionCode::OK, answer))
        })
        .unwrap();
        assert_eq!(
            report.lines,
            ["LED 1: on, RED, by override control; can be RED, AMBER"]
        );
        assert_eq!(report.value["leds"][0]["color"], "RED");
    }

    #[test]
    fn a_unit_that_claims_more_lights_than_there_are_numbers_is_asked_for_those_only() {
        let mut asked = Vec::new();
        let report = play::run(Talk::new(|line| leds(line, 1)), |call| {
            let answer = match call.target.cmd {
                // The blue light and 255 of the unit's own.
                GetFruLedProperties::CMD => vec![0, 1, 255],
                GetFruLedState::CMD => {
                    asked.push(call.data[2]);
                    vec![0, 1, 0, 0, 2]
                }
                _ => vec![0, 4, 2, 2],
            };
            Some((CompletionCode::OK, answer))
        });
        assert_eq!(report.unwrap().lines.len(), asked.len());
        let expected: Vec<u8> = std::iter::once(0).chain(4..=0xfe).collect();
        assert_eq!(asked, expected);
    }
}
