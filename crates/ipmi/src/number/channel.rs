//! Numbers of channels and users (§6, §22).

use super::protocol_number;

protocol_number! {
    /// Channel number, 4 bits (§6.3, table 6-1). 1h to Bh are the implementation's.
    pub struct ChannelNumber(u8) {
        /// The primary IPMB.
        PRIMARY_IPMB = 0x0 => "primary IPMB",
        /// The channel over which the command arrives.
        PRESENT = 0xe => "present channel",
        /// The system interface (KCS, BT, SSIF).
        SYSTEM_INTERFACE = 0xf => "system interface",
    }
}

protocol_number! {
    /// What a channel runs over, 7 bits (§6.5, table 6-3).
    pub struct ChannelMedium(u8) {
        /// IPMB over I2C.
        IPMB = 0x01 => "IPMB (I2C)",
        /// ICMB 1.0.
        ICMB_1_0 = 0x02 => "ICMB v1.0",
        /// ICMB 0.9.
        ICMB_0_9 = 0x03 => "ICMB v0.9",
        /// Ethernet with IPv4 or IPv6.
        LAN_802_3 = 0x04 => "802.3 LAN",
        /// Serial line or modem.
        SERIAL = 0x05 => "Serial/Modem",
        /// Another LAN.
        OTHER_LAN = 0x06 => "Other LAN",
        /// PCI system management bus.
        PCI_SMBUS = 0x07 => "PCI SMBus",
        /// System management bus 1.0 or 1.1.
        SMBUS_1 = 0x08 => "SMBus v1.0/v1.1",
        /// System management bus 2.0.
        SMBUS_2 = 0x09 => "SMBus v2.0",
        /// USB 1.x.
        USB_1 = 0x0a => "USB 1.x",
        /// USB 2.x.
        USB_2 = 0x0b => "USB 2.x",
        /// The host's own interface.
        SYSTEM_INTERFACE = 0x0c => "System Interface",
    }
}

protocol_number! {
    /// Message format of a channel, 5 bits (§6.4, table 6-2).
    pub struct ChannelProtocol(u8) {
        /// IPMB 1.0; LAN channels too.
        IPMB = 0x01 => "IPMB-1.0",
        /// ICMB 1.0.
        ICMB = 0x02 => "ICMB-1.0",
        /// IPMI over SMBus.
        SMBUS = 0x04 => "IPMI-SMBus",
        /// Keyboard controller style.
        KCS = 0x05 => "KCS",
        /// SMIC.
        SMIC = 0x06 => "SMIC",
        /// Block transfer, 2.0 form.
        BT_10 = 0x07 => "BT-10",
        /// Block transfer, 1.5 form.
        BT_15 = 0x08 => "BT-15",
        /// Terminal mode.
        TERMINAL_MODE = 0x09 => "TMODE",
    }
}

protocol_number! {
    /// How many sessions a channel has, 2 bits (§22.24, table 22-29).
    pub struct SessionSupport(u8) {
        /// None: no session is needed.
        SESSIONLESS = 0 => "session-less",
        /// One.
        SINGLE = 1 => "single-session",
        /// Several.
        MULTI = 2 => "multi-session",
        /// One or several, by configuration.
        SESSION_BASED = 3 => "session-based",
    }
}

protocol_number! {
    /// When a channel may be used, 3 bits (§6.6, table 6-4).
    pub struct ChannelAccessMode(u8) {
        /// Never.
        DISABLED = 0 => "disabled",
        /// Only while the system is off or in set-up.
        PRE_BOOT_ONLY = 1 => "pre-boot only",
        /// Always, for the BMC alone.
        ALWAYS_AVAILABLE = 2 => "always available",
        /// Always, shared with the system.
        SHARED = 3 => "shared",
    }
}

protocol_number! {
    /// Whether a user is enabled, 2 bits (§22.27, table 22-32).
    pub struct UserEnableStatus(u8) {
        /// An older BMC that does not tell.
        UNSPECIFIED = 0 => "unspecified",
        /// By Set User Password.
        ENABLED = 1 => "enabled",
        /// By Set User Password.
        DISABLED = 2 => "disabled",
    }
}
