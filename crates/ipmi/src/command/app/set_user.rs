//! Set User Access, Set User Name, Set User Password (§22.26, §22.28, §22.30).

use super::UserName;
use crate::command::layout::request;
use crate::command::secret::Secret;
use crate::command::{Command, Empty, Message};
use crate::number::{
    ChannelNumber, NetFn, PasswordCompletion, PasswordOperation, PasswordSize, PrivilegeLevel,
    UserAccessFlags,
};
use crate::wire::{Reader, WireError, Writer};

/// Set User Password: the tested password is another, of the right length.
pub const PASSWORD_DIFFERS: crate::number::CompletionCode =
    crate::number::CompletionCode(PasswordCompletion::DIFFERS.0);
/// Set User Password: the tested password has another length (16 instead of 20 bytes).
pub const PASSWORD_SIZE_DIFFERS: crate::number::CompletionCode =
    crate::number::CompletionCode(PasswordCompletion::SIZE_DIFFERS.0);

/// The length that a password has on the wire, filled up with zeros.
const SHORT: usize = 16;
/// The longer length of IPMI 2.0.
const LONG: usize = 20;

request! {
    /// Sets what a user may do on a channel (§22.26).
    pub struct SetUserAccess: APP 0x43 "Set User Access", repeatable => Empty {
        u8 {
            /// `flags` count; otherwise they stay as they are.
            pub change_flags: bool [7],
            /// What the user may do.
            pub flags: UserAccessFlags [6:4],
            /// Channel.
            pub channel: ChannelNumber [3:0],
        }
        u8 {
            /// User, 1-63.
            pub user_id: u8 [5:0],
        }
        u8 {
            /// Highest level of the user's sessions; Fh for no access.
            pub privilege_limit: PrivilegeLevel [3:0],
        }
        /// Sessions at a time, 4 bits; 0 for no limit of the user's own. Optional.
        pub session_limit: Option<u8>,
    }
}

/// Gives a user a name; 16 zeros take it away (§22.28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetUserName {
    /// User, 1-63; 1 is the null user on most BMCs, and has no name.
    pub user_id: u8,
    /// The name.
    pub name: UserName,
}

/// Sets or tests a user's password, or bars the user (§22.30).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetUserPassword {
    /// User, 1-63.
    pub user_id: u8,
    /// Bytes of the password.
    pub size: PasswordSize,
    /// What to do.
    pub operation: PasswordOperation,
    /// The password filled up with zeros; may be empty when barring or letting in.
    pub password: Secret<LONG>,
}

impl SetUserPassword {
    /// Sets or tests a password of at most 20 bytes; `None` where it is longer. More than 16 use the longer form.
    #[must_use]
    pub fn new(user_id: u8, operation: PasswordOperation, password: &[u8]) -> Option<Self> {
        let mut filled = [0; LONG];
        filled.get_mut(..password.len())?.copy_from_slice(password);
        let (size, len) = if password.len() > SHORT {
            (PasswordSize::BYTES_20, LONG)
        } else {
            (PasswordSize::BYTES_16, SHORT)
        };
        let password = Secret::new(&filled[..len])?;
        zeroize::Zeroize::zeroize(&mut filled);
        Some(Self {
            user_id,
            size,
            operation,
            password,
        })
    }
}

impl Command for SetUserName {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x45;
    const NAME: &'static str = "Set User Name";
    const IDEMPOTENT: bool = true;
    type Response = Empty;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.user_id & 0x3f);
        self.name.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            user_id: r.u8("user ID")? & 0x3f,
            name: UserName::decode(r)?,
        })
    }
}

impl Command for SetUserPassword {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x47;
    const NAME: &'static str = "Set User Password";
    const IDEMPOTENT: bool = true;
    type Response = Empty;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.user_id & 0x3f | (self.size.0 & 1) << 7);
        w.u8(self.operation.0 & 0x03);
        self.password.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        let first = r.u8("user ID")?;
        Ok(Self {
            user_id: first & 0x3f,
            size: PasswordSize(first >> 7),
            operation: PasswordOperation(r.u8("operation")? & 0x03),
            password: Secret::decode(r, "password")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::check;

    #[test]
    fn what_ipmitool_sends_for_user_priv_2_4_1() {
        let set = SetUserAccess {
            change_flags: true,
            flags: UserAccessFlags::IPMI_MESSAGING,
            channel: ChannelNumber(1),
            user_id: 2,
            privilege_limit: PrivilegeLevel::ADMINISTRATOR,
            session_limit: None,
        };
        check::request(&set, &[0x91, 0x02, 0x04], 3);
        let limited = SetUserAccess {
            session_limit: Some(2),
            ..set
        };
        check::request(&limited, &[0x91, 0x02, 0x04, 2], 3);
    }

    #[test]
    fn a_password_has_16_bytes_or_20_and_a_name_16() {
        let mut bytes = [0; 17];
        bytes[0] = 3;
        bytes[1..4].copy_from_slice(b"ops");
        let name = UserName::new("ops").unwrap();
        check::request(&SetUserName { user_id: 3, name }, &bytes, 17);

        let mut bytes = [0; 18];
        bytes[..8].copy_from_slice(&[3, 2, b's', b'e', b'c', b'r', b'e', b't']);
        let set = SetUserPassword::new(3, PasswordOperation::SET, b"secret").unwrap();
        check::request(&set, &bytes, 2);
        let long = SetUserPassword::new(3, PasswordOperation::TEST, &[b'x'; 17]).unwrap();
        let mut bytes = [0; 22];
        bytes[..2].copy_from_slice(&[0x83, 3]);
        bytes[2..19].fill(b'x');
        check::request(&long, &bytes, 2);
        assert_eq!(
            SetUserPassword::new(3, PasswordOperation::SET, &[b'x'; 21]),
            None
        );
        assert!(!std::format!("{set:?}").contains("115"));
    }
}
