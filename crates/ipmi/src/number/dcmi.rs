//! Numbers of DCMI 1.5.

use super::{protocol_flags, protocol_number};

protocol_number! {
    /// Which capabilities are asked for (DCMI 1.5 table 6-3).
    pub struct DcmiCapabilityParameter(u8) {
        /// What is supported at all.
        SUPPORTED = 1 => "supported DCMI capabilities",
        /// SEL size, temperature sampling.
        MANDATORY_ATTRIBUTES = 2 => "mandatory platform attributes",
        /// Where power management is.
        OPTIONAL_ATTRIBUTES = 3 => "optional platform attributes",
        /// Channels.
        ACCESS_ATTRIBUTES = 4 => "manageability access attributes",
        /// Periods of power statistics.
        POWER_STATISTICS = 5 => "enhanced system power statistics attributes",
    }
}

protocol_number! {
    /// Configuration parameter (DCMI 1.5 table 6-6).
    pub struct DcmiParameter(u8) {
        /// Starts DHCP anew; reads as 0.
        ACTIVATE_DHCP = 1 => "activate DHCP",
        /// Which options DHCP sends.
        DISCOVERY = 2 => "discovery configuration",
        /// First time-out, in seconds.
        INITIAL_TIMEOUT = 3 => "DHCP initial timeout interval",
        /// When a server counts as not there, in seconds; two bytes.
        CONTACT_TIMEOUT = 4 => "DHCP server contact timeout interval",
        /// When to try again, in seconds; two bytes.
        RETRY_INTERVAL = 5 => "DHCP server contact retry interval",
    }
}

protocol_flags! {
    /// What DHCP sends, parameter 2 (DCMI 1.5 table 6-6).
    pub struct DcmiDiscovery(u8) {
        /// Option 12 with the controller's identifier.
        OPTION_12 = 0x01 => "option 12",
        /// Option 60 with option 43.
        OPTION_60_43 = 0x02 => "option 60 with option 43",
        /// Random back-off.
        RANDOM_BACKOFF = 0x80 => "random back-off",
    }
}

protocol_number! {
    /// Which power statistics (DCMI 1.5 table 6-16).
    pub struct PowerStatisticsMode(u8) {
        /// Since the start.
        SYSTEM = 1 => "system power statistics",
        /// Over one of the periods of parameter 5.
        ENHANCED = 2 => "enhanced system power statistics",
    }
}

protocol_number! {
    /// Unit of a period of power statistics, 2 bits (DCMI 1.5 table 6-3).
    pub struct RollingAverageUnit(u8) {
        /// Seconds.
        SECONDS = 0 => "seconds",
        /// Minutes.
        MINUTES = 1 => "minutes",
        /// Hours.
        HOURS = 2 => "hours",
        /// Days.
        DAYS = 3 => "days",
    }
}

protocol_number! {
    /// What happens when power stays above its limit (DCMI 1.5 table 6-17).
    pub struct PowerExceptionAction(u8) {
        /// Nothing.
        NONE = 0x00 => "no action",
        /// The machine goes off, and the log tells.
        POWER_OFF = 0x01 => "hard power off and log event to SEL",
        /// The log tells.
        LOG = 0x11 => "log event to SEL only",
    }
}

protocol_flags! {
    /// What happens when a temperature stays above its limit (DCMI 1.5 table 6-20).
    pub struct ThermalExceptionActions(u8) {
        /// The log tells.
        LOG = 0x20 => "log event to SEL only",
        /// The machine goes off, and the log tells.
        POWER_OFF = 0x40 => "hard power off and log event",
    }
}

protocol_number! {
    /// Whether a power limit holds (DCMI 1.5 table 6-19).
    pub struct PowerLimitActivation(u8) {
        /// It doesn't.
        DEACTIVATE = 0 => "deactivate",
        /// It does.
        ACTIVATE = 1 => "activate",
    }
}

protocol_number! {
    /// Entities of DCMI's sensors; each has an entity ID of IPMI, too (DCMI 1.5 table 6-14).
    pub struct DcmiEntity(u8) {
        /// Air inlet; 37h in IPMI.
        INLET = 0x40 => "Inlet",
        /// Processor; 03h in IPMI.
        CPU = 0x41 => "CPU",
        /// Main board; 07h in IPMI.
        BASEBOARD = 0x42 => "Baseboard",
    }
}
