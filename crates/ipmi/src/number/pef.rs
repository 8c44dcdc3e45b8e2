//! Numbers of platform event filtering and alerting (§17, §30).

use super::{protocol_flags, protocol_number};

protocol_flags! {
    /// What a platform event filter does, bits 6:0 in the order of precedence of §17.5 (table 17-1).
    pub struct PefActions(u8) {
        /// Sends an alert.
        ALERT = 0x01 => "Alert",
        /// Switches the machine off.
        POWER_DOWN = 0x02 => "Power-off",
        /// Resets it.
        RESET = 0x04 => "Reset",
        /// Switches it off and on.
        POWER_CYCLE = 0x08 => "Power-cycle",
        /// The maker's own.
        OEM = 0x10 => "OEM-defined",
        /// Pulses the diagnostic interrupt.
        DIAGNOSTIC_INTERRUPT = 0x20 => "Diagnostic-interrupt",
        /// Takes the machine out of its group (ICMB).
        GROUP_CONTROL = 0x40 => "Group control",
        /// In Get PEF Capabilities: the maker's event records are filtered, too.
        OEM_EVENTS = 0x80 => "OEM event record filtering",
    }
}

protocol_flags! {
    /// Parameter 1 of the PEF configuration (§30.4, table 30-6).
    pub struct PefControl(u8) {
        /// Filters work.
        ENABLED = 0x01 => "PEF",
        /// Each action is logged.
        EVENT_MESSAGES = 0x02 => "event messages for PEF actions",
        /// Filters wait after a start of the system.
        STARTUP_DELAY = 0x04 => "PEF startup delay",
        /// Alerts wait after a start of the system.
        ALERT_STARTUP_DELAY = 0x08 => "alert startup delay",
    }
}

protocol_number! {
    /// Parameter of the PEF configuration, 7 bits (§30.4, table 30-6).
    pub struct PefParameter(u8) {
        /// Guards a change of several parameters.
        SET_IN_PROGRESS = 0 => "set in progress",
        /// What is on: [`PefControl`].
        CONTROL = 1 => "PEF control",
        /// Which actions are allowed at all: [`PefActions`].
        ACTION_CONTROL = 2 => "PEF action global control",
        /// Seconds after a start in which filters rest.
        STARTUP_DELAY = 3 => "PEF startup delay",
        /// Seconds after a start in which alerts rest.
        ALERT_STARTUP_DELAY = 4 => "PEF alert startup delay",
        /// How many filters there are; read-only.
        FILTER_COUNT = 5 => "number of event filters",
        /// One filter.
        FILTER_TABLE = 6 => "event filter table",
        /// Byte 1 of one filter.
        FILTER_DATA_1 = 7 => "event filter table data 1",
        /// How many alert policies there are; read-only.
        POLICY_COUNT = 8 => "number of alert policy entries",
        /// One alert policy.
        POLICY_TABLE = 9 => "alert policy table",
        /// GUID that traps carry.
        SYSTEM_GUID = 10 => "system GUID",
        /// How many alert strings there are; read-only.
        STRING_COUNT = 11 => "number of alert strings",
        /// Which filter and string set an alert string belongs to.
        STRING_KEYS = 12 => "alert string keys",
        /// One alert string in blocks of 16 bytes.
        STRINGS = 13 => "alert strings",
        /// How many group controls there are; read-only.
        GROUP_CONTROL_COUNT = 14 => "number of group control table entries",
        /// One group control.
        GROUP_CONTROL_TABLE = 15 => "group control table",
    }
}

protocol_number! {
    /// Who may change a filter, 2 bits (§17.7, table 17-2).
    pub struct EventFilterType(u8) {
        /// Software.
        SOFTWARE_CONFIGURABLE = 0 => "software configurable",
        /// The maker only.
        MANUFACTURER = 2 => "manufacturer pre-configured",
    }
}

protocol_flags! {
    /// Severity that a filter gives an event; the numbers are those of traps (§17.7, table 17-2).
    pub struct EventSeverity(u8) {
        /// Monitor.
        MONITOR = 0x01 => "Monitor",
        /// Information.
        INFORMATION = 0x02 => "Information",
        /// Back to normal.
        OK = 0x04 => "OK",
        /// Non-critical.
        NON_CRITICAL = 0x08 => "Non-critical",
        /// Critical.
        CRITICAL = 0x10 => "Critical",
        /// Non-recoverable.
        NON_RECOVERABLE = 0x20 => "Non-recoverable",
    }
}

protocol_number! {
    /// When an alert policy is used, 3 bits (§17.11, table 17-4).
    pub struct AlertPolicyRule(u8) {
        /// Always.
        ALWAYS = 0 => "always",
        /// When the one before did not work: then the next entry.
        IF_FAILED_NEXT = 1 => "if failed, next entry",
        /// When the one before did not work: then no further entries of the set.
        IF_FAILED_STOP = 2 => "if failed, stop",
        /// When the one before did not work: then the next entry with another channel.
        IF_FAILED_NEXT_CHANNEL = 3 => "if failed, next channel",
        /// When the one before did not work: then the next entry with another type of destination.
        IF_FAILED_NEXT_TYPE = 4 => "if failed, next destination type",
    }
}

protocol_number! {
    /// What Alert Immediate does, 2 bits (§30.7, table 30-9).
    pub struct AlertOperation(u8) {
        /// Sends an alert.
        INITIATE = 0 => "initiate alert",
        /// Tells how the last one went.
        GET_STATUS = 1 => "get alert status",
        /// Forgets how the last one went.
        CLEAR_STATUS = 2 => "clear alert status",
    }
}

protocol_number! {
    /// How an immediate alert went (§30.7, table 30-9).
    pub struct AlertStatus(u8) {
        /// Nothing known.
        NONE = 0x00 => "no status",
        /// Sent, and acknowledged where that was wanted.
        NORMAL_END = 0x01 => "normal end",
        /// Not connected, all retries used.
        CALL_FAILED = 0x02 => "call retry failed",
        /// No acknowledgement, all retries used.
        NOT_ACKNOWLEDGED = 0x03 => "failed due to timeouts waiting for acknowledge",
        /// Under way.
        IN_PROGRESS = 0xff => "in progress",
    }
}

protocol_number! {
    /// Source of a platform event trap's event (§17.16; PET 1.0).
    pub struct PetSourceType(u8) {
        /// Platform firmware.
        PLATFORM_FIRMWARE = 0x00 => "platform firmware",
        /// System management interrupt handler.
        SMI_HANDLER = 0x08 => "SMI handler",
        /// Intelligent platform management system.
        IPM_SYSTEM = 0x10 => "IPM system software",
        /// An alert that the BMC made.
        ALERT_ASIC = 0x18 => "alert ASIC",
        /// IPMI.
        IPMI = 0x20 => "IPMI",
        /// BIOS vendor.
        BIOS_VENDOR = 0x28 => "BIOS vendor",
        /// System board vendor.
        SYSTEM_BOARD_VENDOR = 0x30 => "system board vendor",
        /// System integrator.
        SYSTEM_INTEGRATOR = 0x38 => "system integrator",
        /// Third party add-in.
        THIRD_PARTY = 0x40 => "third party add-in",
        /// Operating system vendor.
        OS_VENDOR = 0x48 => "operating system vendor",
        /// Network interface card.
        NIC = 0x50 => "network interface card",
        /// System management card.
        MANAGEMENT_CARD = 0x58 => "system management card",
    }
}
