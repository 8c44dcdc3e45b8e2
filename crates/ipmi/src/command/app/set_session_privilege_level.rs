//! Set Session Privilege Level (§22.18).

use crate::command::{Command, Message};
use crate::number::{CompletionCode, NetFn, PrivilegeLevel};
use crate::wire::{Reader, WireError, Writer};

/// The user may never have this level.
pub const NOT_FOR_THIS_USER: CompletionCode = CompletionCode(0x80);
/// The level is above the channel's or the session's limit.
pub const ABOVE_LIMIT: CompletionCode = CompletionCode(0x81);
/// User-level authentication can't be switched off.
pub const AUTHENTICATION_REQUIRED: CompletionCode = CompletionCode(0x82);

/// Asks to work at another privilege level; a session starts at USER. Level 0 only asks what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetSessionPrivilegeLevel {
    /// The level to work at.
    pub privilege: PrivilegeLevel,
}

/// The level that the session now works at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPrivilegeLevel {
    /// The level.
    pub privilege: PrivilegeLevel,
}

impl Command for SetSessionPrivilegeLevel {
    const NETFN: NetFn = NetFn::APP;
    const CMD: u8 = 0x3b;
    const NAME: &'static str = "Set Session Privilege Level";
    const IDEMPOTENT: bool = true;
    type Response = SessionPrivilegeLevel;

    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.privilege.0 & 0x0f);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.u8("privilege").map(|level| Self {
            privilege: PrivilegeLevel(level & 0x0f),
        })
    }
}

impl Message for SessionPrivilegeLevel {
    fn encode(&self, w: &mut Writer<'_>) {
        w.u8(self.privilege.0 & 0x0f);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, WireError> {
        r.u8("privilege").map(|level| Self {
            privilege: PrivilegeLevel(level & 0x0f),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_round_trip_and_need_one_byte() {
        let mut buffer = [0xa5; 1];
        let command = SetSessionPrivilegeLevel {
            privilege: PrivilegeLevel::OPERATOR,
        };
        command.encode(&mut Writer::new(&mut buffer));
        assert_eq!(buffer, [3]);
        assert_eq!(
            SetSessionPrivilegeLevel::decode(&mut Reader::new(&buffer)),
            Ok(command)
        );
        let answer = SessionPrivilegeLevel {
            privilege: PrivilegeLevel::ADMINISTRATOR,
        };
        answer.encode(&mut Writer::new(&mut buffer));
        assert_eq!(
            SessionPrivilegeLevel::decode(&mut Reader::new(&buffer)),
            Ok(answer)
        );
        assert!(SetSessionPrivilegeLevel::decode(&mut Reader::new(&[])).is_err());
        assert!(SessionPrivilegeLevel::decode(&mut Reader::new(&[])).is_err());
    }
}
