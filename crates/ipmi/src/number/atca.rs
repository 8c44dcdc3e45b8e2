//! More numbers of PICMG and VITA 46.11.

use super::numbers;

numbers! {
    /// Which specification a controller follows: major version, 4 bits (PICMG 3.0, "Get PICMG Properties").
    pub struct PicmgExtension(u8) {
        COMPACT_PCI = 0x01 => "CompactPCI",
        ATCA = 0x02 => "AdvancedTCA",
        AMC = 0x04 => "AdvancedMC",
        MICRO_TCA = 0x05 => "MicroTCA",
    }

    /// Which LED of a FRU (PICMG 3.0, "Set FRU LED State"). 04h to FBh are the application's.
    pub struct FruLedId(u8) {
        BLUE = 0x00 => "blue LED",
        LED_1 = 0x01 => "LED 1",
        LED_2 = 0x02 => "LED 2",
        LED_3 = 0x03 => "LED 3",
        ALL = 0xff => "all LEDs",
    }

    /// What Set FRU Activation does (PICMG 3.0).
    pub struct FruActivation(u8) {
        DEACTIVATE = 0x00 => "deactivate FRU",
        ACTIVATE = 0x01 => "activate FRU",
    }

    /// Level of a fan tray (PICMG 3.0, "Set Fan Level").
    pub struct FanLevelSetting(u8) {
        EMERGENCY_SHUT_DOWN = 0xfe => "emergency shut down",
        LOCAL_CONTROL = 0xff => "local control",
    }

    /// What identifies a FRU (PICMG 3.0, "Get Address Info").
    pub struct AddressKeyType(u8) {
        HARDWARE_ADDRESS = 0x00 => "hardware address",
        IPMB_0_ADDRESS = 0x01 => "IPMB-0 address",
        PHYSICAL_ADDRESS = 0x03 => "physical address",
    }

    /// Whether a link is on (PICMG 3.0, "Set Port State").
    pub struct PortState(u8) {
        DISABLED = 0x00 => "disabled",
        ENABLED = 0x01 => "enabled",
    }

    /// Signalling of a channel, 4 bits (PICMG 3.0, "Set Channel Signaling Class").
    pub struct LinkSignalingClass(u8) {
        BASIC = 0x00 => "basic",
        GBD_10_3125 = 0x03 => "10.3125 GBd",
    }

    /// Which Ethernet runs over a fabric link: the link type's extension, 4 bits (PICMG 3.1).
    pub struct EthernetLinkExtension(u8) {
        BASE_BX = 0x00 => "Fixed 1000BASE-BX",
        BX4_10G = 0x01 => "Fixed 10GBASE-BX4 (XAUI)",
        FC_PI = 0x02 => "FC-PI",
    }

    /// What a link of an `AdvancedMC` carries (AMC.0, "AMC Link Descriptor").
    pub struct AmcLinkType(u8) {
        PCI_EXPRESS = 0x02 => "PCI Express",
        PCI_EXPRESS_SWITCHING_1 = 0x03 => "PCI Express Advanced Switching 1",
        PCI_EXPRESS_SWITCHING_2 = 0x04 => "PCI Express Advanced Switching 2",
        ETHERNET = 0x05 => "Ethernet",
        RAPID_IO = 0x06 => "Serial RapidIO",
        STORAGE = 0x07 => "Storage",
    }

    /// Where a clock ends, 2 bits (AMC.0, "Clock Resource ID").
    pub struct ClockResourceType(u8) {
        ON_CARRIER = 0x00 => "on-carrier device",
        AMC = 0x01 => "AMC module",
        BACKPLANE = 0x02 => "backplane",
    }

    /// Family of a clock (AMC.0, "Set AMC Clock State").
    pub struct ClockFamily(u8) {
        UNSPECIFIED = 0x00 => "unspecified",
        TELECOM = 0x01 => "SONET/SDH/PDH",
        PCI_EXPRESS = 0x02 => "PCI Express",
    }

    /// How a clock's phase-locked loop is used, 2 bits (AMC.0, "Set AMC Clock State").
    pub struct ClockPll(u8) {
        DEFAULT_STATE = 0x00 => "default state",
        CONNECT = 0x01 => "connect through PLL",
        BYPASS = 0x02 => "bypass PLL",
    }

    /// What became of a shared bus (PICMG 3.0, "Bused Resource").
    pub struct BusedResourceOutcome(u8) {
        ACKNOWLEDGED = 0x00 => "acknowledged, or in control",
        REFUSED = 0x01 => "refused, or not in control",
        NO_CONTROL = 0x02 => "not in control",
    }

    /// What a FRU does on command (VITA 46.11, "FRU Control").
    pub struct VitaFruControlAction(u8) {
        COLD_RESET = 0x00 => "Cold Reset",
        WARM_RESET = 0x01 => "Warm Reset",
        GRACEFUL_REBOOT = 0x02 => "Graceful Reboot",
        DIAGNOSTIC_INTERRUPT = 0x03 => "Issue Diagnostic Interrupt",
    }
}
