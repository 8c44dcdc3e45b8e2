//! The states and events of sensors: generic ones (§42.1, table 42-2), those of each sensor type (§42.2, table 42-3), and
//! those that PICMG and VITA give to the sensor types from F0h on.

use super::super::numbers;

/// Declares one number for each table of offsets, and [`State`] over all of them.
macro_rules! states {
    ($($(#[$meta:meta])* $variant:ident $name:ident { $($entries:tt)* })*) => {
        $( numbers! { $(#[$meta])* pub struct $name(u8) { $($entries)* } } )*

        /// A state or event of a sensor: an offset with the table that says what it means.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum State {
            $( $(#[$meta])* $variant($name), )*
        }

        impl State {
            /// The offset.
            #[must_use]
            pub const fn offset(self) -> u8 {
                match self { $( Self::$variant(state) => state.0, )* }
            }

            /// The specification's name; `None` for an offset that it reserves.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self { $( Self::$variant(state) => state.name(), )* }
            }
        }
    };
}

states! {
    /// Thresholds that were crossed, type 01h (§42.1, table 42-2).
    Threshold ThresholdState {
        LOWER_NON_CRITICAL_GOING_LOW = 0x00 => "Lower Non-critical going low",
        LOWER_NON_CRITICAL_GOING_HIGH = 0x01 => "Lower Non-critical going high",
        LOWER_CRITICAL_GOING_LOW = 0x02 => "Lower Critical going low",
        LOWER_CRITICAL_GOING_HIGH = 0x03 => "Lower Critical going high",
        LOWER_NON_RECOVERABLE_GOING_LOW = 0x04 => "Lower Non-recoverable going low",
        LOWER_NON_RECOVERABLE_GOING_HIGH = 0x05 => "Lower Non-recoverable going high",
        UPPER_NON_CRITICAL_GOING_LOW = 0x06 => "Upper Non-critical going low",
        UPPER_NON_CRITICAL_GOING_HIGH = 0x07 => "Upper Non-critical going high",
        UPPER_CRITICAL_GOING_LOW = 0x08 => "Upper Critical going low",
        UPPER_CRITICAL_GOING_HIGH = 0x09 => "Upper Critical going high",
        UPPER_NON_RECOVERABLE_GOING_LOW = 0x0a => "Upper Non-recoverable going low",
        UPPER_NON_RECOVERABLE_GOING_HIGH = 0x0b => "Upper Non-recoverable going high",
    }
    /// Use of a device, type 02h (§42.1, table 42-2).
    Usage UsageState {
        TRANSITION_TO_IDLE = 0x00 => "Transition to Idle",
        TRANSITION_TO_ACTIVE = 0x01 => "Transition to Active",
        TRANSITION_TO_BUSY = 0x02 => "Transition to Busy",
    }
    /// On or off, type 03h (§42.1, table 42-2).
    Digital DigitalState {
        STATE_DEASSERTED = 0x00 => "State Deasserted",
        STATE_ASSERTED = 0x01 => "State Asserted",
    }
    /// Whether a failure is expected, type 04h (§42.1, table 42-2).
    PredictiveFailure PredictiveFailureState {
        PREDICTIVE_FAILURE_DEASSERTED = 0x00 => "Predictive Failure Deasserted",
        PREDICTIVE_FAILURE_ASSERTED = 0x01 => "Predictive Failure Asserted",
    }
    /// Whether a limit is exceeded, type 05h (§42.1, table 42-2).
    Limit LimitState {
        LIMIT_NOT_EXCEEDED = 0x00 => "Limit Not Exceeded",
        LIMIT_EXCEEDED = 0x01 => "Limit Exceeded",
    }
    /// Whether performance is met, type 06h (§42.1, table 42-2).
    Performance PerformanceState {
        PERFORMANCE_MET = 0x00 => "Performance Met",
        PERFORMANCE_LAGS = 0x01 => "Performance Lags",
    }
    /// How bad it is, type 07h (§42.1, table 42-2).
    Severity SeverityState {
        TRANSITION_TO_OK = 0x00 => "Transition to OK",
        TRANSITION_TO_NON_CRITICAL_FROM_OK = 0x01 => "Transition to Non-critical from OK",
        TRANSITION_TO_CRITICAL_FROM_LESS_SEVERE = 0x02 => "Transition to Critical from less severe",
        TRANSITION_TO_NON_RECOVERABLE_FROM_LESS_SEVERE = 0x03 => "Transition to Non-recoverable from less severe",
        TRANSITION_TO_NON_CRITICAL_FROM_MORE_SEVERE = 0x04 => "Transition to Non-critical from more severe",
        TRANSITION_TO_CRITICAL_FROM_NON_RECOVERABLE = 0x05 => "Transition to Critical from Non-recoverable",
        TRANSITION_TO_NON_RECOVERABLE = 0x06 => "Transition to Non-recoverable",
        MONITOR = 0x07 => "Monitor",
        INFORMATIONAL = 0x08 => "Informational",
    }
    /// Whether a device is there, type 08h (§42.1, table 42-2).
    Presence PresenceState {
        DEVICE_ABSENT = 0x00 => "Device Absent",
        DEVICE_PRESENT = 0x01 => "Device Present",
    }
    /// Whether a device is enabled, type 09h (§42.1, table 42-2).
    Enablement EnablementState {
        DEVICE_DISABLED = 0x00 => "Device Disabled",
        DEVICE_ENABLED = 0x01 => "Device Enabled",
    }
    /// What a device is doing, type 0Ah (§42.1, table 42-2).
    Availability AvailabilityState {
        TRANSITION_TO_RUNNING = 0x00 => "Transition to Running",
        TRANSITION_TO_IN_TEST = 0x01 => "Transition to In Test",
        TRANSITION_TO_POWER_OFF = 0x02 => "Transition to Power Off",
        TRANSITION_TO_ON_LINE = 0x03 => "Transition to On Line",
        TRANSITION_TO_OFF_LINE = 0x04 => "Transition to Off Line",
        TRANSITION_TO_OFF_DUTY = 0x05 => "Transition to Off Duty",
        TRANSITION_TO_DEGRADED = 0x06 => "Transition to Degraded",
        TRANSITION_TO_POWER_SAVE = 0x07 => "Transition to Power Save",
        INSTALL_ERROR = 0x08 => "Install Error",
    }
    /// Whether there is redundancy, type 0Bh (§42.1, table 42-2).
    Redundancy RedundancyState {
        FULLY_REDUNDANT = 0x00 => "Fully Redundant",
        REDUNDANCY_LOST = 0x01 => "Redundancy Lost",
        REDUNDANCY_DEGRADED = 0x02 => "Redundancy Degraded",
        SUFFICIENT_RESOURCES_FROM_REDUNDANT = 0x03 => "Non-redundant: Sufficient Resources from Redundant",
        SUFFICIENT_RESOURCES_FROM_INSUFFICIENT = 0x04 => "Non-redundant: Sufficient Resources from Insufficient Resources",
        NON_REDUNDANT_INSUFFICIENT_RESOURCES = 0x05 => "Non-redundant: Insufficient Resources",
        REDUNDANCY_DEGRADED_FROM_FULLY_REDUNDANT = 0x06 => "Redundancy Degraded from Fully Redundant",
        REDUNDANCY_DEGRADED_FROM_NON_REDUNDANT = 0x07 => "Redundancy Degraded from Non-redundant",
    }
    /// ACPI power state of a device, type 0Ch (§42.1, table 42-2).
    DevicePower DevicePowerState {
        D0_POWER_STATE = 0x00 => "D0 Power State",
        D1_POWER_STATE = 0x01 => "D1 Power State",
        D2_POWER_STATE = 0x02 => "D2 Power State",
        D3_POWER_STATE = 0x03 => "D3 Power State",
    }
    /// Sensor type 05h: a chassis or bay was opened (§42.2, table 42-3).
    PhysicalSecurity PhysicalSecurityOffset {
        GENERAL_CHASSIS_INTRUSION = 0x00 => "General Chassis intrusion",
        DRIVE_BAY_INTRUSION = 0x01 => "Drive Bay intrusion",
        I_O_CARD_AREA_INTRUSION = 0x02 => "I/O Card area intrusion",
        PROCESSOR_AREA_INTRUSION = 0x03 => "Processor area intrusion",
        SYSTEM_UNPLUGGED_FROM_LAN = 0x04 => "System unplugged from LAN",
        UNAUTHORIZED_DOCK = 0x05 => "Unauthorized dock",
        FAN_AREA_INTRUSION = 0x06 => "FAN area intrusion",
    }
    /// Sensor type 06h: a password was violated (§42.2, table 42-3).
    PlatformSecurity PlatformSecurityOffset {
        FRONT_PANEL_LOCKOUT_VIOLATION_ATTEMPTED = 0x00 => "Front Panel Lockout violation attempted",
        PRE_BOOT_PASSWORD_VIOLATION_USER_PASSWORD = 0x01 => "Pre-boot password violation - user password",
        PRE_BOOT_PASSWORD_VIOLATION_SETUP_PASSWORD = 0x02 => "Pre-boot password violation - setup password",
        PRE_BOOT_PASSWORD_VIOLATION_NETWORK = 0x03 => "Pre-boot password violation - network boot password",
        OTHER_PRE_BOOT_PASSWORD_VIOLATION = 0x04 => "Other pre-boot password violation",
        OUT_OF_BAND_ACCESS_PASSWORD_VIOLATION = 0x05 => "Out-of-band access password violation",
    }
    /// Sensor type 07h: processor (§42.2, table 42-3).
    Processor ProcessorOffset {
        IERR = 0x00 => "IERR",
        THERMAL_TRIP = 0x01 => "Thermal Trip",
        FRB1_BIST_FAILURE = 0x02 => "FRB1/BIST failure",
        FRB2_HANG_IN_POST_FAILURE = 0x03 => "FRB2/Hang in POST failure",
        FRB3_PROCESSOR_STARTUP_INITIALIZATION = 0x04 => "FRB3/Processor startup/initialization failure",
        CONFIGURATION_ERROR = 0x05 => "Configuration Error",
        SM_BIOS_UNCORRECTABLE_CPU_COMPLEX_ERROR = 0x06 => "SM BIOS Uncorrectable CPU-complex Error",
        PRESENCE_DETECTED = 0x07 => "Presence detected",
        DISABLED = 0x08 => "Disabled",
        TERMINATOR_PRESENCE_DETECTED = 0x09 => "Terminator presence detected",
        THROTTLED = 0x0a => "Throttled",
        UNCORRECTABLE_MACHINE_CHECK_EXCEPTION = 0x0b => "Uncorrectable machine check exception",
        CORRECTABLE_MACHINE_CHECK_ERROR = 0x0c => "Correctable machine check error",
    }
    /// Sensor type 08h: power supply (§42.2, table 42-3).
    PowerSupply PowerSupplyOffset {
        PRESENCE_DETECTED = 0x00 => "Presence detected",
        FAILURE_DETECTED = 0x01 => "Failure detected",
        PREDICTIVE_FAILURE = 0x02 => "Predictive failure",
        INPUT_LOST_AC_DC = 0x03 => "Power Supply input lost (AC/DC)",
        INPUT_LOST_OR_OUT_OF_RANGE = 0x04 => "Power Supply input lost or out-of-range",
        INPUT_OUT_OF_RANGE_BUT_PRESENT = 0x05 => "Power Supply input out-of-range, but present",
        CONFIGURATION_ERROR = 0x06 => "Configuration error",
        POWER_SUPPLY_INACTIVE = 0x07 => "Power Supply Inactive",
    }
    /// Sensor type 09h: power unit (§42.2, table 42-3).
    PowerUnit PowerUnitOffset {
        POWER_OFF_DOWN = 0x00 => "Power off/down",
        POWER_CYCLE = 0x01 => "Power cycle",
        OVER_240VA_POWER_DOWN = 0x02 => "240VA power down",
        INTERLOCK_POWER_DOWN = 0x03 => "Interlock power down",
        AC_LOST = 0x04 => "AC lost",
        SOFT_POWER_CONTROL_FAILURE = 0x05 => "Soft-power control failure",
        FAILURE_DETECTED = 0x06 => "Failure detected",
        PREDICTIVE_FAILURE = 0x07 => "Predictive failure",
    }
    /// Sensor type 0Ch: memory (§42.2, table 42-3).
    Memory MemoryOffset {
        CORRECTABLE_ECC = 0x00 => "Correctable ECC",
        UNCORRECTABLE_ECC = 0x01 => "Uncorrectable ECC",
        PARITY = 0x02 => "Parity",
        MEMORY_SCRUB_FAILED = 0x03 => "Memory Scrub Failed",
        MEMORY_DEVICE_DISABLED = 0x04 => "Memory Device Disabled",
        CORRECTABLE_ECC_LOGGING_LIMIT_REACHED = 0x05 => "Correctable ECC logging limit reached",
        PRESENCE_DETECTED = 0x06 => "Presence detected",
        CONFIGURATION_ERROR = 0x07 => "Configuration error",
        SPARE = 0x08 => "Spare",
        THROTTLED = 0x09 => "Throttled",
        CRITICAL_OVERTEMPERATURE = 0x0a => "Critical Overtemperature",
    }
    /// Sensor type 0Dh: drive slot (§42.2, table 42-3).
    DriveSlot DriveSlotOffset {
        DRIVE_PRESENT = 0x00 => "Drive Present",
        DRIVE_FAULT = 0x01 => "Drive Fault",
        PREDICTIVE_FAILURE = 0x02 => "Predictive Failure",
        HOT_SPARE = 0x03 => "Hot Spare",
        PARITY_CHECK_IN_PROGRESS = 0x04 => "Parity Check In Progress",
        IN_CRITICAL_ARRAY = 0x05 => "In Critical Array",
        IN_FAILED_ARRAY = 0x06 => "In Failed Array",
        REBUILD_IN_PROGRESS = 0x07 => "Rebuild In Progress",
        REBUILD_ABORTED = 0x08 => "Rebuild Aborted",
    }
    /// Sensor type 0Fh: firmware progress (§42.2, table 42-3).
    FirmwareProgress FirmwareProgressOffset {
        SYSTEM_FIRMWARE_ERROR = 0x00 => "System Firmware Error",
        SYSTEM_FIRMWARE_HANG = 0x01 => "System Firmware Hang",
        SYSTEM_FIRMWARE_PROGRESS = 0x02 => "System Firmware Progress",
    }
    /// Sensor type 10h: event logging disabled (§42.2, table 42-3).
    EventLogging EventLoggingOffset {
        CORRECTABLE_MEMORY_ERROR_LOGGING_DISABLED = 0x00 => "Correctable memory error logging disabled",
        EVENT_LOGGING_DISABLED = 0x01 => "Event logging disabled",
        LOG_AREA_RESET_CLEARED = 0x02 => "Log area reset/cleared",
        ALL_EVENT_LOGGING_DISABLED = 0x03 => "All event logging disabled",
        LOG_FULL = 0x04 => "Log full",
        LOG_ALMOST_FULL = 0x05 => "Log almost full",
        CORRECTABLE_MACHINE_CHECK_ERROR_LOGGING = 0x06 => "Correctable Machine Check Error Logging Disabled",
    }
    /// Sensor type 11h: watchdog of IPMI 0.9 and 1.0 (§42.2, table 42-3).
    Watchdog1 Watchdog1Offset {
        BIOS_WATCHDOG_RESET = 0x00 => "BIOS Watchdog Reset",
        OS_WATCHDOG_RESET = 0x01 => "OS Watchdog Reset",
        OS_WATCHDOG_SHUT_DOWN = 0x02 => "OS Watchdog Shut Down",
        OS_WATCHDOG_POWER_DOWN = 0x03 => "OS Watchdog Power Down",
        OS_WATCHDOG_POWER_CYCLE = 0x04 => "OS Watchdog Power Cycle",
        OS_WATCHDOG_NMI_DIAGNOSTIC_INTERRUPT = 0x05 => "OS Watchdog NMI/Diagnostic Interrupt",
        OS_WATCHDOG_EXPIRED = 0x06 => "OS Watchdog Expired",
        OS_WATCHDOG_PRE_TIMEOUT_INTERRUPT = 0x07 => "OS Watchdog pre-timeout Interrupt",
    }
    /// Sensor type 12h: system event (§42.2, table 42-3).
    System SystemOffset {
        SYSTEM_RECONFIGURED = 0x00 => "System Reconfigured",
        OEM_SYSTEM_BOOT_EVENT = 0x01 => "OEM System boot event",
        UNDETERMINED_SYSTEM_HARDWARE_FAILURE = 0x02 => "Undetermined system hardware failure",
        ENTRY_ADDED_TO_AUXILIARY_LOG = 0x03 => "Entry added to auxiliary log",
        PEF_ACTION = 0x04 => "PEF Action",
        TIMESTAMP_CLOCK_SYNC = 0x05 => "Timestamp Clock Sync",
    }
    /// Sensor type 13h: critical interrupt (§42.2, table 42-3).
    CriticalInterrupt CriticalInterruptOffset {
        NMI_DIAGNOSTIC_INTERRUPT = 0x00 => "NMI/Diagnostic Interrupt",
        BUS_TIMEOUT = 0x01 => "Bus Timeout",
        I_O_CHANNEL_CHECK_NMI = 0x02 => "I/O Channel check NMI",
        SOFTWARE_NMI = 0x03 => "Software NMI",
        PCI_PERR = 0x04 => "PCI PERR",
        PCI_SERR = 0x05 => "PCI SERR",
        EISA_FAILSAFE_TIMEOUT = 0x06 => "EISA failsafe timeout",
        BUS_CORRECTABLE_ERROR = 0x07 => "Bus Correctable error",
        BUS_UNCORRECTABLE_ERROR = 0x08 => "Bus Uncorrectable error",
        FATAL_NMI = 0x09 => "Fatal NMI",
        BUS_FATAL_ERROR = 0x0a => "Bus Fatal Error",
        BUS_DEGRADED = 0x0b => "Bus Degraded",
    }
    /// Sensor type 14h: button or switch (§42.2, table 42-3).
    Button ButtonOffset {
        POWER_BUTTON_PRESSED = 0x00 => "Power Button pressed",
        SLEEP_BUTTON_PRESSED = 0x01 => "Sleep Button pressed",
        RESET_BUTTON_PRESSED = 0x02 => "Reset Button pressed",
        FRU_LATCH_OPEN = 0x03 => "FRU latch open",
        FRU_SERVICE_REQUEST_BUTTON = 0x04 => "FRU service request button",
    }
    /// Sensor type 19h: chip set (§42.2, table 42-3).
    ChipSet ChipSetOffset {
        SOFT_POWER_CONTROL_FAILURE = 0x00 => "Soft Power Control Failure",
        THERMAL_TRIP = 0x01 => "Thermal Trip",
    }
    /// Sensor type 1Bh: cable or interconnect (§42.2, table 42-3).
    Cable CableOffset {
        CONNECTED = 0x00 => "Connected",
        CONFIGURATION_ERROR = 0x01 => "Configuration Error",
    }
    /// Sensor type 1Dh: why the system boots (§42.2, table 42-3).
    BootInitiated BootInitiatedOffset {
        INITIATED_BY_POWER_UP = 0x00 => "Initiated by power up",
        INITIATED_BY_HARD_RESET = 0x01 => "Initiated by hard reset",
        INITIATED_BY_WARM_RESET = 0x02 => "Initiated by warm reset",
        USER_REQUESTED_PXE_BOOT = 0x03 => "User requested PXE boot",
        AUTOMATIC_BOOT_TO_DIAGNOSTIC = 0x04 => "Automatic boot to diagnostic",
        OS_INITIATED_HARD_RESET = 0x05 => "OS initiated hard reset",
        OS_INITIATED_WARM_RESET = 0x06 => "OS initiated warm reset",
        SYSTEM_RESTART = 0x07 => "System Restart",
    }
    /// Sensor type 1Eh: why it doesn't boot (§42.2, table 42-3).
    BootError BootErrorOffset {
        NO_BOOTABLE_MEDIA = 0x00 => "No bootable media",
        NON_BOOTABLE_DISK_IN_DRIVE = 0x01 => "Non-bootable disk in drive",
        PXE_SERVER_NOT_FOUND = 0x02 => "PXE server not found",
        INVALID_BOOT_SECTOR = 0x03 => "Invalid boot sector",
        TIMEOUT_WAITING_FOR_SELECTION = 0x04 => "Timeout waiting for selection",
    }
    /// Sensor type 1Fh: boot or installation of the operating system (§42.2, table 42-3).
    OsBoot OsBootOffset {
        A_BOOT_COMPLETED = 0x00 => "A: boot completed",
        C_BOOT_COMPLETED = 0x01 => "C: boot completed",
        PXE_BOOT_COMPLETED = 0x02 => "PXE boot completed",
        DIAGNOSTIC_BOOT_COMPLETED = 0x03 => "Diagnostic boot completed",
        CD_ROM_BOOT_COMPLETED = 0x04 => "CD-ROM boot completed",
        ROM_BOOT_COMPLETED = 0x05 => "ROM boot completed",
        BOOT_COMPLETED_DEVICE_NOT_SPECIFIED = 0x06 => "boot completed - device not specified",
        INSTALLATION_STARTED = 0x07 => "Installation started",
        INSTALLATION_COMPLETED = 0x08 => "Installation completed",
        INSTALLATION_ABORTED = 0x09 => "Installation aborted",
        INSTALLATION_FAILED = 0x0a => "Installation failed",
    }
    /// Sensor type 20h: stop of the operating system (§42.2, table 42-3).
    OsStop OsStopOffset {
        ERROR_DURING_SYSTEM_STARTUP = 0x00 => "Error during system startup",
        RUN_TIME_CRITICAL_STOP = 0x01 => "Run-time critical stop",
        OS_GRACEFUL_STOP = 0x02 => "OS graceful stop",
        OS_GRACEFUL_SHUTDOWN = 0x03 => "OS graceful shutdown",
        PEF_INITIATED_SOFT_SHUTDOWN = 0x04 => "PEF initiated soft shutdown",
        AGENT_NOT_RESPONDING = 0x05 => "Agent not responding",
    }
    /// Sensor type 21h: slot or connector (§42.2, table 42-3).
    Slot SlotOffset {
        FAULT_STATUS = 0x00 => "Fault Status",
        IDENTIFY_STATUS = 0x01 => "Identify Status",
        DEVICE_INSTALLED = 0x02 => "Device Installed",
        READY_FOR_DEVICE_INSTALLATION = 0x03 => "Ready for Device Installation",
        READY_FOR_DEVICE_REMOVAL = 0x04 => "Ready for Device Removal",
        SLOT_POWER_IS_OFF = 0x05 => "Slot Power is Off",
        DEVICE_REMOVAL_REQUEST = 0x06 => "Device Removal Request",
        INTERLOCK = 0x07 => "Interlock",
        SLOT_IS_DISABLED = 0x08 => "Slot is Disabled",
        SPARE_DEVICE = 0x09 => "Spare Device",
    }
    /// Sensor type 22h: ACPI power state of the system (§42.2, table 42-3).
    SystemPower SystemPowerOffset {
        S0_G0_WORKING = 0x00 => "S0/G0 working",
        S1_SLEEPING_HARDWARE_AND_PROCESSOR_CONTEXT = 0x01 => "S1 sleeping, hardware and processor context maintained",
        S2_SLEEPING_PROCESSOR_CONTEXT_LOST = 0x02 => "S2 sleeping, processor context lost",
        S3_SLEEPING_PROCESSOR_AND_HARDWARE_CONTEXT = 0x03 => "S3 sleeping, processor and hardware context lost, memory retained",
        S4_NON_VOLATILE_SLEEP_SUSPEND_TO_DISK = 0x04 => "S4 non-volatile sleep/suspend-to-disk",
        S5_G2_SOFT_OFF = 0x05 => "S5/G2 soft-off",
        S4_S5_SOFT_OFF = 0x06 => "S4/S5 soft-off",
        G3_MECHANICAL_OFF = 0x07 => "G3 mechanical off",
        SLEEPING = 0x08 => "Sleeping in S1/S2/S3 state",
        G1_SLEEPING = 0x09 => "G1 sleeping",
        S5_ENTERED_BY_OVERRIDE = 0x0a => "S5 entered by override",
        LEGACY_ON_STATE = 0x0b => "Legacy ON state",
        LEGACY_OFF_STATE = 0x0c => "Legacy OFF state",
        UNKNOWN = 0x0e => "Unknown",
    }
    /// Sensor type 23h: watchdog (§42.2, table 42-3).
    Watchdog2 Watchdog2Offset {
        TIMER_EXPIRED = 0x00 => "Timer expired",
        HARD_RESET = 0x01 => "Hard reset",
        POWER_DOWN = 0x02 => "Power down",
        POWER_CYCLE = 0x03 => "Power cycle",
        TIMER_INTERRUPT = 0x08 => "Timer interrupt",
    }
    /// Sensor type 24h: alert that was sent (§42.2, table 42-3).
    PlatformAlert PlatformAlertOffset {
        PLATFORM_GENERATED_PAGE = 0x00 => "Platform generated page",
        PLATFORM_GENERATED_LAN_ALERT = 0x01 => "Platform generated LAN alert",
        PLATFORM_EVENT_TRAP_GENERATED = 0x02 => "Platform Event Trap generated",
        PLATFORM_GENERATED_SNMP_TRAP_OEM_FORMAT = 0x03 => "Platform generated SNMP trap, OEM format",
    }
    /// Sensor type 25h: presence of an entity (§42.2, table 42-3).
    EntityPresence EntityPresenceOffset {
        PRESENT = 0x00 => "Present",
        ABSENT = 0x01 => "Absent",
        DISABLED = 0x02 => "Disabled",
    }
    /// Sensor type 27h: LAN heartbeat (§42.2, table 42-3).
    Lan LanOffset {
        HEARTBEAT_LOST = 0x00 => "Heartbeat Lost",
        HEARTBEAT = 0x01 => "Heartbeat",
    }
    /// Sensor type 28h: health of the management subsystem (§42.2, table 42-3).
    ManagementHealth ManagementHealthOffset {
        SENSOR_ACCESS_DEGRADED_OR_UNAVAILABLE = 0x00 => "Sensor access degraded or unavailable",
        CONTROLLER_ACCESS_DEGRADED_OR_UNAVAILABLE = 0x01 => "Controller access degraded or unavailable",
        MANAGEMENT_CONTROLLER_OFF_LINE = 0x02 => "Management controller off-line",
        MANAGEMENT_CONTROLLER_UNAVAILABLE = 0x03 => "Management controller unavailable",
        SENSOR_FAILURE = 0x04 => "Sensor failure",
        FRU_FAILURE = 0x05 => "FRU failure",
    }
    /// Sensor type 29h: battery (§42.2, table 42-3).
    Battery BatteryOffset {
        LOW = 0x00 => "Low",
        FAILED = 0x01 => "Failed",
        PRESENCE_DETECTED = 0x02 => "Presence Detected",
    }
    /// Sensor type 2Ah: session audit (§42.2, table 42-3).
    SessionAudit SessionAuditOffset {
        SESSION_ACTIVATED = 0x00 => "Session Activated",
        SESSION_DEACTIVATED = 0x01 => "Session Deactivated",
        INVALID_USERNAME_OR_PASSWORD = 0x02 => "Invalid Username or Password",
        INVALID_PASSWORD_DISABLE = 0x03 => "Invalid password disable",
    }
    /// Sensor type 2Bh: version change (§42.2, table 42-3).
    VersionChange VersionChangeOffset {
        HARDWARE_CHANGE_DETECTED = 0x00 => "Hardware change detected",
        FIRMWARE_OR_SOFTWARE_CHANGE_DETECTED = 0x01 => "Firmware or software change detected",
        HARDWARE_INCOMPATIBILITY_DETECTED = 0x02 => "Hardware incompatibility detected",
        FIRMWARE_OR_SOFTWARE_INCOMPATIBILITY = 0x03 => "Firmware or software incompatibility detected",
        INVALID_OR_UNSUPPORTED_HARDWARE_VERSION = 0x04 => "Invalid or unsupported hardware version",
        INVALID_OR_UNSUPPORTED_FIRMWARE_OR_SOFTWARE = 0x05 => "Invalid or unsupported firmware or software version",
        HARDWARE_CHANGE_SUCCESS = 0x06 => "Hardware change success",
        FIRMWARE_OR_SOFTWARE_CHANGE_SUCCESS = 0x07 => "Firmware or software change success",
    }
    /// Sensor type 2Ch: state of a FRU (§42.2, table 42-3).
    FruState FruStateOffset {
        NOT_INSTALLED = 0x00 => "Not Installed",
        INACTIVE = 0x01 => "Inactive",
        ACTIVATION_REQUESTED = 0x02 => "Activation Requested",
        ACTIVATION_IN_PROGRESS = 0x03 => "Activation in Progress",
        ACTIVE = 0x04 => "Active",
        DEACTIVATION_REQUESTED = 0x05 => "Deactivation Requested",
        DEACTIVATION_IN_PROGRESS = 0x06 => "Deactivation in Progress",
        COMMUNICATION_LOST = 0x07 => "Communication lost",
    }
    /// Sensor type F0h of PICMG: hot-swap state of a FRU (PICMG 3.0).
    PicmgHotSwap PicmgHotSwapState {
        TRANSITION_TO_M0 = 0x00 => "Transition to M0",
        TRANSITION_TO_M1 = 0x01 => "Transition to M1",
        TRANSITION_TO_M2 = 0x02 => "Transition to M2",
        TRANSITION_TO_M3 = 0x03 => "Transition to M3",
        TRANSITION_TO_M4 = 0x04 => "Transition to M4",
        TRANSITION_TO_M5 = 0x05 => "Transition to M5",
        TRANSITION_TO_M6 = 0x06 => "Transition to M6",
        TRANSITION_TO_M7 = 0x07 => "Transition to M7",
    }
    /// Sensor type F1h of PICMG: the two buses of IPMB-0 (PICMG 3.0).
    PicmgIpmbLink PicmgIpmbLinkState {
        IPMB_A_DISABLED_IPMB_B_DISABLED = 0x00 => "IPMB-A disabled, IPMB-B disabled",
        IPMB_A_ENABLED_IPMB_B_DISABLED = 0x01 => "IPMB-A enabled, IPMB-B disabled",
        IPMB_A_DISABLED_IPMB_B_ENABLED = 0x02 => "IPMB-A disabled, IPMB-B enabled",
        IPMB_A_ENABLED_IPMB_B_ENABLED = 0x03 => "IPMB-A enabled, IPMB-B enabled",
    }
    /// Sensor type F2h of PICMG: handle and power of an `AdvancedMC` (AMC.0).
    ModuleHotSwap ModuleHotSwapState {
        MODULE_HANDLE_CLOSED = 0x00 => "Module handle closed",
        MODULE_HANDLE_OPENED = 0x01 => "Module handle opened",
        QUIESCED = 0x02 => "Quiesced",
        BACKEND_POWER_FAILURE = 0x03 => "Backend power failure",
        BACKEND_POWER_SHUT_DOWN = 0x04 => "Backend power shut down",
    }
    /// Sensor type F3h of PICMG: notification of a power channel (MTCA.0).
    PowerChannel PowerChannelState {
        GLOBAL_STATUS_CHANGE = 0x00 => "Global status change",
        CHANNEL_STATUS_CHANGE = 0x01 => "Channel status change",
    }
    /// Sensor type F4h of PICMG: telco alarm inputs (PICMG 3.0).
    TelcoAlarm TelcoAlarmState {
        MAJOR_RESET = 0x00 => "Major reset",
        MINOR_RESET = 0x01 => "Minor reset",
        ALARM_CUTOFF = 0x02 => "Alarm cutoff",
    }
    /// Sensor type F0h of VITA 46.11: state of a FRU.
    VitaFru VitaFruState {
        TRANSITION_TO_M0 = 0x00 => "Transition to M0",
        TRANSITION_TO_M1 = 0x01 => "Transition to M1",
        TRANSITION_TO_M2 = 0x02 => "Transition to M2",
        TRANSITION_TO_M3 = 0x03 => "Transition to M3",
        TRANSITION_TO_M4 = 0x04 => "Transition to M4",
        TRANSITION_TO_M5 = 0x05 => "Transition to M5",
        TRANSITION_TO_M6 = 0x06 => "Transition to M6",
        TRANSITION_TO_M7 = 0x07 => "Transition to M7",
    }
    /// Sensor type F1h of VITA 46.11: the two buses of the system IPMB.
    VitaIpmbLink VitaIpmbLinkState {
        IPMB_A_DISABLED_IPMB_B_DISABLED = 0x00 => "IPMB-A disabled, IPMB-B disabled",
        IPMB_A_ENABLED_IPMB_B_DISABLED = 0x01 => "IPMB-A enabled, IPMB-B disabled",
        IPMB_A_DISABLED_IPMB_B_ENABLED = 0x02 => "IPMB-A disabled, IPMB-B enabled",
        IPMB_A_ENABLED_IPMB_B_ENABLED = 0x03 => "IPMB-A enabled, IPMB-B enabled",
    }
}
