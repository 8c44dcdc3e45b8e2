//! Numbers of LAN and serial parameters (§23.2, table 23-4; §25.2, table 25-4).

use super::{flags, numbers};

flags! {
    /// What the BMC does about ARP by itself (§23.2, table 23-4).
    pub struct ArpControl(u8) {
        GRATUITOUS = 0x01 => "gratuitous ARPs",
        RESPONSES = 0x02 => "ARP responses",
    }
}

numbers! {
    /// Kind of a destination's address, 4 bits (§23.2, table 23-4).
    pub struct AddressFormat(u8) {
        IPV4 = 0x00 => "IPv4 with MAC",
        IPV6 = 0x01 => "IPv6",
    }
}

flags! {
    /// What a channel can about IPv6 (§23.2, table 23-4).
    pub struct Ipv6Support(u8) {
        ONLY = 0x01 => "IPv6 only",
        BOTH = 0x02 => "IPv4 and IPv6 together",
        ALERTING = 0x04 => "alerts over IPv6",
    }
}

numbers! {
    /// Which of IPv4 and IPv6 a channel uses (§23.2, table 23-4).
    pub struct Ipv6Enables(u8) {
        IPV4_ONLY = 0x00 => "IPv6 disabled",
        IPV6_ONLY = 0x01 => "IPv6 only",
        BOTH = 0x02 => "IPv4 and IPv6",
    }

    /// Where a static IPv6 address comes from, 4 bits (§23.2, table 23-4).
    pub struct Ipv6StaticSource(u8) {
        STATIC = 0x00 => "static",
    }

    /// Where a dynamic IPv6 address comes from, 4 bits (§23.2, table 23-4).
    pub struct Ipv6DynamicSource(u8) {
        SLAAC = 0x01 => "SLAAC",
        DHCPV6 = 0x02 => "DHCPv6",
    }

    /// How an IPv6 address is doing (§23.2, table 23-4).
    pub struct Ipv6AddressStatus(u8) {
        ACTIVE = 0x00 => "active",
        DISABLED = 0x01 => "disabled",
        PENDING = 0x02 => "pending",
        FAILED = 0x03 => "failed",
        DEPRECATED = 0x04 => "deprecated",
        INVALID = 0x05 => "invalid",
    }

    /// Whether the timing of DHCPv6 can be set (§23.2, table 23-4).
    pub struct Dhcpv6TimingSupport(u8) {
        NONE = 0x00 => "not supported",
        GLOBAL = 0x01 => "global",
        PER_INTERFACE = 0x02 => "per interface",
    }

    /// Whether the timing of SLAAC can be set (§23.2, table 23-4).
    pub struct SlaacTimingSupport(u8) {
        NONE = 0x00 => "not supported",
        GLOBAL = 0x01 => "global",
        PER_INTERFACE = 0x02 => "per interface",
    }
}

flags! {
    /// Where a channel's IPv6 routers come from (§23.2, table 23-4).
    pub struct Ipv6RouterControl(u8) {
        STATIC = 0x01 => "static",
        DYNAMIC = 0x02 => "dynamic",
    }

    /// How a serial channel may be used (§25.2, table 25-4).
    pub struct SerialConnectionMode(u8) {
        BASIC = 0x01 => "basic mode",
        PPP = 0x02 => "PPP mode",
        TERMINAL = 0x04 => "terminal mode",
        DIRECT = 0x80 => "direct connection",
    }
}

numbers! {
    /// Flow control of a serial port, 2 bits (§25.2, table 25-4).
    pub struct SerialFlowControl(u8) {
        NONE = 0x00 => "none",
        RTS_CTS = 0x01 => "RTS/CTS",
        XON_XOFF = 0x02 => "XON/XOFF",
    }

    /// Who has a serial line, 4 bits (§25.9; §26.1).
    pub struct SerialConnectionState(u8) {
        NO_SESSION = 0x00 => "no session",
        ACTIVE = 0x01 => "session active",
        TO_SYSTEM = 0x02 => "line goes to the system",
    }

    /// Whether power is being measured, 1 bit (DCMI 1.5 table 6-16).
    pub struct PowerMeasurement(u8) {
        NONE = 0x00 => "not available",
        ACTIVE = 0x01 => "active",
    }
}
