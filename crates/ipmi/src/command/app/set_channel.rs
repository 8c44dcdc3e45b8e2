//! Set Channel Access, Set Channel Security Keys and Get AuthCode (§22.21, §22.22, §22.25).

use crate::command::layout::{message, request};
use crate::command::secret::Secret;
use crate::command::{Command, Empty, Message};
use crate::number::{
    AccessUpdate, AuthType, ChannelAccessFlags, ChannelAccessMode, ChannelNumber, NetFn,
    PrivilegeLevel, SecurityKeyId, SecurityKeyLock, SecurityKeyOperation,
};
use crate::wire::{Reader, WireError, Writer};

/// Length of a channel's key, in bytes.
pub const SECURITY_KEY_LEN: usize = 20;

/// Set Channel Access: the channel doesn't support this access mode.
pub const ACCESS_MODE_NOT_SUPPORTED: crate::number::CompletionCode =
    crate::number::CompletionCode(0x83);
/// Set Channel Security Keys: the key is locked.
pub const KEY_LOCKED: crate::number::CompletionCode = crate::number::CompletionCode(0x80);

request! {
    /// Sets who may use a channel and how (§22.22).
    ///
    /// Completion codes 82h: not for a channel without sessions; 83h: access mode not supported.
    pub struct SetChannelAccess: APP 0x40 "Set Channel Access", repeatable => Empty {
        u8 {
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// Which copy of the next four fields to change.
            pub update: AccessUpdate [7:6],
            /// What is switched off.
            pub flags: ChannelAccessFlags [5:3],
            /// When the channel may be used.
            pub mode: ChannelAccessMode [2:0],
        }
        u8 {
            /// Which copy of the limit to change.
            pub update_limit: AccessUpdate [7:6],
            /// Highest level of the channel's sessions.
            pub privilege_limit: PrivilegeLevel [3:0],
        }
    }

    /// Has the BMC sign 16 bytes with a user's password, so that software can check one (§22.21).
    pub struct GetAuthCode: APP 0x3f "Get AuthCode", repeatable => AuthCode {
        u8 {
            /// Algorithm of IPMI 1.5, or that of IPMI 2.0's integrity check for a 20-byte password.
            pub auth_type: AuthType [7:6],
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// User.
            pub user_id: u8 [5:0],
        }
        /// What is to be signed.
        pub data: [u8; 16],
    }
}

message! {
    /// The answer to [`GetAuthCode`]: 16 bytes for MD5, more for the algorithms of IPMI 2.0.
    pub struct AuthCode {
        /// The code.
        pub code: crate::command::Bytes<20>,
    }
}

/// Reads, sets or locks a key of a channel (§22.25).
///
/// Completion codes 80h: the key is locked; 81h: too few bytes; 82h: too many; 83h: the key doesn't fulfil the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetChannelSecurityKeys {
    /// Channel.
    pub channel: ChannelNumber,
    /// What to do.
    pub operation: SecurityKeyOperation,
    /// Which key.
    pub key_id: SecurityKeyId,
    /// The key when it is set, otherwise empty.
    pub key: Secret<SECURITY_KEY_LEN>,
}

/// The answer to [`SetChannelSecurityKeys`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelSecurityKey {
    /// Whether it is locked.
    pub lock: SecurityKeyLock,
    /// The key when it was asked for, otherwise empty.
    pub key: Secret<SECURITY_KEY_LEN>,
}

impl Command for SetChannelSecurityKeys {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x56;
    const NAME: &'static str = "Set Channel Security Keys";
    const IDEMPOTENT: bool = true;
    type Response = ChannelSecurityKey;

    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[
            self.channel.0 & 0x0f,
            self.operation.0 & 0x03,
            self.key_id.0,
        ]);
        self.key.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            channel: ChannelNumber(r.u8("channel")? & 0x0f),
            operation: SecurityKeyOperation(r.u8("operation")? & 0x03),
            key_id: SecurityKeyId(r.u8("key ID")?),
            key: Secret::decode(r, "key")?,
        })
    }
}

impl Message for ChannelSecurityKey {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.lock.0 & 0x03);
        self.key.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            lock: SecurityKeyLock(r.u8("lock status")? & 0x03),
            key: Secret::decode(r, "key")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Bytes, check};

    #[test]
    fn what_ipmitool_sends_to_open_channel_1_for_good() {
        let set = SetChannelAccess {
            channel: ChannelNumber(1),
            update: AccessUpdate::NON_VOLATILE,
            flags: ChannelAccessFlags::PEF_ALERTING_OFF,
            mode: ChannelAccessMode::ALWAYS_AVAILABLE,
            update_limit: AccessUpdate::NON_VOLATILE,
            privilege_limit: PrivilegeLevel::ADMINISTRATOR,
        };
        check::request(&set, &[0x01, 0x62, 0x44], 3);
    }

    #[test]
    fn a_key_travels_only_when_it_is_set_or_read() {
        let mut set = SetChannelSecurityKeys {
            channel: ChannelNumber(1),
            operation: SecurityKeyOperation::SET,
            key_id: SecurityKeyId::KG,
            key: Secret::new(&[7; 20]).unwrap(),
        };
        let mut bytes = [7; 23];
        bytes[..3].copy_from_slice(&[1, 1, 1]);
        check::request(&set, &bytes, 3);
        set.operation = SecurityKeyOperation::LOCK;
        set.key = Secret::new(&[]).unwrap();
        check::request(&set, &[1, 2, 1], 3);
        let answer = ChannelSecurityKey {
            lock: SecurityKeyLock::UNLOCKED,
            key: Secret::new(&[]).unwrap(),
        };
        check::response(&answer, &[2], 1);
    }

    #[test]
    fn sixteen_bytes_are_signed() {
        let get = GetAuthCode {
            auth_type: AuthType::MD5,
            channel: ChannelNumber(1),
            user_id: 2,
            data: [5; 16],
        };
        let mut bytes = [5; 18];
        bytes[..2].copy_from_slice(&[0x81, 2]);
        check::request(&get, &bytes, 18);
        let code = Bytes::from([6; 16]);
        check::response(&AuthCode { code }, &[6; 16], 0);
    }
}
