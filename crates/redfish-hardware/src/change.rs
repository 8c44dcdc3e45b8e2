//! Changes: what a PATCH or an action asks for, as wishes of the hardware model, and how they fail.

use hardware::{ApplyError, BootOverride, BootPersistence, BootTarget, Change, Node, PowerAction};
use redfish::{Failure, message};
use redfish_schema::computer_system::{
    BootSource, BootSourceOverrideEnabled, BootSourceOverrideMode, IndicatorLED,
};
use redfish_schema::{CheckedParameters, CheckedPatch};
use serde_json::Value;

use crate::system::{BOOT_MODES, BOOT_PERSISTENCES, BOOT_SOURCES, RESETS};

/// How long a client should wait when too many changes are under way, in seconds.
const RETRY_AFTER_S: u32 = 2;

const INDICATOR: &str = "/LocationIndicatorActive";
/// The older property for the same light; many clients know no other.
const INDICATOR_LED: &str = "/IndicatorLED";
const BOOT_ENABLED: &str = "/Boot/BootSourceOverrideEnabled";
const BOOT_TARGET: &str = "/Boot/BootSourceOverrideTarget";
const BOOT_MODE: &str = "/Boot/BootSourceOverrideMode";

/// What in a request a wish comes from, for the message when it fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A property of a PATCH body.
    Property {
        pointer: &'static str,
        value: String,
    },
    /// A parameter of an action.
    Parameter {
        parameter: &'static str,
        value: String,
    },
    /// An action without parameters.
    Action,
}

/// A wish and what it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) change: Change,
    pub(crate) origin: Origin,
}

/// The wishes in a PATCH of a computer system.
pub(crate) fn of_system(node: &Node, patch: &CheckedPatch) -> Result<Vec<Wish>, Failure> {
    only(
        patch,
        &[
            INDICATOR,
            INDICATOR_LED,
            BOOT_ENABLED,
            BOOT_TARGET,
            BOOT_MODE,
        ],
    )?;
    let boot = boot(node, patch)?;
    Ok(boot.into_iter().chain(indicator(patch)?).collect())
}

/// The wishes in a PATCH of a chassis.
pub(crate) fn of_chassis(patch: &CheckedPatch) -> Result<Vec<Wish>, Failure> {
    only(patch, &[INDICATOR, INDICATOR_LED])?;
    Ok(indicator(patch)?.into_iter().collect())
}

/// Refuses a patch that has anything but these properties.
fn only(patch: &CheckedPatch, changeable: &[&str]) -> Result<(), Failure> {
    let strange = patch
        .leaves()
        .into_iter()
        .find(|(pointer, _)| !changeable.contains(&pointer.as_str()));
    strange.map_or(Ok(()), |(pointer, _)| {
        Err(Failure::PropertyNotWritable { pointer })
    })
}

/// The light has two properties; a patch that names both must ask for the same with each.
fn indicator(patch: &CheckedPatch) -> Result<Option<Wish>, Failure> {
    let active = lit(patch, INDICATOR, Value::as_bool, "Use true or false.")?;
    let led = lit(patch, INDICATOR_LED, led, "Use Lit or Off.")?;
    if let (Some((active, _)), Some((led, value))) = (&active, &led)
        && active != led
    {
        return Err(Failure::PropertyValueUnavailable {
            pointer: INDICATOR_LED.to_owned(),
            value: value.clone(),
            remedy: "Ask for the same as with LocationIndicatorActive, or leave one of both out."
                .to_owned(),
        });
    }
    let (pointer, wanted) = match (active, led) {
        (Some(wanted), _) => (INDICATOR, wanted),
        (None, Some(wanted)) => (INDICATOR_LED, wanted),
        (None, None) => return Ok(None),
    };
    let (lit, value) = wanted;
    Ok(Some(Wish {
        change: Change::Indicator(lit),
        origin: Origin::Property { pointer, value },
    }))
}

/// Whether one property asks for light, and its value as text; `None` where the patch doesn't name it.
fn lit(
    patch: &CheckedPatch,
    pointer: &str,
    parse: fn(&Value) -> Option<bool>,
    remedy: &str,
) -> Result<Option<(bool, String)>, Failure> {
    let Some(value) = patch.get(pointer) else {
        return Ok(None);
    };
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    match parse(value) {
        Some(lit) => Ok(Some((lit, text))),
        None => Err(unavailable(pointer, value, remedy)),
    }
}

/// A machine's identify light is lit or not; how it is lit (steady or blinking) is the machine's own choice
/// (IPMI 2.0 §28.5), so nobody can ask for `Blinking`.
fn led(value: &Value) -> Option<bool> {
    match IndicatorLED::from_word(value.as_str()?)? {
        IndicatorLED::Lit => Some(true),
        IndicatorLED::Off => Some(false),
        _ => None,
    }
}

/// A patch may name one, two or all of the three properties; what it doesn't name stays as it is. A target without a
/// lifetime, where none is set yet, holds for one boot: without one it would have no effect at all.
fn boot(node: &Node, patch: &CheckedPatch) -> Result<Option<Wish>, Failure> {
    let enabled = word(
        patch,
        BOOT_ENABLED,
        &BOOT_PERSISTENCES,
        BootSourceOverrideEnabled::from_word,
    )?;
    let target = word(patch, BOOT_TARGET, &BOOT_SOURCES, BootSource::from_word)?;
    let mode = word(
        patch,
        BOOT_MODE,
        &BOOT_MODES,
        BootSourceOverrideMode::from_word,
    )?;
    let mut wanted = node.boot.unwrap_or_default();
    wanted.mode = mode.unwrap_or(wanted.mode);
    wanted.target = target.unwrap_or(wanted.target);
    wanted.persistence = match (enabled, target) {
        (Some(persistence), _) => persistence,
        (None, Some(BootTarget::None)) => BootPersistence::Disabled,
        (None, Some(_)) if wanted.persistence == BootPersistence::Disabled => BootPersistence::Once,
        (None, _) => wanted.persistence,
    };
    if wanted.persistence == BootPersistence::Disabled {
        wanted = BootOverride {
            mode: wanted.mode,
            ..BootOverride::default()
        };
    }
    let pointer = match (target, enabled, mode) {
        (Some(_), _, _) => BOOT_TARGET,
        (None, Some(_), _) => BOOT_ENABLED,
        (None, None, Some(_)) => BOOT_MODE,
        (None, None, None) => return Ok(None),
    };
    let value = patch
        .get(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    Ok(Some(Wish {
        change: Change::Boot(wanted),
        origin: Origin::Property { pointer, value },
    }))
}

/// The hardware's word for a value of the patch; `None` where the patch doesn't name the property.
fn word<N: Copy + PartialEq + std::fmt::Display, T: Copy>(
    patch: &CheckedPatch,
    pointer: &'static str,
    pairs: &[(N, T)],
    parse: impl Fn(&str) -> Option<N>,
) -> Result<Option<T>, Failure> {
    let Some(value) = patch.get(pointer) else {
        return Ok(None);
    };
    let name = value.as_str().and_then(parse);
    match pairs.iter().find(|(known, _)| Some(*known) == name) {
        Some((_, word)) => Ok(Some(*word)),
        None => {
            let names: Vec<_> = pairs.iter().map(|(known, _)| known.to_string()).collect();
            Err(unavailable(
                pointer,
                value,
                &format!("Use one of {}.", names.join(", ")),
            ))
        }
    }
}

fn unavailable(pointer: &str, value: &Value, remedy: &str) -> Failure {
    Failure::PropertyValueUnavailable {
        pointer: pointer.to_owned(),
        value: value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
        remedy: remedy.to_owned(),
    }
}

/// The wish in `ComputerSystem.Reset`. Without a `ResetType` the schema leaves the choice to the service; ours is to
/// ask for it, since any guess could stop a machine that works.
pub(crate) fn of_reset(parameters: &CheckedParameters) -> Result<Wish, Failure> {
    const PARAMETER: &str = "ResetType";
    let Some(asked) = parameters.text(PARAMETER) else {
        let missing = message::action_parameter_missing("ComputerSystem.Reset", PARAMETER);
        return Err(Failure::Messages(vec![missing]));
    };
    let action = RESETS
        .iter()
        .find(|(name, _)| name.as_str() == asked)
        .map(|(_, action)| *action);
    let Some(action) = action else {
        let names: Vec<_> = RESETS.iter().map(|(name, _)| name.as_str()).collect();
        return Err(Failure::ParameterValueUnavailable {
            parameter: PARAMETER.to_owned(),
            value: asked.to_owned(),
            remedy: format!("Use one of {}.", names.join(", ")),
        });
    };
    Ok(reset(action, PARAMETER, asked))
}

fn reset(action: PowerAction, parameter: &'static str, value: &str) -> Wish {
    let origin = Origin::Parameter {
        parameter,
        value: value.to_owned(),
    };
    Wish {
        change: Change::Power(action),
        origin,
    }
}

/// The wish in `LogService.ClearLog`.
pub(crate) fn of_clear_log() -> Wish {
    Wish {
        change: Change::ClearLog,
        origin: Origin::Action,
    }
}

/// Why a wish did not come true, in terms of the request.
pub(crate) fn failure(error: ApplyError, origin: Origin) -> Failure {
    match error {
        ApplyError::Absent => Failure::NotFound,
        ApplyError::Unsupported { what } => unsupported(&what, origin),
        ApplyError::Refused { reason } => Failure::Refused { reason },
        ApplyError::Unreachable { reason } => Failure::Unreachable { reason },
        ApplyError::Unconfirmed { what } => Failure::Unconfirmed {
            reason: format!("no answer to {what}"),
        },
        ApplyError::Busy => Failure::Unavailable {
            retry_after_s: RETRY_AFTER_S,
        },
    }
}

fn unsupported(what: &str, origin: Origin) -> Failure {
    let remedy = format!("The machine does not support {what}.");
    match origin {
        Origin::Property { pointer, value } => Failure::PropertyValueUnavailable {
            pointer: pointer.to_owned(),
            value,
            remedy,
        },
        Origin::Parameter { parameter, value } => Failure::ParameterValueUnavailable {
            parameter: parameter.to_owned(),
            value,
            remedy,
        },
        Origin::Action => Failure::Refused {
            reason: format!("it does not support {what}"),
        },
    }
}
