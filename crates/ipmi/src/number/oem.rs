//! Numbers of makers.

use super::{flags, numbers};

numbers! {
    /// How a Supermicro board drives its fans.
    pub struct SupermicroFanMode(u8) {
        STANDARD = 0x00 => "standard",
        FULL = 0x01 => "full speed",
        OPTIMAL = 0x02 => "optimal",
        HEAVY_IO = 0x04 => "heavy I/O",
    }

    /// Who drives the fans of a Dell machine.
    pub struct DellFanMode(u8) {
        MANUAL = 0x00 => "manual",
        AUTOMATIC = 0x01 => "automatic",
    }

    /// What the LCD of a Dell machine shows.
    pub struct DellLcdMode(u32) {
        USER_TEXT = 0x0000 => "user-defined text",
        MODEL = 0x0001 => "model name",
        NONE = 0x0002 => "none",
        IDRAC_IPV4 = 0x0004 => "iDRAC IPv4 address",
        IDRAC_MAC = 0x0008 => "iDRAC MAC address",
        OS_NAME = 0x0010 => "operating system name",
        SERVICE_TAG = 0x0020 => "service tag",
        IDRAC_IPV6 = 0x0040 => "iDRAC IPv6 address",
        AMBIENT = 0x0080 => "ambient temperature",
        WATTS = 0x0100 => "system watts",
        ASSET_TAG = 0x0200 => "asset tag",
    }

    /// Domain of Node Manager, 4 bits.
    pub struct NmDomain(u8) {
        PLATFORM = 0x00 => "entire platform",
        CPU = 0x01 => "CPU subsystem",
        MEMORY = 0x02 => "memory subsystem",
        HW_PROTECTION = 0x03 => "hardware protection",
        HIGH_POWER_IO = 0x04 => "high-power I/O subsystem",
    }

    /// What Enable/Disable Policy Control switches.
    pub struct NmSwitch(u8) {
        GLOBAL_DISABLE = 0x00 => "global disable",
        GLOBAL_ENABLE = 0x01 => "global enable",
        DOMAIN_DISABLE = 0x02 => "domain disable",
        DOMAIN_ENABLE = 0x03 => "domain enable",
        POLICY_DISABLE = 0x04 => "policy disable",
        POLICY_ENABLE = 0x05 => "policy enable",
    }

    /// When a policy of Node Manager holds, 4 bits.
    pub struct NmTrigger(u8) {
        NONE = 0x00 => "always",
        INLET_TEMPERATURE = 0x01 => "inlet temperature",
        MISSING_READING = 0x02 => "missing power reading",
        TIME_AFTER_RESET = 0x03 => "time after host reset",
        BOOT_TIME = 0x04 => "boot time",
    }

    /// Of what Node Manager gives statistics.
    pub struct NmStatisticsMode(u8) {
        GLOBAL_POWER = 0x01 => "global power",
        GLOBAL_INLET = 0x02 => "global inlet temperature",
        GLOBAL_THROTTLING = 0x03 => "global throttling",
        GLOBAL_AIRFLOW = 0x04 => "global volumetric airflow",
        POLICY_POWER = 0x11 => "policy power",
        POLICY_TRIGGER = 0x12 => "policy trigger",
        POLICY_THROTTLING = 0x13 => "policy throttling",
    }
}

flags! {
    /// What happens when a policy's limit can't be kept.
    pub struct NmPolicyExceptions(u8) {
        ALERT = 0x01 => "send alert",
        SHUT_DOWN = 0x02 => "shut the system down",
    }
}
