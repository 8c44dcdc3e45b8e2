//! Numbers of RMCP, ASF and session set-up on the wire (§13).

use super::{flags, numbers};

numbers! {
    /// Version of the RMCP header (§13.1.3).
    pub struct RmcpVersion(u8) {
        RMCP_1_0 = 0x06 => "RMCP 1.0",
    }

    /// Class of an RMCP message, 5 bits (§13.1.3).
    pub struct RmcpMessageClass(u8) {
        ASF = 0x06 => "ASF",
        IPMI = 0x07 => "IPMI",
        OEM = 0x08 => "OEM",
    }

    /// Whether an RMCP datagram is a message or acknowledges one: bit 7 of the class byte (§13.1.3).
    pub struct RmcpMessageRole(u8) {
        NORMAL = 0x00 => "message",
        ACKNOWLEDGE = 0x01 => "acknowledgement",
    }

    /// UDP port of RMCP (§13.1.2).
    pub struct RmcpPort(u16) {
        PRIMARY = 0x026f => "primary RMCP port",
        SECONDARY = 0x0298 => "secondary RMCP port",
    }

    /// Type of an ASF message (ASF 2.0 §3.2.4).
    pub struct AsfMessageType(u8) {
        RESET = 0x10 => "Reset",
        POWER_UP = 0x11 => "Power-up",
        POWER_DOWN = 0x12 => "Unconditional Power-down",
        POWER_CYCLE = 0x13 => "Power Cycle Reset",
        PRESENCE_PONG = 0x40 => "Presence Pong",
        CAPABILITIES_RESPONSE = 0x41 => "Capabilities Response",
        SYSTEM_STATE_RESPONSE = 0x42 => "System State Response",
        OPEN_SESSION_RESPONSE = 0x43 => "Open Session Response",
        CLOSE_SESSION_RESPONSE = 0x44 => "Close Session Response",
        PRESENCE_PING = 0x80 => "Presence Ping",
        CAPABILITIES_REQUEST = 0x81 => "Capabilities Request",
        SYSTEM_STATE_REQUEST = 0x82 => "System State Request",
        OPEN_SESSION_REQUEST = 0x83 => "Open Session Request",
        CLOSE_SESSION_REQUEST = 0x84 => "Close Session Request",
        RAKP_1 = 0xc0 => "RAKP Message 1",
        RAKP_2 = 0xc1 => "RAKP Message 2",
        RAKP_3 = 0xc2 => "RAKP Message 3",
    }
}

flags! {
    /// What a machine that answers a presence ping speaks (§13.2.4; ASF 2.0 §3.2.4.3).
    pub struct AsfEntities(u8) {
        ASF_1_0 = 0x01 => "ASF 1.0",
        IPMI = 0x80 => "IPMI",
    }

    /// How it does (ASF 2.0 §3.2.4.3).
    pub struct AsfInteractions(u8) {
        DASH = 0x20 => "DASH",
        SECURITY_EXTENSIONS = 0x80 => "RMCP security extensions",
    }
}

numbers! {
    /// What an algorithm payload of Open Session is about (§13.17, table 13-9).
    pub struct ProposalKind(u8) {
        AUTHENTICATION = 0x00 => "authentication algorithm",
        INTEGRITY = 0x01 => "integrity algorithm",
        CONFIDENTIALITY = 0x02 => "confidentiality algorithm",
    }

    /// Highest level that a console asks for at log-in, 4 bits (§13.17, table 13-9).
    pub struct RequestedPrivilege(u8) {
        HIGHEST = 0x00 => "highest that fits",
        CALLBACK = 0x01 => "CALLBACK",
        USER = 0x02 => "USER",
        OPERATOR = 0x03 => "OPERATOR",
        ADMINISTRATOR = 0x04 => "ADMINISTRATOR",
        OEM = 0x05 => "OEM",
    }

    /// How the BMC finds the user: bit 4 of RAKP Message 1's role byte (§13.20, table 13-11).
    pub struct UserLookup(u8) {
        NAME_AND_PRIVILEGE = 0x00 => "by name and privilege",
        NAME_ONLY = 0x01 => "by name only",
    }

    /// First byte of a cipher suite's record (§22.15.1, table 22-18).
    pub struct CipherRecordTag(u8) {
        STANDARD = 0xc0 => "standard cipher suite",
        OEM = 0xc1 => "OEM cipher suite",
    }

    /// What Get Channel Cipher Suites lists, bit 7 (§22.15, table 22-17).
    pub struct CipherListMode(u8) {
        ALGORITHMS = 0x00 => "algorithms",
        SUITES = 0x01 => "cipher suites",
    }

    /// The byte that a session's additional keys are made of (§13.32).
    pub struct KeyConstant(u8) {
        K1 = 0x01 => "K1, integrity",
        K2 = 0x02 => "K2, confidentiality",
        K3 = 0x03 => "K3, reserved",
    }
}
