//! Get User Access and Get User Name (§22.27, §22.29).

use core::fmt;

use crate::command::{Command, Message};
use crate::number::{ChannelNumber, NetFn, PrivilegeLevel, UserAccessFlags, UserEnableStatus};
use crate::wire::{Reader, WireError, Writer};

/// Asks what a user may do on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetUserAccess {
    /// Which channel; 4 bits.
    pub channel: ChannelNumber,
    /// Which user, 1 to 63; 6 bits.
    pub user_id: u8,
}

/// The answer to [`GetUserAccess`] (§22.27, table 22-32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserAccess {
    /// User IDs on this channel; 6 bits.
    pub user_id_max: u8,
    /// Whether this user is enabled; 2 bits.
    pub status: UserEnableStatus,
    /// User IDs that are enabled on this channel; 6 bits.
    pub enabled_count: u8,
    /// User IDs whose names are fixed; 6 bits.
    pub fixed_name_count: u8,
    /// What the user may do; 3 bits.
    pub flags: UserAccessFlags,
    /// Highest privilege level; 4 bits, see [`UserAccess::NO_ACCESS`].
    pub privilege_limit: PrivilegeLevel,
}

impl UserAccess {
    /// As a privilege limit: the user has no access to the channel.
    pub const NO_ACCESS: PrivilegeLevel = PrivilegeLevel(0x0f);
}

/// Asks for the name of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetUserName {
    /// Which user, 1 to 63; 6 bits.
    pub user_id: u8,
}

/// A user name: 16 bytes, filled up with zeros. The answer to [`GetUserName`] (§22.29, table 22-34).
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct UserName(pub [u8; 16]);

impl UserName {
    /// From a name; `None` where it has more than 16 bytes.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        bytes
            .get_mut(..name.len())?
            .copy_from_slice(name.as_bytes());
        Some(Self(bytes))
    }

    /// The bytes up to the first zero.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.split(|byte| *byte == 0).next().unwrap_or(&[])
    }
}

impl fmt::Display for UserName {
    /// Bytes that are not printable ASCII are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

impl fmt::Debug for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Command for GetUserAccess {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x44;
    const NAME: &'static str = "Get User Access";
    const IDEMPOTENT: bool = true;
    type Response = UserAccess;

    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[self.channel.0 & 0x0f, self.user_id & 0x3f]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            channel: ChannelNumber(r.u8("channel number")? & 0x0f),
            user_id: r.u8("user ID")? & 0x3f,
        })
    }
}

impl Command for GetUserName {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x46;
    const NAME: &'static str = "Get User Name";
    const IDEMPOTENT: bool = true;
    type Response = UserName;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.user_id & 0x3f);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            user_id: r.u8("user ID")? & 0x3f,
        })
    }
}

impl Message for UserAccess {
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&[
            self.user_id_max & 0x3f,
            (self.status.0 & 0x03) << 6 | self.enabled_count & 0x3f,
            self.fixed_name_count & 0x3f,
            (self.flags.0 & 0x07) << 4 | self.privilege_limit.0 & 0x0f,
        ]);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let [max, enabled, fixed, access] = r.array("user access")?;
        Ok(Self {
            user_id_max: max & 0x3f,
            status: UserEnableStatus(enabled >> 6),
            enabled_count: enabled & 0x3f,
            fixed_name_count: fixed & 0x3f,
            flags: UserAccessFlags(access >> 4 & 0x07),
            privilege_limit: PrivilegeLevel(access & 0x0f),
        })
    }
}

impl Message for UserName {
    fn encode(&self, w: &mut Writer<'_>) {
        w.bytes(&self.0);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.array("user name").map(Self)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::command::check;

    #[test]
    fn access_tells_counts_flags_and_limit() {
        check::request(
            &GetUserAccess {
                channel: ChannelNumber(1),
                user_id: 2,
            },
            &[1, 2],
            2,
        );
        let access = UserAccess {
            user_id_max: 15,
            status: UserEnableStatus::ENABLED,
            enabled_count: 2,
            fixed_name_count: 1,
            flags: UserAccessFlags::LINK_AUTHENTICATION | UserAccessFlags::IPMI_MESSAGING,
            privilege_limit: PrivilegeLevel::OPERATOR,
        };
        check::response(&access, &[0x0f, 0x42, 0x01, 0x33], 4);
    }

    #[test]
    fn a_name_has_sixteen_bytes_and_ends_at_the_first_zero() {
        check::request(&GetUserName { user_id: 2 }, &[2], 1);
        let name = UserName::new("admin").unwrap();
        let mut bytes = [0; 16];
        bytes[..5].copy_from_slice(b"admin");
        check::response(&name, &bytes, 16);
        assert_eq!(name.to_string(), "admin");
        assert_eq!(
            UserName(*b"0123456789abcdef").as_bytes(),
            b"0123456789abcdef"
        );
        assert_eq!(UserName::new("0123456789abcdefg"), None);
        assert_eq!(
            std::format!("{:?}", UserName(*b"a\x01\0bcdefghijklmn")),
            "\"a\\x01\""
        );
    }
}
