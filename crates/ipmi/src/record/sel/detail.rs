//! What event data 2 and 3 add for a sensor-specific event (§42.2, table 42-3).

use alloc::format;
use alloc::string::String;

use super::{EventByte2, EventByte3, SystemEvent};
use crate::number::{RestartCause, SensorType};

/// The text of the extension bytes; `None` where there are none or table 42-3 defines nothing.
pub(super) fn detail(event: &SystemEvent) -> Option<String> {
    let two = match event.byte_2() {
        EventByte2::SensorSpecific(byte) => Some(byte),
        _ => None,
    };
    let three = match event.byte_3() {
        EventByte3::SensorSpecific(byte) => Some(byte),
        _ => None,
    };
    match (event.sensor_type, event.offset()) {
        (SensorType::POWER_SUPPLY, 6) => named(&POWER_SUPPLY_CONFIGURATION, three? & 0x0f),
        (SensorType::MEMORY, _) => Some(format!("Memory module {}", three?)),
        (SensorType::FIRMWARE_PROGRESS, 0) => named(&FIRMWARE_ERROR, two?),
        (SensorType::FIRMWARE_PROGRESS, 1 | 2) => named(&FIRMWARE_PROGRESS, two?),
        (SensorType::EVENT_LOGGING_DISABLED, 0) => Some(format!("Memory module {}", two?)),
        (SensorType::EVENT_LOGGING_DISABLED, 1) => Some(disabled_event(two?, three)),
        (SensorType::EVENT_LOGGING_DISABLED, 5) => Some(format!("{} % full", three?)),
        (SensorType::SYSTEM_EVENT, 3) => auxiliary_log(two?),
        (SensorType::SYSTEM_EVENT, 4) => Some(bits(&PEF_ACTION, two?)),
        (SensorType::SYSTEM_EVENT, 5) => Some(clock_synch(two?)),
        (SensorType::CHIP_SET, 0) => chip_set(two, three),
        (SensorType::SYSTEM_BOOT_INITIATED, 7) => Some(restart(two?, three)),
        (SensorType::SLOT_CONNECTOR, _) => Some(slot(two, three)),
        (SensorType::WATCHDOG_2, _) => Some(watchdog(two?)),
        (SensorType::MANAGEMENT_HEALTH, 0 | 4) => Some(format!("Sensor #{:#04x}", two?)),
        (SensorType::MANAGEMENT_HEALTH, 5) => Some(format!("FRU device {}", three?)),
        (SensorType::SESSION_AUDIT, offset) => Some(session(offset, two?, three)),
        (SensorType::VERSION_CHANGE, _) => named(&VERSION_CHANGE, two?),
        (SensorType::FRU_STATE, _) => Some(fru_state(event, two?)),
        _ => None,
    }
    .filter(|text| !text.is_empty())
}

/// The name at an index; `None` where it is reserved.
fn named(names: &[&str], index: u8) -> Option<String> {
    names
        .get(usize::from(index))
        .filter(|name| !name.is_empty())
        .map(|name| String::from(*name))
}

/// The names of the bits that are set.
fn bits(names: &[&str], byte: u8) -> String {
    let set = names
        .iter()
        .enumerate()
        .filter(|(bit, _)| byte >> bit & 1 == 1);
    set.map(|(_, name)| *name)
        .collect::<alloc::vec::Vec<_>>()
        .join(", ")
}

const POWER_SUPPLY_CONFIGURATION: [&str; 5] = [
    "Vendor mismatch",
    "Revision mismatch",
    "Processor missing",
    "Power Supply rating mismatch",
    "Voltage rating mismatch",
];

const FIRMWARE_ERROR: [&str; 14] = [
    "Unspecified",
    "No system memory is physically installed",
    "No usable system memory",
    "Unrecoverable hard-disk/ATAPI/IDE device failure",
    "Unrecoverable system-board failure",
    "Unrecoverable diskette subsystem failure",
    "Unrecoverable hard-disk controller failure",
    "Unrecoverable PS/2 or USB keyboard failure",
    "Removable boot media not found",
    "Unrecoverable video controller failure",
    "No video device detected",
    "Firmware (BIOS) ROM corruption detected",
    "CPU voltage mismatch",
    "CPU speed matching failure",
];

const FIRMWARE_PROGRESS: [&str; 26] = [
    "Unspecified",
    "Memory initialization",
    "Hard-disk initialization",
    "Secondary processor(s) initialization",
    "User authentication",
    "User-initiated system setup",
    "USB resource configuration",
    "PCI resource configuration",
    "Option ROM initialization",
    "Video initialization",
    "Cache initialization",
    "SMBus initialization",
    "Keyboard controller initialization",
    "Management controller initialization",
    "Docking station attachment",
    "Enabling docking station",
    "Docking station ejection",
    "Disabling docking station",
    "Calling operating system wake-up vector",
    "Starting operating system boot process",
    "Baseboard or motherboard initialization",
    "",
    "Floppy initialization",
    "Keyboard test",
    "Pointing device test",
    "Primary processor initialization",
];

const PEF_ACTION: [&str; 6] = [
    "Alert",
    "Power off",
    "Reset",
    "Power cycle",
    "OEM action",
    "Diagnostic Interrupt",
];

const SLOT_TYPE: [&str; 13] = [
    "PCI",
    "Drive Array",
    "External Peripheral Connector",
    "Docking",
    "Other standard internal expansion slot",
    "Slot associated with the sensor's entity",
    "AdvancedTCA",
    "DIMM/memory device",
    "FAN",
    "PCI Express",
    "SCSI (parallel)",
    "SATA/SAS",
    "USB",
];

const VERSION_CHANGE: [&str; 24] = [
    "Unspecified",
    "Management controller device ID",
    "Management controller firmware revision",
    "Management controller device revision",
    "Management controller manufacturer ID",
    "Management controller IPMI version",
    "Management controller auxiliary firmware ID",
    "Management controller firmware boot block",
    "Other management controller firmware",
    "System firmware (EFI/BIOS) change",
    "SMBIOS change",
    "Operating system change",
    "Operating system loader change",
    "Service or diagnostic partition change",
    "Management software agent change",
    "Management software application change",
    "Management software middleware change",
    "Programmable hardware change",
    "Board/FRU module change",
    "Board/FRU component change",
    "Board/FRU replaced with equivalent version",
    "Board/FRU replaced with newer version",
    "Board/FRU replaced with older version",
    "Board/FRU hardware configuration change",
];

const ACPI_STATE: [&str; 14] = [
    "S0/G0",
    "S1",
    "S2",
    "S3",
    "S4",
    "S5/G2",
    "S4/S5",
    "G3",
    "S1, S2 or S3",
    "G1",
    "S5 entered by override",
    "Legacy ON",
    "Legacy OFF",
    "Unknown",
];

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
    const ACTION: [&str; 6] = [
        "Entry added",
        "Entry added because event did not map to standard IPMI event",
        "Entry added along with SEL entries",
        "Log cleared",
        "Log disabled",
        "Log enabled",
    ];
    const LOG: [&str; 3] = ["MCA Log", "OEM 1", "OEM 2"];
    let action = named(&ACTION, byte >> 4)?;
    let log = named(&LOG, byte & 0x0f).unwrap_or_else(|| format!("Log {}", byte & 0x0f));
    Some(format!("{log}: {action}"))
}

fn clock_synch(byte: u8) -> String {
    let which = if byte & 0x80 == 0 { "First" } else { "Second" };
    let clock = if byte & 0x0f == 1 { "SDR" } else { "SEL" };
    format!("{which} of pair, {clock} Timestamp Clock updated")
}

fn chip_set(requested: Option<u8>, present: Option<u8>) -> Option<String> {
    let requested = requested.and_then(|state| named(&ACPI_STATE, state));
    let present = present.and_then(|state| named(&ACPI_STATE, state));
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
    let kind = kind.and_then(|kind| named(&SLOT_TYPE, kind & 0x7f));
    match (kind, number) {
        (Some(kind), Some(number)) => format!("{kind} {number}"),
        (Some(kind), None) => kind,
        (None, Some(number)) => format!("Slot {number}"),
        (None, None) => String::new(),
    }
}

fn watchdog(byte: u8) -> String {
    const INTERRUPT: [&str; 4] = ["none", "SMI", "NMI", "Messaging Interrupt"];
    const USE: [&str; 6] = ["", "BIOS FRB2", "BIOS/POST", "OS Load", "SMS/OS", "OEM"];
    let interrupt = named(&INTERRUPT, byte >> 4).unwrap_or_else(|| String::from("unspecified"));
    let timer_use = named(&USE, byte & 0x0f).unwrap_or_else(|| String::from("unspecified"));
    format!("Timer use {timer_use}, interrupt {interrupt}")
}

fn session(offset: u8, user: u8, channel: Option<u8>) -> String {
    const CAUSE: [&str; 4] = [
        "",
        "Close Session command",
        "timeout",
        "configuration change",
    ];
    let mut text = match user & 0x3f {
        0 => String::from("User unspecified"),
        user => format!("User {user}"),
    };
    if let Some(byte) = channel {
        text.push_str(&format!(", channel {}", byte & 0x0f));
        if let (1, Some(cause)) = (offset, named(&CAUSE, byte >> 4 & 0x03)) {
            text.push_str(", ");
            text.push_str(&cause);
        }
    }
    text
}

fn fru_state(event: &SystemEvent, byte: u8) -> String {
    const CAUSE: [&str; 11] = [
        "Normal State Change",
        "Change Commanded by software external to FRU",
        "Handle latch changed",
        "Hot swap push button pressed",
        "FRU programmatic action",
        "Communication Lost",
        "Communication Lost due to local failure",
        "Unexpected extraction",
        "Operator intervention/update",
        "Unable to compute IPMB address",
        "Unexpected Deactivation",
    ];
    let cause = named(&CAUSE, byte >> 4).unwrap_or_else(|| String::from("Cause Unknown"));
    let previous = byte & 0x0f;
    match event
        .event_reading_type()
        .state_name(event.sensor_type, previous)
    {
        // The same offset means that the previous state is not known.
        Some(state) if previous != event.offset() => format!("{cause}, was {state}"),
        _ => cause,
    }
}
