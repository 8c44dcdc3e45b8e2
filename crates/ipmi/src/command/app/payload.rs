//! Payloads beside IPMI messages: who may use them, which are active (§24).

use crate::command::layout::{message, request};
use crate::command::{Empty, U24};
use crate::number::{
    ChannelNumber, CompletionCode, PayloadAccessOperation, PayloadEncryption, PayloadInstances,
    PayloadType, RmcpPort, SerialAlertBehavior, SetupPayloads, StandardPayloads,
};

/// Activate Payload: it is active on another session. Deactivate Payload: it was not active.
pub const PAYLOAD_ALREADY: CompletionCode = CompletionCode(0x80);
/// The payload type is switched off.
pub const PAYLOAD_DISABLED: CompletionCode = CompletionCode(0x81);
/// As many instances as there may be are active.
pub const PAYLOAD_LIMIT: CompletionCode = CompletionCode(0x82);
/// Activate Payload: encryption was asked for, and the session has none.
pub const PAYLOAD_NOT_ENCRYPTED: CompletionCode = CompletionCode(0x83);
/// Activate Payload: the BMC wants encryption, and it was not asked for.
pub const PAYLOAD_MUST_BE_ENCRYPTED: CompletionCode = CompletionCode(0x84);

request! {
    /// Starts a payload on the session that asks (§24.1).
    ///
    /// Completion codes: [`PAYLOAD_ALREADY`], [`PAYLOAD_DISABLED`], [`PAYLOAD_LIMIT`], [`PAYLOAD_NOT_ENCRYPTED`],
    /// [`PAYLOAD_MUST_BE_ENCRYPTED`].
    pub struct ActivatePayload: APP 0x48 "Activate Payload", once => ActivatedPayload {
        u8 {
            /// Which payload.
            pub payload_type: PayloadType [5:0],
        }
        u8 {
            /// Which instance, from 1.
            pub instance: u8 [3:0],
        }
        /// For SOL see [`SolActivation`].
        pub auxiliary: [u8; 4],
    }

    /// Ends a payload, whichever session has it (§24.2). Completion code 80h: it was not active.
    pub struct DeactivatePayload: APP 0x49 "Deactivate Payload", repeatable => Empty {
        u8 {
            /// Which payload.
            pub payload_type: PayloadType [5:0],
        }
        u8 {
            /// Which instance, from 1.
            pub instance: u8 [3:0],
        }
        /// Not used by SOL.
        pub auxiliary: [u8; 4],
    }

    /// Asks which instances of a payload are active (§24.4).
    pub struct GetPayloadActivationStatus: APP 0x4a "Get Payload Activation Status", repeatable => PayloadActivationStatus {
        u8 {
            /// Which payload.
            pub payload_type: PayloadType [5:0],
        }
    }

    /// Asks which session has an instance of a payload (§24.5).
    pub struct GetPayloadInstanceInfo: APP 0x4b "Get Payload Instance Info", repeatable => PayloadInstanceInfo {
        u8 {
            /// Which payload.
            pub payload_type: PayloadType [5:0],
        }
        u8 {
            /// Which instance, from 1.
            pub instance: u8 [3:0],
        }
    }

    /// Allows a user payloads on a channel, or forbids them (§24.6).
    pub struct SetUserPayloadAccess: APP 0x4c "Set User Payload Access", repeatable => Empty {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// What to do with those named.
            pub operation: PayloadAccessOperation [7:6],
            /// User, 1-63.
            pub user_id: u8 [5:0],
        }
        /// Standard payloads; those that are not named stay as they are.
        pub standard: StandardPayloads,
        /// OEM payloads, bit n is type 20h + n.
        pub oem: u16,
    }

    /// Asks which payloads a user may use on a channel (§24.7).
    pub struct GetUserPayloadAccess: APP 0x4d "Get User Payload Access", repeatable => UserPayloadAccess {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// User, 1-63.
            pub user_id: u8 [5:0],
        }
    }

    /// Asks which payloads a channel has (§24.8).
    pub struct GetChannelPayloadSupport: APP 0x4e "Get Channel Payload Support", repeatable => ChannelPayloadSupport {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
    }

    /// Asks for the version of a payload's format (§24.9). Completion code 80h: the channel has no such payload.
    pub struct GetChannelPayloadVersion: APP 0x4f "Get Channel Payload Version", repeatable => PayloadVersion {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        /// Which payload.
        pub payload_type: PayloadType,
    }

    /// Asks which maker's payload stands behind an OEM payload type (§24.10). Completion code 80h: none.
    pub struct GetChannelOemPayloadInfo: APP 0x50 "Get Channel OEM Payload Info", repeatable => OemPayloadInfo {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        /// OEM explicit, or one of 20h to 27h.
        pub payload_type: PayloadType,
        /// The maker's enterprise number for OEM explicit, otherwise 0.
        pub iana: U24,
        /// The maker's payload for OEM explicit, otherwise 0.
        pub payload_id: u16,
    }

    /// Has a payload sent in the clear, or encrypted again (§24.3).
    ///
    /// Completion codes 80h: not for this payload; 81h: encryption can't be suspended; 82h: it is not encrypted.
    pub struct SuspendResumePayloadEncryption: APP 0x55 "Suspend/Resume Payload Encryption", repeatable => Empty {
        u8 {
            /// Which payload.
            pub payload_type: PayloadType [5:0],
        }
        u8 {
            /// Which instance, from 1.
            pub instance: u8 [3:0],
        }
        u8 {
            /// What to do.
            pub operation: PayloadEncryption [4:0],
        }
    }
}

message! {
    /// The answer to [`ActivatePayload`] (§24.1, table 24-2).
    pub struct ActivatedPayload {
        /// For SOL: bit 0 says that the test mode is on.
        pub auxiliary: [u8; 4],
        /// Longest payload that the BMC takes, in bytes.
        pub inbound_max: u16,
        /// Longest payload that the BMC sends, in bytes.
        pub outbound_max: u16,
        /// UDP port of the payload; that of the session for SOL.
        pub port: RmcpPort,
        /// VLAN of the payload; FFFFh for none of its own.
        pub vlan: u16,
    }

    /// The answer to [`GetPayloadActivationStatus`] (§24.4).
    pub struct PayloadActivationStatus {
        u8 {
            /// How many instances there may be.
            pub capacity: u8 [3:0],
        }
        /// Those that are active.
        pub active: PayloadInstances,
    }

    /// The answer to [`GetPayloadInstanceInfo`] (§24.5).
    pub struct PayloadInstanceInfo {
        /// BMC's ID of the session; 0 where the instance is not active.
        pub session_id: u32,
        /// For SOL the serial port in byte 0, from 1; 0 unspecified.
        pub specific: [u8; 8],
    }

    /// The answer to [`GetUserPayloadAccess`] (§24.7).
    pub struct UserPayloadAccess {
        /// Standard payloads.
        pub standard: StandardPayloads,
        /// OEM payloads, bit n is type 20h + n.
        pub oem: u16,
    }

    /// The answer to [`GetChannelPayloadSupport`] (§24.8).
    pub struct ChannelPayloadSupport {
        /// Standard payloads.
        pub standard: StandardPayloads,
        /// Payloads of session set-up.
        pub setup: SetupPayloads,
        /// OEM payloads, bit n is type 20h + n.
        pub oem: u16,
        reserved 2;
    }

    /// The answer to [`GetChannelPayloadVersion`] (§24.9).
    pub struct PayloadVersion {
        u8 {
            /// Major version.
            pub major: u8 [7:4],
            /// Minor version.
            pub minor: u8 [3:0],
        }
    }

    /// The answer to [`GetChannelOemPayloadInfo`] (§24.10).
    pub struct OemPayloadInfo {
        /// Which payload.
        pub payload_type: PayloadType,
        /// The maker's enterprise number.
        pub iana: U24,
        /// The maker's payload.
        pub payload_id: u16,
        u8 {
            /// Major version.
            pub major: u8 [7:4],
            /// Minor version.
            pub minor: u8 [3:0],
        }
    }
}

/// The auxiliary data of [`ActivatePayload`] for SOL (§24.1, table 24-2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SolActivation {
    /// The payload is to be encrypted.
    pub encrypted: bool,
    /// The payload is to be authenticated.
    pub authenticated: bool,
    /// Test mode.
    pub test_mode: bool,
    /// CTS, DCD and DSR are to be held off until the console says otherwise.
    pub handshake_held: bool,
    /// Serial alerts meanwhile; 2 bits.
    pub serial_alerts: SerialAlertBehavior,
}

impl SolActivation {
    /// The four bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 4] {
        let first = (self.encrypted as u8) << 7
            | (self.authenticated as u8) << 6
            | (self.test_mode as u8) << 5
            | (self.serial_alerts.0 & 0x03) << 2
            | (self.handshake_held as u8) << 1;
        [first, 0, 0, 0]
    }

    /// Reads the four bytes.
    #[must_use]
    pub const fn from_bytes([first, ..]: [u8; 4]) -> Self {
        Self {
            encrypted: first & 0x80 != 0,
            authenticated: first & 0x40 != 0,
            test_mode: first & 0x20 != 0,
            serial_alerts: SerialAlertBehavior(first >> 2 & 0x03),
            handshake_held: first & 0x02 != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    const SOL: PayloadType = PayloadType::SOL;

    #[test]
    fn the_activation_that_ipmitool_sends_for_sol() {
        let options = SolActivation {
            encrypted: true,
            authenticated: true,
            serial_alerts: SerialAlertBehavior::DEFER,
            ..SolActivation::default()
        };
        let activate = ActivatePayload {
            payload_type: SOL,
            instance: 1,
            auxiliary: options.to_bytes(),
        };
        check::request(&activate, &[1, 1, 0xc4, 0, 0, 0], 6);
        assert_eq!(SolActivation::from_bytes(activate.auxiliary), options);
        let answer = ActivatedPayload {
            auxiliary: [0; 4],
            inbound_max: 240,
            outbound_max: 255,
            port: RmcpPort::PRIMARY,
            vlan: 0xffff,
        };
        let bytes = [0, 0, 0, 0, 240, 0, 255, 0, 0x6f, 2, 0xff, 0xff];
        check::response(&answer, &bytes, 12);
        let deactivate = DeactivatePayload {
            payload_type: SOL,
            instance: 1,
            auxiliary: [0; 4],
        };
        check::request(&deactivate, &[1, 1, 0, 0, 0, 0], 6);
    }

    #[test]
    fn instances_are_bits_and_belong_to_sessions() {
        check::request(&GetPayloadActivationStatus { payload_type: SOL }, &[1], 1);
        let status = PayloadActivationStatus {
            capacity: 1,
            active: PayloadInstances(1),
        };
        check::response(&status, &[1, 1, 0], 3);
        let get = GetPayloadInstanceInfo {
            payload_type: SOL,
            instance: 1,
        };
        check::request(&get, &[1, 1], 2);
        let info = PayloadInstanceInfo {
            session_id: 0x0403_0201,
            specific: [1, 0, 0, 0, 0, 0, 0, 0],
        };
        check::response(&info, &[1, 2, 3, 4, 1, 0, 0, 0, 0, 0, 0, 0], 12);
    }

    #[test]
    fn access_and_support_are_masks() {
        let set = SetUserPayloadAccess {
            channel: ChannelNumber(1),
            operation: PayloadAccessOperation::DISABLE,
            user_id: 2,
            standard: StandardPayloads::SOL,
            oem: 0x80,
        };
        check::request(&set, &[1, 0x42, 2, 0, 0x80, 0], 6);
        let get = GetUserPayloadAccess {
            channel: ChannelNumber(1),
            user_id: 2,
        };
        check::request(&get, &[1, 2], 2);
        let access = UserPayloadAccess {
            standard: StandardPayloads::SOL,
            oem: 0,
        };
        check::response(&access, &[2, 0, 0, 0], 4);
        let channel = ChannelNumber(1);
        check::request(&GetChannelPayloadSupport { channel }, &[1], 1);
        let support = ChannelPayloadSupport {
            standard: StandardPayloads::IPMI | StandardPayloads::SOL,
            setup: SetupPayloads(0x3f),
            oem: 0,
        };
        check::response(&support, &[3, 0, 0x3f, 0, 0, 0, 0, 0], 8);
    }

    #[test]
    fn versions_are_nibbles() {
        let get = GetChannelPayloadVersion {
            channel: ChannelNumber(1),
            payload_type: SOL,
        };
        check::request(&get, &[1, 1], 2);
        check::response(&PayloadVersion { major: 1, minor: 0 }, &[0x10], 1);
        let get = GetChannelOemPayloadInfo {
            channel: ChannelNumber(1),
            payload_type: PayloadType(0x20),
            iana: U24(0),
            payload_id: 0,
        };
        check::request(&get, &[1, 0x20, 0, 0, 0, 0, 0], 7);
        let info = OemPayloadInfo {
            payload_type: PayloadType(0x20),
            iana: U24(0x0102),
            payload_id: 3,
            major: 1,
            minor: 2,
        };
        check::response(&info, &[0x20, 2, 1, 0, 3, 0, 0x12], 7);
        let suspend = SuspendResumePayloadEncryption {
            payload_type: SOL,
            instance: 1,
            operation: PayloadEncryption::SUSPEND,
        };
        check::request(&suspend, &[1, 1, 0], 3);
    }
}
