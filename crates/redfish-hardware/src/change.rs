//! Changes: what a PATCH or an action asks for, as wishes of the hardware model, and how they fail.

use std::net::Ipv4Addr;

use hardware::{
    AddressOrigin, ApplyError, BootChange, BootPersistence, BootTarget, Change, NetworkChange,
    Node, PowerAction, Vlan,
};
use redfish::{Failure, message};
use redfish_schema::computer_system::{
    BootSource, BootSourceOverrideEnabled, BootSourceOverrideMode, IndicatorLED,
};
use redfish_schema::{CheckedParameters, CheckedPatch};
use serde_json::Value;

use crate::manager;
use crate::system::{BOOT_MODES, BOOT_PERSISTENCES, BOOT_SOURCES, RESETS};

/// How long a client should wait when too many changes are under way, in seconds.
const RETRY_AFTER_S: u32 = 2;

const INDICATOR: &str = "/LocationIndicatorActive";
/// The older property for the same light; many clients know no other.
const INDICATOR_LED: &str = "/IndicatorLED";
const BOOT_ENABLED: &str = "/Boot/BootSourceOverrideEnabled";
const BOOT_TARGET: &str = "/Boot/BootSourceOverrideTarget";
const BOOT_MODE: &str = "/Boot/BootSourceOverrideMode";
const ASSET_TAG: &str = "/AssetTag";
const HOST_NAME: &str = "/HostName";
const DHCP: &str = "/DHCPv4/DHCPEnabled";
const ADDRESSES: &str = "/IPv4Addresses";
const STATIC_ADDRESSES: &str = "/IPv4StaticAddresses";
const VLAN_ENABLE: &str = "/VLAN/VLANEnable";
const VLAN_ID: &str = "/VLAN/VLANId";

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

impl Origin {
    /// JSON pointer into the body of the request.
    pub(crate) const fn pointer(&self) -> &'static str {
        match self {
            Self::Property { pointer, .. } => pointer,
            Self::Parameter { .. } | Self::Action => "",
        }
    }
}

/// A wish and what it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) change: Change,
    pub(crate) origin: Origin,
}

/// The wishes in a PATCH of a computer system.
pub(crate) fn of_system(patch: &CheckedPatch) -> Result<Vec<Wish>, Failure> {
    only(
        patch,
        &[
            INDICATOR,
            INDICATOR_LED,
            BOOT_ENABLED,
            BOOT_TARGET,
            BOOT_MODE,
            ASSET_TAG,
        ],
    )?;
    let boot = boot(patch)?;
    let tag = owner_text(patch, ASSET_TAG, Change::AssetTag)?;
    let others = indicator(patch)?.into_iter().chain(tag);
    Ok(boot.into_iter().chain(others).collect())
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

/// A text that the machine keeps for its owner; `null` for none.
fn owner_text(
    patch: &CheckedPatch,
    pointer: &'static str,
    change: fn(String) -> Change,
) -> Result<Option<Wish>, Failure> {
    let Some(value) = patch.get(pointer) else {
        return Ok(None);
    };
    let new = match value {
        Value::Null => "",
        value => value.as_str().ok_or_else(|| wrong_type(pointer, value))?,
    };
    Ok(Some(Wish {
        change: change(new.to_owned()),
        origin: Origin::Property {
            pointer,
            value: text(value),
        },
    }))
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
    match parse(value) {
        Some(lit) => Ok(Some((lit, text(value)))),
        None if value.is_null() => Err(wrong_type(pointer, value)),
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

/// A patch may name one, two or all of the three properties; what it doesn't name stays as the machine has it when it
/// is asked.
fn boot(patch: &CheckedPatch) -> Result<Option<Wish>, Failure> {
    let persistence = word(
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
    let lasts = persistence.is_some_and(|persistence| persistence != BootPersistence::Disabled);
    if let (Some(BootTarget::None), true, Some(value)) = (target, lasts, patch.get(BOOT_TARGET)) {
        let remedy = "Name a target to boot from, or set BootSourceOverrideEnabled to Disabled.";
        return Err(unavailable(BOOT_TARGET, value, remedy));
    }
    let pointer = match (target, persistence, mode) {
        (Some(_), _, _) => BOOT_TARGET,
        (None, Some(_), _) => BOOT_ENABLED,
        (None, None, Some(_)) => BOOT_MODE,
        (None, None, None) => return Ok(None),
    };
    let value = patch.get(pointer).map(text).unwrap_or_default();
    Ok(Some(Wish {
        change: Change::Boot(BootChange {
            target,
            persistence,
            mode,
        }),
        origin: Origin::Property { pointer, value },
    }))
}

/// The wishes in a PATCH of a controller's interface: its name, and its settings as one, so that they are set as a whole
/// or not at all.
pub(crate) fn of_interface(node: &Node, patch: &CheckedPatch) -> Result<Vec<Wish>, Failure> {
    refuse_present_addresses(patch)?;
    only(
        patch,
        &[HOST_NAME, DHCP, STATIC_ADDRESSES, VLAN_ENABLE, VLAN_ID],
    )?;
    let name = owner_text(patch, HOST_NAME, Change::ControllerName)?;
    let (address, netmask, gateway) = match patch.get(STATIC_ADDRESSES) {
        Some(addresses) => static_address(node, addresses)?,
        None => (None, None, None),
    };
    let dhcp = match patch.get(DHCP) {
        Some(value) => Some(value.as_bool().ok_or_else(|| wrong_type(DHCP, value))?),
        // A static address is of no use while another is leased.
        None => address.map(|_| false),
    };
    if let (Some(true), Some(_), Some(value)) = (dhcp, address, patch.get(DHCP)) {
        let remedy = "Ask for DHCP or for a static address, not for both.";
        return Err(unavailable(DHCP, value, remedy));
    }
    let current = node.identity.network.and_then(|network| network.vlan);
    let change = NetworkChange {
        dhcp,
        address,
        netmask,
        gateway,
        vlan: vlan(patch, current)?,
    };
    let known = [STATIC_ADDRESSES, DHCP, VLAN_ENABLE, VLAN_ID];
    let named = known
        .into_iter()
        .find_map(|pointer| Some((pointer, patch.get(pointer)?)));
    let settings = named.filter(|_| change != NetworkChange::default());
    let settings = settings.map(|(pointer, value)| Wish {
        change: Change::Network(change),
        origin: Origin::Property {
            pointer,
            value: text(value),
        },
    });
    Ok(name.into_iter().chain(settings).collect())
}

/// The schema lets the addresses in use be written, and most clients mean those that are to be used.
fn refuse_present_addresses(patch: &CheckedPatch) -> Result<(), Failure> {
    if patch.get(ADDRESSES).is_none() {
        return Ok(());
    }
    let message = message::property_not_writable(&ADDRESSES[1..]).about(ADDRESSES);
    Err(Failure::Messages(vec![message.with_resolution(
        "IPv4Addresses shows the address in use. Set IPv4StaticAddresses, or DHCPv4, instead.",
    )]))
}

type Addresses = (Option<Ipv4Addr>, Option<Ipv4Addr>, Option<Ipv4Addr>);

/// What is new of address, mask and gateway of the one static address that a controller has: all that the schema lets be
/// written.
fn static_address(node: &Node, value: &Value) -> Result<Addresses, Failure> {
    let one = match value.as_array().map(Vec::as_slice) {
        Some([one]) => one.as_object(),
        _ => None,
    };
    let Some(one) = one else {
        let remedy = "A controller has exactly one static address; use DHCPv4 to do without it.";
        return Err(unavailable(STATIC_ADDRESSES, value, remedy));
    };
    let network = node.identity.network.unwrap_or_default();
    let present = network
        .ipv4
        .filter(|ipv4| ipv4.origin == AddressOrigin::Static);
    let address = |name: &str, present: Option<Ipv4Addr>| match one.get(name) {
        None => Ok(None),
        Some(Value::Null) if present.is_none() => Ok(None),
        Some(value) => match value.as_str().and_then(|text| text.parse().ok()) {
            Some(address) => Ok(Some(address).filter(|_| present != Some(address))),
            None => {
                let pointer = format!("{STATIC_ADDRESSES}/0/{name}");
                Err(unavailable(&pointer, value, "Use an IPv4 address."))
            }
        },
    };
    Ok((
        address("Address", present.map(|ipv4| ipv4.address))?,
        address("SubnetMask", present.and_then(|ipv4| ipv4.netmask))?,
        address("Gateway", present.and_then(|ipv4| ipv4.gateway))?,
    ))
}

fn vlan(patch: &CheckedPatch, current: Option<Vlan>) -> Result<Option<Vlan>, Failure> {
    let (enable, id) = (patch.get(VLAN_ENABLE), patch.get(VLAN_ID));
    if enable.is_none() && id.is_none() {
        return Ok(None);
    }
    let mut vlan = current.unwrap_or_default();
    if let Some(value) = enable {
        vlan.enabled = value
            .as_bool()
            .ok_or_else(|| wrong_type(VLAN_ENABLE, value))?;
    }
    if let Some(value) = id {
        let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
        vlan.id = number.ok_or_else(|| wrong_type(VLAN_ID, value))?;
    }
    Ok(Some(vlan))
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
        None if value.is_null() => Err(wrong_type(pointer, value)),
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
        value: text(value),
        remedy: remedy.to_owned(),
    }
}

/// The schema lets the property be `null` where it isn't known. Nobody can ask for that.
fn wrong_type(pointer: &str, value: &Value) -> Failure {
    let property = pointer.rsplit('/').next().unwrap_or(pointer);
    let message = message::property_value_type_error(text(value), property).about(pointer);
    Failure::Messages(vec![message])
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
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

/// The wish in `Manager.Reset`. Without a `ResetType` it is the only one that there is.
pub(crate) fn of_manager_reset(parameters: &CheckedParameters) -> Result<Wish, Failure> {
    const PARAMETER: &str = "ResetType";
    match parameters.text(PARAMETER) {
        None => {}
        Some(asked) if asked == manager::RESET.as_str() => {}
        Some(asked) => {
            return Err(Failure::ParameterValueUnavailable {
                parameter: PARAMETER.to_owned(),
                value: asked.to_owned(),
                remedy: format!("Use {}.", manager::RESET.as_str()),
            });
        }
    }
    Ok(Wish {
        change: Change::ResetController,
        origin: Origin::Action,
    })
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
        ApplyError::WrongState { reason } => wrong_state(reason, origin),
        ApplyError::WrongImage { reason } => Failure::Refused {
            reason: format!("wrong image: {reason}"),
        },
        error @ (ApplyError::UpToDate | ApplyError::Cancelled) => Failure::WrongState {
            reason: error.to_string(),
        },
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

/// What the request asks for can't be had in the machine's present state.
fn wrong_state(reason: String, origin: Origin) -> Failure {
    let remedy = format!("Not possible now: {reason}. Nothing was changed.");
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
        Origin::Action => Failure::WrongState { reason },
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
