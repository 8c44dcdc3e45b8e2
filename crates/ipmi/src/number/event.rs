//! Names of states and events: generic ones (§42.1, table 42-2) and those of each sensor type (§42.2, table 42-3).

use super::{EventReadingType, SensorType};

/// States of the generic event/reading types 01h to 0Ch, in this order (§42.1, table 42-2).
const GENERIC: [&[&str]; 12] = [
    &[
        "Lower Non-critical going low",
        "Lower Non-critical going high",
        "Lower Critical going low",
        "Lower Critical going high",
        "Lower Non-recoverable going low",
        "Lower Non-recoverable going high",
        "Upper Non-critical going low",
        "Upper Non-critical going high",
        "Upper Critical going low",
        "Upper Critical going high",
        "Upper Non-recoverable going low",
        "Upper Non-recoverable going high",
    ],
    &[
        "Transition to Idle",
        "Transition to Active",
        "Transition to Busy",
    ],
    &["State Deasserted", "State Asserted"],
    &[
        "Predictive Failure Deasserted",
        "Predictive Failure Asserted",
    ],
    &["Limit Not Exceeded", "Limit Exceeded"],
    &["Performance Met", "Performance Lags"],
    &[
        "Transition to OK",
        "Transition to Non-critical from OK",
        "Transition to Critical from less severe",
        "Transition to Non-recoverable from less severe",
        "Transition to Non-critical from more severe",
        "Transition to Critical from Non-recoverable",
        "Transition to Non-recoverable",
        "Monitor",
        "Informational",
    ],
    &["Device Absent", "Device Present"],
    &["Device Disabled", "Device Enabled"],
    &[
        "Transition to Running",
        "Transition to In Test",
        "Transition to Power Off",
        "Transition to On Line",
        "Transition to Off Line",
        "Transition to Off Duty",
        "Transition to Degraded",
        "Transition to Power Save",
        "Install Error",
    ],
    &[
        "Fully Redundant",
        "Redundancy Lost",
        "Redundancy Degraded",
        "Non-redundant: Sufficient Resources from Redundant",
        "Non-redundant: Sufficient Resources from Insufficient Resources",
        "Non-redundant: Insufficient Resources",
        "Redundancy Degraded from Fully Redundant",
        "Redundancy Degraded from Non-redundant",
    ],
    &[
        "D0 Power State",
        "D1 Power State",
        "D2 Power State",
        "D3 Power State",
    ],
];

/// States of each sensor type, for event/reading type 6Fh (§42.2, table 42-3). Empty text: a reserved offset.
const SENSOR_SPECIFIC: [(SensorType, &[&str]); 30] = [
    (
        SensorType::PHYSICAL_SECURITY,
        &[
            "General Chassis intrusion",
            "Drive Bay intrusion",
            "I/O Card area intrusion",
            "Processor area intrusion",
            "System unplugged from LAN",
            "Unauthorized dock",
            "FAN area intrusion",
        ],
    ),
    (
        SensorType::PLATFORM_SECURITY,
        &[
            "Front Panel Lockout violation attempted",
            "Pre-boot password violation - user password",
            "Pre-boot password violation - setup password",
            "Pre-boot password violation - network boot password",
            "Other pre-boot password violation",
            "Out-of-band access password violation",
        ],
    ),
    (
        SensorType::PROCESSOR,
        &[
            "IERR",
            "Thermal Trip",
            "FRB1/BIST failure",
            "FRB2/Hang in POST failure",
            "FRB3/Processor startup/initialization failure",
            "Configuration Error",
            "SM BIOS Uncorrectable CPU-complex Error",
            "Presence detected",
            "Disabled",
            "Terminator presence detected",
            "Throttled",
            "Uncorrectable machine check exception",
            "Correctable machine check error",
        ],
    ),
    (
        SensorType::POWER_SUPPLY,
        &[
            "Presence detected",
            "Failure detected",
            "Predictive failure",
            "Power Supply input lost (AC/DC)",
            "Power Supply input lost or out-of-range",
            "Power Supply input out-of-range, but present",
            "Configuration error",
            "Power Supply Inactive",
        ],
    ),
    (
        SensorType::POWER_UNIT,
        &[
            "Power off/down",
            "Power cycle",
            "240VA power down",
            "Interlock power down",
            "AC lost",
            "Soft-power control failure",
            "Failure detected",
            "Predictive failure",
        ],
    ),
    (
        SensorType::MEMORY,
        &[
            "Correctable ECC",
            "Uncorrectable ECC",
            "Parity",
            "Memory Scrub Failed",
            "Memory Device Disabled",
            "Correctable ECC logging limit reached",
            "Presence detected",
            "Configuration error",
            "Spare",
            "Throttled",
            "Critical Overtemperature",
        ],
    ),
    (
        SensorType::DRIVE_SLOT,
        &[
            "Drive Present",
            "Drive Fault",
            "Predictive Failure",
            "Hot Spare",
            "Parity Check In Progress",
            "In Critical Array",
            "In Failed Array",
            "Rebuild In Progress",
            "Rebuild Aborted",
        ],
    ),
    (
        SensorType::FIRMWARE_PROGRESS,
        &[
            "System Firmware Error",
            "System Firmware Hang",
            "System Firmware Progress",
        ],
    ),
    (
        SensorType::EVENT_LOGGING_DISABLED,
        &[
            "Correctable memory error logging disabled",
            "Event logging disabled",
            "Log area reset/cleared",
            "All event logging disabled",
            "Log full",
            "Log almost full",
            "Correctable Machine Check Error Logging Disabled",
        ],
    ),
    (
        SensorType::WATCHDOG_1,
        &[
            "BIOS Watchdog Reset",
            "OS Watchdog Reset",
            "OS Watchdog Shut Down",
            "OS Watchdog Power Down",
            "OS Watchdog Power Cycle",
            "OS Watchdog NMI/Diagnostic Interrupt",
            "OS Watchdog Expired",
            "OS Watchdog pre-timeout Interrupt",
        ],
    ),
    (
        SensorType::SYSTEM_EVENT,
        &[
            "System Reconfigured",
            "OEM System boot event",
            "Undetermined system hardware failure",
            "Entry added to auxiliary log",
            "PEF Action",
            "Timestamp Clock Sync",
        ],
    ),
    (
        SensorType::CRITICAL_INTERRUPT,
        &[
            "NMI/Diagnostic Interrupt",
            "Bus Timeout",
            "I/O Channel check NMI",
            "Software NMI",
            "PCI PERR",
            "PCI SERR",
            "EISA failsafe timeout",
            "Bus Correctable error",
            "Bus Uncorrectable error",
            "Fatal NMI",
            "Bus Fatal Error",
            "Bus Degraded",
        ],
    ),
    (
        SensorType::BUTTON_SWITCH,
        &[
            "Power Button pressed",
            "Sleep Button pressed",
            "Reset Button pressed",
            "FRU latch open",
            "FRU service request button",
        ],
    ),
    (
        SensorType::CHIP_SET,
        &["Soft Power Control Failure", "Thermal Trip"],
    ),
    (
        SensorType::CABLE_INTERCONNECT,
        &["Connected", "Configuration Error"],
    ),
    (
        SensorType::SYSTEM_BOOT_INITIATED,
        &[
            "Initiated by power up",
            "Initiated by hard reset",
            "Initiated by warm reset",
            "User requested PXE boot",
            "Automatic boot to diagnostic",
            "OS initiated hard reset",
            "OS initiated warm reset",
            "System Restart",
        ],
    ),
    (
        SensorType::BOOT_ERROR,
        &[
            "No bootable media",
            "Non-bootable disk in drive",
            "PXE server not found",
            "Invalid boot sector",
            "Timeout waiting for selection",
        ],
    ),
    (
        SensorType::OS_BOOT,
        &[
            "A: boot completed",
            "C: boot completed",
            "PXE boot completed",
            "Diagnostic boot completed",
            "CD-ROM boot completed",
            "ROM boot completed",
            "boot completed - device not specified",
            "Installation started",
            "Installation completed",
            "Installation aborted",
            "Installation failed",
        ],
    ),
    (
        SensorType::OS_STOP,
        &[
            "Error during system startup",
            "Run-time critical stop",
            "OS graceful stop",
            "OS graceful shutdown",
            "PEF initiated soft shutdown",
            "Agent not responding",
        ],
    ),
    (
        SensorType::SLOT_CONNECTOR,
        &[
            "Fault Status",
            "Identify Status",
            "Device Installed",
            "Ready for Device Installation",
            "Ready for Device Removal",
            "Slot Power is Off",
            "Device Removal Request",
            "Interlock",
            "Slot is Disabled",
            "Spare Device",
        ],
    ),
    (
        SensorType::ACPI_POWER_STATE,
        &[
            "S0/G0 working",
            "S1 sleeping, hardware and processor context maintained",
            "S2 sleeping, processor context lost",
            "S3 sleeping, processor and hardware context lost, memory retained",
            "S4 non-volatile sleep/suspend-to-disk",
            "S5/G2 soft-off",
            "S4/S5 soft-off",
            "G3 mechanical off",
            "Sleeping in S1/S2/S3 state",
            "G1 sleeping",
            "S5 entered by override",
            "Legacy ON state",
            "Legacy OFF state",
            "",
            "Unknown",
        ],
    ),
    (
        SensorType::WATCHDOG_2,
        &[
            "Timer expired",
            "Hard reset",
            "Power down",
            "Power cycle",
            "",
            "",
            "",
            "",
            "Timer interrupt",
        ],
    ),
    (
        SensorType::PLATFORM_ALERT,
        &[
            "Platform generated page",
            "Platform generated LAN alert",
            "Platform Event Trap generated",
            "Platform generated SNMP trap, OEM format",
        ],
    ),
    (
        SensorType::ENTITY_PRESENCE,
        &["Present", "Absent", "Disabled"],
    ),
    (SensorType::LAN, &["Heartbeat Lost", "Heartbeat"]),
    (
        SensorType::MANAGEMENT_HEALTH,
        &[
            "Sensor access degraded or unavailable",
            "Controller access degraded or unavailable",
            "Management controller off-line",
            "Management controller unavailable",
            "Sensor failure",
            "FRU failure",
        ],
    ),
    (SensorType::BATTERY, &["Low", "Failed", "Presence Detected"]),
    (
        SensorType::SESSION_AUDIT,
        &[
            "Session Activated",
            "Session Deactivated",
            "Invalid Username or Password",
            "Invalid password disable",
        ],
    ),
    (
        SensorType::VERSION_CHANGE,
        &[
            "Hardware change detected",
            "Firmware or software change detected",
            "Hardware incompatibility detected",
            "Firmware or software incompatibility detected",
            "Invalid or unsupported hardware version",
            "Invalid or unsupported firmware or software version",
            "Hardware change success",
            "Firmware or software change success",
        ],
    ),
    (
        SensorType::FRU_STATE,
        &[
            "Not Installed",
            "Inactive",
            "Activation Requested",
            "Activation in Progress",
            "Active",
            "Deactivation Requested",
            "Deactivation in Progress",
            "Communication lost",
        ],
    ),
];

/// The states of a sensor type; none for a type that table 42-3 gives none.
fn sensor_specific(sensor_type: SensorType) -> &'static [&'static str] {
    let found = SENSOR_SPECIFIC
        .iter()
        .find(|(listed, _)| *listed == sensor_type);
    found.map_or(&[], |(_, states)| states)
}

impl EventReadingType {
    /// What `offset` means: a state of a sensor, or an event.
    ///
    /// `None` for a reserved offset and for what the maker defines.
    #[must_use]
    pub fn state_name(self, sensor_type: SensorType, offset: u8) -> Option<&'static str> {
        let names = match self.0 & 0x7f {
            generic @ 0x01..=0x0c => GENERIC[usize::from(generic) - 1],
            0x6f => sensor_specific(sensor_type),
            _ => &[],
        };
        names
            .get(usize::from(offset))
            .copied()
            .filter(|name| !name.is_empty())
    }

    /// The names of the states in a mask of Get Sensor Reading, bit n for offset n; states without a name are left
    /// out. Not for threshold sensors, whose mask counts thresholds.
    pub fn state_names(
        self,
        sensor_type: SensorType,
        states: u16,
    ) -> impl Iterator<Item = &'static str> {
        (0..15)
            .filter(move |offset| states >> offset & 1 == 1)
            .filter_map(move |offset| self.state_name(sensor_type, offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_has_as_many_states_as_the_specification() {
        let generic = [12, 3, 2, 2, 2, 2, 9, 2, 2, 9, 8, 4];
        assert_eq!(GENERIC.map(<[_]>::len), generic);
        let named = |code| {
            sensor_specific(SensorType(code))
                .iter()
                .filter(|n| !n.is_empty())
                .count()
        };
        for (code, states) in [
            (0x05, 7),
            (0x06, 6),
            (0x07, 13),
            (0x08, 8),
            (0x09, 8),
            (0x0c, 11),
            (0x0d, 9),
            (0x0f, 3),
            (0x10, 7),
            (0x11, 8),
            (0x12, 6),
            (0x13, 12),
            (0x14, 5),
            (0x19, 2),
            (0x1b, 2),
            (0x1d, 8),
            (0x1e, 5),
            (0x1f, 11),
            (0x20, 6),
            (0x21, 10),
            (0x22, 14),
            (0x23, 5),
            (0x24, 4),
            (0x25, 3),
            (0x27, 2),
            (0x28, 6),
            (0x29, 3),
            (0x2a, 4),
            (0x2b, 8),
            (0x2c, 8),
        ] {
            assert_eq!(named(code), states, "sensor type {code:#04x}");
        }
        for code in [
            0x01, 0x02, 0x03, 0x04, 0x0a, 0x0b, 0x0e, 0x15, 0x26, 0x2d, 0xc0, 0xff,
        ] {
            assert_eq!(named(code), 0, "sensor type {code:#04x}");
        }
    }

    #[test]
    fn an_offset_has_a_name_by_event_reading_type_first() {
        let specific = EventReadingType::SENSOR_SPECIFIC;
        let name = |kind: EventReadingType, sensor, offset| kind.state_name(sensor, offset);
        assert_eq!(
            name(specific, SensorType::WATCHDOG_2, 3),
            Some("Power cycle")
        );
        assert_eq!(name(specific, SensorType::WATCHDOG_2, 4), None);
        assert_eq!(
            name(specific, SensorType::WATCHDOG_2, 8),
            Some("Timer interrupt")
        );
        let threshold = EventReadingType::THRESHOLD;
        assert_eq!(
            name(threshold, SensorType::FAN, 2),
            Some("Lower Critical going low")
        );
        assert_eq!(name(threshold, SensorType::FAN, 12), None);
        assert_eq!(name(EventReadingType(0x70), SensorType::FAN, 0), None);
        let names: std::vec::Vec<_> = specific
            .state_names(SensorType::POWER_SUPPLY, 0x8003)
            .collect();
        assert_eq!(names, ["Presence detected", "Failure detected"]);
    }

    #[test]
    fn no_offset_of_any_type_panics() {
        for (kind, sensor) in (0..=255).flat_map(|k| (0..=255).map(move |s| (k, s))) {
            for offset in [0, 7, 15, 255] {
                let _ = EventReadingType(kind).state_name(SensorType(sensor), offset);
            }
        }
    }
}
