//! Numbers of the device-global commands (§20), of system information and of the LAN parameters (§23).

use super::{protocol_flags, protocol_number};

protocol_flags! {
    /// Which logical devices a controller has (§20.1, table 20-2).
    pub struct DeviceSupport(u8) {
        /// Sensors.
        SENSOR = 0x01 => "Sensor Device",
        /// SDR repository.
        SDR_REPOSITORY = 0x02 => "SDR Repository Device",
        /// System event log.
        SEL = 0x04 => "SEL Device",
        /// FRU inventory.
        FRU_INVENTORY = 0x08 => "FRU Inventory Device",
        /// Receives events from IPMB.
        EVENT_RECEIVER = 0x10 => "IPMB Event Receiver",
        /// Sends events to IPMB.
        EVENT_GENERATOR = 0x20 => "IPMB Event Generator",
        /// Bridge.
        BRIDGE = 0x40 => "Bridge",
        /// Chassis.
        CHASSIS = 0x80 => "Chassis Device",
    }
}

protocol_number! {
    /// Outcome of the self test (§20.4, table 20-5).
    pub struct SelfTestResult(u8) {
        /// Nothing wrong.
        PASSED = 0x55 => "passed",
        /// This controller has no self test.
        NOT_IMPLEMENTED = 0x56 => "not implemented",
        /// Data or devices are corrupt or missing; the second byte says which.
        CORRUPT = 0x57 => "device error",
        /// Fatal; the second byte is the maker's.
        FATAL = 0x58 => "fatal hardware error",
    }
}

protocol_flags! {
    /// What the self test found corrupt or missing: second byte with [`SelfTestResult::CORRUPT`] (§20.4, table 20-5).
    pub struct SelfTestFaults(u8) {
        /// Operational firmware is corrupt.
        FIRMWARE = 0x01 => "controller operational firmware corrupted",
        /// Update boot block is corrupt.
        BOOT_BLOCK = 0x02 => "controller update boot block firmware corrupted",
        /// Internal use area of the FRU is corrupt.
        INTERNAL_USE_AREA = 0x04 => "internal use area of BMC FRU corrupted",
        /// SDR repository is empty.
        SDR_EMPTY = 0x08 => "SDR repository empty",
        /// IPMB lines do not respond.
        IPMB = 0x10 => "IPMB signal lines do not respond",
        /// FRU device cannot be read.
        FRU = 0x20 => "cannot access BMC FRU device",
        /// SDR repository cannot be read.
        SDR = 0x40 => "cannot access SDR repository",
        /// SEL cannot be read.
        SEL = 0x80 => "cannot access SEL device",
    }
}

protocol_number! {
    /// ACPI state of the system, 7 bits (§20.7, table 20-7).
    pub struct AcpiSystemPowerState(u8) {
        /// Working.
        S0_G0 = 0x00 => "S0/G0",
        /// Sleeping, hardware context kept.
        S1 = 0x01 => "S1",
        /// Sleeping, processor context lost.
        S2 = 0x02 => "S2",
        /// Suspend to RAM.
        S3 = 0x03 => "S3",
        /// Suspend to disk.
        S4 = 0x04 => "S4",
        /// Soft off.
        S5_G2 = 0x05 => "S5/G2",
        /// Soft off, S4 and S5 cannot be told apart.
        S4_S5 = 0x06 => "S4/S5",
        /// Mechanical off.
        G3 = 0x07 => "G3",
        /// Sleeping, which state is unknown.
        SLEEPING = 0x08 => "sleeping",
        /// Sleeping, G1.
        G1_SLEEPING = 0x09 => "G1 sleeping",
        /// Off by override.
        OVERRIDE = 0x0a => "override",
        /// On, without ACPI.
        LEGACY_ON = 0x20 => "Legacy On",
        /// Off, without ACPI.
        LEGACY_OFF = 0x21 => "Legacy Off",
        /// Unknown.
        UNKNOWN = 0x2a => "unknown",
    }
}

protocol_number! {
    /// ACPI state of the device, 7 bits (§20.7, table 20-7).
    pub struct AcpiDevicePowerState(u8) {
        /// On.
        D0 = 0x00 => "D0",
        /// Light sleep.
        D1 = 0x01 => "D1",
        /// Deeper sleep.
        D2 = 0x02 => "D2",
        /// Off.
        D3 = 0x03 => "D3",
        /// Unknown.
        UNKNOWN = 0x2a => "unknown",
    }
}

protocol_flags! {
    /// What the BMC does with messages and events (§22.1, table 22-2).
    pub struct GlobalEnables(u8) {
        /// Interrupt when a message is in the receive queue.
        RECEIVE_QUEUE_INTERRUPT = 0x01 => "receive message queue interrupt",
        /// Interrupt when the event message buffer is full.
        EVENT_BUFFER_INTERRUPT = 0x02 => "event message buffer full interrupt",
        /// Keeps the last event in the event message buffer.
        EVENT_BUFFER = 0x04 => "event message buffer",
        /// Writes events into the SEL.
        SYSTEM_EVENT_LOGGING = 0x08 => "system event logging",
        /// Maker's own.
        OEM_0 = 0x20 => "OEM 0",
        /// Maker's own.
        OEM_1 = 0x40 => "OEM 1",
        /// Maker's own.
        OEM_2 = 0x80 => "OEM 2",
    }
}

protocol_number! {
    /// System information parameter (§22.14a, table 22-16c).
    pub struct SystemInfoParameter(u8) {
        /// Guards a change of several parameters.
        SET_IN_PROGRESS = 0 => "set in progress",
        /// Firmware (BIOS) version.
        SYSTEM_FIRMWARE_VERSION = 1 => "system firmware version",
        /// Host name.
        SYSTEM_NAME = 2 => "system name",
        /// Operating system that is usually booted.
        PRIMARY_OS_NAME = 3 => "primary operating system name",
        /// Operating system that runs.
        OS_NAME = 4 => "operating system name",
        /// Its version.
        OS_VERSION = 5 => "operating system version",
        /// URL of the BMC.
        BMC_URL = 6 => "BMC URL",
        /// URL of the hypervisor or operating system's management.
        MANAGEMENT_URL = 7 => "management URL",
    }
}

protocol_number! {
    /// LAN configuration parameter (§23.2, table 23-4). C0h and above are the maker's.
    pub struct LanParameter(u8) {
        /// Guards a change of several parameters.
        SET_IN_PROGRESS = 0 => "set in progress",
        /// Authentication types that the channel can do.
        AUTH_TYPE_SUPPORT = 1 => "authentication type support",
        /// Authentication types that are on, for each privilege level.
        AUTH_TYPE_ENABLES = 2 => "authentication type enables",
        /// IPv4 address.
        IP_ADDRESS = 3 => "IP address",
        /// Where the address comes from.
        IP_ADDRESS_SOURCE = 4 => "IP address source",
        /// Ethernet address.
        MAC_ADDRESS = 5 => "MAC address",
        /// IPv4 subnet mask.
        SUBNET_MASK = 6 => "subnet mask",
        /// Time to live, flags, precedence, type of service.
        IPV4_HEADER = 7 => "IPv4 header parameters",
        /// UDP port.
        PRIMARY_RMCP_PORT = 8 => "primary RMCP port",
        /// Second UDP port.
        SECONDARY_RMCP_PORT = 9 => "secondary RMCP port",
        /// ARP answers and gratuitous ARP.
        ARP_CONTROL = 10 => "BMC-generated ARP control",
        /// Interval of gratuitous ARP.
        GRATUITOUS_ARP_INTERVAL = 11 => "gratuitous ARP interval",
        /// Default gateway.
        DEFAULT_GATEWAY_ADDRESS = 12 => "default gateway address",
        /// Its Ethernet address.
        DEFAULT_GATEWAY_MAC = 13 => "default gateway MAC address",
        /// Backup gateway.
        BACKUP_GATEWAY_ADDRESS = 14 => "backup gateway address",
        /// Its Ethernet address.
        BACKUP_GATEWAY_MAC = 15 => "backup gateway MAC address",
        /// SNMP community of platform event traps.
        COMMUNITY_STRING = 16 => "community string",
        /// How many alert destinations there are.
        DESTINATION_COUNT = 17 => "number of destinations",
        /// Type of an alert destination.
        DESTINATION_TYPE = 18 => "destination type",
        /// Addresses of an alert destination.
        DESTINATION_ADDRESSES = 19 => "destination addresses",
        /// VLAN.
        VLAN_ID = 20 => "802.1q VLAN ID",
        /// VLAN priority.
        VLAN_PRIORITY = 21 => "802.1q VLAN priority",
        /// How many cipher suites there are.
        CIPHER_SUITE_COUNT = 22 => "cipher suite entry support",
        /// Cipher suites.
        CIPHER_SUITE_ENTRIES = 23 => "cipher suite entries",
        /// Highest privilege of each cipher suite.
        CIPHER_SUITE_PRIVILEGES = 24 => "cipher suite privilege levels",
        /// VLAN of an alert destination.
        DESTINATION_VLAN = 25 => "destination address VLAN tags",
        /// How many wrong passwords lock a user, and for how long.
        BAD_PASSWORD_THRESHOLD = 26 => "bad password threshold",
        /// What the channel can about IPv6; read-only.
        IPV6_SUPPORT = 50 => "IPv6/IPv4 support",
        /// Which of IPv4 and IPv6 are used.
        IPV6_ENABLES = 51 => "IPv6/IPv4 addressing enables",
        /// Traffic class of what the BMC sends.
        IPV6_TRAFFIC_CLASS = 52 => "IPv6 header static traffic class",
        /// Hop limit of what the BMC sends.
        IPV6_HOP_LIMIT = 53 => "IPv6 header static hop limit",
        /// Flow label of what the BMC sends.
        IPV6_FLOW_LABEL = 54 => "IPv6 header flow label",
        /// How many addresses there may be; read-only.
        IPV6_STATUS = 55 => "IPv6 status",
        /// One static address.
        IPV6_STATIC_ADDRESS = 56 => "IPv6 static address",
        /// Blocks of a static DUID; read-only.
        IPV6_STATIC_DUID_LENGTH = 57 => "IPv6 DHCPv6 static DUID storage length",
        /// Static DUID, in blocks.
        IPV6_STATIC_DUID = 58 => "IPv6 DHCPv6 static DUIDs",
        /// One dynamic address; read-only.
        IPV6_DYNAMIC_ADDRESS = 59 => "IPv6 dynamic address",
        /// Blocks of a dynamic DUID; read-only.
        IPV6_DYNAMIC_DUID_LENGTH = 60 => "IPv6 DHCPv6 dynamic DUID storage length",
        /// Dynamic DUID, in blocks.
        IPV6_DYNAMIC_DUID = 61 => "IPv6 DHCPv6 dynamic DUIDs",
        /// Whether DHCPv6's timing can be set; read-only.
        DHCPV6_TIMING_SUPPORT = 62 => "DHCPv6 timing configuration support",
        /// Timing of DHCPv6.
        DHCPV6_TIMING = 63 => "DHCPv6 timing configuration",
        /// Where routers come from.
        IPV6_ROUTER_CONTROL = 64 => "IPv6 router address configuration control",
        /// First static router.
        IPV6_ROUTER_1_ADDRESS = 65 => "IPv6 static router 1 IP address",
        /// Its Ethernet address.
        IPV6_ROUTER_1_MAC = 66 => "IPv6 static router 1 MAC address",
        /// Its prefix length.
        IPV6_ROUTER_1_PREFIX_LENGTH = 67 => "IPv6 static router 1 prefix length",
        /// Its prefix.
        IPV6_ROUTER_1_PREFIX = 68 => "IPv6 static router 1 prefix value",
        /// Second static router.
        IPV6_ROUTER_2_ADDRESS = 69 => "IPv6 static router 2 IP address",
        /// Its Ethernet address.
        IPV6_ROUTER_2_MAC = 70 => "IPv6 static router 2 MAC address",
        /// Its prefix length.
        IPV6_ROUTER_2_PREFIX_LENGTH = 71 => "IPv6 static router 2 prefix length",
        /// Its prefix.
        IPV6_ROUTER_2_PREFIX = 72 => "IPv6 static router 2 prefix value",
        /// How many dynamic routers there may be; read-only.
        IPV6_DYNAMIC_ROUTER_COUNT = 73 => "IPv6 number of dynamic router information sets",
        /// One dynamic router; read-only.
        IPV6_DYNAMIC_ROUTER_ADDRESS = 74 => "IPv6 dynamic router information IP address",
        /// Its Ethernet address; read-only.
        IPV6_DYNAMIC_ROUTER_MAC = 75 => "IPv6 dynamic router information MAC address",
        /// Its prefix length; read-only.
        IPV6_DYNAMIC_ROUTER_PREFIX_LENGTH = 76 => "IPv6 dynamic router information prefix length",
        /// Its prefix; read-only.
        IPV6_DYNAMIC_ROUTER_PREFIX = 77 => "IPv6 dynamic router information prefix value",
        /// Hop limit that routers announced; read-only.
        IPV6_DYNAMIC_ROUTER_HOP_LIMIT = 78 => "IPv6 dynamic router received hop limit",
        /// Whether SLAAC's timing can be set; read-only.
        SLAAC_TIMING_SUPPORT = 79 => "IPv6 ND/SLAAC timing configuration support",
        /// Timing of SLAAC.
        SLAAC_TIMING = 80 => "IPv6 ND/SLAAC timing configuration",
    }
}

protocol_number! {
    /// Where the IPv4 address of a LAN channel comes from, 4 bits (§23.2, table 23-4).
    pub struct IpSource(u8) {
        /// Not told.
        UNSPECIFIED = 0 => "unspecified",
        /// Set by hand.
        STATIC = 1 => "static",
        /// DHCP run by the BMC.
        DHCP = 2 => "DHCP",
        /// Loaded by firmware or system software.
        BIOS = 3 => "BIOS or system software",
        /// Another protocol run by the BMC.
        OTHER = 4 => "other",
    }
}

protocol_number! {
    /// A log beside the SEL, 4 bits (§31.12, table 31-12).
    pub struct AuxiliaryLogType(u8) {
        /// Machine check architecture log.
        MCA = 0 => "MCA",
        /// Maker's own.
        OEM_1 = 1 => "OEM 1",
        /// Maker's own.
        OEM_2 = 2 => "OEM 2",
    }
}

protocol_number! {
    /// Which software speaks, 7 bits (§5.5, table 5-4). Each name stands for a range: see [`SoftwareId::class`].
    pub struct SoftwareId(u8) {
        /// System firmware, 00h to 0Fh.
        BIOS = 0x00 => "BIOS",
        /// SMI handler, 10h to 1Fh.
        SMI_HANDLER = 0x10 => "SMI handler",
        /// System management software, 20h to 2Fh.
        SMS = 0x20 => "system management software",
        /// The maker's own, 30h to 3Fh.
        OEM = 0x30 => "OEM",
        /// Remote console software, 40h to 46h.
        REMOTE_CONSOLE = 0x40 => "remote console software",
        /// Terminal mode remote console.
        TERMINAL = 0x47 => "terminal mode remote console",
    }
}

impl SoftwareId {
    /// The first number of the range that it belongs to; itself where no range has it.
    #[must_use]
    pub const fn class(self) -> Self {
        match self.0 {
            0x00..=0x0f => Self::BIOS,
            0x10..=0x1f => Self::SMI_HANDLER,
            0x20..=0x2f => Self::SMS,
            0x30..=0x3f => Self::OEM,
            0x40..=0x46 => Self::REMOTE_CONSOLE,
            _ => self,
        }
    }
}
