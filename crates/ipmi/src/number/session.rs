//! Numbers of the session layer: header fields, RAKP status codes, algorithms and cipher suites.

use super::protocol_number;

protocol_number! {
    /// Authentication type in the session header (§13.6, table 13-8); 06h marks the RMCP+ format.
    pub struct AuthType(u8) {
        /// IPMI 1.5 format without authentication.
        NONE = 0x00 => "none",
        /// IPMI 1.5, MD2.
        MD2 = 0x01 => "MD2",
        /// IPMI 1.5, MD5.
        MD5 = 0x02 => "MD5",
        /// IPMI 1.5, straight password.
        PASSWORD = 0x04 => "password",
        /// IPMI 1.5, the maker's own.
        OEM = 0x05 => "OEM",
        /// RMCP+ (IPMI 2.0) format.
        RMCP_PLUS = 0x06 => "RMCP+",
    }
}

protocol_number! {
    /// Payload type of an RMCP+ packet, without its two flag bits (§13.27.3, table 13-16).
    pub struct PayloadType(u8) {
        /// IPMI message.
        IPMI = 0x00 => "IPMI message",
        /// Serial over LAN.
        SOL = 0x01 => "SOL",
        /// OEM, named by the enterprise number and payload ID that follow.
        OEM_EXPLICIT = 0x02 => "OEM explicit",
        /// RMCP+ Open Session Request.
        OPEN_SESSION_REQUEST = 0x10 => "Open Session Request",
        /// RMCP+ Open Session Response.
        OPEN_SESSION_RESPONSE = 0x11 => "Open Session Response",
        /// RAKP Message 1.
        RAKP_1 = 0x12 => "RAKP Message 1",
        /// RAKP Message 2.
        RAKP_2 = 0x13 => "RAKP Message 2",
        /// RAKP Message 3.
        RAKP_3 = 0x14 => "RAKP Message 3",
        /// RAKP Message 4.
        RAKP_4 = 0x15 => "RAKP Message 4",
    }
}

protocol_number! {
    /// RMCP+ and RAKP message status code (§13.24, table 13-15).
    pub struct RakpStatus(u8) {
        /// No errors.
        OK = 0x00 => "no errors",
        /// The session table is full.
        INSUFFICIENT_RESOURCES = 0x01 => "insufficient resources to create a session",
        /// No such session ID.
        INVALID_SESSION_ID = 0x02 => "invalid session ID",
        /// Invalid payload type.
        INVALID_PAYLOAD_TYPE = 0x03 => "invalid payload type",
        /// The authentication algorithm is not supported.
        INVALID_AUTHENTICATION_ALGORITHM = 0x04 => "invalid authentication algorithm",
        /// The integrity algorithm is not supported.
        INVALID_INTEGRITY_ALGORITHM = 0x05 => "invalid integrity algorithm",
        /// No matching authentication payload.
        NO_MATCHING_AUTHENTICATION = 0x06 => "no matching authentication payload",
        /// No matching integrity payload.
        NO_MATCHING_INTEGRITY = 0x07 => "no matching integrity payload",
        /// The session ID is inactive.
        INACTIVE_SESSION_ID = 0x08 => "inactive session ID",
        /// Invalid role.
        INVALID_ROLE = 0x09 => "invalid role",
        /// The user may not have this privilege level.
        UNAUTHORIZED_ROLE = 0x0a => "unauthorized role or privilege level requested",
        /// No more sessions of this privilege level.
        INSUFFICIENT_RESOURCES_FOR_ROLE = 0x0b => "insufficient resources to create a session at the requested role",
        /// Invalid user name length.
        INVALID_NAME_LENGTH = 0x0c => "invalid name length",
        /// No such user, or the user is disabled.
        UNAUTHORIZED_NAME = 0x0d => "unauthorized name",
        /// Unauthorized GUID.
        UNAUTHORIZED_GUID = 0x0e => "unauthorized GUID",
        /// A key exchange code or integrity check value does not match.
        INVALID_INTEGRITY_CHECK = 0x0f => "invalid integrity check value",
        /// The confidentiality algorithm is not supported.
        INVALID_CONFIDENTIALITY_ALGORITHM = 0x10 => "invalid confidentiality algorithm",
        /// The three algorithms together are no cipher suite of this BMC.
        NO_CIPHER_SUITE_MATCH = 0x11 => "no cipher suite match with proposed security algorithms",
        /// Illegal or unrecognized parameter.
        ILLEGAL_PARAMETER = 0x12 => "illegal or unrecognized parameter",
    }
}

protocol_number! {
    /// Authentication algorithm of the RAKP exchange (§13.28, table 13-17).
    pub struct AuthAlgorithm(u8) {
        /// No authentication at all.
        NONE = 0x00 => "RAKP-none",
        /// HMAC with SHA-1.
        HMAC_SHA1 = 0x01 => "RAKP-HMAC-SHA1",
        /// HMAC with MD5.
        HMAC_MD5 = 0x02 => "RAKP-HMAC-MD5",
        /// HMAC with SHA-256.
        HMAC_SHA256 = 0x03 => "RAKP-HMAC-SHA256",
    }
}

protocol_number! {
    /// Integrity algorithm of the packets of a session (§13.28.4, table 13-18).
    pub struct IntegrityAlgorithm(u8) {
        /// Packets carry no code.
        NONE = 0x00 => "none",
        /// HMAC-SHA1 cut to 96 bits.
        HMAC_SHA1_96 = 0x01 => "HMAC-SHA1-96",
        /// HMAC-MD5, 128 bits.
        HMAC_MD5_128 = 0x02 => "HMAC-MD5-128",
        /// MD5 over password, packet, password.
        MD5_128 = 0x03 => "MD5-128",
        /// HMAC-SHA256 cut to 128 bits.
        HMAC_SHA256_128 = 0x04 => "HMAC-SHA256-128",
    }
}

protocol_number! {
    /// Confidentiality algorithm of the payloads of a session (§13.28.5, table 13-19).
    pub struct ConfidentialityAlgorithm(u8) {
        /// Payloads travel in the clear.
        NONE = 0x00 => "none",
        /// AES with a 128-bit key in cipher block chaining.
        AES_CBC_128 = 0x01 => "AES-CBC-128",
        /// RC4 with a 128-bit key.
        XRC4_128 = 0x02 => "xRC4-128",
        /// RC4 with a 40-bit key.
        XRC4_40 = 0x03 => "xRC4-40",
    }
}

protocol_number! {
    /// Cipher suite ID: one triple of algorithms (§22.15.2, table 22-20). 80h-BFh are the maker's own.
    pub struct CipherSuiteId(u8) {
        /// No authentication, no integrity, no confidentiality: anyone is let in.
        SUITE_0 = 0 => "0 (none)",
        /// RAKP-HMAC-SHA1 only.
        SUITE_1 = 1 => "1 (SHA1)",
        /// RAKP-HMAC-SHA1, HMAC-SHA1-96.
        SUITE_2 = 2 => "2 (SHA1, SHA1-96)",
        /// RAKP-HMAC-SHA1, HMAC-SHA1-96, AES-CBC-128: every IPMI 2.0 BMC has it.
        SUITE_3 = 3 => "3 (SHA1, SHA1-96, AES-128)",
        /// RAKP-HMAC-SHA1, HMAC-SHA1-96, xRC4-128.
        SUITE_4 = 4 => "4 (SHA1, SHA1-96, xRC4-128)",
        /// RAKP-HMAC-SHA1, HMAC-SHA1-96, xRC4-40.
        SUITE_5 = 5 => "5 (SHA1, SHA1-96, xRC4-40)",
        /// RAKP-HMAC-MD5 only.
        SUITE_6 = 6 => "6 (MD5)",
        /// RAKP-HMAC-MD5, HMAC-MD5-128.
        SUITE_7 = 7 => "7 (MD5, HMAC-MD5-128)",
        /// RAKP-HMAC-MD5, HMAC-MD5-128, AES-CBC-128.
        SUITE_8 = 8 => "8 (MD5, HMAC-MD5-128, AES-128)",
        /// RAKP-HMAC-MD5, HMAC-MD5-128, xRC4-128.
        SUITE_9 = 9 => "9 (MD5, HMAC-MD5-128, xRC4-128)",
        /// RAKP-HMAC-MD5, HMAC-MD5-128, xRC4-40.
        SUITE_10 = 10 => "10 (MD5, HMAC-MD5-128, xRC4-40)",
        /// RAKP-HMAC-MD5, MD5-128.
        SUITE_11 = 11 => "11 (MD5, MD5-128)",
        /// RAKP-HMAC-MD5, MD5-128, AES-CBC-128.
        SUITE_12 = 12 => "12 (MD5, MD5-128, AES-128)",
        /// RAKP-HMAC-MD5, MD5-128, xRC4-128.
        SUITE_13 = 13 => "13 (MD5, MD5-128, xRC4-128)",
        /// RAKP-HMAC-MD5, MD5-128, xRC4-40.
        SUITE_14 = 14 => "14 (MD5, MD5-128, xRC4-40)",
        /// RAKP-HMAC-SHA256 only.
        SUITE_15 = 15 => "15 (SHA256)",
        /// RAKP-HMAC-SHA256, HMAC-SHA256-128.
        SUITE_16 = 16 => "16 (SHA256, SHA256-128)",
        /// RAKP-HMAC-SHA256, HMAC-SHA256-128, AES-CBC-128.
        SUITE_17 = 17 => "17 (SHA256, SHA256-128, AES-128)",
        /// RAKP-HMAC-SHA256, HMAC-SHA256-128, xRC4-128.
        SUITE_18 = 18 => "18 (SHA256, SHA256-128, xRC4-128)",
        /// RAKP-HMAC-SHA256, HMAC-SHA256-128, xRC4-40.
        SUITE_19 = 19 => "19 (SHA256, SHA256-128, xRC4-40)",
    }
}
