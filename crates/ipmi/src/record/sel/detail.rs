//! What event data 2 and 3 add for a sensor-specific event (§42.2, table 42-3; PICMG 3.0).

use alloc::format;
use alloc::string::String;

use super::{EventByte2, EventByte3, SystemEvent};
use crate::number::{
    AuxiliaryLogAction, AuxiliaryLogType, ChipSetPowerState, ClockKind, ClockSync,
    FirmwareErrorCode, FirmwareProgressCode, FruStateCause, HotSwapCause, Ipmb0LinkStatus,
    PefActions, PicmgSensorType, PowerSupplyConfiguration, RestartCause, SensorGroup, SensorType,
    SessionEndCause, SlotType, State, VersionChangeKind, WatchdogInterrupt, WatchdogTimerUse,
};

/// The text of the extension bytes; `None` where there are none or no table defines anything.
pub(super) fn detail(group: SensorGroup, event: &SystemEvent) -> Option<String> {
    let [_, raw_two, raw_three] = event.data;
    let picmg = group == SensorGroup::Picmg;
    match PicmgSensorType(event.sensor_type.0) {
        // PICMG uses the bytes without marking them as extensions.
        PicmgSensorType::FRU_HOT_SWAP if picmg => Some(hot_swap(raw_two, raw_three)),
        PicmgSensorType::IPMB_0_LINK if picmg => Some(ipmb_0_link(raw_three)),
        _ => standard(event).filter(|text| !text.is_empty()),
    }
}

fn standard(event: &SystemEvent) -> Option<String> {
    let two = match event.byte_2() {
        EventByte2::SensorSpecific(byte) => Some(byte),
        _ => None,
    };
    let three = match event.byte_3() {
        EventByte3::SensorSpecific(byte) => Some(byte),
        _ => None,
    };
    match (event.sensor_type, event.offset()) {
        (SensorType::POWER_SUPPLY, 6) => text(PowerSupplyConfiguration(three? & 0x0f).name()),
        (SensorType::MEMORY, _) => Some(format!("Memory module {}", three?)),
        (SensorType::FIRMWARE_PROGRESS, 0) => text(FirmwareErrorCode(two?).name()),
        (SensorType::FIRMWARE_PROGRESS, 1 | 2) => text(FirmwareProgressCode(two?).name()),
        (SensorType::EVENT_LOGGING_DISABLED, 0) => Some(format!("Memory module {}", two?)),
        (SensorType::EVENT_LOGGING_DISABLED, 1) => Some(disabled_event(two?, three)),
        (SensorType::EVENT_LOGGING_DISABLED, 5) => Some(format!("{} % full", three?)),
        (SensorType::SYSTEM_EVENT, 3) => auxiliary_log(two?),
        (SensorType::SYSTEM_EVENT, 4) => Some(pef_actions(PefActions(two? & 0x3f))),
        (SensorType::SYSTEM_EVENT, 5) => Some(clock_sync(two?)),
        (SensorType::CHIP_SET, 0) => chip_set(two, three),
        (SensorType::SYSTEM_BOOT_INITIATED, 7) => Some(restart(two?, three)),
        (SensorType::SLOT_CONNECTOR, _) => Some(slot(two, three)),
        (SensorType::WATCHDOG_2, _) => Some(watchdog(two?)),
        (SensorType::MANAGEMENT_HEALTH, 0 | 4) => Some(format!("Sensor #{:#04x}", two?)),
        (SensorType::MANAGEMENT_HEALTH, 5) => Some(format!("FRU device {}", three?)),
        (SensorType::SESSION_AUDIT, offset) => Some(session(offset, two?, three)),
        (SensorType::VERSION_CHANGE, _) => text(VersionChangeKind(two?).name()),
        (SensorType::FRU_STATE, _) => Some(fru_state(event, two?)),
        _ => None,
    }
}

fn text(name: Option<&'static str>) -> Option<String> {
    name.map(String::from)
}

fn pef_actions(actions: PefActions) -> String {
    actions.names().collect::<alloc::vec::Vec<_>>().join(", ")
}

/// Cause and previous state in event data 2, the FRU in event data 3.
fn hot_swap(two: u8, three: u8) -> String {
    let cause = HotSwapCause(two >> 4);
    format!("{cause}, was M{}, FRU {three}", two & 0x0f)
}

/// Four bits for each bus: whether it is overridden, and its state.
fn ipmb_0_link(three: u8) -> String {
    let bus = |bits: u8| {
        let rule = if bits & 0x08 == 0 {
            " (overridden)"
        } else {
            ""
        };
        format!("{}{rule}", Ipmb0LinkStatus(bits & 0x07))
    };
    format!("IPMB-A: {}, IPMB-B: {}", bus(three), bus(three >> 4))
}

fn disabled_event(kind: u8, event: Option<u8>) -> String {
    match event {
        Some(byte) if byte & 0x20 != 0 => format!("All events of type {kind:#04x}"),
        Some(byte) => {
            let direction = if byte & 0x10 == 0 {
                "deassertion"
            } else {
                "assertion"
            };
            format!("Event {} of type {kind:#04x}, {direction}", byte & 0x0f)
        }
        None => format!("Type {kind:#04x}"),
    }
}

fn auxiliary_log(byte: u8) -> Option<String> {
    let action = AuxiliaryLogAction(byte >> 4).name()?;
    let log = match AuxiliaryLogType(byte & 0x0f) {
        AuxiliaryLogType::MCA => String::from("MCA Log"),
        AuxiliaryLogType::OEM_1 => String::from("OEM 1"),
        AuxiliaryLogType::OEM_2 => String::from("OEM 2"),
        other => format!("Log {}", other.0),
    };
    Some(format!("{log}: {action}"))
}

fn clock_sync(byte: u8) -> String {
    let (which, clock) = (ClockSync(byte >> 7), ClockKind(byte & 0x0f));
    format!("{which} of pair, {clock} Timestamp Clock updated")
}

fn chip_set(requested: Option<u8>, present: Option<u8>) -> Option<String> {
    let requested = requested.and_then(|state| ChipSetPowerState(state).name());
    let present = present.and_then(|state| ChipSetPowerState(state).name());
    match (requested, present) {
        (Some(requested), Some(present)) => Some(format!("Requested {requested}, in {present}")),
        (Some(requested), None) => Some(format!("Requested {requested}")),
        (None, Some(present)) => Some(format!("In {present}")),
        (None, None) => None,
    }
}

fn restart(cause: u8, channel: Option<u8>) -> String {
    let cause = RestartCause(cause & 0x0f);
    match channel {
        Some(channel) => format!("{cause}, channel {}", channel & 0x0f),
        None => format!("{cause}"),
    }
}

fn slot(kind: Option<u8>, number: Option<u8>) -> String {
    let kind = kind.and_then(|kind| SlotType(kind & 0x7f).name());
    match (kind, number) {
        (Some(kind), Some(number)) => format!("{kind} {number}"),
        (Some(kind), None) => String::from(kind),
        (None, Some(number)) => format!("Slot {number}"),
        (None, None) => String::new(),
    }
}

fn watchdog(byte: u8) -> String {
    let interrupt = WatchdogInterrupt(byte >> 4).name().unwrap_or("unspecified");
    let timer_use = WatchdogTimerUse(byte & 0x0f)
        .name()
        .unwrap_or("unspecified");
    format!("Timer use {timer_use}, interrupt {interrupt}")
}

fn session(offset: u8, user: u8, channel: Option<u8>) -> String {
    let mut text = match user & 0x3f {
        0 => String::from("User unspecified"),
        user => format!("User {user}"),
    };
    if let Some(byte) = channel {
        text.push_str(&format!(", channel {}", byte & 0x0f));
        if let (1, Some(cause)) = (offset, SessionEndCause(byte >> 4 & 0x03).name()) {
            text.push_str(", ");
            text.push_str(cause);
        }
    }
    text
}

fn fru_state(event: &SystemEvent, byte: u8) -> String {
    let cause = FruStateCause(byte >> 4).name();
    let cause = cause.or(FruStateCause::CAUSE_UNKNOWN.name()).unwrap_or("");
    let previous = byte & 0x0f;
    let state = State::of(
        SensorGroup::Maker,
        event.event_reading_type(),
        event.sensor_type,
        previous,
    );
    match state.and_then(State::name) {
        // The same offset means that the previous state is not known.
        Some(state) if previous != event.offset() => format!("{cause}, was {state}"),
        _ => String::from(cause),
    }
}
