//! Numbers of sensors (§35, §42, §43).

use super::{protocol_flags, protocol_number};

protocol_number! {
    /// What a sensor watches (§42.2, table 42-3). C0h to FFh are the maker's.
    pub struct SensorType(u8) {
        /// Not used by sensors.
        RESERVED = 0x00 => "reserved",
        /// Temperature.
        TEMPERATURE = 0x01 => "Temperature",
        /// Voltage.
        VOLTAGE = 0x02 => "Voltage",
        /// Current.
        CURRENT = 0x03 => "Current",
        /// Fan.
        FAN = 0x04 => "Fan",
        /// Physical security: chassis intrusion.
        PHYSICAL_SECURITY = 0x05 => "Physical Security",
        /// Platform security violation attempt.
        PLATFORM_SECURITY = 0x06 => "Platform Security",
        /// Processor.
        PROCESSOR = 0x07 => "Processor",
        /// Power supply.
        POWER_SUPPLY = 0x08 => "Power Supply",
        /// Power unit.
        POWER_UNIT = 0x09 => "Power Unit",
        /// Cooling device.
        COOLING_DEVICE = 0x0a => "Cooling Device",
        /// Anything measured in the unit that the SDR names.
        OTHER_UNITS_BASED = 0x0b => "Other Units-based Sensor",
        /// Memory.
        MEMORY = 0x0c => "Memory",
        /// Drive slot or bay.
        DRIVE_SLOT = 0x0d => "Drive Slot",
        /// Memory resized in POST.
        POST_MEMORY_RESIZE = 0x0e => "POST Memory Resize",
        /// System firmware progress (POST error).
        FIRMWARE_PROGRESS = 0x0f => "System Firmware Progress",
        /// Event logging disabled.
        EVENT_LOGGING_DISABLED = 0x10 => "Event Logging Disabled",
        /// Watchdog 1 (IPMI 0.9, 1.0).
        WATCHDOG_1 = 0x11 => "Watchdog 1",
        /// System event.
        SYSTEM_EVENT = 0x12 => "System Event",
        /// Critical interrupt.
        CRITICAL_INTERRUPT = 0x13 => "Critical Interrupt",
        /// Button or switch.
        BUTTON_SWITCH = 0x14 => "Button/Switch",
        /// Module or board.
        MODULE_BOARD = 0x15 => "Module/Board",
        /// Microcontroller or coprocessor.
        MICROCONTROLLER = 0x16 => "Microcontroller/Coprocessor",
        /// Add-in card.
        ADD_IN_CARD = 0x17 => "Add-in Card",
        /// Chassis.
        CHASSIS = 0x18 => "Chassis",
        /// Chip set.
        CHIP_SET = 0x19 => "Chip Set",
        /// Another FRU.
        OTHER_FRU = 0x1a => "Other FRU",
        /// Cable or interconnect.
        CABLE_INTERCONNECT = 0x1b => "Cable/Interconnect",
        /// Terminator.
        TERMINATOR = 0x1c => "Terminator",
        /// System boot or restart initiated.
        SYSTEM_BOOT_INITIATED = 0x1d => "System Boot Initiated",
        /// Boot error.
        BOOT_ERROR = 0x1e => "Boot Error",
        /// Operating system boot.
        OS_BOOT = 0x1f => "OS Boot",
        /// Operating system stop or shutdown.
        OS_STOP = 0x20 => "OS Stop/Shutdown",
        /// Slot or connector.
        SLOT_CONNECTOR = 0x21 => "Slot/Connector",
        /// System ACPI power state.
        ACPI_POWER_STATE = 0x22 => "System ACPI Power State",
        /// Watchdog 2.
        WATCHDOG_2 = 0x23 => "Watchdog 2",
        /// Platform alert.
        PLATFORM_ALERT = 0x24 => "Platform Alert",
        /// Entity presence.
        ENTITY_PRESENCE = 0x25 => "Entity Presence",
        /// Monitor ASIC or IC.
        MONITOR_ASIC = 0x26 => "Monitor ASIC/IC",
        /// LAN.
        LAN = 0x27 => "LAN",
        /// Management subsystem health.
        MANAGEMENT_HEALTH = 0x28 => "Management Subsystem Health",
        /// Battery.
        BATTERY = 0x29 => "Battery",
        /// Session audit.
        SESSION_AUDIT = 0x2a => "Session Audit",
        /// Version change.
        VERSION_CHANGE = 0x2b => "Version Change",
        /// FRU state.
        FRU_STATE = 0x2c => "FRU State",
    }
}

impl SensorType {
    /// Whether the maker of the sensor defines it (C0h to FFh).
    #[must_use]
    pub const fn is_oem(self) -> bool {
        self.0 >= 0xc0
    }
}

protocol_number! {
    /// How a sensor's states and events are to be read (§42.1, tables 42-1 and 42-2). 7 bits.
    pub struct EventReadingType(u8) {
        /// Not specified.
        UNSPECIFIED = 0x00 => "Unspecified",
        /// Analog reading compared with thresholds.
        THRESHOLD = 0x01 => "Threshold",
        /// Idle, active, busy.
        USAGE = 0x02 => "Transition",
        /// State asserted or deasserted.
        STATE = 0x03 => "State",
        /// Predictive failure asserted or deasserted.
        PREDICTIVE_FAILURE = 0x04 => "Predictive Failure",
        /// Limit exceeded or not.
        LIMIT = 0x05 => "Limit",
        /// Performance met or lags.
        PERFORMANCE = 0x06 => "Performance",
        /// Severity.
        SEVERITY = 0x07 => "Severity",
        /// Device removed or inserted.
        DEVICE_PRESENCE = 0x08 => "Device Presence",
        /// Device disabled or enabled.
        DEVICE_ENABLED = 0x09 => "Device Enabled",
        /// Availability.
        AVAILABILITY = 0x0a => "Availability",
        /// Redundancy.
        REDUNDANCY = 0x0b => "Redundancy",
        /// ACPI device power state.
        ACPI_DEVICE_POWER = 0x0c => "ACPI Device Power State",
        /// Offsets belong to the sensor type (table 42-3).
        SENSOR_SPECIFIC = 0x6f => "Sensor-specific",
    }
}

impl EventReadingType {
    /// Whether readings are analog and compared with thresholds.
    #[must_use]
    pub const fn is_threshold(self) -> bool {
        self.0 == Self::THRESHOLD.0
    }

    /// Whether the states are discrete: generic, sensor-specific or the maker's.
    #[must_use]
    pub const fn is_discrete(self) -> bool {
        matches!(self.0, 0x02..=0x0c | 0x6f..=0x7f)
    }

    /// Whether the maker of the sensor defines it (70h to 7Fh).
    #[must_use]
    pub const fn is_oem(self) -> bool {
        matches!(self.0, 0x70..=0x7f)
    }
}

protocol_number! {
    /// Function that an analog reading goes through after the linear formula, 7 bits (§36.3, §43.1, table 43-1).
    pub struct Linearization(u8) {
        /// y = x.
        LINEAR = 0x00 => "linear",
        /// y = ln x.
        LN = 0x01 => "ln",
        /// y = log10 x.
        LOG10 = 0x02 => "log10",
        /// y = log2 x.
        LOG2 = 0x03 => "log2",
        /// y = e^x.
        EXP = 0x04 => "e",
        /// y = 10^x.
        EXP10 = 0x05 => "exp10",
        /// y = 2^x.
        EXP2 = 0x06 => "exp2",
        /// y = 1/x.
        INVERSE = 0x07 => "1/x",
        /// y = x².
        SQUARE = 0x08 => "sqr(x)",
        /// y = x³.
        CUBE = 0x09 => "cube(x)",
        /// y = √x.
        SQUARE_ROOT = 0x0a => "sqrt(x)",
        /// y = ∛x.
        CUBE_ROOT = 0x0b => "cube-1(x)",
        /// The factors depend on the raw reading: ask Get Sensor Reading Factors (§35.5).
        NON_LINEAR = 0x70 => "non-linear",
    }
}

impl Linearization {
    /// Whether the factors of the SDR do not hold: non-linear (70h) or the maker's (71h to 7Fh).
    #[must_use]
    pub const fn is_non_linear(self) -> bool {
        self.0 >= 0x70
    }
}

protocol_flags! {
    /// A set of thresholds, one bit each, as in readable, settable and comparison masks (§35.9, table 35-9).
    pub struct ThresholdSet(u8) {
        /// Lower non-critical.
        LOWER_NON_CRITICAL = 0x01 => "lower non-critical",
        /// Lower critical.
        LOWER_CRITICAL = 0x02 => "lower critical",
        /// Lower non-recoverable.
        LOWER_NON_RECOVERABLE = 0x04 => "lower non-recoverable",
        /// Upper non-critical.
        UPPER_NON_CRITICAL = 0x08 => "upper non-critical",
        /// Upper critical.
        UPPER_CRITICAL = 0x10 => "upper critical",
        /// Upper non-recoverable.
        UPPER_NON_RECOVERABLE = 0x20 => "upper non-recoverable",
    }
}

impl ThresholdSet {
    /// All six.
    pub const ALL: Self = Self(0x3f);

    /// Whether this threshold is in the set.
    #[must_use]
    pub const fn has(self, threshold: Threshold) -> bool {
        self.0 & threshold.bit().0 != 0
    }
}

/// One of the six thresholds of a sensor, in the order of their bits and of their bytes in Get Sensor Thresholds
/// (§35.9, table 35-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Threshold {
    /// Lower non-critical.
    LowerNonCritical,
    /// Lower critical.
    LowerCritical,
    /// Lower non-recoverable.
    LowerNonRecoverable,
    /// Upper non-critical.
    UpperNonCritical,
    /// Upper critical.
    UpperCritical,
    /// Upper non-recoverable.
    UpperNonRecoverable,
}

impl Threshold {
    /// All six, in the order of their bits.
    pub const ALL: [Self; 6] = [
        Self::LowerNonCritical,
        Self::LowerCritical,
        Self::LowerNonRecoverable,
        Self::UpperNonCritical,
        Self::UpperCritical,
        Self::UpperNonRecoverable,
    ];

    /// Its position, 0 to 5: bit number in a mask, index of its byte among the six.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The set of this threshold alone.
    #[must_use]
    pub const fn bit(self) -> ThresholdSet {
        ThresholdSet(1 << self as u8)
    }

    /// Whether it is one of the lower three.
    #[must_use]
    pub const fn is_lower(self) -> bool {
        matches!(
            self,
            Self::LowerNonCritical | Self::LowerCritical | Self::LowerNonRecoverable
        )
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LowerNonCritical => "lower non-critical",
            Self::LowerCritical => "lower critical",
            Self::LowerNonRecoverable => "lower non-recoverable",
            Self::UpperNonCritical => "upper non-critical",
            Self::UpperCritical => "upper critical",
            Self::UpperNonRecoverable => "upper non-recoverable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_has_the_bit_and_the_name_that_its_set_has() {
        for (threshold, (bit, name)) in Threshold::ALL.iter().zip(ThresholdSet::NAMED) {
            assert_eq!((threshold.bit(), threshold.name()), (*bit, *name));
            assert_eq!(1 << threshold.index(), bit.0);
            assert!(ThresholdSet::ALL.has(*threshold));
        }
    }

    #[test]
    fn every_value_without_a_name_prints_as_its_number() {
        for value in 0..=u8::MAX {
            let text = std::format!("{}", SensorType(value));
            assert_eq!(text.starts_with("0x"), value > 0x2c, "{text}");
        }
    }
}

protocol_number! {
    /// How Set Sensor Reading And Event Status changes state bits, 2 bits (§35.17).
    pub struct StatusOperation(u8) {
        /// They stay.
        UNCHANGED = 0 => "do not change",
        /// Exactly those given.
        WRITE = 1 => "write",
        /// Those given come to those that are.
        SET = 2 => "set",
        /// Those that are not given go.
        CLEAR = 3 => "clear",
    }
}
